package play_test

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// TestRoomsTellTheirOwnSeats makes rooms with fewer seats than their game has, because built-in opponents hold some or because the table
// is small. Nobody is matched into a seat that does not exist.
func TestRoomsTellTheirOwnSeats(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	for _, test := range []struct {
		game    string
		options any
		want    int
	}{
		{"liarsdice", nil, 6},
		{"liarsdice", map[string]any{"players": 3}, 3},
		{"liarsdice", map[string]any{"players": 4, "bots": 3}, 1},
		{"chess", nil, 2},
		{"chess", map[string]any{"bot": true}, 1},
		{"snakes", map[string]any{"bots": 5}, 30}, // they need no seats
	} {
		var room struct {
			Max int `json:"max_players"`
		}
		if code := s.Call("GET", "/v1/rooms/"+s.Create(test.game, test.options).ID, nil, &room); code != http.StatusOK || room.Max != test.want {
			t.Errorf("%s with %v: %d, %d seats, want %d", test.game, test.options, code, room.Max, test.want)
		}
	}
	rooms := map[string]int{}
	for i := range 6 {
		var got e2e.RoomInfo
		options := map[string]any{"players": 3, "dice": 7} // options that nobody else asks for
		if code := s.Call("POST", "/v1/matchmake", map[string]any{"game": "liarsdice", "options": options, "ticket": e2e.Ticket(i)}, &got); code != http.StatusOK {
			t.Fatalf("asking for a match: %d", code)
		}
		rooms[got.ID]++
	}
	for id, n := range rooms {
		if n != 3 {
			t.Errorf("%d were sent to the table %s of three", n, id)
		}
	}
}
