package cluster_test

import (
	"bufio"
	"bytes"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// TestAdminCommand does everything that the operator may do from a terminal.
func TestAdminCommand(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--node", "alpha")...).Start()
	ctx := e2e.WaitContext(t)
	info, other := s.Create("tally", nil), s.Create("chess", nil)
	a := s.Join(info, client.Options{Name: "Ann"})
	b := s.Join(info, client.Options{Name: "Bob"})
	shows := func(words []string, args ...string) string {
		t.Helper()
		code, out, errs := s.RunAdmin(args...)
		if code != e2e.ExitOK || !e2e.Mentions(out, words...) {
			t.Errorf("admin %v: exit %d, want %q in\n%s%s", args, code, words, out, errs)
		}
		return out
	}
	shows([]string{"alpha", "active", "100.0%"}, "nodes")
	shows([]string{"alpha", "100.0%"}, "ring")
	shows([]string{info.ID, "lives at: alpha", "the room is there"}, "ring", "--id", info.ID)
	shows([]string{"of all rooms would move", "alpha", "beta"}, "ring", "--join", "beta:2:eu")
	if out := shows([]string{info.ID, other.ID, "tally"}, "rooms", "--all", "--limit", "1"); strings.Count(out, "ROOM") != 1 || strings.Contains(out, "there is more") {
		t.Errorf("two pages are %s", out)
	}
	shows([]string{"there is more: --after"}, "rooms", "--limit", "1")
	if out := shows([]string{info.ID}, "rooms", "--search", "ann", "--game", "tally", "--node", "alpha"); strings.Contains(out, other.ID) {
		t.Errorf("a search found %s", out)
	}
	shows([]string{"owner", "alpha", "Ann", "Bob", `"Count": 0`, "attach"}, "room", info.ID)
	shows([]string{`"count": 0`}, "room", info.ID, "--as", "player:"+a.Welcome().Player)
	var page struct{ Rooms []e2e.RoomInfo }
	if err := json.Unmarshal([]byte(shows(nil, "rooms", "--output", "json")), &page); err != nil || len(page.Rooms) != 2 {
		t.Errorf("in JSON: %v %+v", err, page)
	}

	lines, follower := io.Pipe()
	followed := make(chan int, 1)
	go func() {
		followed <- e2e.Run([]string{"admin", "--admin", s.AdminAt, "events", info.ID}, follower, io.Discard)
		_ = follower.Close()
	}()
	events := bufio.NewScanner(lines)
	follow := func(words ...string) {
		t.Helper()
		for events.Scan() {
			if e2e.Mentions(events.Text(), words...) {
				return
			}
		}
		t.Fatalf("the stream ended without %q: %v", words, events.Err())
	}
	follow("watching")
	if _, err := a.Act(ctx, e2e.TallyAction{Add: 3}); err != nil {
		t.Fatal(err)
	}
	follow("act", a.Welcome().Player, "cseq 1")
	shows([]string{"taken"}, "signal", info.ID, "count", `{"by":1}`)
	follow("signal")
	shows([]string{"kicked"}, "kick", info.ID, b.Welcome().Player)
	follow("leave", b.Welcome().Player)
	shows([]string{"closed"}, "close", info.ID, "--reason", "enough")
	follow("over (closed)")
	if code := <-followed; code != e2e.ExitOK {
		t.Errorf("following ended with %d", code)
	}

	for _, test := range []struct {
		code  int
		words string
		args  []string
	}{
		{e2e.ExitFailed, "no room's id", []string{"room", "nonsense"}},
		{e2e.ExitFailed, "404", []string{"room", "zzzzzzzzzzzzzzzz"}},
		{e2e.ExitFailed, "404", []string{"events", "zzzzzzzzzzzzzzzz"}},
		{e2e.ExitFailed, "no such node", []string{"ring", "--leave", "gamma"}},
		{e2e.ExitFailed, "no such node", []string{"drain", "gamma"}},
		{e2e.ExitFailed, "not JSON", []string{"signal", other.ID, "count", "{"}},
		{e2e.ExitUsage, "--output", []string{"nodes", "--output", "xml"}},
		{e2e.ExitUsage, "accepts 1 arg", []string{"close"}},
		{e2e.ExitUsage, "--admin", []string{"nodes", "--admin", "nowhere"}},
		{e2e.ExitUsage, "leave user and password out", []string{"nodes", "--admin", "http://me:hunter2@127.0.0.1:1"}},
		{e2e.ExitFailed, "no server answers", []string{"nodes", "--admin", "http://127.0.0.1:1"}},
		{e2e.ExitFailed, "--token-file", []string{"nodes", "--token-file", "/nowhere"}},
	} {
		code, out, errs := s.RunAdmin(test.args...)
		if code != test.code || !strings.Contains(errs, test.words) || strings.Contains(errs, "hunter2") || strings.Count(errs, "\n") != 1 || out != "" {
			t.Errorf("admin %v: exit %d, %q, %q", test.args, code, out, errs)
		}
	}
	shows([]string{"alpha has been told"}, "drain")
	if code := s.Wait(); code != e2e.ExitOK {
		t.Errorf("drained, the server ended with %d", code)
	}
	if log := s.Log.String(); !e2e.Mentions(log, "action=drain", "action=kick", "action=close", "node=alpha", "outcome=done") {
		t.Errorf("the audit log is\n%s", log)
	}
}

// TestAdminCommandWithAToken reads the token and the address from environment variables.
func TestAdminCommandWithAToken(t *testing.T) {
	file := filepath.Join(t.TempDir(), "token")
	if err := os.WriteFile(file, []byte("0123456789abcdef0123\nmore\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, "--admin-token-file", file).Start()
	if code, _, errs := s.RunAdmin("nodes"); code != e2e.ExitFailed || !strings.Contains(errs, "--token-file") {
		t.Errorf("without the token: %d %s", code, errs)
	}
	wrong := filepath.Join(t.TempDir(), "wrong")
	if err := os.WriteFile(wrong, []byte("hunter2hunter2hunter2\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	if code, out, errs := s.RunAdmin("nodes", "--token-file", wrong); code != e2e.ExitFailed || !e2e.Mentions(errs, wrong, "is not the server's") || e2e.Mentions(errs, "hunter2") || strings.Count(errs, "\n") != 1 || out != "" {
		t.Errorf("with another token: %d %s%s", code, out, errs)
	}
	t.Setenv("ROOMRING_ADMIN_TOKEN_FILE", file)
	t.Setenv("ROOMRING_ADMIN_URL", s.AdminAt)
	t.Setenv("ROOMRING_ADMIN_OUTPUT", "json")
	var out, errs bytes.Buffer
	if code := e2e.Run([]string{"admin", "nodes"}, &out, &errs); code != e2e.ExitOK || !json.Valid(out.Bytes()) {
		t.Errorf("with it: %d %s%s", code, &out, &errs)
	}
	for path, want := range map[string]int{"/admin/v1/nodes": http.StatusUnauthorized, "/metrics": http.StatusUnauthorized} {
		res, err := http.Get(s.AdminAt + path)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode != want {
			t.Errorf("%s without a token: %d", path, res.StatusCode)
		}
	}
}
