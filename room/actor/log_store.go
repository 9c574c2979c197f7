package actor

import (
	"cmp"
	"context"
	"sync"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Logs makes the logs of a node's rooms durable. Its methods may be called from any goroutine and do not block.
type Logs interface {
	// Open returns the store for the log of a room that is about to run. The room hears of its log through p.
	Open(id room.ID, p Progress) LogStore
	// Failing is nil while logs can be saved, else the reason why not: a full disk, an I/O error.
	Failing() error
}

// LogStore makes one room's log durable. The room's goroutine calls it, Current any goroutine, and nothing in it blocks. The answers
// come through Progress.
type LogStore interface {
	// Append hands over the next batch. Several may be under way, at most Options.Window of them and those that a new epoch
	// makes necessary, each beginning where the one before it ends. All entries of a batch are of one epoch. After an error nothing of the batch was taken, and those before it are still under way: the room
	// hands it over again after Progress.Available. After a room.ErrPermanent the room is held instead.
	Append(b record.Batch) error
	// Save hands over a snapshot of the room at or before the end of the last batch. One is under way at a time. Errors
	// are as Append's, but after a room.ErrPermanent the room goes on without the snapshot.
	Save(s record.Snapshot) error
	// SetClock says that the room's time is Options.Clock minus offset from now on.
	SetClock(offset time.Duration) error
	// Current asks whether this log is still the present one, for an answer that takes no index of its own. Done is called
	// once, at once or later and from any goroutine, when everybody else who has the room's log has said, after this call,
	// that its epoch is the present one; never when that is not so. One question is under way at a time. Any goroutine may
	// ask, also after Close: then it need not be answered.
	Current(done func())
	// Close says that the room has left memory: Progress is told nothing more.
	Close()
}

// Progress is what a room hears of its log, from any goroutine. None of it blocks.
type Progress interface {
	// Committed says that the log is durable up to p, with everything before it. One call may speak of several batches, and
	// it may be repeated. A point that is not of the room's present epoch, or that the room has not handed over, is refused. A
	// commit of an earlier epoch that was under way when the epoch changed is nothing wrong: the new epoch is told of it again.
	Committed(p record.Point)
	// Saved says that the snapshot of that index is durable.
	Saved(i room.Index)
	// Failed says that batches and snapshots that were handed over and not answered are not durable and will not be. The
	// room stands still, and hands them over again after Available. After a room.ErrPermanent the room is held instead.
	Failed(err error)
	// Unavailable says that nothing can be saved at present. The room stands still until Available. What is under way may
	// still become durable.
	Unavailable(err error)
	// Available says that logs can be saved again. It follows each Unavailable, each Failed, and each error of Append and
	// Save, unless that is a room.ErrPermanent.
	Available()
}

// Journal takes the logs of the node's rooms whose durability is not memory. All methods may be called from any goroutine.
type Journal interface {
	// Append hands over the next batch of a room's log, a snapshot at or before its end, or both; a batch whose Last is 0
	// only brings the snapshot. It does not block. When it returns an error nothing was taken and done is never called.
	// Otherwise done is called once, from any goroutine, and must be quick: with nil when all of it is durable. A room has
	// several batches under way, in order, and they are answered in order. Once one has failed, those that follow it are
	// refused or fail too, until the room hands over the same one again.
	Append(b record.Batch, snap *record.Snapshot, done func(error)) error
	// SetClock says that the room's time is Options.Clock minus offset from now on, so that the journal's marks of that
	// clock tell every room's time. It does not block.
	SetClock(id room.ID, offset time.Duration) error
	// Failing is nil while the journal works, else the reason why not: a full disk, an I/O error.
	Failing() error
}

// JournalLogs makes logs durable in this node's journal alone.
type JournalLogs struct {
	journal Journal
	cancel  context.CancelFunc
	ended   chan struct{}

	mu      sync.Mutex // held for moments only
	failing bool
	open    map[*journalStore]struct{}
	waiting map[*journalStore]struct{} // are to be told Available
}

// JournalOptions make JournalLogs. All have defaults.
type JournalOptions struct {
	Clock clock.Clock   // nil: clock.System
	Check time.Duration // how often the journal is asked whether it works; 0 means 500 ms
}

// NewJournalLogs keeps logs in a journal until Close.
func NewJournalLogs(j Journal, o JournalOptions) *JournalLogs {
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	l := &JournalLogs{
		journal: j, ended: make(chan struct{}), open: map[*journalStore]struct{}{}, waiting: map[*journalStore]struct{}{},
	}
	ctx, cancel := context.WithCancel(context.Background())
	l.cancel = cancel
	go func() {
		defer close(l.ended)
		for clock.Sleep(ctx, o.Clock, cmp.Or(o.Check, 500*time.Millisecond)) {
			l.check()
		}
	}()
	return l
}

// Close ends it. The rooms have left memory before.
func (l *JournalLogs) Close() {
	l.cancel()
	<-l.ended
}

// Failing is the journal's.
func (l *JournalLogs) Failing() error { return l.journal.Failing() }

// Open implements Logs.
func (l *JournalLogs) Open(id room.ID, p Progress) LogStore {
	s := &journalStore{logs: l, room: id, progress: p, try: 1}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.open[s] = struct{}{}
	return s
}

// check tells all rooms when the journal begins to fail, and those that wait for it when it works.
func (l *JournalLogs) check() {
	err := l.journal.Failing()
	l.mu.Lock()
	defer l.mu.Unlock()
	switch {
	case err == nil:
		for s := range l.waiting {
			s.progress.Available()
		}
		clear(l.waiting)
	case !l.failing:
		for s := range l.open {
			s.progress.Unavailable(err)
			l.waiting[s] = struct{}{}
		}
	}
	l.failing = err != nil
}

// journalStore has one room's log in a journal.
type journalStore struct {
	logs     *JournalLogs
	room     room.ID
	progress Progress

	// A failure takes with it all that was handed over after it. Each such run is a try, and fails once.
	try    uint64     // the present one, from 1
	last   room.Index // the end of the last batch handed over
	saved  room.Index // the last snapshot
	failed uint64     // the last try that has failed; guarded by logs.mu
}

func (s *journalStore) Append(b record.Batch) error {
	if b.First <= s.last {
		s.try++ // it is handed over again
	}
	try, end := s.try, record.Point{Epoch: b.Epoch, Seq: b.Last}
	err := s.logs.journal.Append(b, nil, func(err error) {
		if err != nil {
			s.fail(try, err)
			return
		}
		s.progress.Committed(end)
	})
	if err != nil {
		s.wait()
		return err
	}
	s.last = b.Last
	return nil
}

func (s *journalStore) Save(snap record.Snapshot) error {
	if snap.Index <= s.saved {
		s.try++
	}
	try, index := s.try, snap.Index
	err := s.logs.journal.Append(record.Batch{Room: s.room}, &snap, func(err error) {
		if err != nil {
			s.fail(try, err)
			return
		}
		s.progress.Saved(index)
	})
	if err != nil {
		s.wait()
		return err
	}
	s.saved = snap.Index
	return nil
}

func (s *journalStore) SetClock(offset time.Duration) error {
	return s.logs.journal.SetClock(s.room, offset)
}

// Current answers at once: nobody else has the log.
func (s *journalStore) Current(done func()) { done() }

func (s *journalStore) Close() {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	delete(s.logs.open, s)
	delete(s.logs.waiting, s)
}

// wait has the room told Available when the journal works.
func (s *journalStore) wait() {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	s.logs.waiting[s] = struct{}{}
}

// fail tells of a failure, unless the try has failed before.
func (s *journalStore) fail(try uint64, err error) {
	s.logs.mu.Lock()
	defer s.logs.mu.Unlock()
	if _, open := s.logs.open[s]; !open || s.failed >= try {
		return
	}
	s.failed = try
	s.progress.Failed(err)
	s.logs.waiting[s] = struct{}{}
}
