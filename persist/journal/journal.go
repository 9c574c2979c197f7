package journal

import (
	"context"
	"errors"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Journal keeps the live rooms of one node. Any goroutine may call its methods, but only one at a time those of the same room.
type Journal struct {
	options  Options
	path     string
	queue    queue // callers put changes into it, the loop takes them
	loop     loop  // the goroutine that writes
	budget   budget
	power    power
	blackBox *BlackBox
}

// Errors of the journal, beside record.ErrNotFound. Those that the same call would return again, whatever the disk does, are a record.ErrPermanent.
var (
	ErrFull   = errors.New("the journal has too much waiting for the disk: keep the batch and offer it again") // Options.MaxPending
	ErrTooBig = permanent("too big for one batch of the journal")                                              // Options.MaxBatch
	ErrClosed = errors.New("the journal is closed")
	ErrExists = permanent("the journal has that room already: load it")
	ErrUnread = permanent("the room is from an earlier life of the node: load it before it goes on")
	ErrGap    = permanent("the batch does not follow the last one of its room") // a mistake of the caller
)

// errNotFound is a record.ErrNotFound.
var errNotFound = record.Permanent(notFound{})

type notFound struct{}

func (notFound) Error() string        { return "the journal has no such live room" }
func (notFound) Is(target error) bool { return target == record.ErrNotFound }

func permanent(text string) error { return record.Permanent(errors.New(text)) }

// FailingError means that the disk refuses what waits. Nothing of it is lost and nothing
// is acknowledged. The journal goes on by itself when the disk works again.
type FailingError struct {
	Path  string
	Since time.Time
	Err   error
}

func (e *FailingError) Error() string {
	return fmt.Sprintf("%s cannot be written since %s: %v: free space or repair the disk; play goes on by itself then",
		e.Path, e.Since.Format(time.DateTime), e.Err)
}

func (e *FailingError) Unwrap() error { return e.Err }

// Open opens the journal in a folder, or makes one. It begins a new life of the node, and reads
// the black box of the life before. It converts a journal of an earlier version first. Errors are *NewerError and those of the disk. The
// folder must stay open until the journal is closed.
func Open(ctx context.Context, folder *Folder, options Options) (*Journal, error) {
	options = options.withDefaults()
	path := folder.Path(journalName)
	trying, giveUp := context.WithCancel(context.Background())
	j := &Journal{
		options: options, path: path, queue: queue{wake: make(chan struct{}, 1)},
		budget: budget{path: path, log: options.Log, most: options.MaxBytes},
		loop: loop{
			options: options, health: health{path: path, log: options.Log, tell: options.Health},
			closing: make(chan struct{}), trying: trying, giveUp: giveUp, ended: make(chan struct{}),
		},
	}
	if err := j.begin(ctx, folder); err != nil {
		giveUp()
		return nil, j.openError(err)
	}
	go j.loop.run()
	return j, nil
}

// openError adds what to do to an error of the system such as "no space left on device".
func (j *Journal) openError(err error) error {
	if _, newer := errors.AsType[*NewerError](err); newer {
		return err
	}
	err = explainFull(err)
	if _, full := errors.AsType[fullError](err); full || diskFull(filepath.Dir(j.path)) {
		return fmt.Errorf("%s cannot be opened, its disk is full: free some space: %w", j.path, err)
	}
	return fmt.Errorf("%s cannot be opened: %w", j.path, err)
}

// begin does everything that must be done before the journal is used.
func (j *Journal) begin(ctx context.Context, folder *Folder) error {
	if err := prepare(ctx, folder, j.options.Log); err != nil {
		return err
	}
	newest, err := redoAll(j.path)
	if err != nil {
		return err
	}
	there, err := findRooms(j.path)
	if err != nil {
		return err
	}
	before, marks, err := readMarks(filepath.Join(j.path, marksName))
	if err != nil {
		return err
	}
	tries, err := readTries(filepath.Join(j.path, triesName))
	if err != nil {
		return err
	}
	if j.options.Sync && !before.sync && !before.clean {
		if err := syncTree(j.path); err != nil { // what the life before has written must be on the disk before the marks say that everything is
			return err
		}
	}
	marks.sync, marks.boot = j.options.Sync, bootID(j.options.BootIDFile)
	lost := lostPower(marks.boot, before)
	if lost || !before.known && len(there.live) > 0 {
		marks.lostPower(there.nextKey)
	}
	marks.pending = marks.pending || lost
	j.power = power{lost: marks.pending, doubtful: marks.pending || !before.known}
	if j.power.lost {
		j.options.Log.Warn("the machine went down while rooms were played and the journal did not wait for the disk: the last moments of some rooms may be missing (--journal-sync would have kept them)", "journal", j.path)
	}
	w := &writer{
		disk: disk{root: j.path}, handles: handles{most: j.options.MaxFiles}, marks: marks, tries: tries,
		aside: &asideRooms{rooms: make(map[int64]*roomFile)}, elapsed: j.options.Elapsed, used: &j.budget.used,
	}
	if j.options.Sync {
		w.disk.redo = &redo{root: j.path, log: j.options.Log, most: j.options.redoMost, number: newest}
	}
	j.loop.queue, j.loop.writer, j.loop.budget = &j.queue, w, &j.budget
	for _, r := range there.aside {
		w.aside.add(r)
	}
	j.queue.restore(there, marks.ends)
	j.budget.used.Store(there.bytes)
	j.budget.watch()
	box, found, err := openBlackBox(folder.Path(blackBoxName), j)
	if err != nil {
		return err
	}
	if marks.loss != 0 {
		if err := w.needFormat(marksFormat); err != nil {
			return err
		}
	}
	if _, err := w.commit([]change{mark{}, j.options.purge(), found}); err != nil {
		return err
	}
	if err := box.start(tries); err != nil {
		return err
	}
	j.blackBox = box
	return nil
}

// power is what Open found out about the machine's last stop.
type power struct {
	lost     bool // see Journal.PowerLost
	doubtful bool // a log that ends within a record may have lost what was acknowledged
}

// lostPower finds out by the marks of the life before whether the machine went down before everything that it was told was on
// its disk. boot is the id of this start of the machine; empty: it is not known.
func lostPower(boot string, before *marks) bool {
	return before.boot != "" && boot != "" && before.boot != boot && !before.clean && !before.sync
}

// PowerLost reports whether the machine has gone down since the life before, and took what the operating system had not yet
// written to the disk: what was acknowledged in the last seconds may be missing, whole batches from the end of a room's log. It is false if
// a process was only killed, if Options.Sync was set, and if the system has no ids for its starts. A later life reports it again if not all rooms
// were loaded meanwhile. Each room is record.Unsure until it is marked or claimed.
func (j *Journal) PowerLost() bool { return j.power.lost }

// restore fills the queue's table with the rooms that were found, and deletes the ends of others. Loading a room finds out how far
// its log goes.
func (q *queue) restore(there *found, ends map[int64]room.Index) {
	q.tails = make(map[room.ID]*tail)
	q.nextKey = there.nextKey
	for key := range ends {
		// A killed life may have left the end of a log that it had removed. No room of this life may have its key.
		q.nextKey = max(q.nextKey, key+1)
	}
	live := make(map[int64]bool, len(there.live))
	for _, f := range there.live {
		q.tails[f.id] = &tail{file: f, seen: ends[f.key]}
		live[f.key] = true
	}
	maps.DeleteFunc(ends, func(key int64, _ room.Index) bool { return !live[key] })
}

// BlackBox records the steps under way.
func (j *Journal) BlackBox() *BlackBox { return j.blackBox }

// Failing returns a *FailingError while the disk refuses what waits, else nil. The node is not ready then.
func (j *Journal) Failing() error {
	if e := j.loop.health.failing.Load(); e != nil {
		return e
	}
	return nil
}

// Stats are for metrics and the admin page.
type Stats struct {
	Rooms   int    // live
	Pending int    // bytes that wait for the disk
	Commits uint64 // groups written since Open
	Missed  uint64 // steps for which the black box had no free slot
}

// Stats reads the counters.
func (j *Journal) Stats() Stats {
	return Stats{
		Rooms: j.queue.rooms(), Pending: j.queue.pending(), Commits: j.loop.commits.Load(), Missed: j.blackBox.missed.Load(),
	}
}

// Close refuses new changes, writes all that waits, and syncs everything to the disk. When ctx
// ends while the disk refuses, Close gives up: the done functions of what is lost get an error, and
// so does the caller. Close may take one write longer than ctx. The folder stays locked until it is closed
// too. A second Close waits for the first and returns ErrClosed.
func (j *Journal) Close(ctx context.Context) error {
	if !j.queue.close() {
		<-j.loop.ended
		return ErrClosed
	}
	close(j.loop.closing)
	select {
	case <-j.loop.ended:
	case <-ctx.Done():
	}
	j.loop.giveUp()
	<-j.loop.ended
	err := j.loop.writer.close()
	if j.loop.lost != nil {
		return errors.Join(j.loop.lost, err)
	}
	return errors.Join(err, j.syncAll(ctx))
}

// syncAll syncs everything to the disk and writes into the marks that it did, so that a stop of the machine between this life and the
// next loses nothing. When ctx ends first it does without.
func (j *Journal) syncAll(ctx context.Context) error {
	synced := make(chan error, 1)
	var begun atomic.Bool // the marks are being written, or nobody may write them any more: another process may have the folder then
	go func() {
		err := syncTree(j.path)
		if err != nil || !begun.CompareAndSwap(false, true) {
			synced <- err
			return
		}
		m := j.loop.writer.marks
		m.clean = true
		synced <- replaceFile(filepath.Join(j.path, marksName), func(f *os.File) error {
			_, err := f.Write(m.encode(time.Duration(m.now.Load())))
			return err
		})
	}()
	select {
	case err := <-synced:
		return err
	case <-ctx.Done():
		if begun.CompareAndSwap(false, true) {
			return nil
		}
		return <-synced
	}
}
