//go:build !race

package browser_test

import (
	"fmt"
	"os"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// browserStall plays snakes while its node is killed, and then while the node that has taken it over is drained. The pages go on by
// themselves, at the same game. The test prints for how long each page heard of no turn at most. With ROOMRING_FIGURES, which
// bench/figures.py sets, it does so that many times.
func browserStall(t *testing.T, shared *browser) {
	t.Parallel()
	d := e2e.NewDev(t, slices.Concat([]string{"--nodes", "3", "--"}, e2e.GenerousLimits)...)
	d.Env = []string{"ROOMRING_TEST_GAMES="}
	d.Start().WaitWhole(3)
	b := shared.on(t)
	var info e2e.RoomInfo
	for info.Node != "n2" {
		info = d.Create("snakes", map[string]any{"walls": false, "width": 128, "height": 128, "bots": 4, "rounds": 20, "round_s": 900, "start_s": 1, "pause_s": 1})
	}
	var pages []*tab
	for name, query := range map[string]string{"Ada": "", "Eve": "?watch"} {
		p := b.person(name).mayLose().visit(d.URL + "/play/" + info.ID + query).live()
		p.sees(testid("field"))
		p.value(`window.same = true`, nil)
		pages = append(pages, p)
	}
	for _, p := range pages {
		p.turns(40)
	}

	times := 1
	if text := os.Getenv("ROOMRING_FIGURES"); text != "" {
		var err error
		if times, err = strconv.Atoi(text); err != nil {
			t.Fatal(err)
		}
	}
	for _, strike := range slices.Repeat([]string{"kill", "drain"}, times) {
		node := whereIs(d, info.ID)
		since := make([]int, len(pages))
		for i, p := range pages {
			since[i] = len(p.heard()) - 1
		}
		d.MustPress(node + "/" + strike)
		d.WaitForState(node, e2e.DevStopped)
		testwait.Until(t, "the room is at another node", func() bool { now := whereIs(d, info.ID); return now != "" && now != node })
		for i, p := range pages {
			p.live().turns(40)
			p.animates()
			p.until(`window.same`) // the page was not loaded again
			longest := p.longest(since[i])
			t.Logf("%s of %s: %s heard nothing for %v at most", strike, node, p.name, longest.Round(time.Millisecond))
			t.Logf("FIGURE %s %.1f", strike, float64(longest.Microseconds())/1000)
		}
		d.MustPress(node + "/start")
		d.WaitWhole(3)
	}
}

// whereIs returns the name of the node that has a room; "": nobody knows now.
func whereIs(d *e2e.DevRun, id string) string {
	var info e2e.RoomInfo
	_, _ = d.TryCallAt(d.URL, "GET", "/v1/rooms/"+id, "", nil, &info)
	return info.Node
}

// turns waits until the page has heard some more turns.
func (p *tab) turns(more int) {
	p.t.Helper()
	from := len(p.heard())
	testwait.Until(p.t, fmt.Sprintf("%s has heard %d turns", p.name, more), func() bool {
		n := 0
		for _, frame := range p.heard()[from:] {
			n += strings.Count(frame, `"t":"turn"`)
		}
		return n >= more
	})
}

// longest returns the longest time between two turns that the page has heard since it had heard some messages.
func (p *tab) longest(since int) (gap time.Duration) {
	p.mu.Lock()
	defer p.mu.Unlock()
	var last time.Time
	for i := since; i < len(p.frames); i++ {
		if !strings.Contains(p.frames[i], `"t":"turn"`) {
			continue
		}
		if !last.IsZero() {
			gap = max(gap, p.came[i].Sub(last))
		}
		last = p.came[i]
	}
	return gap
}
