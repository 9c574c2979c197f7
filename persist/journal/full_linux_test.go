package journal_test

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
)

// smallDisk mounts a file system of a few MiB, for which it must run as root. The disk must really
// be full: a test that only pretends would prove nothing.
func smallDisk(t *testing.T) string {
	t.Helper()
	dir := t.TempDir()
	if err := unix.Mount("tmpfs", dir, "tmpfs", 0, "size=4m"); err != nil {
		t.Fatalf("mounting a small tmpfs: %v: run this test as root (CAP_SYS_ADMIN), for instance in a container started with --privileged", err)
	}
	t.Cleanup(func() { unix.Unmount(dir, unix.MNT_DETACH) })
	return dir
}

// fill fills the disk. The function that it returns frees the space again.
func fill(t *testing.T, disk string) (empty func()) {
	t.Helper()
	name := filepath.Join(disk, "filler")
	f, err := os.Create(name)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for err == nil {
		_, err = f.Write(make([]byte, 4096))
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatal(err)
	}
	return func() {
		if err := os.Remove(name); err != nil {
			t.Error(err)
		}
	}
}

// ledger counts the calls of done functions.
type ledger struct {
	mu    sync.Mutex
	acked map[room.ID]room.Index
	errs  int
	calls int
}

func (l *ledger) done(id room.ID, last room.Index) func(error) {
	return func(err error) {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.calls++
		if err != nil {
			l.errs++
			return
		}
		l.acked[id] = last
	}
}

func (l *ledger) counts() (calls, errs int) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.calls, l.errs
}

func (l *ledger) of(id room.ID) room.Index {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.acked[id]
}

// flood appends 20 entries at a time to every room in turn until the journal is full.
func (n *node) flood(l *ledger, ids []room.ID, ends map[room.ID]room.Index) (offered int) {
	n.t.Helper()
	for start := time.Now(); ; offered++ {
		id := ids[offered%len(ids)]
		end := ends[id] + 20
		b := batch(id, 1, ends[id]+1, end)
		switch err := n.Append(b, nil, l.done(id, end)); {
		case errors.Is(err, journal.ErrFull) && n.Failing() != nil:
			return offered
		case errors.Is(err, journal.ErrFull):
			time.Sleep(time.Millisecond)
			offered--
		case err != nil:
			n.t.Fatal(err)
		default:
			ends[id] = end
		}
		if time.Since(start) > ceiling {
			n.t.Fatal("the disk does not get full")
		}
	}
}

func TestDiskFull(t *testing.T) {
	disk := smallDisk(t)
	dir := filepath.Join(disk, "data")
	health := make(chan error, 100)
	n := open(t, dir, journal.Options{
		MaxPending: 256 << 10, RetryMin: time.Millisecond, RetryMax: 10 * time.Millisecond, MarkEvery: 5 * time.Millisecond,
		Health: func(err error) { health <- err },
	})
	ids := []room.ID{roomID(1), roomID(2), roomID(3)}
	n.create(ids...)
	for _, id := range ids {
		n.SetClock(id, 0)
	}
	l := &ledger{acked: make(map[room.ID]room.Index)}
	ends := make(map[room.ID]room.Index)
	offered := 0
	for round := range 3 {
		empty := fill(t, disk)
		offered += n.flood(l, ids, ends)

		if err := <-health; err == nil || !strings.Contains(err.Error(), "full") {
			t.Fatalf("health said %v", err)
		}
		if e, ok := errors.AsType[*journal.FailingError](n.Failing()); !ok || time.Since(e.Since) > ceiling {
			t.Errorf("failing: %v", n.Failing())
		}
		if calls, errs := l.counts(); calls >= offered || errs != 0 {
			t.Errorf("round %d: %d of %d are answered, %d with an error", round, calls, offered, errs)
		}
		for _, id := range ids { // what is acknowledged is there though the disk is full
			if end := checkLog(t, n.load(id)); end < l.of(id) {
				t.Errorf("%d is acknowledged and the log ends at %d", l.of(id), end)
			}
		}
		ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
		if err := n.Create(ctx, header(roomID(50+round)), 1); !errors.Is(err, context.DeadlineExceeded) {
			t.Errorf("create on a full disk: %v", err)
		}
		cancel()

		empty()
		if err := <-health; err != nil {
			t.Fatalf("health said %v", err)
		}
		testwait.Until(t, "all is acknowledged", func() bool { calls, _ := l.counts(); return calls == offered })
		testwait.Until(t, "the journal is well", func() bool { return n.Failing() == nil })
	}
	n.close()
	n = open(t, dir, journal.Options{})
	for _, id := range ids {
		if end := checkLog(t, n.load(id)); end != ends[id] || end != l.of(id) {
			t.Errorf("the log ends at %d, offered %d, acknowledged %d", end, ends[id], l.of(id))
		}
	}
	if got := n.Stats().Rooms; got != len(ids) {
		t.Errorf("%d rooms: a create that failed has left one", got)
	}
}

func TestCloseOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	dir := filepath.Join(disk, "data")
	n := open(t, dir, journal.Options{MaxPending: 256 << 10, RetryMin: time.Millisecond})
	ids := []room.ID{roomID(1), roomID(2)}
	n.create(ids...)
	empty := fill(t, disk)
	l := &ledger{acked: make(map[room.ID]room.Index)}
	offered := n.flood(l, ids, make(map[room.ID]room.Index))
	ctx, cancel := context.WithTimeout(t.Context(), 20*time.Millisecond)
	defer cancel()
	n.closed = true
	if err := n.Close(ctx); !errors.Is(err, journal.ErrClosed) || !strings.Contains(err.Error(), "full") {
		t.Errorf("close: %v", err)
	}
	n.folder.Close()
	if calls, errs := l.counts(); calls != offered || errs == 0 {
		t.Errorf("%d of %d are answered, %d with an error", calls, offered, errs)
	}
	empty()
	n = open(t, dir, journal.Options{})
	for _, id := range ids {
		if end := checkLog(t, n.load(id)); end != l.of(id) {
			t.Errorf("the log ends at %d, acknowledged %d", end, l.of(id))
		}
	}
}

func TestOpenOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	dir := filepath.Join(disk, "data")
	n := open(t, dir, journal.Options{})
	n.create(roomID(1))
	n.append(batch(roomID(1), 1, 1, 5), nil)
	n.close()
	empty := fill(t, disk)
	folder, err := journal.OpenFolder(dir, journal.FolderOptions{})
	if err == nil {
		_, err = journal.Open(within(t), folder, journal.Options{})
		folder.Close()
	}
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "full") {
		t.Errorf("open on a full disk: %v", err)
	}
	empty()
	n = open(t, dir, journal.Options{})
	if end := checkLog(t, n.load(roomID(1))); end != 5 {
		t.Errorf("the log ends at %d", end)
	}
}

// TestConversionOnAFullDisk checks that a conversion fails with a clear error, changes nothing, and works once there is space.
func TestConversionOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	dir := filepath.Join(disk, "data")
	if err := os.CopyFS(dir, os.DirFS(earlierFolder(t))); err != nil {
		t.Fatal(err)
	}
	openFolder(t, dir, journal.FolderOptions{AdoptCopied: true}).Close()
	empty := fill(t, disk)
	folder := openFolder(t, dir, journal.FolderOptions{})
	_, err := journal.Open(within(t), folder, journal.Options{})
	if err == nil || !strings.Contains(err.Error(), dir) || !strings.Contains(err.Error(), "full") {
		t.Errorf("open on a full disk: %v", err)
	}
	folder.Close()
	empty()
	checkConverted(t, open(t, dir, journal.Options{}))
	databaseIsGone(t, dir)
}

// TestCopiesOnAFullDisk goes on appending to copies, cutting and marking them while the disk is full. Nothing is acknowledged until there is
// space, and then everything is done in order.
func TestCopiesOnAFullDisk(t *testing.T) {
	disk := smallDisk(t)
	dir := filepath.Join(disk, "data")
	n := open(t, dir, journal.Options{MaxPending: 16 << 10, RetryMin: time.Millisecond, RetryMax: 10 * time.Millisecond})
	var models []*copyModel
	for i := range 3 {
		if err := n.Import(within(t), emptyCopy(roomID(i))); err != nil {
			t.Fatal(err)
		}
		m, _ := modelOf(n.load(roomID(i)), uint64(i))
		models = append(models, m)
	}
	n.burst(models, 5)
	for range 3 {
		empty := fill(t, disk)
		waiting, answers := 0, make(chan error, 1000)
		offered := make([]*copyOp, len(models)) // what was refused
		offer := func(i int) bool {
			if offered[i] == nil {
				o := models[i].next()
				offered[i] = &o
			}
			err := offered[i].do(n.Journal, models[i].id, func(err error) { answers <- err })
			if err != nil && !errors.Is(err, journal.ErrFull) {
				t.Fatal(err)
			}
			if err == nil {
				offered[i] = nil
				waiting++
			}
			return err == nil
		}
		for full := 0; full < 2*len(models); {
			if offer(waiting%len(models)) || n.Failing() == nil {
				full = 0
			} else if full++; !offer(full % len(models)) {
				continue
			}
		}
		if n.Failing() == nil {
			t.Error("the disk is full and nothing is said")
		}
		empty()
		testwait.Until(t, "the journal is well", func() bool { return n.Failing() == nil && n.Stats().Pending == 0 })
		for i := range models {
			if offered[i] != nil && !offer(i) {
				t.Error("what was refused is refused again")
			}
		}
		for range waiting {
			if err := <-answers; err != nil {
				t.Fatal(err)
			}
		}
		for _, m := range models {
			if diff := m.differs(n.load(m.id), true); diff != "" {
				t.Errorf("room %s: %s", m.id, diff)
			}
		}
	}
	n.close()
	n = open(t, dir, journal.Options{})
	for _, m := range models {
		if diff := m.differs(n.load(m.id), true); diff != "" {
			t.Errorf("after a restart: room %s: %s", m.id, diff)
		}
	}
}
