package survive_test

import (
	"context"
	"net"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room/wire"
)

// deaf is a client that says hello, reads its welcome and then reads nothing more, not even that it must go.
func deaf(ctx context.Context, t *testing.T, url string) {
	t.Helper()
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: []string{wire.SubprotocolJSON}})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = ws.CloseNow() })
	if err := ws.Write(ctx, websocket.MessageText, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "deaf"})); err != nil {
		t.Fatal(err)
	}
	for text := ""; !strings.Contains(text, `"welcome"`); {
		_, b, err := ws.Read(ctx)
		if err != nil {
			t.Fatal(err)
		}
		text += string(b)
	}
}

// TestStopSavesRoomsOfDeafClients stops a server whose clients do not answer its close. The server must not wait for them, and must keep
// enough time to save its rooms.
func TestStopSavesRoomsOfDeafClients(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ctx := e2e.WaitContext(t)
	const rooms = 100
	for range rooms {
		deaf(ctx, t, s.Create("poison", nil).URL)
	}
	if code, took := s.Stop(); code != 0 || took > 10*time.Second {
		t.Errorf("the server ended with %d after %v", code, took)
	} else {
		t.Logf("stopped after %v", took)
	}
	if text := s.Log.String(); strings.Contains(text, "part=rooms") || strings.Contains(text, "level=ERROR") {
		t.Error("the server could not save its rooms")
	}
	files, err := os.ReadDir(s.Dir)
	if err != nil {
		t.Fatal(err)
	}
	for _, f := range files {
		if i, err := f.Info(); err != nil || i.Mode().Perm()&0o077 != 0 {
			t.Errorf("others may look into %s: %v %v", f.Name(), i.Mode(), err)
		}
	}
	folder, err := journal.OpenFolder(s.Dir, journal.FolderOptions{})
	if err != nil {
		t.Fatal(err)
	}
	defer folder.Close()
	j, err := journal.Open(ctx, folder, journal.Options{})
	if err != nil {
		t.Fatal(err)
	}
	defer j.Close(ctx)
	found := 0
	for kept, err := range j.Rooms(ctx) {
		if err != nil {
			t.Fatal(err)
		}
		found++
		last := kept.Batches[len(kept.Batches)-1].Last
		if n := len(kept.Snapshots); n == 0 || kept.Snapshots[n-1].Index != last {
			t.Fatalf("a room left no snapshot of its end: %d", n)
		}
	}
	if found != rooms {
		t.Errorf("%d rooms are kept of %d", found, rooms)
	}
}

// TestStopWhileItStarts stops a server that still waits for its store.
func TestStopWhileItStarts(t *testing.T) {
	t.Parallel()
	silent, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer silent.Close()
	s := e2e.NewServer(t, "--store", "postgres://me@"+silent.Addr().String()+"/games")
	s.Spawn()
	asked, err := silent.Accept()
	if err != nil {
		t.Fatal(err)
	}
	defer asked.Close()
	if code, _ := s.Stop(); code != 0 {
		t.Errorf("it ended with %d: %s", code, s.Log)
	}
}
