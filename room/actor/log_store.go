package actor

import (
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// LogStore takes one room's log and has it made durable, wherever that is. The room's goroutine calls it; nothing in it
// blocks. What becomes of the log is told to Progress.
type LogStore interface {
	// Append hands over the next batch. Several may be under way, at most Options.Window of them, each going on where the one
	// before it ends. After an error nothing of the batch was taken, and those before it are under way still: the room
	// hands it in again when the log can be saved, unless the error is a room.ErrPermanent: then the room is held.
	Append(b record.Batch) error
	// Save hands over a snapshot of the room at or before the end of the last batch. One is under way at a time. Errors
	// are as Append's, but for a room.ErrPermanent: then the room goes on without the snapshot.
	Save(s record.Snapshot) error
	// SetClock says that the room's time is Options.Clock minus offset from now on.
	SetClock(offset time.Duration) error
}

// Progress is what a room hears of its log, from any goroutine. None of it blocks.
type Progress interface {
	// Committed says that the log is durable up to p, and so everything before it. It may be said of several batches at
	// once, and again. A point that is not of the room's present epoch, or that the room has not handed over, is refused.
	Committed(p record.Point)
	// Saved says that the snapshot of that index is durable.
	Saved(i room.Index)
	// Failed says that no batch and no snapshot that was handed over and not told of is durable, nor will be: the room
	// hands all of it in again when the log can be saved, unless err is a room.ErrPermanent: then the room is held.
	Failed(err error)
}

// journalStore makes a room's log durable in this node's journal alone.
type journalStore struct {
	journal Journal
	room    room.ID
	told    Progress

	// A failure takes with it all that was handed over behind it. Each such run of hand-overs is a try, and fails once.
	try    uint64        // the present one, from 1
	failed atomic.Uint64 // the last that was told to have failed
	last   room.Index    // the end of the last batch handed over
	saved  room.Index    // the last snapshot
}

func newJournalStore(j Journal, id room.ID, told Progress) *journalStore {
	return &journalStore{journal: j, room: id, told: told, try: 1}
}

func (s *journalStore) Append(b record.Batch) error {
	s.again(b.First <= s.last)
	err := s.journal.Append(b, nil, s.done(record.Point{Epoch: b.Epoch, Seq: b.Last}, 0))
	if err == nil {
		s.last = b.Last
	}
	return err
}

func (s *journalStore) Save(snap record.Snapshot) error {
	s.again(snap.Index <= s.saved)
	err := s.journal.Append(record.Batch{Room: s.room}, &snap, s.done(record.Point{}, snap.Index))
	if err == nil {
		s.saved = snap.Index
	}
	return err
}

func (s *journalStore) SetClock(offset time.Duration) error {
	return s.journal.SetClock(s.room, offset)
}

// again begins a new try when something is handed over once more.
func (s *journalStore) again(same bool) {
	if same {
		s.try++
	}
}

// done hears what has become of what the journal is given now: a batch up to a point, or a snapshot of an index.
func (s *journalStore) done(batch record.Point, snap room.Index) func(error) {
	try := s.try
	return func(err error) {
		switch {
		case err != nil:
			s.fail(try, err)
		case snap > 0:
			s.told.Saved(snap)
		default:
			s.told.Committed(batch)
		}
	}
}

// fail tells of a failure, unless all that was under way was told to have failed before.
func (s *journalStore) fail(try uint64, err error) {
	for failed := s.failed.Load(); failed < try; failed = s.failed.Load() {
		if s.failed.CompareAndSwap(failed, try) {
			s.told.Failed(err)
			return
		}
	}
}
