package api_test

import (
	"fmt"
	"net/http"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/internal/webtest"
	"github.com/roomring/roomring/web/limit"
)

// TestPagesOfALeaderboard follows the pages of a board to its end. It checks that the first pages are kept, and that an address has a
// limit.
func TestPagesOfALeaderboard(t *testing.T) {
	now := webtest.Now
	var mu sync.Mutex
	a := webtest.StartAPI(t, func(o *api.Options) {
		o.BoardCache, o.BoardOffset = time.Minute, 10
		o.Now = func() time.Time { mu.Lock(); defer mu.Unlock(); return now }
	})
	const players = 25
	for i := range players {
		a.Records.Board = append(a.Records.Board, record.Standing{
			Place: i + 1, Player: room.PlayerID(fmt.Sprint("p", i)), Rating: record.Rating{Rating: 2000 - float64(i)},
		})
	}
	path, seen := "/v1/leaderboards/chess?limit=4", 0
	for after := ""; ; {
		got := a.Want(http.StatusOK, "GET", path+after, "")
		for _, p := range got.Body["players"].([]any) {
			seen++
			if place := p.(map[string]any)["place"]; place != float64(seen) {
				t.Fatalf("place %v follows %d", place, seen-1)
			}
		}
		next, more := got.Body["next"].(string)
		if !more {
			break
		}
		after = "&after=" + next
	}
	if seen != players {
		t.Errorf("the pages had %d players of %d", seen, players)
	}
	a.Records.BoardAsked = 0
	for range 20 {
		a.Want(http.StatusOK, "GET", path+"&offset=10", "")
	}
	if a.Records.BoardAsked != 0 {
		t.Errorf("pages that are kept cost %d questions to the store", a.Records.BoardAsked)
	}
	mu.Lock()
	now = now.Add(time.Hour)
	mu.Unlock()
	a.Want(http.StatusOK, "GET", path, "")
	if a.Records.BoardAsked != 1 {
		t.Errorf("an old page cost %d questions, want 1", a.Records.BoardAsked)
	}
	a.API.RefreshBoards()
	a.Want(http.StatusOK, "GET", path, "")
	if a.Records.BoardAsked != 2 {
		t.Errorf("a page that was to be refreshed cost %d questions, want 1", a.Records.BoardAsked-1)
	}
	a.Refused(http.StatusBadRequest, "offset", "GET", path+"&offset=11", "")
	a.Refused(http.StatusBadRequest, "after", "GET", path+"&after=nonsense", "")
	a.Refused(http.StatusBadRequest, "offset", "GET", path+"&offset=1&after=eyJyIjoxLCJwIjoiYSIsIm4iOjEsImMiOjF9", "")

	few := webtest.StartAPI(t, func(o *api.Options) { o.BoardRate = limit.Rate{PerSecond: 1, Burst: 2} })
	for _, want := range []int{http.StatusOK, http.StatusOK, http.StatusTooManyRequests} {
		few.Want(want, "GET", "/v1/leaderboards/chess", "")
	}
}
