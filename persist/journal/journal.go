package journal

import (
	"context"
	"database/sql"
	"errors"
	"fmt"
	"maps"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
)

// Journal keeps the live rooms of one node. Its methods may be called by any goroutine; calls for
// one room by one goroutine at a time.
type Journal struct {
	options  Options
	queue    queue
	read     *sql.DB // of its own connections, so that reading never waits for the writer
	writer   *writer // of the run goroutine once it is started
	path     string
	blackBox *BlackBox
	failing  atomic.Pointer[FailingError]
	commits  atomic.Uint64
	used     atomic.Int64  // bytes, as last measured
	measured uint64        // of the run goroutine: commits at that time
	lost     error         // of the run goroutine: what Close gave up for
	closing  chan struct{} // closed by Close: write what waits and end
	giveUp   chan struct{} // closed when Close's context has ended: stop trying
	ended    chan struct{} // closed when the run goroutine has ended
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

func permanent(text string) error { return room.Permanent(errors.New(text)) }

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
// the black box of the life before. Errors are *NewerError and those of the disk. The folder must
// stay open until the journal is closed.
func Open(ctx context.Context, folder *Folder, options Options) (*Journal, error) {
	options = options.withDefaults()
	j := &Journal{
		options: options,
		path:    folder.Path(databaseName),
		closing: make(chan struct{}), giveUp: make(chan struct{}), ended: make(chan struct{}),
	}
	j.queue.wake = make(chan struct{}, 1)
	err := makePrivate(j.path)
	if err != nil {
		return nil, j.openError(err)
	}
	write, err := openDatabase(j.path, writerQuery, 1)
	if err != nil {
		return nil, j.openError(err)
	}
	j.writer = &writer{db: write, elapsed: options.Elapsed}
	if j.read, err = openDatabase(j.path, readerQuery, 4); err == nil {
		err = j.begin(ctx, folder)
	}
	if err != nil {
		return nil, errors.Join(j.openError(err), j.closeDatabases())
	}
	go j.run()
	return j, nil
}

// openError says what to do where SQLite says only "disk I/O error".
func (j *Journal) openError(err error) error {
	if _, newer := errors.AsType[*NewerError](err); newer {
		return err
	}
	if diskFull(j.path) {
		return fmt.Errorf("%s cannot be opened, its disk is full: free some space: %w", j.path, err)
	}
	return fmt.Errorf("%s cannot be opened: %w", j.path, err)
}

// begin does all that must be durable before anything is served.
func (j *Journal) begin(ctx context.Context, folder *Folder) error {
	if err := migrate(ctx, j.writer.db, j.path); err != nil {
		return err
	}
	ends, err := readEnds(ctx, j.read)
	if err != nil {
		return err
	}
	j.writer.ends = ends
	if err := j.queue.open(ctx, j.read, ends); err != nil {
		return err
	}
	if err := j.read.QueryRowContext(ctx, `SELECT coalesce(max(life), 0) + 1 FROM lives`).Scan(&j.writer.life); err != nil {
		return err
	}
	box, found, err := openBlackBox(ctx, folder.Path(blackBoxName), j)
	if err != nil {
		return err
	}
	err = j.writer.commit([]change{forgetLives{}, mark{}, j.purge(), found})
	if err != nil {
		return err
	}
	if err := box.begin(ctx, j.read); err != nil {
		return err
	}
	j.blackBox = box
	return nil
}

// open learns which rooms are kept, and forgets the ends of others. How far their logs go is found out when they are loaded.
func (q *queue) open(ctx context.Context, db querier, ends map[int64]room.Index) error {
	q.tails = make(map[room.ID]*tail)
	if err := db.QueryRowContext(ctx, `SELECT coalesce(max(key), 0) + 1 FROM rooms`).Scan(&q.nextKey); err != nil {
		return err
	}
	for key := range ends {
		q.nextKey = max(q.nextKey, key+1) // a killed life may have left the end of a log that it had removed: no room of this life is to be held to it
	}
	type live struct {
		id  room.ID
		key int64
	}
	scan := func(r *sql.Rows) (l live, err error) { return l, r.Scan(&l.id, &l.key) }
	rooms, err := queryAll(ctx, db, scan, `SELECT room, key FROM rooms WHERE aside_at IS NULL`)
	there := make(map[int64]bool, len(rooms))
	for _, l := range rooms {
		q.tails[l.id] = &tail{key: l.key, seen: ends[l.key]}
		there[l.key] = true
	}
	maps.DeleteFunc(ends, func(key int64, _ room.Index) bool { return !there[key] })
	return err
}

// forgetLives deletes the time marks that no room's clock hangs on.
type forgetLives struct{}

func (forgetLives) apply(w *writer) error {
	return w.exec(`DELETE FROM lives WHERE life NOT IN (SELECT life FROM rooms)`)
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
	Commits uint64 // transactions since Open
	Missed  uint64 // steps that found no free slot in the black box
}

// Stats reads the counters.
func (j *Journal) Stats() Stats {
	return Stats{
		Rooms: j.queue.rooms(), Pending: j.queue.pending(), Commits: j.commits.Load(), Missed: j.blackBox.missed.Load(),
	}
}

// Close refuses what comes from now on, writes all that waits, and closes the database. When ctx
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
	return errors.Join(j.lost, j.closeDatabases())
}

func (j *Journal) closeDatabases() error {
	err := errors.Join(j.writer.close(), j.writer.db.Close())
	if j.read != nil {
		err = errors.Join(err, j.read.Close())
	}
	return err
}
