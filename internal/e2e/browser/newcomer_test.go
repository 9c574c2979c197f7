//go:build !race

package browser_test

import (
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// project is a module that `roomring new` began.
type project struct {
	t         *testing.T
	dir, game string
}

// begin has `roomring new` write a module against this checkout, proves its rules and builds it.
func begin(t *testing.T, name string, args ...string) *project {
	t.Helper()
	checkout, err := filepath.Abs(filepath.Join("..", "..", ".."))
	if err != nil {
		t.Fatal(err)
	}
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	in := t.TempDir()
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"roomring", "new", name, "--replace", checkout}, args...), Dir: in, Env: os.Environ()}
	if out, err := cmd.CombinedOutput(); err != nil || !strings.Contains(string(out), "go run . dev") {
		t.Fatalf("roomring new: %v\n%s", err, out)
	}
	p := &project{t, filepath.Join(in, name), strings.ReplaceAll(name, "-", "")}
	if badly := strings.TrimSpace(p.must("gofmt", "-l", ".")); badly != "" {
		t.Errorf("gofmt would change %s", badly)
	}
	p.must("go", "build", "-o", "bin/program", ".")
	p.must("go", "test", "./...")
	p.must("bin/program", "types", "--check", "--out", "pages/types")
	return p
}

// must runs a command in the module's folder.
func (p *project) must(name string, args ...string) string {
	p.t.Helper()
	cmd := exec.CommandContext(e2e.WaitContext(p.t), name, args...)
	cmd.Dir = p.dir
	out, err := cmd.CombinedOutput()
	if err != nil {
		p.t.Fatalf("%s %v: %v\n%s", name, args, err, out)
	}
	return string(out)
}

// change replaces a text in a file of the module.
func (p *project) change(file, from, to string) {
	p.t.Helper()
	at := filepath.Join(p.dir, file)
	text, err := os.ReadFile(at)
	if err != nil || !strings.Contains(string(text), from) {
		p.t.Fatalf("%s has no %q: %v", file, from, err)
	}
	if err := os.WriteFile(at, []byte(strings.Replace(string(text), from, to, 1)), 0o644); err != nil {
		p.t.Fatal(err)
	}
}

// dev runs `dev` of the module's program in its folder.
func (p *project) dev(args ...string) *e2e.DevRun {
	p.t.Helper()
	d := e2e.NewDev(p.t, args...)
	d.Exe, d.In = filepath.Join(p.dir, "bin", "program"), p.dir
	d.Start()
	p.t.Cleanup(func() {
		if d.Stop(); p.t.Failed() {
			p.t.Logf("dev says:\n%s", d.Log)
		}
	})
	return d
}

// browserNewcomer goes the way of somebody who begins a game: roomring new, play, change the rules, crash, load.
func browserNewcomer(t *testing.T, shared *browser) {
	t.Parallel()
	t.Run("turn", func(t *testing.T) { newcomerTurn(t, shared.on(t)) })
	t.Run("cards", func(t *testing.T) { newcomerCards(t, shared.on(t)) })
	t.Run("realtime", func(t *testing.T) { newcomerRealtime(t, shared.on(t)) })
}

func newcomerTurn(t *testing.T, b *browser) {
	p := begin(t, "battle-ship")
	d := p.dev()
	ann, op := b.person("Ann").mayLose(), b.person("developer").mayLose()

	t.Log("plays")
	table := ann.enters(d.URL, p.game, "computer", "1", "seconds", "2")
	ann.click("#table button:enabled")
	ann.fires("a1")
	ann.isLookedAt("turn")
	op.visit(d.AdminAt + "/admin/")
	op.until(`document.querySelector("[data-testid=dev-rules]").dataset.state === "running"`)

	t.Log("writes what does not compile: the program before runs on")
	p.change("sea.go", `Miss   Mark = "miss"`, `Miss   Mark = splash`)
	op.until(`document.querySelector("[data-testid=dev-rules]").dataset.state === "broken"`)
	op.reads("[data-testid=dev-rules]", "undefined: splash")
	ann.fires("c1")

	t.Log("changes a rule that was played: dev says where, and keeps the state")
	for range 100 {
		d.Create(p.game, map[string]bool{"computer": true})
	}
	p.change("sea.go", `Hit    Mark = "hit"`, `Hit    Mark = "bang"`) // some shot was one of the two
	p.change("sea.go", `Miss   Mark = splash`, `Miss   Mark = "splash"`)
	op.until(`document.querySelector("[data-testid=dev-rules]").dataset.state === "asking"`)
	op.reads("[data-testid=dev-rules]", "1 of 101 rooms would be played differently")
	op.reads("[data-testid=dev-rules]", "showed one thing when it was played")
	op.click("[data-testid=dev-keep]")
	op.until(`document.querySelector("[data-testid=dev-rules]").dataset.state === "running"`)
	ann.fires("e1")
	ann.until(`document.querySelector("[data-mark=splash], [data-mark=bang]") !== null`)

	t.Log("changes a page, which is there at once")
	p.change("pages/battleship.js", `title: "Battle Ship"`, `title: "Ship Battle"`)
	ann.until(`fetch("../battleship.js").then((r) => r.text()).then((text) => text.includes("Ship Battle"))`)

	t.Log("plays on a bad network")
	op.write("#dev-lag", "300ms±50")
	op.click("[data-testid=dev-slow]")
	op.reads("[data-testid=dev-networks]", "All players: lag 300ms")
	ann.until(`parseInt(document.querySelector(".lag").textContent) > 200`)

	op.click(`#dev form button[type="button"]`)
	op.reads("[data-testid=dev-networks]", "All players: as it is")

	t.Log("kills the server")
	d.MustPress("n1/kill")
	d.WaitForState("n1", e2e.DevStopped)
	d.MustPress("n1/start")
	ann.fires("g1")

	t.Log("changes the rule again, and starts the room over")
	p.change("sea.go", `"bang"`, `"boom"`)
	p.change("sea.go", `"splash"`, `"plop"`)
	op.until(`document.querySelector("[data-testid=dev-rules]").dataset.state === "asking"`)
	op.click("[data-testid=dev-over]")
	op.until(`document.querySelector("[data-testid=dev-rules]").dataset.state === "running"`)
	type room struct{ ID string }
	var rooms struct{ Rooms []room }
	d.Until(e2e.WaitContext(t), "the room is gone", func() bool {
		d.Call(http.MethodGet, "/v1/rooms", nil, &rooms)
		return len(rooms.Rooms) > 0 && !slices.ContainsFunc(rooms.Rooms, func(r room) bool { return r.ID == table })
	})
	ann.reads("body", "started over: the rules have changed")

	t.Log("loads it")
	out := p.must("bin/program", "loadtest", p.game, "--url", d.URL, "--admin", d.AdminAt, "--players", "10", "--rate", "10", "--joins", "50", "--duration", "2s", "--fail-if", "errors>1%")
	if !strings.Contains(out, "10 players") {
		t.Errorf("the load test says:\n%s", out)
	}
}

func newcomerCards(t *testing.T, b *browser) {
	p := begin(t, "crazy", "--template", "cards", "--ui", "vite")
	modules, err := filepath.Abs(filepath.Join("..", "..", "..", "web", "node_modules")) // so that npm install has nothing to fetch
	if err == nil {
		err = os.Symlink(modules, filepath.Join(p.dir, "ui", "node_modules"))
	}
	if err != nil {
		t.Fatal(err)
	}
	p.must("npm", "--prefix", "ui", "run", "build")
	d := p.dev("--watch=false", "--pages", filepath.Join(p.dir, "pages"))
	cy := b.person("Cy").mayLose()
	cy.enters(d.URL, p.game, "players", "0", "computers", "2")
	cy.until(`document.querySelectorAll("#table [data-card]").length >= 6`) // a hand of five, and the pile
	cy.isLookedAt("cards")
	cy.click("#table button:enabled") // a card that matches, or the stock
	cy.until(`document.querySelector("#table [data-turn] strong").textContent.includes("(you)") === false || document.querySelector("#table").textContent.includes("or pass") || document.querySelector("dialog[open]") !== null`)
}

func newcomerRealtime(t *testing.T, b *browser) {
	p := begin(t, "paint", "--template", "realtime")
	d := p.dev("--watch=false")
	dee := b.person("Dee").mayLose()
	dee.enters(d.URL, p.game, "computers", "1")
	dee.reads("#table [role=status]", "Paint!")
	dee.click(`#table button[aria-label="right"]`)
	dee.until(`parseInt(document.querySelector("#table [data-seat='0'] strong").textContent) > 3`)
	dee.isLookedAt("realtime")
}

// enters makes a room by the lobby's form, with some of its options, each by the place of its value.
func (p *tab) enters(url, game string, options ...string) (room string) {
	p.t.Helper()
	p.visit(url)
	p.click(testid("game-card", `[data-game="`+game+`"] `, testid("create-room")))
	for i := 0; i < len(options); i += 2 {
		p.choose(testid("create-dialog", ` select[name="`+options[i]+`"]`), options[i+1])
	}
	p.click(testid("create-submit"))
	room = p.room()
	p.live()
	return room
}

// isLookedAt takes pictures of a template's table, as browserTour does of other pages.
func (p *tab) isLookedAt(name string) {
	p.t.Helper()
	axe, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		p.t.Fatalf("%v: run scripts/npm", err)
	}
	for _, look := range looks {
		p.dress(look)
		p.shoot(name + "-" + look.name())
		if look.audited {
			p.audit(name+" "+look.name(), string(axe))
		}
	}
}

// fires shoots at a cell of the other sea, once it is this player's turn.
func (p *tab) fires(cell string) {
	p.t.Helper()
	at := `#table section:not([data-own]) [data-cell="` + cell + `"]`
	p.click(at + ":enabled")
	p.until(`[...document.querySelectorAll('` + at + `')].some((c) => ["miss", "splash", "hit", "bang", "sunk"].includes(c.dataset.mark))`)
}
