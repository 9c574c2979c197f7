package journal

import (
	"cmp"
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"math"
	"slices"
	"time"

	"modernc.org/sqlite"
	sqlite3 "modernc.org/sqlite/lib"

	"github.com/roomring/roomring/room"
)

// DamagedError says that nothing of a room can be used: its header, or the part of the database
// it stands in, is broken. SetAside keeps what is there. It is a room.ErrDamaged.
type DamagedError struct {
	Room room.ID
	Err  error
}

func (e *DamagedError) Error() string {
	return fmt.Sprintf("what the journal holds of room %s is damaged: %v", e.Room, e.Err)
}

func (e *DamagedError) Unwrap() error { return e.Err }

// Is makes errors.Is(err, room.ErrDamaged) true.
func (e *DamagedError) Is(target error) bool { return target == room.ErrDamaged }

// Rooms loads every live room, one after another, in the order of their ids. An error stands beside
// a Kept that says no more than the id; if it is a *DamagedError the other rooms may still be well,
// and the loop may go on.
func (j *Journal) Rooms(ctx context.Context) iter.Seq2[room.Kept, error] {
	return func(yield func(room.Kept, error) bool) {
		for _, id := range j.queue.live() {
			kept, err := j.Load(ctx, id)
			if errors.Is(err, ErrUnknown) {
				continue // removed meanwhile
			}
			if !yield(kept, err) {
				return
			}
		}
	}
}

func (q *queue) live() []room.ID {
	q.mu.Lock()
	defer q.mu.Unlock()
	return slices.Sorted(maps.Keys(q.tails))
}

// Load reads a live room as far as it is written. The first Load of a room from an earlier life
// lets Append go on from the log's end; where the log is damaged or has a hole, that end is the last
// whole batch before it, what stands behind is moved out of the way but kept, and Cut says why.
// Cut is told again until the room is Claimed. A damaged snapshot is left out. Errors: ErrUnknown,
// ErrClosed, *DamagedError and those of the disk.
func (j *Journal) Load(ctx context.Context, id room.ID) (room.Kept, error) {
	none := room.Kept{Header: room.Header{ID: id}}
	t, err := j.queue.find(id)
	if err != nil {
		return none, err
	}
	s, err := j.readRoom(ctx, t.key)
	if err != nil {
		return none, damaged(id, err)
	}
	if !t.loaded {
		s.seen = t.seen
	}
	kept, cut, err := s.check()
	if err != nil {
		return none, &DamagedError{Room: id, Err: err}
	}
	if t.loaded {
		return kept, nil
	}
	if cut != nil {
		j.options.Log.Error("a damaged log is cut; what is cut off is kept in "+databaseName, "room", id, "cut", cut.reason)
		if err := j.wait(ctx, func(*queue) (change, error) { return *cut, nil }); err != nil {
			return none, err
		}
	}
	j.queue.opened(id, s.end())
	return kept, nil
}

// find gives a copy of the room's tail.
func (q *queue) find(id room.ID) (tail, error) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.tails[id]; t != nil {
		return *t, nil
	}
	return tail{}, ErrUnknown
}

// opened lets the room's log go on.
func (q *queue) opened(id room.ID, last room.Index) {
	q.mu.Lock()
	defer q.mu.Unlock()
	if t := q.tails[id]; t != nil && !t.loaded {
		t.loaded, t.last = true, last
	}
}

// damaged marks the errors that say the database is broken where the room stands.
func damaged(id room.ID, err error) error {
	e, ok := errors.AsType[*sqlite.Error](err)
	if !ok {
		return err
	}
	if code := e.Code() & 0xff; code != sqlite3.SQLITE_CORRUPT && code != sqlite3.SQLITE_NOTADB {
		return err
	}
	return &DamagedError{Room: id, Err: err}
}

// stored is what the database holds of one room, not yet believed.
type stored struct {
	key       int64
	id        room.ID
	header    []byte
	sum       uint32
	epoch     room.Epoch
	clock     time.Duration // where the time marks put it
	cut       string
	batches   []storedBatch
	snapshots []storedSnapshot // newest first

	seen  room.Index // the log certainly went this far; 0: not known
	whole int        // how many batches are, from the start; set by check
}

type storedBatch struct {
	room.Batch
	first int64
	bad   string // why it cannot be believed
}

type storedSnapshot struct {
	room.Snapshot
	bad bool
}

// readRoom reads all of a room at one moment.
func (j *Journal) readRoom(ctx context.Context, key int64) (*stored, error) {
	tx, err := j.read.BeginTx(ctx, &sql.TxOptions{ReadOnly: true})
	if err != nil {
		return nil, err
	}
	defer tx.Rollback()
	s := &stored{key: key}
	err = tx.QueryRowContext(ctx, `SELECT room, header, sum, epoch, cut, max(clock_floor,
		coalesce((SELECT elapsed FROM lives WHERE lives.life = rooms.life) - clock_offset, 0)) FROM rooms WHERE key = ?`, key).
		Scan(&s.id, &s.header, &s.sum, &s.epoch, &s.cut, &s.clock)
	if errors.Is(err, sql.ErrNoRows) {
		return nil, ErrUnknown
	}
	if err != nil {
		return nil, err
	}
	s.batches, err = queryAll(ctx, tx, s.scanBatch,
		`SELECT first, last, epoch, time, entries, sum FROM batches WHERE key = ? ORDER BY first`, key)
	if err != nil {
		return nil, err
	}
	s.snapshots, err = queryAll(ctx, tx, s.scanSnapshot,
		`SELECT idx, epoch, data, sum FROM snapshots WHERE key = ? ORDER BY idx DESC`, key)
	return s, err
}

// scanBatch never fails: what cannot be read is as bad as what has a wrong checksum.
func (s *stored) scanBatch(r *sql.Rows) (storedBatch, error) {
	b := storedBatch{Batch: room.Batch{Room: s.id}}
	var last, epoch, at, sum int64
	if err := r.Scan(&b.first, &last, &epoch, &at, &b.Entries, &sum); err != nil {
		b.bad = "cannot be read"
		return b, nil
	}
	b.First, b.Last, b.Epoch, b.Time = room.Index(b.first), room.Index(last), room.Epoch(epoch), time.Duration(at)
	if int64(sumBatch(b.Batch)) != sum {
		b.bad = "fails its checksum"
	}
	return b, nil
}

func (s *stored) scanSnapshot(r *sql.Rows) (storedSnapshot, error) {
	n := storedSnapshot{Snapshot: room.Snapshot{Room: s.id}}
	var index, epoch, sum int64
	if err := r.Scan(&index, &epoch, &n.Data, &sum); err != nil {
		n.bad = true
		return n, nil
	}
	n.Index, n.Epoch = room.Index(index), room.Epoch(epoch)
	n.bad = int64(sumSnapshot(n.Snapshot)) != sum
	return n, nil
}

// check believes what is whole. The cut is what must be moved away before the log can go on.
func (s *stored) check() (room.Kept, *cutTail, error) {
	kept := room.Kept{Epoch: s.epoch, Time: s.clock, Cut: s.cut}
	if sumHeader(s.id, s.header) != s.sum {
		return kept, nil, errors.New("its header fails its checksum")
	}
	if err := json.Unmarshal(s.header, &kept.Header); err != nil {
		return kept, nil, fmt.Errorf("its header cannot be read: %w", err)
	}
	reason := s.countWhole()
	for _, b := range s.batches[:s.whole] {
		kept.Batches = append(kept.Batches, b.Batch)
		kept.Epoch = max(kept.Epoch, b.Epoch)
		kept.Time = max(kept.Time, b.Time)
	}
	for _, n := range slices.Backward(s.snapshots) {
		if !n.bad && n.Index <= s.end() {
			kept.Snapshots = append(kept.Snapshots, n.Snapshot)
		} else if reason == "" && n.Index > s.end() {
			reason = fmt.Sprintf("the entries from %d on are missing: there is a snapshot at %d", s.end()+1, n.Index)
		}
	}
	if reason == "" && s.end() < s.seen {
		reason = fmt.Sprintf("the entries from %d on are missing: the log went to %d", s.end()+1, s.seen)
	}
	if reason == "" {
		return kept, nil, nil
	}
	kept.Cut = cmp.Or(kept.Cut, reason)
	return kept, &cutTail{key: s.key, after: s.after(), last: s.end(), reason: kept.Cut, at: time.Now()}, nil
}

// countWhole finds how far the log is without damage or holes, and what is wrong behind that.
func (s *stored) countWhole() (reason string) {
	for s.whole = range s.batches {
		b, next := s.batches[s.whole], s.end()+1
		if s.whole == 0 && b.bad == "" && room.BeginsLog(b.First, b.Entries) {
			next = b.First
		}
		switch {
		case b.bad != "":
			return fmt.Sprintf("the batch from entry %d on %s", next, b.bad)
		case b.First > next:
			return fmt.Sprintf("the entries %d to %d are missing", next, b.First-1)
		case b.First < next || b.Last < b.First:
			return fmt.Sprintf("the batch behind entry %d does not follow it", next-1)
		}
	}
	s.whole = len(s.batches)
	return ""
}

// end is the last index of the whole part of the log.
func (s *stored) end() room.Index {
	if s.whole == 0 {
		return 0
	}
	return s.batches[s.whole-1].Last
}

// after is where the last whole row begins, or before all rows.
func (s *stored) after() int64 {
	if s.whole == 0 {
		return math.MinInt64
	}
	return s.batches[s.whole-1].first
}
