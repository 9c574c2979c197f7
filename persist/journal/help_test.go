package journal_test

import (
	"context"
	"encoding/binary"
	"fmt"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// ceiling is how long a test waits at most for what should take milliseconds.
const ceiling = 60 * time.Second

// TestMain runs the part of a child process if a test has started this binary as one.
func TestMain(m *testing.M) {
	if part := os.Getenv("JOURNAL_TEST_CHILD"); part != "" {
		children[part](os.Getenv("JOURNAL_TEST_DIR"))
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func within(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	t.Cleanup(cancel)
	return ctx
}

// node is an open folder with its journal.
type node struct {
	*journal.Journal
	folder *journal.Folder
	t      testing.TB
	closed bool
}

func open(t testing.TB, dir string, options journal.Options) *node {
	t.Helper()
	folder, err := journal.OpenFolder(dir, journal.FolderOptions{Boot: "boot"})
	if err != nil {
		t.Fatal(err)
	}
	j, err := journal.Open(within(t), folder, options)
	if err != nil {
		folder.Close()
		t.Fatal(err)
	}
	n := &node{Journal: j, folder: folder, t: t}
	t.Cleanup(n.close)
	return n
}

func (n *node) close() {
	if n.closed {
		return
	}
	n.closed = true
	if err := n.Close(within(n.t)); err != nil {
		n.t.Error(err)
	}
	if err := n.folder.Close(); err != nil {
		n.t.Error(err)
	}
}

func roomID(n int) room.ID {
	var random [10]byte
	binary.BigEndian.PutUint64(random[2:], uint64(n))
	return record.NewID(random)
}

func header(id room.ID) record.Header {
	return record.Header{ID: id, Game: "chess", Version: 3, Runtime: core.RuntimeVersion, Seed: [32]byte{1, 2, 3}, Created: time.UnixMilli(1e12).UTC()}
}

// batch makes a batch from first to last whose bytes say so, so that joined batches can be told apart.
func batch(id room.ID, epoch record.Epoch, first, last room.Index) record.Batch {
	var text []byte
	for i := first; i <= last; i++ {
		text = fmt.Appendf(text, "%s/%d;", id, i)
	}
	return record.Batch{Room: id, Epoch: epoch, First: first, Last: last, Time: time.Duration(last) * time.Second, Entries: text}
}

func (n *node) create(ids ...room.ID) {
	n.t.Helper()
	for _, id := range ids {
		if err := n.Create(within(n.t), header(id), 1); err != nil {
			n.t.Fatal(err)
		}
	}
}

// append waits until the batch is written.
func (n *node) append(b record.Batch, snapshot *record.Snapshot) {
	n.t.Helper()
	written := make(chan error, 1)
	if err := n.Append(b, snapshot, func(err error) { written <- err }); err != nil {
		n.t.Fatal(err)
	}
	if err := <-written; err != nil {
		n.t.Fatal(err)
	}
}

func (n *node) load(id room.ID) record.Kept {
	n.t.Helper()
	kept, err := n.Load(within(n.t), id)
	if err != nil {
		n.t.Fatal(err)
	}
	return kept
}

// checkLog checks that a log consists of what batch makes, and returns its end.
func checkLog(t testing.TB, kept record.Kept) room.Index {
	t.Helper()
	var end room.Index
	for _, b := range kept.Batches {
		if b.First != end+1 {
			t.Fatalf("room %s: a batch begins at %d behind %d", kept.Header.ID, b.First, end)
		}
		want := batch(kept.Header.ID, b.Epoch, b.First, b.Last)
		if string(b.Entries) != string(want.Entries) || b.Time != want.Time {
			t.Fatalf("room %s: batch %d to %d is %q at %v", kept.Header.ID, b.First, b.Last, b.Entries, b.Time)
		}
		end = b.Last
	}
	return end
}

// bootIDFile writes a file for Options.BootIDFile.
func bootIDFile(t *testing.T, dir, name string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	if err := os.WriteFile(path, []byte(name+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}
