package survive_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestAJournalOverItsBudget has rooms take more of the disk than they may. Readiness fails, only the operator sees the reason, and no
// more rooms can be made. Existing rooms go on.
func TestAJournalOverItsBudget(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, append([]string{"--max-journal-bytes", "262144"}, e2e.GenerousLimits...)...).Start()
	info := s.Create("tally", nil)
	c := e2e.Dial(t, info.URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a"})
	made, code := 0, http.StatusCreated
	for ; code == http.StatusCreated && made < 20_000; made++ {
		code = s.Call("POST", "/v1/rooms", map[string]any{"game": "tally", "name": strings.Repeat("n", 64)}, nil)
	}
	if code != http.StatusServiceUnavailable {
		t.Fatalf("after %d rooms another is answered %d", made, code)
	}
	var why struct{ Reasons []string }
	if code := s.CallAdmin("GET", "/readyz", nil, &why); code != http.StatusServiceUnavailable || !e2e.Mentions(strings.Join(why.Reasons, "\n"), "--max-journal-bytes") {
		t.Errorf("the operator is told %d %v", code, why.Reasons)
	}
	var public map[string]any
	if code := s.Call("GET", "/readyz", nil, &public); code != http.StatusServiceUnavailable || public["reasons"] != nil {
		t.Errorf("strangers are told %d %v", code, public)
	}
	c.Act(1, `{"add":1}`)
	if a, ok := c.Answer().(wire.Ack); !ok {
		t.Errorf("a player in a room is answered %+v", a)
	}
	t.Logf("%d rooms took 256 KiB", made)
}
