package hooks_test

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/pgtest"
)

const whole = "created 1, joined 2, over 1, result 1"

// TestWebhooks has one server tell five receivers: one that is well, one that fails at first, one that is too slow at first, one that
// leads elsewhere, and one that is down until its events are given up and an operator replays them.
func TestWebhooks(t *testing.T) {
	well := newReceiver(t, nil)
	flaky := newReceiver(t, func(_ string, try int, w http.ResponseWriter, _ *http.Request) {
		w.WriteHeader([]int{500, 204}[min(try-1, 1)])
	})
	slow := newReceiver(t, func(_ string, try int, w http.ResponseWriter, r *http.Request) {
		if try == 1 {
			<-r.Context().Done() // the server has given up
			w.WriteHeader(http.StatusTeapot)
			return
		}
		w.WriteHeader(http.StatusOK)
	})
	redirects := newReceiver(t, func(_ string, _ int, w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, "/elsewhere?token="+urlToken, http.StatusPermanentRedirect)
	})
	down := newReceiver(t, nil)
	downAt := e2e.FreePort(t)
	file := filepath.Join(t.TempDir(), "webhooks.yaml")
	text := ""
	for name, r := range map[string]*receiver{"flaky": flaky, "slow": slow, "redirects": redirects} {
		text += fmt.Sprintf("- {name: %s, url: %q, secret-file: %q, events: [result]}\n", name, r.serve(""), r.file)
	}
	text += fmt.Sprintf("- name: down\n  url: http://%s/hooks?token=%s\n  secret-file: %s\n  events: [room.over, result]\n", downAt, urlToken, down.file)
	if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--webhook", well.serve(""), "--webhook-secret-file", well.file,
		"--webhook-events", "room.created,player.joined,room.over,result", "--webhooks", file, "--webhook-allow-private",
		"--webhook-timeout", "1s", "--webhook-give-up", "12s")...).Start()
	open, private, lonely := seat(t, s, nil), seat(t, s, map[string]any{"private": true}), s.Create("chess", nil)
	for _, at := range []*table{open, private} {
		at.finish(t)
		well.waitFor(at.ID, whole)
		checkStory(t, well, at)
		flaky.waitFor(at.ID, "created 0, joined 0, over 0, result 1")
		slow.waitFor(at.ID, "created 0, joined 0, over 0, result 1")
	}
	if code := s.CallAdmin("POST", "/admin/v1/rooms/"+lonely.ID+"/close", map[string]string{"reason": "for tonight"}, nil); code >= 300 {
		t.Fatalf("closing a room: %d", code)
	}
	well.waitFor(lonely.ID, "created 1, joined 0, over 1, result 0")
	if over := well.of(lonely.ID)["room.over"][0].Data; over.End != "closed" || over.Reason != "for tonight" || over.Result != nil {
		t.Errorf("a closed room is told as %+v", over)
	}
	if m := well.of(private.ID); !m["result"][0].Data.Private || !m["player.joined"][0].Data.Private || well.of(open.ID)["result"][0].Data.Private {
		t.Error("private is not told where it should be")
	}
	if strings.Contains(well.raw, private.Code) {
		t.Error("the join code was told")
	}

	var failed listed
	testwait.Until(t, "the events for who is down are given up", func() bool {
		failed = outbox(t, s, "state=failed&target=down")
		return len(failed.Events) == 5
	})
	down.serve(downAt)
	var out bytes.Buffer
	admin := func(args ...string) {
		t.Helper()
		if code := e2e.Run(append([]string{"admin", "outbox", "--admin", s.AdminAt}, args...), &out, &out); code != 0 {
			t.Fatalf("%v: exit code %d: %s", args, code, &out)
		}
	}
	admin("--target", "down")
	for _, e := range failed.Events {
		admin("replay", fmt.Sprint(e.ID))
		if e.Error == "" || e.Tries == 0 {
			t.Errorf("%+v", e)
		}
	}
	for _, at := range []*table{open, private} {
		down.waitFor(at.ID, "created 0, joined 0, over 1, result 1")
	}
	testwait.Until(t, "who leads elsewhere is given up", func() bool { return len(outbox(t, s, "state=failed&target=redirects").Events) == 2 })
	for _, e := range outbox(t, s, "target=redirects").Events {
		if !strings.Contains(e.Error, "redirects are not followed") {
			t.Errorf("%+v", e)
		}
	}
	if code := s.CallAdmin("POST", "/admin/v1/outbox/99999/replay", map[string]string{}, nil); code != http.StatusNotFound {
		t.Errorf("replaying what is not there: %d", code)
	}
	for _, r := range []*receiver{well, flaky, slow, down} {
		if n := r.repeats(); n != 0 {
			t.Errorf("%d events came again after they were taken", n)
		}
		checkHushed(t, s, r)
	}
	checkHushed(t, s, redirects)
	if !e2e.Mentions(out.String(), "down", "failed", open.ID) {
		t.Errorf("roomring admin outbox says:\n%s", &out)
	}
	for name, least := range map[string]float64{`roomring_webhook_deliveries_total{outcome="delivered"}`: 20, `roomring_webhook_deliveries_total{outcome="failed"}`: 7, `roomring_outbox_dropped_total{kind="player.joined"}`: 0} {
		if got := s.Metric(name); got < least {
			t.Errorf("%s is %v", name, got)
		}
	}
}

// checkStory checks what was told of a game that White has resigned.
func checkStory(t *testing.T, r *receiver, at *table) {
	t.Helper()
	told := r.of(at.ID)
	for i, m := range told["player.joined"] {
		if m.Data.Player == nil || m.Data.Player.Seat != i || m.Data.Player.ID != at.players[i].Welcome().Player || m.Data.Player.Name != []string{"Ann <b>", "Bob"}[i] {
			t.Errorf("player %d joined as %+v", i, m.Data.Player)
		}
	}
	for _, kind := range []string{"room.over", "result"} {
		m := told[kind][0]
		if m.Data.End != "finished" || m.Data.Result == nil || m.Data.Result.Reason != "resignation" || len(m.Data.Result.Outcomes) != 2 ||
			m.Data.Game != "chess" || m.Data.ID != fmt.Sprintf("%s:%d:%d:%s", at.ID, m.Data.Epoch, m.Data.Index, strings.TrimPrefix(kind, "room.")) {
			t.Errorf("%s is told as %+v", kind, m.Data)
		}
	}
}

// checkHushed checks that a receiver's secrets are in no log.
func checkHushed(t *testing.T, s *e2e.Server, r *receiver) {
	t.Helper()
	for _, hush := range []string{r.secret, strings.TrimPrefix(r.secret, "whsec_"), urlToken} {
		if strings.Contains(s.Log.String(), hush) {
			t.Errorf("the log says %q", hush)
		}
	}
}

// TestAKillLosesNoEvent has a webhook at an address that is refused. So everything waits when the server is killed; then it comes, with
// the ids that it had.
func TestAKillLosesNoEvent(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	s := e2e.NewServer(t, append(e2e.GenerousLimits, "--webhook", r.serve(""), "--webhook-secret-file", r.file,
		"--webhook-events", "room.created,player.joined,room.over,result", "--webhook-timeout", "1s")...).Start()
	finished, live := seat(t, s, nil), seat(t, s, nil)
	finished.finish(t)
	s.Result(finished.ID)
	var before listed
	testwait.Until(t, "every event waits for an address that is refused", func() bool {
		before = outbox(t, s, "state=waiting")
		for _, e := range before.Events {
			if !strings.Contains(e.Error, "--webhook-allow-private") {
				return false
			}
		}
		return len(before.Events) == 8
	})
	last := seat(t, s, nil) // may be in memory alone
	s.Kill()
	s.Args = append(s.Args, "--webhook-allow-private")
	s.Start()
	for _, at := range []*table{live, last} {
		at.finish(t)
	}
	for _, at := range []*table{finished, live, last} {
		r.waitFor(at.ID, whole)
		checkStory(t, r, at)
	}
	for _, e := range before.Events {
		if r.tries[e.Event] != 1 {
			t.Errorf("%s came %d times", e.Event, r.tries[e.Event])
		}
	}
	if n := r.repeats(); n != 0 {
		t.Errorf("%d events came again", n)
	}
	checkHushed(t, s, r)
}

// TestAClusterTellsWhatADeadOwnerKnew kills one node of three while games are made, played and over, and then stops another, which hands its
// rooms over. Whoever has the rooms then tells the same events: each came, and none under two ids.
func TestAClusterTellsWhatADeadOwnerKnew(t *testing.T) {
	t.Parallel()
	r := newReceiver(t, nil)
	c := e2e.NewTeamOn(t, pgtest.URL(t), 3, append(e2e.DefaultTimeouts, "--webhook", r.serve(""), "--webhook-secret-file", r.file, "--webhook-allow-private",
		"--webhook-events", "room.created,player.joined,room.over,result", "--webhook-timeout", "1s")...).Start()
	killed, stopped, edge := c.Nodes[1], c.Nodes[0], c.Nodes[2]
	var tables []*table
	third := e2e.Sized(2, 4, 20)
	play := func(some []*table, meanwhile func()) {
		done := make(chan struct{})
		go func() {
			defer close(done)
			time.Sleep(5 * time.Millisecond) // in the middle of it
			meanwhile()
		}()
		for _, at := range some {
			at.finish(t)
		}
		<-done
	}
	for range 3 * third {
		tables = append(tables, seat(t, edge, nil))
	}
	play(tables[:third], killed.Kill)
	for range third {
		tables = append(tables, seat(t, edge, nil))
	}
	play(tables[third:2*third], stopped.StopCleanly)
	play(tables[2*third:], func() {})
	for _, at := range tables {
		r.waitFor(at.ID, whole)
		checkStory(t, r, at)
	}
	t.Logf("%d events of %d rooms came again", r.repeats(), len(tables))
	for _, s := range c.Nodes {
		checkHushed(t, s, r)
	}
}

// TestBadWebhooks starts servers whose settings of webhooks are wrong.
func TestBadWebhooks(t *testing.T) {
	dir := t.TempDir()
	write := func(name, text string) string {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return path
	}
	good := write("good", "whsec_"+strings.Repeat("a", 32)+"\n")
	for name, c := range map[string]struct {
		args []string
		code int
		says []string
	}{
		"no secret":      {[]string{"--webhook", "https://example.com"}, e2e.ExitUsage, []string{"--webhook-secret-file"}},
		"no webhook":     {[]string{"--webhook-secret-file", good}, e2e.ExitUsage, []string{"--webhook"}},
		"no URL":         {[]string{"--webhook", "user:hush@example.com", "--webhook-secret-file", good}, e2e.ExitUsage, []string{"--webhook", "http or https"}},
		"no kind":        {[]string{"--webhook-events", "room.opened"}, e2e.ExitUsage, []string{"room.opened", "room.created"}},
		"bad secret":     {[]string{"--webhook", "https://example.com", "--webhook-secret-file", write("bad", "hush")}, e2e.ExitFailed, []string{"whsec_", "openssl"}},
		"no secret file": {[]string{"--webhook", "https://example.com", "--webhook-secret-file", filepath.Join(dir, "none")}, e2e.ExitFailed, []string{"none"}},
		"no list":        {[]string{"--webhooks", write("map.yaml", "name: a\n")}, e2e.ExitFailed, []string{"map.yaml", "list"}},
		"unknown key":    {[]string{"--webhooks", write("key.yaml", "- {name: a, url: https://example.com, secret: hush}\n")}, e2e.ExitFailed, []string{"key.yaml", "secret"}},
		"two of a name":  {[]string{"--webhooks", write("two.yaml", strings.Repeat(fmt.Sprintf("- {name: a, url: https://example.com, secret-file: %q, events: [result]}\n", good), 2))}, e2e.ExitFailed, []string{"two have the name a"}},
		"bad name":       {[]string{"--webhooks", write("name.yaml", "- {name: \"A b\"}\n")}, e2e.ExitFailed, []string{"A b", "a-z"}},
		"no events":      {[]string{"--webhooks", write("none.yaml", fmt.Sprintf("- {name: a, url: https://example.com, secret-file: %q}\n", good))}, e2e.ExitFailed, []string{"webhook a", "at least one"}},
		"out of bounds":  {[]string{"--outbox-events", "1"}, e2e.ExitUsage, []string{"--outbox-events", "100"}},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			code := e2e.Run(append([]string{"serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--data-dir", t.TempDir()}, c.args...), &out, &out)
			if code != c.code || !e2e.Mentions(out.String(), c.says...) || strings.Contains(out.String(), "hush") {
				t.Errorf("exit code %d, want %d: %s", code, c.code, &out)
			}
		})
	}
}
