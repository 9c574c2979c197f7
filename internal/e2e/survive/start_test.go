package survive_test

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

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// refuses starts a process that must not start. The process must say one line and end with the exit code.
func refuses(s *e2e.Server, code int, words ...string) {
	s.T.Helper()
	from := len(s.Log.String())
	s.Spawn()
	got := s.Wait()
	text := strings.TrimSpace(s.Log.String()[from:])
	if got != code || strings.Contains(text, "\n") || !strings.HasPrefix(text, "roomring: ") || !e2e.Mentions(text, words...) {
		s.T.Errorf("exit code %d, should be %d; it said, and should say in one line with %q:\n%s", got, code, words, text)
	}
	if _, err := os.Stat(s.Dir + ".ready"); err == nil {
		s.T.Error("it wrote its ready file")
	}
}

// TestRefusesToStart starts servers that must refuse to start.
func TestRefusesToStart(t *testing.T) {
	t.Parallel()
	running := e2e.NewServer(t).Start()
	for what, refused := range map[string]struct {
		code  int
		args  []string
		words []string
	}{
		"port taken":              {1, []string{"--listen", running.Listen}, []string{"--listen " + running.Listen, "another process has this port"}},
		"admin port taken":        {1, []string{"--admin-listen", running.Admin}, []string{"--admin-listen " + running.Admin, "another process has this port"}},
		"store unreachable":       {1, []string{"--store", "postgres://user:hunter2@" + e2e.FreePort(t) + "/db"}, []string{"did not answer", "check the address"}},
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
			s := e2e.NewServer(t, refused.args...)
			refuses(s, refused.code, refused.words...)
			if strings.Contains(s.Log.String(), "hunter2") {
				t.Error("it says the store's password")
			}
		})
	}
	t.Run("second process on one folder", func(t *testing.T) {
		t.Parallel()
		s := e2e.NewServer(t)
		s.Dir = running.Dir
		s.Spawn()
		code := s.Wait()
		want := fmt.Sprintf("process %d ", running.PID)
		if text := s.Log.String(); code != 1 || strings.Count(text, "\n") != 1 || !e2e.Mentions(text, want, running.Dir) {
			t.Errorf("exit code %d, should be 1; it said, and should name %sin one line:\n%s", code, want, text)
		}
		if code := running.ForTest(t).Call("GET", "/readyz", nil, nil); code != http.StatusOK {
			t.Errorf("the first process answers %d on /readyz", code)
		}
	})
	t.Run("store of a newer version", func(t *testing.T) {
		t.Parallel()
		s := e2e.NewServer(t).Start()
		s.Stop()
		e2e.EditDatabase(t, filepath.Join(s.Dir, "store.db"), `INSERT INTO goose_db_version (version_id, is_applied) VALUES (9999, 1)`)
		refuses(s, 1, "9999", "newer")
	})
	t.Run("journal of a newer version", func(t *testing.T) {
		t.Parallel()
		s := e2e.NewServer(t).Start()
		s.Stop()
		if err := os.WriteFile(filepath.Join(s.Dir, "journal", "format"), []byte("9999\n"), 0o600); err != nil {
			t.Fatal(err)
		}
		refuses(s, 1, filepath.Join("journal", "format"), "9999", "newer")
	})
}

// journalFile reads the room's only journal file with the suffix.
func journalFile(s *e2e.Server, id, suffix string) []byte {
	s.T.Helper()
	data, err := os.ReadFile(journalPath(s, id, suffix))
	if err != nil {
		s.T.Fatal(err)
	}
	return data
}

func journalPath(s *e2e.Server, id, suffix string) string {
	s.T.Helper()
	names, err := filepath.Glob(filepath.Join(s.Dir, "journal", "rooms", id+"-*."+suffix))
	if err != nil || len(names) != 1 {
		s.T.Fatalf("files of room %s in the journal: %v, %v", id, names, err)
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
	s := e2e.NewServer(t).Start()
	info := s.Create("tally", nil)
	c := s.Join(info, client.Options{})
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 3}); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	copied := e2e.NewServer(t)
	if out, err := exec.Command("cp", "-a", s.Dir, copied.Dir).CombinedOutput(); err != nil {
		t.Fatalf("cp: %v %s", err, out)
	}
	refuses(copied, 1, copied.Dir, "is a copy", "--adopt-data-dir")
	s.Start()
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 4}); err != nil {
		t.Fatal(err)
	}
	s.Kill()

	// An operator who says that the original will never run again may use the copy, with its rooms.
	refuses(copied, 1, "is a copy")
	copied.Args = append(copied.Args, "--adopt-data-dir")
	copied.Start()
	var state struct{ Count int }
	e2e.MustDecode(t, copied.Inspect(info.ID).State, &state)
	if state.Count != 3 {
		t.Errorf("the adopted room counts %d, should be 3", state.Count)
	}
}

// TestRoomOfAnotherVersionIsHeld starts binaries that lack a room's game, or its version of the game. The room is kept and clients are
// told which version it needs. A binary that has the version goes on where the room stopped.
func TestRoomOfAnotherVersionIsHeld(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t)
	has := func(version string) {
		s.Kill()
		s.Env = []string{e2e.VersionVariable + "=" + version}
		s.Start()
	}
	has("1")
	info, other := s.Create("versioned", nil), s.Create("tally", nil)
	c := s.Join(info, client.Options{})
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	for version, says := range map[string]string{"": "needs game versioned version 1", "2": "version 1 of game versioned"} {
		has(version)
		late := e2e.Dial(t, info.URL, wire.JSON)
		late.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		late.ClosesWith(wire.CloseUnreachable, says)
		if code := s.Call("GET", "/v1/rooms/"+info.ID, nil, nil); code != http.StatusServiceUnavailable {
			t.Errorf("version %q: GET of the held room: %d, should be 503", version, code)
		}
		if !e2e.Mentions(s.Log.String(), info.ID, says) {
			t.Errorf("version %q: the log does not say %q", version, says)
		}
		if held := s.Metric("roomring_rooms_held"); held != 1 {
			t.Errorf("version %q: %v rooms are held, should be 1", version, held)
		}
		if s.Inspect(other.ID).Phase != "waiting" {
			t.Error("another room is not served")
		}
	}
	has("1")
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 2}); err != nil {
		t.Fatal(err)
	}
	if err := c.WaitView(e2e.WaitContext(t), func(v any) bool { return e2e.Field(v, "count") == 7.0 }); err != nil {
		t.Errorf("the count never became 7: %v", err)
	}
}

// TestRoomThatMovedOnIsSetAside edits a room's row as another node would when it takes the room over.
func TestRoomThatMovedOnIsSetAside(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t).Start()
	moved, stays := s.Create("tally", nil), s.Create("tally", nil)
	c := s.Join(moved, client.Options{})
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.Kill()
	kept := journalFile(s, moved.ID, "log")
	e2e.EditDatabase(t, filepath.Join(s.Dir, "store.db"), `UPDATE rooms SET epoch = epoch + 5, folder = 'elsewhere' WHERE room = ?`, moved.ID)
	for range 2 { // the second start finds it set aside
		s.Start()
		late := e2e.Dial(t, moved.URL, wire.JSON)
		late.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		late.ClosesWith(wire.CloseUnreachable)
		if code := s.CallAdmin("GET", "/admin/v1/rooms/"+moved.ID, nil, nil); code == http.StatusOK {
			t.Error("the room is in memory")
		}
		if s.Inspect(stays.ID).Phase != "waiting" {
			t.Error("another room is not served")
		}
		if !e2e.Mentions(s.Log.String(), "moved on", "set aside", moved.ID) {
			t.Error("the log does not say that the room has moved on")
		}
		s.Kill()
		if now := journalFile(s, moved.ID, "aside"); len(now) == 0 || !bytes.HasPrefix(now, kept) {
			t.Errorf("%d bytes of its log are there, %d were before", len(now), len(kept))
		}
	}
	if n := count(t, filepath.Join(s.Dir, "store.db"), `SELECT count(*) FROM rooms WHERE room = ? AND folder = 'elsewhere'`, moved.ID); n != 1 {
		t.Error("its row was taken back")
	}
}

// TestJournalSync waits for the disk. Acknowledged acts are in the synced log, and a start goes on from it.
func TestJournalSync(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--journal-sync").Start()
	info := s.Create("tally", nil)
	c := s.Join(info, client.Options{})
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	s.Kill()
	logs, err := filepath.Glob(filepath.Join(s.Dir, "journal", "redo-*"))
	if err != nil || len(logs) != 1 {
		t.Fatalf("what is synced: %v, %v", logs, err)
	}
	synced, err := os.ReadFile(logs[0])
	if err != nil || !bytes.Contains(synced, []byte(info.ID)) {
		t.Errorf("%d bytes were synced, and nothing of the room: %v", len(synced), err)
	}
	s.Start()
	if err := c.WaitView(e2e.WaitContext(t), func(v any) bool { return e2e.Field(v, "count") == 5.0 }); err != nil {
		t.Errorf("the count never became 5: %v", err)
	}
}

// TestTermEndsEverything stops a process with rooms, sockets and requests.
func TestTermEndsEverything(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	info := s.Create("tally", nil)
	c := s.Join(info, client.Options{})
	seq, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 5})
	if err != nil {
		t.Fatal(err)
	}
	var rest []*e2e.Socket
	for i := range 20 {
		w := e2e.Dial(t, info.URL, e2e.EncodingOf(i))
		w.Hello(wire.Hello{Client: e2e.Name(i), As: wire.AsSpectator})
		rest = append(rest, w)
	}
	code, took := s.Stop()
	t.Logf("stopped in %v", took)
	if code != 0 {
		t.Errorf("exit code %d, should be 0", code)
	}
	if took > 10*time.Second { // it should take one second; the machine may be busy
		t.Errorf("stopping took %v", took)
	}
	for _, w := range rest {
		w.ClosesWith(wire.CloseMoved)
	}
	for _, address := range []string{s.Listen, s.Admin} {
		if conn, err := net.DialTimeout("tcp", address, e2e.Ceiling); err == nil {
			conn.Close()
			t.Errorf("somebody listens on %s", address)
		}
	}
	if _, err := os.Stat(s.Dir + ".ready"); err == nil {
		t.Error("the ready file is still there")
	}
	s.Start()
	if again, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 2}); err != nil || again <= seq {
		t.Fatalf("after the restart an act is answered %d, %v", again, err)
	}
	if st := c.Stats(); st.Sockets != 2 || st.Recovered != 1 || st.States != 1 {
		t.Errorf("the client did not resume without a whole view: %+v", st)
	}
	var state struct{ Count int }
	e2e.MustDecode(t, s.Inspect(info.ID).State, &state)
	if state.Count != 7 {
		t.Errorf("the count is %d, should be 7", state.Count)
	}
}
