package core

import (
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Recording is a copy of a room's log that may grow while the room lives. It is packed, and read entry by entry. The zero
// value is empty. One goroutine uses it at a time.
type Recording struct {
	Header record.Header
	Final  record.Final // zero while the room lives

	book  logbook
	first room.Index
	last  record.Point
	seats seating
}

// First returns the index of the first entry, 0 if there is none. It is not 1 if the log begins with a KindCut.
func (r *Recording) First() room.Index { return r.first }

// Last returns the point of the last entry.
func (r *Recording) Last() record.Point { return r.last }

// Size is about how many bytes the recording takes in memory.
func (r *Recording) Size() int { return r.book.packed.Len() + len(r.book.plain) }

// Add reads a replay that Core.ReplayAfter made, and keeps what follows the last entry up to index upTo. The error is a
// *GapError if the replay does not go on from this recording, which must then be made anew; else it says what is wrong with the
// replay. What was read before an error stays.
func (r *Recording) Add(replay io.Reader, upTo room.Index) error {
	rr, err := OpenReplay(replay)
	if err != nil {
		return err
	}
	defer rr.Close()
	met := r.first == 0 // the last entry, which both must have
	for e, err := range rr.Entries() {
		if err != nil {
			return err
		}
		if e.Index > upTo {
			break
		}
		switch at := (record.Point{Epoch: e.Epoch, Seq: e.Index}); {
		case at.Seq < r.last.Seq:
		case at == r.last:
			met = true
		case met && (r.first == 0 || at.Seq == r.last.Seq+1):
			r.add(e)
		default:
			return &GapError{Room: rr.Header.ID, Have: r.last, Next: at}
		}
	}
	if !met {
		return &GapError{Room: rr.Header.ID, Have: r.last}
	}
	r.Header = rr.Header
	if f := rr.Final; f.End != "" && f.Point.Seq <= r.last.Seq {
		r.Final = f
	}
	return nil
}

func (r *Recording) add(e Entry) {
	if r.first == 0 || e.Kind == KindCut {
		r.first = e.Index
	}
	r.seats.add(&e)
	r.book.append(e, false)
	r.last = record.Point{Epoch: e.Epoch, Seq: e.Index}
}

// GapError says that what was added to a Recording does not follow what it has.
type GapError struct {
	Room       room.ID
	Have, Next record.Point // Next is zero if what was added ends before Have
}

func (e *GapError) Error() string {
	return fmt.Sprintf("the log of room %s goes on at %d of epoch %d behind %d of epoch %d", e.Room, e.Next.Seq, e.Next.Epoch, e.Have.Seq, e.Have.Epoch)
}

// Entries iterates over the entries after an index. Runs of ticks come as single ticks.
func (r *Recording) Entries(after room.Index) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		known, _ := slices.BinarySearch(r.book.ends, after+1)
		for _, part := range r.book.packed[known:] {
			plain, err := unpacker.DecodeAll(part, nil)
			if err != nil {
				yield(Entry{}, fmt.Errorf("log: %w", err))
				return
			}
			if !yieldAfter(plain, after, yield) {
				return
			}
		}
		if !yieldAfter(r.book.plain, after, yield) {
			return
		}
		if r.book.run.Index > 0 {
			for one := range r.book.run.ticks() {
				if one.Index > after && !yield(one, nil) {
					return
				}
			}
		}
	}
}

func yieldAfter(plain []byte, after room.Index, yield func(Entry, error) bool) (goOn bool) {
	for e, err := range DecodeEntries(plain) {
		if err != nil {
			yield(Entry{}, err)
			return false
		}
		if e.Index > after && !yield(e, nil) {
			return false
		}
	}
	return true
}

// Replay returns the recording as a replay, for roomring replay and roomtest.Replay.
func (r *Recording) Replay() (record.Parts, error) { return r.book.replay(r.Header, r.Final) }

// Fork returns the log up to index i as the log of another room, whose header is h. The error says that there is no such entry.
func (r *Recording) Fork(h record.Header, i room.Index) (record.Kept, error) {
	if r.first == 0 || i < r.first || i > r.last.Seq {
		return record.Kept{}, noEntry(i)
	}
	kept := record.Kept{Header: h}
	var entries []Entry
	for e, err := range r.Entries(0) {
		if err != nil {
			return record.Kept{}, err
		}
		if entries = append(entries, e); len(entries) == forkBatch || e.Index == i {
			packed, err := EncodeEntries(nil, entries...)
			if err != nil {
				return record.Kept{}, err
			}
			kept.Batches = append(kept.Batches, record.Batch{
				Room: h.ID, Epoch: e.Epoch, First: entries[0].Index, Last: e.Index, Time: e.At,
				Begins: entries[0].Kind == KindCut, Entries: packed,
			})
			entries = entries[:0]
		}
		if e.Index == i {
			kept.Epoch, kept.Time = e.Epoch, e.At
			break
		}
	}
	return kept, CheckKept(&kept)
}

// forkBatch is how many entries of a fork are in one batch.
const forkBatch = 4096

// Checked returns the recording as a replay whose entries hold the checksum of every view that changed with them, where the log itself has one
// only from time to time. So a replay by other rules says at which input a view first differs. It runs the whole log; stop and the errors are those of Seeker.Seek.
func (r *Recording) Checked(rules *room.Rules, stop func() error) (record.Parts, error) {
	c := newCore(runConfig(r.Header, rules))
	if err := c.seekStart(r.Entries(0)); err != nil {
		return nil, err
	}
	var checked logbook
	sums := map[ClassID]uint32{}
	for e, err := range r.Entries(0) {
		if err == nil {
			err = stop()
		}
		stepped := e.Index > c.s.Index
		if err == nil {
			err = c.replayEntry(e)
		}
		if err != nil {
			return nil, err
		}
		c.outputs, c.log = c.outputs[:0], logbook{}
		if stepped && c.panicked == nil {
			e.Checks = c.changedViews(sums)
		}
		checked.append(e, false)
	}
	return checked.replay(r.Header, r.Final)
}

// changedViews returns the checksums of the views that differ from sums, and notes them there.
func (c *Core) changedViews(sums map[ClassID]uint32) (out []ViewCheck) {
	note := func(cl *class) {
		if sum := cl.shadow.Checksum(); sums[cl.id] != sum {
			sums[cl.id] = sum
			out = append(out, ViewCheck{Class: cl.id, Sum: sum})
		}
	}
	for _, info := range c.s.Classes {
		note(c.classes.byID[info.ID])
	}
	if c.classes.spectator != nil {
		note(c.classes.spectator)
	}
	return out
}
