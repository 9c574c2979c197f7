//go:build !race

package browser_test

import (
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// browserKill crashes the server in the middle of a game. The pages come back by themselves with everything they had and with what was
// done meanwhile.
func browserKill(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	two, id := b.seatChess(s, s.URL)
	two.play(scholars, 0, 3)
	for _, p := range two {
		p.mayLose()
		p.value(`window.same = true`, nil)
	}

	s.Kill()
	for _, p := range two {
		p.sees(testid("banner"))
		p.sees(testid("connection", `[data-state="reconnecting"]`))
	}
	two[1].move(scholars[3]) // while no server is there to receive it
	two[1].moved(scholars[3])
	s.Start()

	for _, p := range two {
		p.live().moved(scholars[3])
		p.until(`document.querySelector("[data-testid=banner]").hidden`)
		p.until(`window.same`) // the page was not loaded again
	}
	two.play(scholars, 4, len(scholars))
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
	if pgn := s.Result(id).Result.Data.PGN; !e2e.Mentions(pgn, "1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7#") {
		t.Errorf("what was stored is\n%s", pgn)
	}
}
