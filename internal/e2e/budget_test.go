package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestAJournalOverItsBudget has rooms take more of the disk than they should: readiness says so, with the reason to the
// operator alone, and no more rooms are made. Those that are there go on.
func TestAJournalOverItsBudget(t *testing.T) {
	t.Parallel()
	s := newServer(t, append([]string{"--max-journal-bytes", "262144"}, generous...)...).start()
	info := s.create("tally", nil)
	c := dial(t, info.URL, wire.JSON)
	c.hello(wire.Hello{Client: "a"})
	made, code := 0, http.StatusCreated
	for ; code == http.StatusCreated && made < 20_000; made++ {
		code = s.call("POST", "/v1/rooms", map[string]any{"game": "tally", "name": strings.Repeat("n", 64)}, nil)
	}
	if code != http.StatusServiceUnavailable {
		t.Fatalf("after %d rooms another is answered %d", made, code)
	}
	var why struct{ Reasons []string }
	if code := s.admin("GET", "/readyz", nil, &why); code != http.StatusServiceUnavailable || !mentions(strings.Join(why.Reasons, "\n"), "--max-journal-bytes") {
		t.Errorf("the operator is told %d %v", code, why.Reasons)
	}
	var public map[string]any
	if code := s.call("GET", "/readyz", nil, &public); code != http.StatusServiceUnavailable || public["reasons"] != nil {
		t.Errorf("strangers are told %d %v", code, public)
	}
	c.act(1, `{"add":1}`)
	if a, ok := c.answer().(wire.Ack); !ok {
		t.Errorf("a player in a room is answered %+v", a)
	}
	t.Logf("%d rooms took 256 KiB", made)
}
