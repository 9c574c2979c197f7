package e2e

import (
	"bytes"
	"database/sql"
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// refuses starts a process that must not come up: it says one line and ends with the exit code.
func (s *server) refuses(code int, words ...string) {
	s.t.Helper()
	from := len(s.log.String())
	s.spawn()
	got := s.wait()
	text := strings.TrimSpace(s.log.String()[from:])
	if got != code || strings.Contains(text, "\n") || !strings.HasPrefix(text, "roomring: ") || !mentions(text, words...) {
		s.t.Errorf("exit code %d, should be %d; it said, and should say in one line with %q:\n%s", got, code, words, text)
	}
	if _, err := os.Stat(s.dir + ".ready"); err == nil {
		s.t.Error("it wrote its ready file")
	}
}

// TestRefusesToStart are the rows about starting.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	running := newServer(t).start()
	for what, refused := range map[string]struct {
		code  int
		args  []string
		words []string
	}{
		"port taken":              {1, []string{"--listen", running.Listen}, []string{"--listen " + running.Listen, "another process has this port"}},
		"admin port taken":        {1, []string{"--admin-listen", running.Admin}, []string{"--admin-listen " + running.Admin, "another process has this port"}},
		"store unreachable":       {1, []string{"--store", "postgres://user:hunter2@" + freePort(t) + "/db"}, []string{"did not answer", "check the address"}},
		"store's folder is none":  {1, []string{"--store", "sqlite:/dev/null/store.db"}, []string{"/dev/null"}},
		"key file is not there":   {1, []string{"--auth-key-file", "/nonexistent/key"}, []string{"--auth-key-file", "/nonexistent/key"}},
		"two sources of keys":     {2, []string{"--auth-key-file", "k", "--jwks-url", "https://id.example/jwks"}, []string{"--auth-key-file", "--jwks-url"}},
		"nobody may come in":      {2, []string{"--guests", "off"}, []string{"--guests off"}},
		"one address for both":    {2, []string{"--listen", "127.0.0.1:4000", "--admin-listen", "127.0.0.1:4000"}, []string{"--listen", "--admin-listen"}},
		"open admin, no token":    {2, []string{"--admin-listen", "0.0.0.0:0"}, []string{"--admin-token-file"}},
		"issuer without keys":     {2, []string{"--token-issuer", "me"}, []string{"--token-issuer"}},
		"store of unknown scheme": {2, []string{"--store", "mysql://h/d"}, []string{"--store"}},
		"limit out of range":      {2, []string{"--max-rooms", "0"}, []string{"--max-rooms"}},
	} {
		t.Run(what, func(t *testing.T) {
			t.Parallel()
			s := newServer(t, refused.args...)
			s.refuses(refused.code, refused.words...)
			if strings.Contains(s.log.String(), "hunter2") {
				t.Error("it says the store's password")
			}
		})
	}
	t.Run("second process on one folder", func(t *testing.T) {
		t.Parallel()
		s := newServer(t)
		s.dir = running.dir
		s.spawn()
		code := s.wait()
		want := fmt.Sprintf("process %d ", running.PID)
		if text := s.log.String(); code != 1 || strings.Count(text, "\n") != 1 || !mentions(text, want, running.dir) {
			t.Errorf("exit code %d, should be 1; it said, and should name %sin one line:\n%s", code, want, text)
		}
		if code := running.of(t).call("GET", "/readyz", nil, nil); code != http.StatusOK {
			t.Errorf("the first process answers %d on /readyz", code)
		}
	})
	t.Run("store of a newer version", func(t *testing.T) {
		t.Parallel()
		s := newServer(t).start()
		s.stop()
		edit(t, filepath.Join(s.dir, "store.db"), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		s.refuses(1, "9999", "newer")
	})
	t.Run("journal of a newer version", func(t *testing.T) {
		t.Parallel()
		s := newServer(t).start()
		s.stop()
		if err := os.WriteFile(filepath.Join(s.dir, "journal", "format"), []byte("9999\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		s.refuses(1, filepath.Join("journal", "format"), "9999", "newer")
	})
}

// edit changes a database by hand, and must change something.
func edit(t *testing.T, path, query string, args ...any) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if _, err := db.Exec(query, args...); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
}

// journalFile is what the journal has of a room in its one file with a suffix.
func (s *server) journalFile(id, suffix string) []byte {
	s.t.Helper()
	data, err := os.ReadFile(s.journalPath(id, suffix))
	if err != nil {
		s.t.Fatal(err)
	}
	return data
}

func (s *server) journalPath(id, suffix string) string {
	s.t.Helper()
	names, err := filepath.Glob(filepath.Join(s.dir, "journal", "rooms", id+"-*."+suffix))
	if err != nil || len(names) != 1 {
		s.t.Fatalf("files of room %s in the journal: %v, %v", id, names, err)
	}
	return names[0]
}

// count asks a database for one number.
func count(t *testing.T, path, query string, args ...any) (n int) {
	t.Helper()
	db, err := sql.Open("sqlite", "file:"+path)
	if err != nil {
		t.Fatal(err)
	}
	defer db.Close()
	if err := db.QueryRow(query, args...).Scan(&n); err != nil {
		t.Fatalf("%s: %v", query, err)
	}
	return n
}

// TestCopiedFolderIsRefused copies a data folder with a live room in it. The copy is refused, the original goes on.
func TestCopiedFolderIsRefused(t *testing.T) {
	t.Parallel()
	s := newServer(t).start()
	info := s.create("tally", nil)
	c := s.join(info, client.Options{})
	if _, err := c.Act(patience(t), tallyAction{Add: 3}); err != nil {
		t.Fatal(err)
	}
	s.kill()
	copied := newServer(t)
	if out, err := exec.Command("cp", "-a", s.dir, copied.dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, out)
	}
	copied.refuses(1, copied.dir, "is a copy", "--adopt-data-dir")
	s.start()
	if _, err := c.Act(patience(t), tallyAction{Add: 4}); err != nil {
		t.Fatal(err)
	}
	s.kill()

	// Who says that the original will never run again may have the copy, with its rooms.
	copied.refuses(1, "is a copy")
	copied.args = append(copied.args, "--adopt-data-dir")
	copied.start()
	var state struct{ Count int }
	mustDecode(t, copied.inspect(info.ID).State, &state)
	if state.Count != 3 {
		t.Errorf("the adopted room counts %d, should be 3", state.Count)
	}
}

// TestRoomOfAnotherVersionIsHeld starts binaries that lack a room's game, or its version of it. The room is kept,
// clients are told which version it needs, and a binary that has it goes on where it stopped.
func TestRoomOfAnotherVersionIsHeld(t *testing.T) {
	t.Parallel()
	s := newServer(t)
	has := func(version string) {
		s.kill()
		s.env = []string{versionVariable + "=" + version}
		s.start()
	}
	has("1")
	info, other := s.create("versioned", nil), s.create("tally", nil)
	c := s.join(info, client.Options{})
	if _, err := c.Act(patience(t), tallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	for version, says := range map[string]string{"": "needs game versioned version 1", "2": "version 1 of game versioned"} {
		has(version)
		late := dial(t, info.URL, wire.JSON)
		late.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		late.closesWith(wire.CloseUnreachable, says)
		if code := s.call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusServiceUnavailable {
			t.Errorf("version %q: GET of the held room: %d, should be 503", version, code)
		}
		if !mentions(s.log.String(), info.ID, says) {
			t.Errorf("version %q: the log does not say %q", version, says)
		}
		if held := s.metric("roomring_rooms_held"); held != 1 {
			t.Errorf("version %q: %v rooms are held, should be 1", version, held)
		}
		if s.inspect(other.ID).Phase != "waiting" {
			t.Error("another room is not served")
		}
	}
	has("1")
	if _, err := c.Act(patience(t), tallyAction{Add: 2}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitView(patience(t), func(v any) bool { return field(v, "count") == 7.0 }); err != nil {
		t.Errorf("the count never became 7: %v", err)
	}
}

// TestRoomThatMovedOnIsSetAside edits a room's row as another node would have that took it over.
func TestRoomThatMovedOnIsSetAside(t *testing.T) {
	t.Parallel()
	s := newServer(t).start()
	moved, stays := s.create("tally", nil), s.create("tally", nil)
	c := s.join(moved, client.Options{})
	if _, err := c.Act(patience(t), tallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.kill()
	kept := s.journalFile(moved.ID, "log")
	edit(t, filepath.Join(s.dir, "store.db"), `UPDATE rooms SET epoch = epoch + 5, folder = 'elsewhere' WHERE room = ?`, moved.ID)
	for range 2 { // the second start finds it set aside
		s.start()
		late := dial(t, moved.URL, wire.JSON)
		late.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		late.closesWith(wire.CloseUnreachable)
		if code := s.admin("GET", "/admin/v1/rooms/"+moved.ID, nil, nil); code == http.StatusOK {
			t.Error("the room is in memory")
		}
		if s.inspect(stays.ID).Phase != "waiting" {
			t.Error("another room is not served")
		}
		if !mentions(s.log.String(), "moved on", "set aside", moved.ID) {
			t.Error("the log does not say that the room has moved on")
		}
		s.kill()
		if now := s.journalFile(moved.ID, "aside"); len(now) == 0 || !bytes.HasPrefix(now, kept) {
			t.Errorf("%d bytes of its log are there, %d were before", len(now), len(kept))
		}
	}
	if n := count(t, filepath.Join(s.dir, "store.db"), `SELECT count(*) FROM rooms WHERE room = ? AND folder = 'elsewhere'`, moved.ID); n != 1 {
		t.Error("its row was taken back")
	}
}

// TestJournalSync waits for the disk: what was acknowledged stands in the log that is synced, and a start goes on from it.
func TestJournalSync(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--journal-sync").start()
	info := s.create("tally", nil)
	c := s.join(info, client.Options{})
	if _, err := c.Act(patience(t), tallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	s.kill()
	logs, err := filepath.Glob(filepath.Join(s.dir, "journal", "redo-*"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("what is synced: %v, %v", logs, err)
	}
	synced, err := os.ReadFile(logs[0])
	if err != nil || !bytes.Contains(synced, []byte(info.ID)) {
		t.Errorf("%d bytes were synced, and nothing of the room: %v", len(synced), err)
	}
	s.start()
	if err := c.WaitView(patience(t), func(v any) bool { return field(v, "count") == 5.0 }); err != nil {
		t.Errorf("the count never became 5: %v", err)
	}
}

// TestTermEndsEverything stops a process with rooms, sockets and requests.
func TestTermEndsEverything(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	info := s.create("tally", nil)
	c := s.join(info, client.Options{})
	seq, err := c.Act(patience(t), tallyAction{Add: 5})
	if err != nil {
		t.Fatal(err)
	}
	var rest []*socket
	for i := range 20 {
		w := dial(t, info.URL, encodingOf(i))
		w.hello(wire.Hello{Client: name(i), As: wire.AsSpectator})
		rest = append(rest, w)
	}
	code, took := s.stop()
	t.Logf("stopped in %v", took)
	if code != 0 {
		t.Errorf("exit code %d, should be 0", code)
	}
	if took > 10*time.Second { // it promises one; the machine may be busy
		t.Errorf("stopping took %v", took)
	}
	for _, w := range rest {
		w.closesWith(wire.CloseMoved)
	}
	for _, address := range []string{s.Listen, s.Admin} {
		if conn, err := net.DialTimeout("tcp", address, ceiling); err == nil {
			conn.Close()
			t.Errorf("somebody listens on %s", address)
		}
	}
	if _, err := os.Stat(s.dir + ".ready"); err == nil {
		t.Error("the ready file is still there")
	}
	s.start()
	if again, err := c.Act(patience(t), tallyAction{Add: 2}); err != nil || again <= seq {
		t.Fatalf("after the restart an act is answered %d, %v", again, err)
	}
	if st := c.Stats(); st.Sockets != 2 || st.Recovered != 1 || st.States != 1 {
		t.Errorf("the client did not resume without a whole view: %+v", st)
	}
	var state struct{ Count int }
	mustDecode(t, s.inspect(info.ID).State, &state)
	if state.Count != 7 {
		t.Errorf("the count is %d, should be 7", state.Count)
	}
}
