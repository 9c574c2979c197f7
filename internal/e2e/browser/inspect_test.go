//go:build !race

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	cdpbrowser "github.com/chromedp/cdproto/browser"
	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/web/client"
)

// browserInspect looks into a game of chess while it is played: at any index, through any eyes. It acts for a player, forks the room, and
// downloads it as a test.
func browserInspect(t *testing.T, shared *browser) {
	t.Parallel()
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--node", "alpha", "--dev-tools")...)
	s.Start()
	b := shared.on(t)
	axe, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: run scripts/npm", err)
	}
	ctx := e2e.WaitContext(t)
	info := s.Create("chess", map[string]any{"white": "first"})
	white, black := s.Join(info, client.Options{Name: "<b>Ann</b>"}), s.Join(info, client.Options{Name: "Bob"})
	play := func(who *client.Client, uci string) {
		t.Helper()
		if _, err := who.Act(ctx, map[string]string{"move": uci}); err != nil {
			t.Fatalf("%s: %v", uci, err)
		}
	}
	play(white, "e2e4")
	play(black, "e7e5")
	moved := func(uci string) string {
		return fmt.Sprintf(`%s:has(.log-said)`, testid("log-row", `[title*="`+uci+`"]`))
	}

	op := b.person("the operator").visit(s.AdminAt + "/admin/#room=" + info.ID)
	op.sees(testid("seat")) // then nothing above the link moves any more
	op.sees(testid("node"))
	op.click(testid("inspect"))
	op.reads(testid("facts"), "chess · version")
	op.sees(moved("e7e5"))
	op.reads(testid("detail"), "by Bob")
	op.reads(testid("input-data"), `"move": "e7e5"`)
	op.sees(`[data-testid="left-pane"] .tree .is-changed`)
	op.reads(testid("patch", `[data-viewer="player:`+black.Welcome().Player+`"]`), "e5")

	op.click(moved("e2e4")) // goes there, and follows no more
	op.reads(testid("detail"), "by <b>Ann</b>")
	op.reads(testid("log-row", `[aria-selected="true"]`), `<b>Ann</b> {"move":"e2e4"}`)
	op.reads(testid("input-data"), `"move": "e2e4"`)
	op.until(`!document.querySelector("#follow").checked && location.hash.startsWith("#at=")`)
	at := func(id string) (index int) {
		op.value(fmt.Sprintf(`Number(document.querySelector(%s).textContent.split(" ")[0])`, quote(testid("place"))), &index)
		return index
	}
	e4 := at("place")
	op.run(chromedp.Focus("#scrub", chromedp.ByQuery))
	op.run(chromedp.KeyEvent(kb.ArrowLeft))
	op.until(fmt.Sprintf(`document.querySelector(%s).dataset.index === "%d"`, quote(testid("detail")), e4-1))
	op.run(chromedp.KeyEvent(kb.Home))
	op.reads(testid("detail"), "Input 1: epoch")
	op.until(`document.querySelector("#left").value === "whole"`) // nobody has a seat yet
	op.run(chromedp.KeyEvent(kb.End))
	op.until(`document.querySelector("#follow").checked`)
	play(white, "d1h5")
	op.reads(testid("input-data"), `"move": "d1h5"`) // it follows
	for _, look := range looks {
		op.dress(look)
		op.shoot("inspect-" + look.name())
		if look.audited {
			op.audit("inspect "+look.name(), string(axe))
		}
	}
	op.dress(looks[0])

	op.run(chromedp.SetValue("#act-seat", black.Welcome().Player, chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#act-seat").dispatchEvent(new Event("change"))`, nil))
	op.click(testid("legal-action", `[data-action='{"move":"b8c6"}']`))
	op.reads(testid("input-facts"), "the operator acted for the player")
	op.mayLose() // browsers log the 409
	op.write("#act-data", `{"move":"a1a8"}`)
	op.click(testid("act-send"))
	op.sees(testid("act-problem") + `:not(:empty)`)
	op.write("#act-data", `{"move":`)
	op.click(testid("act-send"))
	op.reads(testid("act-problem"), "no JSON")
	play(white, "f1c4")
	play(black, "g8f6") // with the next number of its own

	op.click(moved("b8c6"))
	op.reads(testid("input-data"), `"move": "b8c6"`)
	op.click(testid("fork"))
	op.sees(testid("fork-link"))
	downloads := t.TempDir()
	if err := cdpbrowser.SetDownloadBehavior(cdpbrowser.SetDownloadBehaviorBehaviorAllow).WithDownloadPath(downloads).WithBrowserContextID(op.profile).Do(b.executor()); err != nil {
		t.Fatal(err)
	}
	op.click(testid("keep"))
	op.reads(testid("go-test"), `roomtest.Replay(t, Rules(), "testdata/room.log")`)
	var kept core.Replay
	testwait.Until(t, "the log is downloaded", func() bool {
		f, err := os.Open(filepath.Join(downloads, "room.log"))
		if err != nil {
			return false
		}
		defer f.Close()
		kept, err = core.ReadReplay(f)
		return err == nil
	})
	if last := kept.Entries[len(kept.Entries)-1]; last.Kind != core.KindAct || string(last.Data) != `{"move":"g8f6"}` {
		t.Errorf("the downloaded log ends with %+v", last)
	}
	op.run(chromedp.KeyEvent(kb.Escape))
	op.click(testid("fork-link"))
	op.reads(testid("facts"), "fork of "+info.ID)
	op.until(`document.querySelectorAll("[data-testid=log-row][data-kind=act]").length === 4`)
	play(white, "h5f7") // mate, in the room that the fork was made of
	op.visit(s.AdminAt + "/admin/inspect/" + info.ID)
	op.sees(testid("facts", `[data-end="finished"]`))
	op.until(`document.querySelector("[data-testid=fork]").disabled && !document.querySelector("[data-testid=act]").checkVisibility()`)

	dice := s.Create("liarsdice", nil)
	for _, name := range []string{"Cyd", "Dan"} {
		if _, err := s.Join(dice, client.Options{Name: name}).Act(ctx, map[string]bool{"ready": true}); err != nil {
			t.Fatal(err)
		}
	}
	op.visit(s.AdminAt + "/admin/inspect/" + dice.ID)
	op.sees(`[data-testid="left-pane"] .tree .is-different`) // each sees dice of one's own
	op.sees(`[data-testid="right-pane"] .tree .is-different`)
	op.run(chromedp.SetValue("#left", "whole", chromedp.ByQuery), chromedp.Evaluate(`document.querySelector("#left").dispatchEvent(new Event("change"))`, nil))
	op.reads(testid("left-pane"), "Edition")
	op.sees(testid("log-row", `[data-kind="act"]`))
	op.shoot("inspect-dice")
	inspectsALongLog(s, op)
}

// inspectsALongLog goes through a log that is much longer than the page is high.
func inspectsALongLog(s *e2e.Server, op *tab) {
	const acts = 1200
	info := s.Create("tally", nil)
	ann := s.Join(info, client.Options{Name: "Ann"})
	for range acts {
		if _, err := ann.Act(e2e.WaitContext(s.T), e2e.TallyAction{Add: 1}); err != nil {
			s.T.Fatal(err)
		}
	}
	op.dress(looks[len(looks)-1])
	op.visit(s.AdminAt + "/admin/inspect/" + info.ID)
	last := acts + 4 // epoch, open, join and attach come first
	row := func(index int) string { return testid("log-row", fmt.Sprintf(`[data-index="%d"]`, index)) }
	op.reads(row(last), `{"add":1}`)
	op.reads(testid("left-pane"), fmt.Sprint(acts))
	op.run(chromedp.Focus(testid("log"), chromedp.ByQuery))
	for _, to := range []struct {
		key   string
		index int
	}{{kb.Home, 1}, {kb.ArrowDown, 2}, {kb.End, last}, {kb.ArrowUp, last - 1}} {
		op.run(chromedp.KeyEvent(to.key))
		op.sees(row(to.index) + `[aria-selected="true"][data-kind]`)
		op.until(fmt.Sprintf(`document.querySelector(%s).dataset.index === "%d"`, quote(testid("detail")), to.index))
	}
	op.value(`document.querySelector("[data-testid=log]").scrollTop = 15000`, new(int))
	op.sees(row(500) + `[data-kind="act"]`)
	if n := op.count(testid("log-row")); n > 100 {
		s.T.Errorf("%d rows of %d are drawn at once", n, last)
	}
	op.value(`(() => { const s = document.querySelector("#scrub"); s.value = 604; s.dispatchEvent(new Event("input")); return s.value; })()`, new(string))
	op.reads(testid("left-pane"), "600")
	op.sees(row(604) + `[aria-selected="true"]`)
}
