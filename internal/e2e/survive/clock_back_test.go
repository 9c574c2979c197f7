package survive_test

import (
	"database/sql"
	"net/http"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// TestAClockThatWasSetBack starts a node on the folder of a killed node whose heartbeat is a day ahead, under another host name. The node
// says in one line what is wrong, and starts.
func TestAClockThatWasSetBack(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	s.Kill()
	db, err := sql.Open("sqlite", "file:"+filepath.Join(s.Dir, "store.db")+"?_pragma=busy_timeout(30000)")
	if err != nil {
		t.Fatal(err)
	}
	ahead := time.Now().Add(24 * time.Hour).UnixMicro()
	if _, err := db.Exec(`UPDATE boots SET heartbeat = ?, host = 'the container before'`, ahead); err != nil {
		t.Fatal(err)
	}
	if err := db.Close(); err != nil {
		t.Fatal(err)
	}
	s.Start()
	log, lines := s.Log.String(), 0
	for line := range strings.Lines(log) {
		if strings.Contains(line, "the clock was set back") {
			lines++
		}
	}
	if lines != 1 || !strings.Contains(log, "24h0m0s in the future") {
		t.Errorf("%d lines about the clock:\n%s", lines, log)
	}
	if code := s.Call("GET", "/readyz", nil, nil); code != http.StatusOK {
		t.Errorf("readyz: %d", code)
	}
}
