//go:build !race

package browser_test

import (
	"context"
	"flag"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// sight is a page to look at, with what it must show once it is complete.
type sight struct {
	name, path, there string
}

// browserTour takes pictures of every page, on a phone and on a desktop, light and dark. It checks each page for people with assistive
// technology: axe must find nothing serious or critical.
func browserTour(t *testing.T, shared *browser) {
	t.Parallel()
	s := newPages(t)
	b := shared.on(t)
	axe, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: run scripts/npm", err)
	}
	ada := b.person("Ada").mayLose().visit(s.URL) // what is not there is 404, which browsers log
	ada.write(testid("name-input"), "Ada")
	ada.click(testid("name-button"))
	ada.reads(testid("me-name"), "Ada")
	over, winner := mated(s, "Fay", "Gus")
	mated(s, "Hal", "Fay")
	board := seated(s, "Ivy", "Jon", 5)

	play := testid("connection", `[data-state="open"]`)
	for _, at := range []sight{
		{"lobby", "/", testid("room-row")},
		{"chess-waiting", "/play/" + s.Create("chess", map[string]any{"white": "first"}).ID, testid("invite-link")},
		{"chess", "/play/" + board.ID + "?watch", play},
		{"chess-over", "/play/" + over + "?watch", testid("result-card")},
		{"liarsdice", "/play/" + s.Create("liarsdice", map[string]any{"players": 4, "bots": 3, "turn_ms": 600_000}).ID, `[data-testid^="dice-"] [data-face]`},
		{"snakes", "/play/" + s.Create("snakes", map[string]any{"bots": 5, "start_s": 1, "rounds": 20}).ID, testid("field")},
		{"result", "/results/" + over, testid("replay-table", " ", testid("chess-board"))},
		{"player", "/players/" + winner, testid("recent-row")},
		{"leaderboard", "/leaderboards/chess", testid("standing-row")},
		{"not-found", "/play/0000000000000000", testid("notice")},
		{"unknown-path", "/nowhere", testid("notice")},
	} {
		ada.visit(s.URL + at.path)
		ada.sees(at.there)
		for _, look := range looks {
			ada.dress(look)
			ada.shoot(at.name + "-" + look.name())
			if look.audited {
				ada.audit(at.name+" "+look.name(), string(axe))
			}
		}
	}
}

// look is a way to show a page.
type look struct {
	width, height int64
	scheme        string
	audited       bool
}

// The audited looks together cover each layout and each set of colours.
var looks = []look{{390, 844, "light", true}, {390, 844, "dark", false}, {1280, 900, "light", false}, {1280, 900, "dark", true}}

func (l look) name() string { return fmt.Sprintf("%d-%s", l.width, l.scheme) }

// dress gives a tab a size and a colour scheme.
func (p *tab) dress(l look) {
	p.t.Helper()
	p.run(emulation.SetDeviceMetricsOverride(l.width, l.height, 1, l.width < 600),
		emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{
			{Name: "prefers-color-scheme", Value: l.scheme}, {Name: "prefers-reduced-motion", Value: "reduce"}}))
	p.until(fmt.Sprintf(`innerWidth === %d && matchMedia("(prefers-color-scheme: %s)").matches`, l.width, l.scheme))
	p.run(chromedp.Evaluate(`new Promise((done) => requestAnimationFrame(() => requestAnimationFrame(() => done(true))))`, nil, settled))
	p.until(`document.getAnimations().every((a) => a.playState !== "running" || a.effect?.getComputedTiming().endTime === Infinity)`)
	var overflow bool
	p.value(`document.documentElement.scrollWidth > innerWidth`, &overflow)
	if overflow {
		p.t.Errorf("%s: at %s the page is wider than its window", p.name, l.name())
	}
}

// shoot writes a picture of the whole page to the test's artifacts, if they are kept (go test -artifacts).
func (p *tab) shoot(name string) {
	p.t.Helper()
	if kept := flag.Lookup("test.artifacts"); kept == nil || kept.Value.String() != "true" {
		return
	}
	var shot []byte
	p.run(chromedp.FullScreenshot(&shot, 100))
	if err := os.WriteFile(filepath.Join(p.t.ArtifactDir(), name+".png"), shot, 0o644); err != nil {
		p.t.Error(err)
	}
}

// settled makes an evaluation wait for its promise.
func settled(e *runtime.EvaluateParams) *runtime.EvaluateParams { return e.WithAwaitPromise(true) }

const audit = `axe.run(document, {resultTypes: ["violations"], preload: false}).then((r) => (r.passes.length > 0 ? r.violations : [{impact: "serious", id: "nothing was audited", nodes: [{html: "", failureSummary: ""}]}])
	.filter((v) => v.impact === "serious" || v.impact === "critical")
	.flatMap((v) => v.nodes.slice(0, 4).map((n) => v.impact + " " + v.id + ": " + n.html.slice(0, 200) + "\n\t" + n.failureSummary)))`

// audit returns what axe finds wrong with the page.
func (p *tab) audit(name, axe string) {
	p.t.Helper()
	var found []string
	p.run(chromedp.Evaluate(axe+";true", nil),
		chromedp.Evaluate(audit, &found, settled))
	if len(found) > 0 {
		p.t.Errorf("%s:\n%s", name, strings.Join(found, "\n"))
	}
}

// seated makes a room of chess, seats two programs in it, and plays some moves of the scholar's mate.
func seated(s *e2e.Server, white, black string, moves int) e2e.RoomInfo {
	s.T.Helper()
	info := s.Create("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 600_000}})
	two := []*client.Client{s.Join(info, client.Options{Name: white}), nil}
	two[1] = s.Join(info, client.Options{Name: black})
	ctx, cancel := context.WithTimeout(s.T.Context(), time.Minute)
	defer cancel()
	for i, uci := range scholars[:moves] {
		if _, err := two[i%2].Act(ctx, map[string]string{"move": uci}); err != nil {
			s.T.Fatalf("%s: %v", uci, err)
		}
	}
	return info
}

// mated plays the scholar's mate and returns its room and the winner.
func mated(s *e2e.Server, white, black string) (room, winner string) {
	s.T.Helper()
	info := seated(s, white, black, len(scholars))
	return info.ID, s.Result(info.ID).Result.Outcomes[0].Player
}
