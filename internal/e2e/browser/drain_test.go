//go:build !race

package browser_test

import (
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// watchConnection adds up how long a page was not connected, and how long its banner said so.
const watchConnection = `{
	const lost = (window.lost = {away: 0, told: 0});
	const adds = (el, name, isLost) => {
		let since = isLost() ? performance.now() : undefined;
		new MutationObserver(() => {
			if (isLost()) since ??= performance.now();
			else if (since !== undefined) { lost[name] += performance.now() - since; since = undefined; }
		}).observe(el, {attributes: true});
	};
	const pill = document.querySelector("[data-testid=connection]"), banner = document.querySelector("[data-testid=banner]");
	adds(pill, "away", () => pill.dataset.state !== "open");
	adds(banner, "told", () => !banner.hidden);
	true
}`

// browserDrain plays chess while each node of a cluster is stopped and started again, in turn. The pages move from node to node and show
// no message about it.
func browserDrain(t *testing.T, shared *browser) {
	t.Parallel()
	d := e2e.NewDev(t, slices.Concat([]string{"--nodes", "3", "--"}, e2e.GenerousLimits)...)
	d.Env = []string{"ROOMRING_TEST_GAMES="}
	d.Start().WaitWhole(3)
	b := shared.on(t)
	two, id := b.seatChess(d.Server, d.URL)
	for _, p := range two {
		p.mayLose() // the socket to a node that stops may end before the page has let go of it
		p.value(watchConnection, nil)
	}
	two.play(scholars, 0, 1)
	for i, n := range d.Nodes {
		d.MustPress(n.Node + "/drain")
		two.play(scholars, 1+2*i, 2+2*i)
		d.WaitForState(n.Node, e2e.DevStopped)
		two.play(scholars, 2+2*i, 3+2*i)
		d.MustPress(n.Node + "/start")
		d.WaitWhole(3)
	}
	for _, p := range two {
		var lost struct{ Away, Told float64 } // ms
		p.value("window.lost", &lost)         // it does not exist if the page was loaded again
		t.Logf("%s was not connected for %.0f ms and said so for %.0f ms", p.name, lost.Away, lost.Told)
		if !slices.ContainsFunc(p.messages(), func(m any) bool { return e2e.Field(m, "t") == "move" }) {
			t.Errorf("%s was never told to move: this proves nothing", p.name)
		}
		if blink := float64(5 * time.Second.Milliseconds()); lost.Told > blink {
			t.Errorf("%s: the page has said for %.0f ms that the connection is lost", p.name, lost.Told)
		}
	}
	two[0].reads(testid("ending"), "You won.")
	two[1].reads(testid("ending"), "You lost.")
	if pgn := d.Result(id).Result.Data.PGN; !e2e.Mentions(pgn, "1. e4 e5 2. Qh5 Nc6 3. Bc4 Nf6 4. Qxf7#") {
		t.Errorf("what was stored is\n%s", pgn)
	}
}
