//go:build !race

package browser_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// acts returns how many actions each player has in a room's log.
func acts(s *e2e.Server, id string) map[string]int {
	s.T.Helper()
	var in struct {
		Recent []struct{ Kind, Player string }
	}
	if code := s.CallAdmin("GET", "/admin/v1/rooms/"+id, nil, &in); code != http.StatusOK {
		s.T.Fatalf("inspecting %s: %d", id, code)
	}
	acts := map[string]int{}
	for _, r := range in.Recent {
		if r.Kind == "act" {
			acts[r.Player]++
		}
	}
	return acts
}

// browserNetwork cuts the network between a browser and the server in every possible way, always while a move is in flight. Each move is
// made exactly once.
func browserNetwork(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	network := newProxy(t, s)
	b := shared.on(t)
	two, id := b.seatChess(s, network.URL)
	white, black := two[0].mayLose(), two[1].mayLose()
	two.play(scholars, 0, 1)

	t.Log("a black hole")
	network.set(blackHole)
	black.move(scholars[1])
	black.moved(scholars[1])
	time.Sleep(5 * time.Second)
	if n := acts(s, id)[black.player()]; n != 0 {
		t.Fatalf("%d moves came through a black hole", n)
	}
	network.set(clear)
	two.settled(s, id, scholars[1], 1, 1)

	t.Log("a reset")
	network.reset()
	white.move(scholars[2])
	two.settled(s, id, scholars[2], 2, 1)

	t.Log("an answer that is lost")
	network.set(oneWay)
	black.move(scholars[3])
	testwait.Until(t, "the move has reached the room", func() bool { return acts(s, id)[black.player()] == 2 })
	network.set(clear)
	network.reset()
	two.settled(s, id, scholars[3], 2, 2)

	t.Log("a browser that says that it is offline")
	white.offline(true)
	network.set(blackHole)
	network.reset()
	white.move(scholars[4])
	network.set(clear)
	white.offline(false)
	two.settled(s, id, scholars[4], 3, 2)

	two.play(scholars, 5, len(scholars))
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
	if pgn := s.Result(id).Result.Data.PGN; !e2e.Mentions(pgn, "1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7#") {
		t.Errorf("what was stored is\n%s", pgn)
	}
}

// settled waits until both pages show a move again, and counts each player's actions in the room's log.
func (two sides) settled(s *e2e.Server, id, uci string, white, black int) {
	s.T.Helper()
	for _, p := range two {
		p.live().moved(uci)
		p.until(`document.querySelector("[data-testid=banner]").hidden`)
	}
	acts := acts(s, id)
	if acts[two[0].player()] != white || acts[two[1].player()] != black {
		s.T.Errorf("after %s the log holds moves %v, not %d of White and %d of Black", uci, acts, white, black)
	}
}
