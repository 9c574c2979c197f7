package survive_test

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// logged is a room's log, as the admin API tells it.
type logged struct {
	First   int    `json:"first"`
	Last    int    `json:"last"`
	End     string `json:"end"`
	ForkOf  string `json:"fork_of"`
	Entries []struct {
		Index int    `json:"index"`
		Kind  string `json:"kind"`
	} `json:"entries"`
}

// TestAForkIsARoomOfItsOwn forks a game of chess in its middle and kills the process. Both rooms come back and are played to ends of their own,
// and the original alone changes ratings.
func TestAForkIsARoomOfItsOwn(t *testing.T) {
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--rate-guests", "--rated-min-time", "0", "--rated-per-opponent", "0")...).Start()
	ctx := e2e.WaitContext(t)
	var tokens [2]struct{ Token, Player string }
	for i, name := range []string{"Ann", "Bob"} {
		if code := s.Call("POST", "/v1/guest", map[string]string{"name": name}, &tokens[i]); code != http.StatusOK && code != http.StatusCreated {
			t.Fatalf("a guest: %d", code)
		}
	}
	table := func(info e2e.RoomInfo) (players [2]*client.Client) {
		for i := range players {
			players[i] = s.Join(info, client.Options{Token: tokens[i].Token, Code: info.Code})
		}
		return players
	}
	play := func(players [2]*client.Client, from int, moves ...string) {
		t.Helper()
		for i, uci := range moves {
			if _, err := players[(from+i)%2].Act(ctx, map[string]string{"move": uci}); err != nil {
				t.Fatalf("%s: %v", uci, err)
			}
		}
	}
	info := s.Create("chess", map[string]any{"white": "first"})
	original := table(info)
	play(original, 0, "e2e4", "e7e5", "d1h5", "b8c6")

	var log logged
	path := "/admin/v1/rooms/" + info.ID
	if code := s.CallAdmin("GET", path+"/log", nil, &log); code != http.StatusOK {
		t.Fatalf("the log: %d", code)
	}
	for _, p := range []string{path + "/log", path + "/log.replay", path + "/at/1", "/admin/inspect/" + info.ID} {
		if code := s.Call("GET", p, nil, nil); code != http.StatusNotFound {
			t.Errorf("players get %d for %s", code, p)
		}
	}
	if code := s.CallAdmin("POST", path+"/act", map[string]any{"player": tokens[0].Player, "action": map[string]string{"move": "f1c4"}}, nil); code != http.StatusForbidden {
		t.Errorf("acting for a player: %d", code)
	}
	var fork e2e.RoomInfo
	if code := s.CallAdmin("POST", path+"/fork", map[string]int{"index": log.Last - 2}, &fork); code != http.StatusCreated { // before Qh5
		t.Fatalf("the fork: %d", code)
	}
	play(original, 0, "f1c4") // it notices nothing
	s.Kill()
	s.Start()

	if code := s.Call("GET", "/v1/rooms/"+fork.ID, nil, &fork); code != http.StatusOK || fork.Phase != "playing" {
		t.Fatalf("after the kill the fork answers %d, phase %q", code, fork.Phase)
	}
	forked := table(e2e.RoomInfo{ID: fork.ID, URL: fork.URL, Code: fork.Code})
	play(forked, 0, "g1f3", "b8c6")
	if _, err := forked[1].Act(ctx, map[string]bool{"resign": true}); err != nil {
		t.Fatal(err)
	}
	play(original, 1, "g8f6", "h5f7")
	for _, end := range []struct {
		id, reason, fen string
		rated           bool
	}{
		{info.ID, "checkmate", "r1bqkb1r/pppp1Qpp/2n2n2/4p3/2B1P3/8/PPPP1PPP/RNB1K1NR b KQkq - 0 4", true},
		{fork.ID, "resignation", "r1bqkbnr/pppp1ppp/2n5/4p3/4P3/5N2/PPPP1PPP/RNBQKB1R w KQkq - 2 3", false},
	} {
		r := s.Result(end.id)
		var stored struct{ Rated bool }
		s.CallAdmin("GET", "/admin/v1/results/"+end.id, nil, &stored)
		if r.Result.Reason != end.reason || r.Result.Data.FEN != end.fen || stored.Rated != end.rated {
			t.Errorf("room %s ended as %+v, rated: %v; want %+v", end.id, r.Result, stored.Rated, end)
		}
		s.CheckReplay(end.id)
	}
	if code := s.CallAdmin("GET", "/admin/v1/rooms/"+fork.ID+"/log", nil, &log); code != http.StatusOK || log.End != "finished" || log.ForkOf != info.ID {
		t.Errorf("the fork's log: %d, %+v", code, log)
	}
}
