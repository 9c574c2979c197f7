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

// Journal keeps the live rooms of one node. Its methods may be called by any goroutine; calls for
// one room by one goroutine at a time.
type Journal struct {
	options  Options
	queue    queue
	writer   *writer // of the run goroutine once it is started
	path     string
	blackBox *BlackBox
	failing  atomic.Pointer[FailingError]
	commits  atomic.Uint64
	used     atomic.Int64  // bytes
	over     bool          // of the run goroutine: the budget was overdrawn when it was last looked at
	pruned   bool          // of the run goroutine: lives that nothing hangs on are forgotten
	lost     error         // of the run goroutine: what Close gave up for
	closing  chan struct{} // closed by Close: write what waits and end
	giveUp   chan struct{} // closed when Close's context has ended: stop trying
	ended    chan struct{} // closed when the run goroutine has ended

	boot      string // of the machine; empty: not known
	powerLost bool   // see PowerLost
	doubtful  bool   // a log that ends within a record may have lost what was acknowledged
}

// Errors of the journal. Each answers what the caller may do; those of one room that come again for the same call, whatever
// the disk does, are a room.ErrPermanent.
var (
	ErrFull    = errors.New("the journal has too much waiting for the disk: keep the batch and offer it again") // Options.MaxPending
	ErrTooBig  = permanent("too big for one batch of the journal")                                              // Options.MaxBatch
	ErrClosed  = errors.New("the journal is closed")
	ErrUnknown = permanent("the journal has no such live room")
	ErrExists  = permanent("the journal has that room already: load it")
	ErrUnread  = permanent("the room is from an earlier life of the node: load it before it goes on")
	ErrGap     = permanent("the batch does not follow the last one of its room") // a fault of the caller
)

func permanent(text string) error { return record.Permanent(errors.New(text)) }

// FailingError says that what waits cannot be written at present. Nothing is lost and nothing of
// it is acknowledged; the journal goes on by itself when the cause is gone.
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

// Open opens the journal in a folder, or makes one, begins a new life of the node in it and reads
// the black box of the life before. A journal of an earlier version is taken over first. Errors are *NewerError and those of the disk. The
// folder must stay open until the journal is closed.
func Open(ctx context.Context, folder *Folder, options Options) (*Journal, error) {
	options = options.withDefaults()
	j := &Journal{
		options: options,
		path:    folder.Path(journalName),
		closing: make(chan struct{}), giveUp: make(chan struct{}), ended: make(chan struct{}),
	}
	j.queue.wake = make(chan struct{}, 1)
	if err := j.begin(ctx, folder); err != nil {
		return nil, j.openError(err)
	}
	go j.run()
	return j, nil
}

// openError says what to do where the system says only "no space left on device".
func (j *Journal) openError(err error) error {
	if _, newer := errors.AsType[*NewerError](err); newer {
		return err
	}
	err = tellFull(err)
	if _, full := errors.AsType[fullError](err); full || diskFull(filepath.Dir(j.path)) {
		return fmt.Errorf("%s cannot be opened, its disk is full: free some space: %w", j.path, err)
	}
	return fmt.Errorf("%s cannot be opened: %w", j.path, err)
}

// begin does all that must be there before anything is served.
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
	marks.sync = j.options.Sync
	j.noticePower(before, marks)
	j.writer = &writer{
		disk: disk{root: j.path}, handles: handles{most: j.options.MaxFiles}, marks: marks, tries: tries,
		aside: &asides{rooms: make(map[int64]*roomFile)}, elapsed: j.options.Elapsed, used: &j.used,
	}
	if j.options.Sync {
		j.writer.disk.redo = &redo{root: j.path, log: j.options.Log, most: j.options.redoMost, number: newest}
	}
	j.used.Store(there.bytes)
	for _, r := range there.aside {
		j.writer.aside.add(r)
	}
	j.queue.open(there, marks.ends)
	j.watchBudget()
	box, found, err := openBlackBox(folder.Path(blackBoxName), j)
	if err != nil {
		return err
	}
	if _, err := j.writer.commit([]change{mark{}, j.purge(), found}); err != nil {
		return err
	}
	if err := box.begin(tries); err != nil {
		return err
	}
	j.blackBox = box
	return nil
}

// noticePower finds out whether the machine went down before what it was told was on its disk. Until all rooms have been looked at the
// marks go on saying so.
func (j *Journal) noticePower(before, now *marks) {
	j.boot = bootID(j.options.BootIDFile)
	j.powerLost = before.boot != "" && j.boot != "" && before.boot != j.boot && !before.clean && !before.sync
	j.doubtful = j.powerLost || !before.known
	now.boot = j.boot
	if j.powerLost {
		now.boot, now.sync = before.boot, false
		j.options.Log.Warn("the machine went down while rooms were played and the journal did not wait for the disk: the last moments of some rooms may be missing (--journal-sync would have kept them)", "journal", j.path)
	}
}

// PowerLost reports whether the machine has gone down since the life before, and took what the operating system had not yet
// brought to the disk: what was acknowledged in the last seconds may be missing, whole batches from the end of a room's log. False where a
// process was only killed, where Options.Sync was set, and where the system does not tell its starts apart.
func (j *Journal) PowerLost() bool { return j.powerLost }

// open learns which rooms are kept, and forgets the ends of others. How far their logs go is found out when they are loaded.
func (q *queue) open(there *found, ends map[int64]room.Index) {
	q.tails = make(map[room.ID]*tail)
	q.nextKey = there.nextKey
	for key := range ends {
		q.nextKey = max(q.nextKey, key+1) // a killed life may have left the end of a log that it had removed: no room of this life is to be held to it
	}
	live := make(map[int64]bool, len(there.live))
	for _, f := range there.live {
		q.tails[f.id] = &tail{file: f, seen: ends[f.key]}
		live[f.key] = true
	}
	maps.DeleteFunc(ends, func(key int64, _ room.Index) bool { return !live[key] })
}

func (j *Journal) purge() purge {
	if j.options.KeepAside < 0 {
		return purge{before: time.Unix(0, 0)}
	}
	return purge{before: time.Now().Add(-j.options.KeepAside)}
}

// BlackBox is the record of the steps under way.
func (j *Journal) BlackBox() *BlackBox { return j.blackBox }

// Failing is a *FailingError while the disk refuses what waits, else nil. The node is not ready then.
func (j *Journal) Failing() error {
	if e := j.failing.Load(); e != nil {
		return e
	}
	return nil
}

// Stats are for metrics and the admin page.
type Stats struct {
	Rooms   int    // live
	Pending int    // bytes that wait for the disk
	Commits uint64 // groups written since Open
	Missed  uint64 // steps that found no free slot in the black box
}

// Stats reads the counters.
func (j *Journal) Stats() Stats {
	return Stats{
		Rooms: j.queue.rooms(), Pending: j.queue.pending(), Commits: j.commits.Load(), Missed: j.blackBox.missed.Load(),
	}
}

// Close refuses what comes from now on, writes all that waits, and brings all of it to the disk. When ctx
// ends while the disk refuses, it gives up: the done functions of what is lost get an error, and
// so does the caller. It may outlast ctx by one write. The folder stays locked until it is closed
// too. A second Close waits for the first and returns ErrClosed.
func (j *Journal) Close(ctx context.Context) error {
	if !j.queue.close() {
		<-j.ended
		return ErrClosed
	}
	close(j.closing)
	select {
	case <-j.ended:
	case <-ctx.Done():
		close(j.giveUp)
		<-j.ended
	}
	err := j.writer.close()
	if j.lost != nil {
		return errors.Join(j.lost, err)
	}
	return errors.Join(err, j.settle(ctx))
}

// settle brings all to the disk and notes that it is there, so that a start of the machine between this life and the next is no loss. Who
// has no time for that goes without.
func (j *Journal) settle(ctx context.Context) error {
	settled := make(chan error, 1)
	var begun atomic.Bool // the note is being written, or nobody may write it any more: the folder may be another's then
	go func() {
		err := syncTree(j.path)
		if err != nil || !begun.CompareAndSwap(false, true) {
			settled <- err
			return
		}
		m := j.writer.marks
		m.clean = true
		settled <- replaceFile(filepath.Join(j.path, marksName), func(f *os.File) error {
			_, err := f.Write(m.encode(time.Duration(m.now.Load())))
			return err
		})
	}()
	select {
	case err := <-settled:
		return err
	case <-ctx.Done():
		if begun.CompareAndSwap(false, true) {
			return nil
		}
		return <-settled
	}
}
