package journal_test

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// ticks is a batch that is one run of ticks.
func ticks(id room.ID, epoch record.Epoch, first, last room.Index) record.Batch {
	var run []core.Entry
	for i := first; i <= last; i++ {
		run = append(run, core.Entry{Index: i, Epoch: epoch, Input: core.Input{Kind: core.KindTick, At: time.Duration(i) * time.Second}})
	}
	raw, err := core.EncodeEntries(nil, run...)
	if err != nil {
		panic(err)
	}
	return record.Batch{Room: id, Epoch: epoch, First: first, Last: last, Time: time.Duration(last) * time.Second, Entries: raw}
}

// epochs writes a log as the epochs of its entries, such as 1111 22.
func epochs(t *testing.T, kept record.Kept) string {
	t.Helper()
	var out strings.Builder
	var last room.Index
	for _, b := range kept.Batches {
		for e, err := range core.DecodeEntries(b.Entries) {
			if err != nil || last > 0 && e.Index != last+1 || e.At != time.Duration(e.Index)*time.Second {
				t.Fatalf("entry %d at %v behind %d: %v", e.Index, e.At, last, err)
			}
			last = e.Index
			fmt.Fprint(&out, e.Epoch)
		}
		if b.Last != last || b.Time != time.Duration(last)*time.Second {
			t.Fatalf("a batch that ends at %d says %d and %v", last, b.Last, b.Time)
		}
		out.WriteByte(' ')
	}
	return strings.TrimSpace(out.String())
}

// cutTo cuts and waits.
func (n *node) cutTo(id room.ID, last room.Index) {
	n.t.Helper()
	n.answered(func(done func(error)) error { return n.Cut(id, last, done) })
}

// mark marks and waits.
func (n *node) mark(id room.ID, epoch record.Epoch, d record.Doubt) {
	n.t.Helper()
	n.answered(func(done func(error)) error { return n.Mark(id, epoch, d, done) })
}

func (n *node) answered(do func(done func(error)) error) {
	n.t.Helper()
	written := make(chan error, 1)
	if err := do(func(err error) { written <- err }); err != nil {
		n.t.Fatal(err)
	}
	if err := <-written; err != nil {
		n.t.Fatal(err)
	}
}

// TestCutEndsTheLog cuts a log of a run of six ticks, a record of two batches, and two more ticks, with snapshots at 4 and 9.
func TestCutEndsTheLog(t *testing.T) {
	for _, c := range []struct {
		last      room.Index
		want      string // the log when 77 was appended
		snapshots int
	}{
		{12, "111111 2233 44 77", 2},
		{11, "111111 2233 4 77", 2},
		{10, "111111 2233 77", 2},
		{9, "111111 223 77", 2},
		{8, "111111 22 77", 1},
		{7, "111111 2 77", 1},
		{6, "111111 77", 1},
		{4, "1111 77", 1},
		{3, "111 77", 0},
		{1, "1 77", 0},
		{0, "77", 0},
	} {
		t.Run(fmt.Sprint(c.last), func(t *testing.T) {
			dir := t.TempDir()
			id := roomID(1)
			n := open(t, dir, journal.Options{})
			if err := n.Import(within(t), record.Kept{Header: header(id), Epoch: 1, Batches: []record.Batch{ticks(id, 1, 1, 6)}}); err != nil {
				t.Fatal(err)
			}
			n.append(record.Batch{Room: id}, &record.Snapshot{Room: id, Epoch: 1, Index: 4, Data: []byte("4")})
			two, three := ticks(id, 2, 7, 8), ticks(id, 3, 9, 10)
			two.Epoch, two.Last, two.Time = 3, 10, three.Time
			two.Entries = append(two.Entries, three.Entries...)
			n.append(two, &record.Snapshot{Room: id, Epoch: 3, Index: 9, Data: []byte("9")})
			n.append(ticks(id, 4, 11, 12), nil)
			check := func(when, want string, epoch record.Epoch) {
				t.Helper()
				kept := n.load(id)
				if got := epochs(t, kept); got != want || kept.Epoch != epoch || kept.Cut != "" || kept.Doubt != record.Whole || len(kept.Snapshots) != c.snapshots {
					t.Errorf("%s: the log is %s, want %s; %+v", when, got, want, kept)
				}
			}
			n.cutTo(id, c.last)
			cut := strings.TrimSuffix(strings.TrimSuffix(c.want, "77"), " ")
			check("cut", cut, 4)
			n.close()
			n = open(t, dir, journal.Options{})
			check("after a restart", cut, 4)
			n.append(ticks(id, 7, c.last+1, c.last+2), nil)
			check("gone on", c.want, 7)
			n.close()
			n = open(t, dir, journal.Options{})
			check("after another restart", c.want, 7)
			if left := filesLike(t, dir, ".cut"); len(left) != 0 {
				t.Errorf("what was cut is kept as if it were damage: %v", left)
			}
		})
	}
}

// TestQueuedTogether queues appends, cuts and marks of several rooms while the writer is busy. All of it is done in order.
func TestQueuedTogether(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	busy := roomID(9)
	n.create(busy)
	started, goOn := make(chan struct{}), make(chan struct{})
	if err := n.Append(ticks(busy, 1, 1, 1), nil, func(error) { close(started); <-goOn }); err != nil {
		t.Fatal(err)
	}
	<-started
	created := make(chan error, 2)
	ids := []room.ID{roomID(1), roomID(2)}
	for _, id := range ids {
		go func() { created <- n.Import(within(t), emptyCopy(id)) }()
	}
	var order []string
	last := make(chan error, 2)
	for _, id := range ids {
		for n.Mark(id, 1, record.Partial, nil) != nil {
			time.Sleep(time.Millisecond) // until its import is queued
		}
		do := func(name string, err error) {
			if err != nil {
				t.Errorf("%s: %v", name, err)
			}
		}
		done := func(name string) func(error) {
			return func(err error) {
				if order = append(order, fmt.Sprintf("%s %s", id[len(id)-1:], name)); err != nil {
					t.Errorf("%s: %v", name, err)
				}
			}
		}
		do("a", n.Append(ticks(id, 1, 1, 4), nil, done("a")))
		do("b", n.Append(ticks(id, 1, 5, 9), &record.Snapshot{Room: id, Epoch: 1, Index: 9, Data: []byte("old")}, done("b")))
		do("cut", n.Cut(id, 6, done("cut")))
		do("mark", n.Mark(id, 5, record.Whole, done("mark")))
		do("c", n.Append(ticks(id, 5, 7, 8), nil, done("c")))
		do("d", n.Append(ticks(id, 5, 9, 9), &record.Snapshot{Room: id, Epoch: 5, Index: 9, Data: []byte("new")}, done("d")))
		do("cut again", n.Cut(id, 9, done("cut again")))
		do("same mark", n.Mark(id, 3, record.Whole, func(err error) { done("same mark")(err); last <- err }))
	}
	close(goOn)
	for range ids {
		if err := <-created; err != nil {
			t.Fatal(err)
		}
		<-last
	}
	for _, id := range ids {
		var of []string
		for _, o := range order {
			if name, is := strings.CutPrefix(o, string(id[len(id)-1:])+" "); is {
				of = append(of, name)
			}
		}
		if want := []string{"a", "b", "cut", "mark", "c", "d", "cut again", "same mark"}; !slices.Equal(of, want) {
			t.Errorf("room %s: done in the order %v", id, of)
		}
	}
	for range 2 {
		for _, id := range ids {
			kept := n.load(id)
			if got := strings.ReplaceAll(epochs(t, kept), " ", ""); got != "111111555" || kept.Epoch != 5 || kept.Doubt != record.Whole {
				t.Errorf("the log is %s; %+v", got, kept)
			}
			if len(kept.Snapshots) != 1 || string(kept.Snapshots[0].Data) != "new" {
				t.Errorf("snapshots %+v", kept.Snapshots)
			}
		}
		n.close()
		n = open(t, dir, journal.Options{})
	}
}

func TestCutAndMarkRefuse(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id, begun := roomID(1), roomID(2)
	n.create(id)
	n.append(ticks(id, 1, 1, 6), nil)
	if err := n.Import(within(t), emptyCopy(begun)); err != nil {
		t.Fatal(err)
	}
	n.append(cutAt(t, begun, 100, 104), nil) // an empty copy begins where the owner's log does
	never := func(error) { t.Error("done was called") }
	for _, c := range []struct {
		name string
		err  error
		want error
	}{
		{"behind the end", n.Cut(id, 7, never), journal.ErrGap},
		{"before the log", n.Cut(begun, 99, never), journal.ErrBeforeLog},
		{"long before the log", n.Cut(begun, 1, never), journal.ErrBeforeLog},
		{"no room", n.Cut(roomID(3), 0, never), record.ErrNotFound},
		{"a mark of no room", n.Mark(roomID(3), 1, record.Whole, never), record.ErrNotFound},
		{"a doubt that there is not", n.Mark(id, 1, 3, never), record.ErrPermanent},
		{"a log that begins elsewhere", n.Append(ticks(begun, 1, 106, 107), nil, never), journal.ErrGap},
	} {
		if !errors.Is(c.err, c.want) || !errors.Is(c.err, record.ErrPermanent) {
			t.Errorf("%s: %v, want %v", c.name, c.err, c.want)
		}
	}
	n.cutTo(begun, 100)
	if kept := n.load(begun); kept.Last() != 100 || kept.Cut != "" {
		t.Errorf("kept %+v", kept)
	}
	n.cutTo(begun, 0) // the owner's log begins later by now
	if err := n.Append(ticks(begun, 1, 200, 201), nil, never); !errors.Is(err, journal.ErrGap) {
		t.Errorf("an empty log cannot begin in the middle: %v", err)
	}
	n.append(cutAt(t, begun, 200, 203), nil)
	n.close()
	n = open(t, dir, journal.Options{})
	if err := n.Cut(id, 3, never); !errors.Is(err, journal.ErrUnread) {
		t.Errorf("before it is loaded: %v", err)
	}
	if err := n.Mark(id, 3, record.Whole, never); !errors.Is(err, journal.ErrUnread) {
		t.Errorf("before it is loaded: %v", err)
	}
	kept := n.load(begun)
	if kept.Batches[0].First != 200 || kept.Last() != 203 || kept.Cut != "" || kept.Doubt != record.Partial {
		t.Errorf("kept %+v", kept)
	}
	n.load(id)
	n.close()
	if err := n.Cut(id, 3, never); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
	if err := n.Mark(id, 3, record.Whole, never); !errors.Is(err, journal.ErrClosed) {
		t.Errorf("after close: %v", err)
	}
}

// TestFullQueueKeepsTheOrder fills the queue. What comes behind something that was refused is refused too, until that is offered again.
func TestFullQueueKeepsTheOrder(t *testing.T) {
	n := open(t, t.TempDir(), journal.Options{MaxPending: 400})
	busy, id := roomID(1), roomID(2)
	n.create(busy, id)
	n.append(ticks(id, 1, 1, 6), nil)
	block := func() (release func()) {
		started, goOn := make(chan struct{}), make(chan struct{})
		if err := n.Append(record.Batch{Room: busy}, &record.Snapshot{Room: busy, Index: 1}, func(error) { close(started); <-goOn }); err != nil {
			t.Fatal(err)
		}
		<-started // now it waits in the done function, with another command behind it
		if err := n.Append(record.Batch{Room: busy}, &record.Snapshot{Room: busy, Index: 1}, nil); err != nil {
			t.Fatal(err)
		}
		return func() {
			close(goOn)
			testwait.Until(t, "the queue is empty", func() bool { return n.Stats().Pending == 0 })
		}
	}
	n.append(ticks(busy, 1, 1, 1), nil)

	release := block()
	if err := n.Cut(id, 3, nil); !errors.Is(err, journal.ErrFull) {
		t.Fatalf("a cut: %v", err)
	}
	release()
	if err := n.Append(ticks(id, 2, 4, 5), nil, nil); !errors.Is(err, journal.ErrFull) {
		t.Errorf("a batch behind a cut that was refused: %v", err)
	}
	n.cutTo(id, 3)
	n.append(ticks(id, 2, 4, 5), nil)

	release = block()
	if err := n.Mark(id, 7, record.Partial, nil); !errors.Is(err, journal.ErrFull) {
		t.Fatalf("a mark: %v", err)
	}
	release()
	if err := n.Append(ticks(id, 7, 6, 6), nil, nil); !errors.Is(err, journal.ErrFull) {
		t.Errorf("a batch behind a mark that was refused: %v", err)
	}
	if err := n.Cut(id, 4, nil); !errors.Is(err, journal.ErrFull) {
		t.Errorf("a cut behind a mark that was refused: %v", err)
	}
	n.mark(id, 8, record.Unsure)
	n.append(ticks(id, 8, 6, 6), nil)
	if kept := n.load(id); epochs(t, kept) != "111 22 8" || kept.Epoch != 8 || kept.Doubt != record.Unsure {
		t.Errorf("kept %+v", kept)
	}
}

// TestUndividableRecord cuts inside a record that cannot be read. The log stays as it was, the room takes nothing more, and others go on.
func TestUndividableRecord(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id, other := roomID(1), roomID(2)
	n.create(id, other)
	n.append(batch(id, 1, 1, 2), nil)
	n.append(batch(id, 1, 3, 9), nil)
	answers := make(chan error, 3)
	done := func(err error) { answers <- err }
	for _, err := range []error{
		n.Cut(id, 5, done), n.Append(batch(id, 2, 6, 7), &record.Snapshot{Room: id, Epoch: 2, Index: 7, Data: []byte("x")}, done),
		n.Append(batch(id, 2, 8, 8), nil, done),
	} {
		if err != nil {
			t.Fatal(err)
		}
	}
	for range 3 {
		if err := <-answers; !errors.Is(err, record.ErrPermanent) || !strings.Contains(err.Error(), "cannot be cut behind entry 5") {
			t.Errorf("done with %v", err)
		}
	}
	n.append(batch(other, 1, 1, 3), nil)
	for range 2 {
		if kept := n.load(id); checkLog(t, kept) != 9 || kept.Cut != "" || len(kept.Snapshots) != 0 {
			t.Errorf("kept %+v", kept)
		}
		n.close()
		n = open(t, dir, journal.Options{})
	}
	n.load(id)
	n.cutTo(id, 2)
	n.append(batch(id, 2, 3, 4), nil)
	if kept := n.load(id); checkLog(t, kept) != 4 {
		t.Errorf("kept %+v", kept)
	}
}

// TestHalfDoneCut stops a cut after each of its writes, as a kill does. The log is as before or after it, and no damage is found.
func TestHalfDoneCut(t *testing.T) {
	dir := t.TempDir()
	root := filepath.Join(dir, "journal")
	id := roomID(1)
	n := open(t, dir, journal.Options{MarkEvery: time.Millisecond})
	n.create(id)
	n.append(ticks(id, 1, 1, 4), &record.Snapshot{Room: id, Epoch: 1, Index: 4, Data: []byte("4")})
	n.append(ticks(id, 1, 5, 9), &record.Snapshot{Room: id, Epoch: 1, Index: 9, Data: []byte("9")})
	n.close()
	before := t.TempDir()
	if err := os.CopyFS(before, os.DirFS(root)); err != nil {
		t.Fatal(err)
	}
	n = open(t, dir, journal.Options{MarkEvery: time.Hour})
	n.load(id)
	n.cutTo(id, 6)
	log, newer := logFile(t, dir, id, "log"), ""
	for _, suffix := range []string{"s0", "s1"} {
		name := strings.TrimSuffix(log, "log") + suffix
		if _, err := os.Stat(name); err != nil {
			newer = name
		}
	}
	if newer == "" {
		t.Fatal("the snapshot is still there")
	}
	contents := make(map[string][]byte)
	for _, name := range []string{filepath.Join(root, "marks"), newer, log} {
		contents[name], _ = os.ReadFile(name)
	}
	n.close()
	for steps, want := range []string{"1111 11111", "1111 11111", "1111 11111", "1111 11"} {
		if err := os.RemoveAll(root); err != nil {
			t.Fatal(err)
		}
		if err := os.CopyFS(root, os.DirFS(before)); err != nil {
			t.Fatal(err)
		}
		for _, name := range []string{filepath.Join(root, "marks"), newer, log}[:steps] {
			if contents[name] == nil {
				os.Remove(name)
			} else if err := os.WriteFile(name, contents[name], 0o600); err != nil {
				t.Fatal(err)
			}
		}
		n = open(t, dir, journal.Options{})
		if kept := n.load(id); epochs(t, kept) != want || kept.Cut != "" || kept.Doubt != record.Whole {
			t.Errorf("after %d writes: %s; %+v", steps, epochs(t, kept), kept)
		}
		n.close()
	}
}

// TestMarksCostNothingUnlessSomethingChanges checks that a journal stays usable by older programs until a room is marked, and that a mark is
// written only when it says something new.
func TestMarksCostNothingUnlessSomethingChanges(t *testing.T) {
	dir := t.TempDir()
	id := roomID(1)
	n := open(t, dir, journal.Options{})
	format := func(want string) {
		t.Helper()
		if text, err := os.ReadFile(filepath.Join(dir, "journal", "format")); err != nil || string(text) != want {
			t.Errorf("the format is %q, %v", text, err)
		}
	}
	n.create(id)
	n.append(ticks(id, 3, 1, 4), nil)
	n.cutTo(id, 2)
	n.mark(id, 3, record.Whole)
	if err := n.Claimed(within(t), id, 4); err != nil {
		t.Fatal(err)
	}
	n.mark(id, 4, record.Whole)
	format("1\n")
	records := func() int {
		file, err := os.ReadFile(logFile(t, dir, id, "log"))
		if err != nil {
			t.Fatal(err)
		}
		return len(framesOf(file))
	}
	was := records()
	n.mark(id, 5, record.Partial)
	for i := room.Index(3); i < 10; i++ {
		n.append(ticks(id, 5, i, i), nil)
		n.mark(id, 5, record.Partial)
	}
	if got := records() - was; got != 8 {
		t.Errorf("a mark and seven batches became %d records", got)
	}
	format("2\n")
	n.close()
	n = open(t, dir, journal.Options{})
	if kept := n.load(id); kept.Epoch != 5 || kept.Doubt != record.Partial || kept.Last() != 9 {
		t.Errorf("kept %+v", kept)
	}
	n.mark(id, 5, record.Partial)
	if got := records() - was; got != 8 {
		t.Errorf("a mark that was there was written again: %d records", got)
	}
	n.close()
	editFile(t, filepath.Join(dir, "journal", "format"), func([]byte) []byte { return []byte("3\n") })
	folder := openFolder(t, dir, journal.FolderOptions{})
	defer folder.Close()
	if _, err := journal.Open(within(t), folder, journal.Options{}); err == nil || !strings.Contains(err.Error(), "has format 3 and this version of roomring knows up to 2") {
		t.Errorf("a journal of a newer program: %v", err)
	}
}

// TestEmptyCopyIsReplaced imports over a copy to which nothing was appended. What it has promised stays promised.
func TestEmptyCopyIsReplaced(t *testing.T) {
	dir := t.TempDir()
	id := roomID(1)
	n := open(t, dir, journal.Options{})
	if err := n.Import(within(t), emptyCopy(id)); err != nil {
		t.Fatal(err)
	}
	n.mark(id, 9, record.Partial)
	if err := n.Import(within(t), fromElsewhere(id, 3, 12)); err != nil {
		t.Fatal(err)
	}
	for range 2 {
		if kept := n.load(id); checkLog(t, kept) != 12 || kept.Epoch != 9 || kept.Doubt != record.Whole {
			t.Errorf("kept %+v", kept)
		}
		n.close()
		n = open(t, dir, journal.Options{})
	}
}
