//go:build !race

package browser_test

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// browserAdmin operates a server from its page. It looks at the ring, the nodes and the rooms that are not served, sends an event again, finds a room, watches
// the inputs that programs make, and kicks and closes.
func browserAdmin(t *testing.T, shared *browser) {
	t.Parallel()
	secret := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(secret, []byte("whsec_"+strings.Repeat("a", 32)+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--node", "alpha", // and a webhook at an address that is refused
		"--webhook", "http://127.0.0.1:9/", "--webhook-secret-file", secret, "--webhook-events", "player.joined", "--webhook-give-up", "1s")...)
	held, aside := s.Start().Create("tally", nil), s.Create("chess", nil)
	s.Kill()
	e2e.EditDatabase(t, filepath.Join(s.Dir, "store.db"), `UPDATE rooms SET epoch = epoch + 5, folder = 'elsewhere' WHERE room = ?`, aside.ID)
	s.Env = []string{"ROOMRING_TEST_GAMES="}
	s.Start()
	b := shared.on(t)
	axe, err := os.ReadFile(filepath.Join("..", "..", "..", "web", "node_modules", "axe-core", "axe.min.js"))
	if err != nil {
		t.Fatalf("%v: run scripts/npm", err)
	}
	info := s.Create("chess", map[string]any{"white": "first"})
	white, black := s.Join(info, client.Options{Name: "<b>Ann</b>"}), s.Join(info, client.Options{Name: "Bob"})
	for range 60 { // more rooms than a page shows
		s.Create("snakes", nil)
	}

	op := b.person("the operator").visit(s.AdminAt + "/admin/")
	op.sees(testid("node", `[data-node="alpha"][data-state="active"]`))
	op.sees(testid("ring", " .ring-arc.node-0"))
	op.reads(".ring-legend", "alpha 100.0 %")
	op.reads(testid("held"), held.ID)
	op.reads(testid("held"), "this program has no such game")
	op.reads(testid("aside"), aside.ID)
	op.reads(testid("aside"), "another node has taken the room on")
	op.reads(testid("outbox-target", `[data-target="webhook"]`), "2 failed")
	op.reads(testid("failed-event"), info.ID+":1:")
	op.reads(testid("failed-event"), "--webhook-allow-private")
	op.click(testid("replay-event"))
	op.reads(testid("toast"), "sent again")
	op.write(testid("ring-id"), info.ID)
	op.click(testid("ring-find"))
	op.sees(testid("ring-mark"))
	op.reads(testid("ring-why"), "the room is there")
	op.until(fmt.Sprintf(`document.querySelectorAll(%s).length === 50`, quote(testid("room"))))
	op.write(testid("room-search"), "bob")
	op.until(fmt.Sprintf(`document.querySelectorAll(%s).length === 1`, quote(testid("room"))))
	op.click(testid("room", ` a[href="#room=`+info.ID+`"]`))
	op.sees(testid("event", `[data-type="watching"]`))
	op.reads(testid("room-state"), `"`)
	op.sees(testid("seat", `[data-player="`+white.Welcome().Player+`"]`))
	op.reads(testid("seat"), "<b>Ann</b>") // shown as text
	op.sees(testid("session"))

	for i, uci := range scholars[:4] {
		player := []*client.Client{white, black}[i%2]
		if _, err := player.Act(e2e.WaitContext(t), map[string]string{"move": uci}); err != nil {
			t.Fatal(err)
		}
		op.until(fmt.Sprintf(`document.querySelectorAll(%s).length === %d`, quote(testid("event", `[data-kind="act"]`)), i+1))
		op.reads(testid("event", `[data-kind="act"]`), fmt.Sprintf(`{"move":%q}`, uci))
	}
	for _, look := range looks {
		op.dress(look)
		op.shoot("admin-" + look.name())
		if look.audited {
			op.audit("admin "+look.name(), string(axe))
		}
	}
	op.click(testid("seat", `[data-player="`+black.Welcome().Player+`"] `, testid("kick")))
	op.click(testid("confirm-yes"))
	op.sees(testid("event", `[data-kind="leave"]`))
	other := s.Create("chess", nil)
	op.visit(s.AdminAt + "/admin/#room=" + other.ID)
	op.until("location.hash === " + quote("#room="+other.ID))
	op.sees(testid("event", `[data-type="watching"]`))
	op.click(testid("close-room"))
	op.write(testid("confirm-field"), "closing for tonight")
	op.mayLose() // the page may ask once more for a room, and then a server, that is gone
	op.click(testid("confirm-yes"))
	op.sees(testid("event", `[data-type="over"]`))
	if r := s.Result(other.ID); r.End != "closed" {
		t.Errorf("the room ended as %+v", r)
	}

	op.click(testid("node", " ", testid("drain")))
	op.click(testid("confirm-yes"))
	if code := s.Wait(); code != e2e.ExitOK {
		t.Errorf("drained, the server ended with %d", code)
	}
	op.reads("#trouble", "The server cannot be reached")
}

// browserAdminToken opens the page of a server that requires a token.
func browserAdminToken(t *testing.T, shared *browser) {
	t.Parallel()
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("0123456789abcdef0123\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, "--admin-token-file", file, "--node", "alpha").Start()
	op := shared.on(t).person("the operator").mayLose() // browsers log the 401s
	op.visit(s.AdminAt + "/admin/")
	op.write(testid("token"), "wrong")
	op.click(testid("token-ok"))
	op.reads("dialog", "not the server's")
	op.write(testid("token"), "0123456789abcdef0123")
	op.click(testid("token-ok"))
	op.sees(testid("node", `[data-node="alpha"]`))
	op.visit(s.AdminAt + "/admin/?again") // the tab keeps the token
	op.sees(testid("node", `[data-node="alpha"]`))
}
