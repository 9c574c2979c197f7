//go:build !race

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/client"
)

// browserOwn uses a server with pages of somebody's own: a front page, a table, and tables that fail.
func browserOwn(t *testing.T, shared *browser) {
	t.Parallel()
	pages, err := filepath.Abs(filepath.Join("testdata", "pages"))
	if err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--pages", pages)...)
	s.Env = []string{"ROOMRING_TEST_GAMES=", nimVariable + "=1"}
	s.Start()
	b := shared.on(t)
	ada, bob := b.person("Ada").mayLose(), b.person("Bob").mayLose()

	ada.frontPage(s)
	id := ada.ownTable(s, bob)
	ada.ownReplay(s, id)
	ada.ownTableOfTheOperator(s)
	ada.failingTables(s)
	defaultTable(s, ada, bob)
}

// frontPage visits the page in place of the lobby. Its policy keeps a script of it from running, and the console says what to do.
func (p *tab) frontPage(s *e2e.Server) {
	p.t.Helper()
	p.visit(s.URL)
	p.reads("#games", "Nim, nim")
	var title string
	if p.value("document.title", &title); title != "Our games" {
		p.t.Errorf("a script in the page has run: %s", title)
	}
	p.forgives("move this one to a .js file beside the page")
	p.forgives("policy violation: script-src-elem inline")
	p.forgives("Content Security Policy directive")
	p.click(`a[href="./lobby"]`)
	p.sees(testid("game-card", `[data-game="nim"]`))
}

// ownTable makes a room by the form of the game's own table, and plays on that table until the game is over.
func (p *tab) ownTable(s *e2e.Server, other *tab) (room string) {
	p.t.Helper()
	p.click(testid("game-card", `[data-game="nim"] `, testid("create-room")))
	p.write(testid("create-dialog", ` input[type="number"]`), "5")
	p.click(testid("create-submit"))
	room = p.room()
	p.live().reads(".nim-heap", "●●●●●")
	var colour string
	if p.value(`getComputedStyle(document.querySelector(".nim-heap")).color`, &colour); colour != "rgb(200, 86, 42)" {
		p.t.Errorf("the table is without its style: %s", colour)
	}
	other.visit(s.URL + "/play/" + room).live()
	for i, n := range []int{3, 2} { // 5, 2, 0
		[]*tab{p, other}[i].click(fmt.Sprintf("#table button:enabled:nth-of-type(%d)", n))
	}
	for _, at := range []*tab{p, other} {
		at.reads(".nim-heap", "Nothing is left.")
		at.sees(testid("result-card"))
	}
	return room
}

// ownReplay looks at a game that is over on its own table.
func (p *tab) ownReplay(s *e2e.Server, room string) {
	p.t.Helper()
	s.Result(room)
	p.visit(s.URL + "/results/" + room)
	p.reads(testid("replay-table")+" .nim-heap", "Nothing is left.")
	p.click(testid("replay-prev"))
	p.until(`document.querySelector(".nim-heap").textContent === "●●"`)
	if n := p.count(testid("replay-table") + " button"); n != 0 {
		p.t.Errorf("a replay has %d buttons to act", n)
	}
}

// ownTableOfTheOperator looks at a live room through a spectator's eyes.
func (p *tab) ownTableOfTheOperator(s *e2e.Server) {
	p.t.Helper()
	info := s.Create("nim", map[string]int{"heap": 4})
	p.visit(s.AdminAt + "/admin/#room=" + info.ID)
	p.reads(testid("room-state"), `"Heap": 4`)
	p.value(`{ const as = document.getElementById("room-as"); as.value = "spectator"; as.dispatchEvent(new Event("change")) }`, nil)
	p.reads(testid("room-table")+" .nim-heap", "●●●●")
	p.reads(testid("room-state"), `"heap": 4`)
}

// failingTables opens games whose own tables throw. The page says so, and shows the default table in their place.
func (p *tab) failingTables(s *e2e.Server) {
	p.t.Helper()
	for game, says := range map[string]string{
		"thrower": "thrower.js does not work: TypeError: there is no <table> here",
		"sleeper": "sleeper.js does not work: Error: woken by a view",
		"nothing": "nothing.js does not work: Error: its default export is no table",
	} {
		info := s.Create(game, map[string]int{"heap": 3})
		joe := s.Join(info, client.Options{Name: "Joe"})
		p.visit(s.URL + "/play/" + info.ID).live()
		if game == "sleeper" {
			p.reads("#table", "All is well.")
			if _, err := joe.Act(e2e.WaitContext(p.t), map[string]int{"n": 1}); err != nil {
				p.t.Fatal(err)
			}
		}
		p.reads(testid("table-trouble"), says)
		p.reads(testid("tree"), "heap")
		p.live()
		p.forgives(game + ".js failed:")
		if game == "sleeper" {
			p.forgives("failed while it was taken off the page")
		}
	}
	p.visit(s.URL + "/lobby")
	p.click(testid("game-card", `[data-game="thrower"] `, testid("create-room")))
	p.reads(testid("create-dialog"), "thrower.js does not work: Error: nor options")
	p.forgives("thrower.js failed:")
	p.click(testid("create-submit"))
	p.room()
	p.sees(testid("table-trouble"))
	p.forgives("thrower.js failed:")
}

// defaultTable plays a game that has no table by the buttons of what is legal, and looks at the table in all its dresses.
func defaultTable(s *e2e.Server, ada, bob *tab) {
	ada.t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		ada.t.Fatalf("%v: run scripts/npm", err)
	}
	info := s.Create("bare", map[string]int{"heap": 9})
	two := []*tab{ada, bob}
	for _, p := range two {
		p.visit(s.URL + "/play/" + info.ID).live()
	}
	take := func(i, n, left int) {
		ada.t.Helper()
		two[i].click(fmt.Sprintf(`[data-testid="legal"] [data-action='{"n":%d}']`, n))
		for _, p := range two {
			p.reads(testid("tree", ` [data-key="heap"]`), fmt.Sprint(left))
			p.sees(testid("tree", ` [data-key="heap"][data-changed]`))
		}
	}
	take(0, 3, 6)
	bob.sees(`[data-testid="legal"] [data-action='{"n":3}']`)
	for _, look := range looks {
		bob.dress(look)
		bob.shoot("default-" + look.name())
		if look.audited {
			bob.audit("default "+look.name(), string(axe))
		}
	}
	take(1, 2, 4)
	take(0, 3, 1)
	bob.until(`document.querySelectorAll('[data-testid="legal"] [data-action]').length === 1`) // 2 and 3 are more than there is
	take(1, 1, 0)
	for _, p := range two {
		p.sees(testid("result-card"))
	}
	ada.reads(testid("legal"), "Nothing just now.")
}

// forgives waits for trouble of this kind, which the test has made, and lets it pass.
func (p *tab) forgives(words string) {
	p.t.Helper()
	testwait.Until(p.t, "the console says "+words, func() bool {
		p.mu.Lock()
		defer p.mu.Unlock()
		before := len(p.trouble)
		p.trouble = slices.DeleteFunc(p.trouble, func(said string) bool { return strings.Contains(said, words) })
		return len(p.trouble) < before
	})
}
