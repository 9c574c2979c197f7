package replica

import (
	"encoding/json"
	"errors"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// copied is a copy of a room that another node owns.
type copied struct {
	r  *Replicas
	id room.ID

	mu       sync.Mutex
	c        replication.Copy
	owner    string
	fresh    record.Epoch // the epoch at which the row has shown the owner
	unread   bool         // it is not whole and has taken nothing yet: it may have forgotten what it has promised, so only fresh counts
	underway []written    // what the journal has not written yet, in order
	offset   time.Duration
	timed    bool
	stopped  time.Duration // room time at which the owner has stopped it, to hand it over; 0: it has not
	handed   time.Duration // when it said so
	since    time.Duration // when it began to be followed
	fed      time.Duration // when it was sent something last
	suspect  bool          // its owner was said to seem dead
	step     *step         // the step in which the owner would die now, as it has said; nil: none
	broken   bool          // the journal has refused something: the copy is read again
	ended    bool
	empty    chan struct{} // closed when ended and nothing is under way
	wrote    func(error)   // hearWritten: made once
}

// confirmFrame is a frame that confirms.
type confirmFrame struct {
	frame   linkpb.FollowerFrame
	what    linkpb.FollowerFrame_Confirm
	confirm linkpb.Confirm
}

// confirmFrames are used again: who sends one is done with it when Send returns.
var confirmFrames = sync.Pool{New: func() any { return new(confirmFrame) }}

// written is what to confirm when the journal has written so far.
type written struct {
	end   *link.FollowerEnd
	epoch record.Epoch
	index room.Index
	whole bool
	probe uint64
	fills bool // the copy has become whole
	done  bool // the journal has written it
}

// hearOffer answers an owner's offer with what this node has, once the machine has let the room be followed.
func (r *Replicas) hearOffer(s *followerStream, id room.ID, e record.Epoch, o *linkpb.Offer) {
	if l := r.room(id); l != nil {
		l.mu.Lock()
		later, log := e > l.l.Epoch(), ownership.Log{Epoch: l.l.Epoch()}
		l.mu.Unlock()
		if later {
			r.tell(id, ownership.Event{Kind: ownership.Look})
			return
		}
		r.refuse(s.end, id, e, "this node owns the room", log)
		return
	}
	if err := r.Failing(); err != nil {
		r.refuse(s.end, id, e, err.Error(), ownership.Log{})
		return
	}
	var h record.Header
	if err := json.Unmarshal(o.GetHeader(), &h); err != nil || h.ID != id {
		r.refuse(s.end, id, e, "the header cannot be read", ownership.Log{})
		return
	}
	wait := offer{from: s.p, folder: s.folder, epoch: e, header: h}
	if c := r.copy(id); c != nil {
		known, ok := c.welcomes(wait)
		if ok {
			c.sendHave(wait)
			return
		}
		if e < known {
			r.refuse(s.end, id, e, "this node knows a later epoch", ownership.Log{Epoch: known})
			return
		}
	}
	r.mu.Lock()
	r.offers[id] = wait
	r.mu.Unlock()
	r.tell(id, ownership.Event{Kind: ownership.Offered, Folder: s.folder, Epoch: e})
}

// welcomes reports whether an owner's offer may be answered, and the highest epoch that this copy knows.
func (c *copied) welcomes(o offer) (known record.Epoch, ok bool) {
	c.mu.Lock()
	defer c.mu.Unlock()
	known = max(c.c.Promised, c.fresh)
	return known, !c.broken && !c.ended && o.epoch >= c.c.Promised && (!c.unread || o.epoch == c.fresh)
}

func (c *copied) sendHave(o offer) {
	c.r.mu.Lock()
	end := o.from.follow
	c.r.mu.Unlock()
	if end == nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.owner, c.fed, c.step = o.folder, c.r.o.Clock.Now(), nil // it says again what it steps
	end.Send(&linkpb.FollowerFrame{Room: string(c.id), Epoch: uint64(o.epoch), What: &linkpb.FollowerFrame_Have{Have: &linkpb.Have{
		Runs: runsOf(&c.c.History), Last: uint64(c.c.Last), Whole: c.c.Doubt == record.Whole,
	}}})
}

// Offered implements lifecycle.Replicas.
func (r *Replicas) Offered(id room.ID, e record.Epoch) (record.Header, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	o, ok := r.offers[id]
	return o.header, ok && o.epoch == e
}

// Follow implements lifecycle.Replicas.
func (r *Replicas) Follow(id room.ID, e record.Epoch, owner string, kept record.Kept) {
	now := r.o.Clock.Now()
	r.mu.Lock()
	c := r.copies[id]
	fresh := c == nil
	if fresh {
		c = &copied{r: r, id: id, since: now, fed: now, empty: make(chan struct{})}
		c.wrote = c.hearWritten
		c.c = replication.Copy{History: historyOf(kept), Promised: kept.Epoch, Doubt: kept.Doubt}
		c.unread = kept.Doubt != record.Whole
		r.copies[id] = c
	}
	o, waits := r.offers[id]
	delete(r.offers, id)
	r.mu.Unlock()
	c.mu.Lock()
	c.fresh, c.owner, c.suspect = e, owner, false
	c.mu.Unlock()
	if !waits {
		return
	}
	if known, ok := c.welcomes(o); ok {
		c.sendHave(o)
	} else if o.epoch < known {
		r.refuse(r.answers(o.folder), id, o.epoch, "this node knows a later epoch", ownership.Log{Epoch: known})
	}
}

// Unfollow implements lifecycle.Replicas.
func (r *Replicas) Unfollow(id room.ID) (last room.Index, at time.Duration, lost, followed bool) {
	r.mu.Lock()
	c := r.copies[id]
	delete(r.copies, id)
	r.mu.Unlock()
	if c == nil {
		return 0, 0, false, false
	}
	c.mu.Lock()
	c.ended = true
	if len(c.underway) == 0 {
		close(c.empty)
	}
	c.mu.Unlock()
	select {
	case <-c.empty:
	case <-r.ctx.Done():
	}
	c.mu.Lock()
	last, at, open := c.c.Last, c.time(), c.step
	lost = c.suspect || open != nil
	c.mu.Unlock()
	if open != nil {
		c.strike(open)
	}
	return last, at, lost, true
}

// handoverTime is how much of a handover is room time at most. Games go on as if nothing had been, unless it takes longer.
const handoverTime = 100 * time.Millisecond

// stops hears that the owner has stopped the room, for this node to take it.
func (c *copied) stops(e record.Epoch, at time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if e >= c.c.Promised {
		c.stopped, c.handed = at, c.r.o.Clock.Now()
	}
}

// time is room time as the owner told it last; 0: it told nothing. It goes on for a while when the owner hands the room over. The caller
// holds the lock.
func (c *copied) time() time.Duration {
	if c.stopped > 0 {
		return c.stopped + min(c.r.o.Clock.Now()-c.handed, handoverTime)
	}
	c.r.mu.Lock()
	defer c.r.mu.Unlock()
	if p := c.r.folders[c.owner]; c.timed && p != nil && p.clock > 0 {
		return max(p.clock-c.offset, 0)
	}
	return 0
}

// Copy implements lifecycle.Replicas.
func (r *Replicas) Copy(id room.ID) (log ownership.Log, followed bool) {
	c := r.copy(id)
	if c == nil {
		return log, false
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.log(), true
}

func (c *copied) log() ownership.Log {
	return ownership.Log{Epoch: max(c.c.Promised, c.c.At(c.c.Last)), Last: c.c.Last, Doubt: c.c.Doubt, Unborn: c.c.Last == 0}
}

// usual is how many batches one frame brings at most while the owner waits for nothing.
const usual = 4

// take writes what an owner has sent.
func (c *copied) take(s *followerStream, e record.Epoch, a *linkpb.Append) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || c.broken || c.unread && e != c.fresh {
		return
	}
	before := record.Point{Epoch: record.Epoch(a.GetPrevEpoch()), Seq: room.Index(a.GetPrevIndex())}
	batches, spans := make([]record.Batch, 0, usual), make([]replication.Span, 0, usual)
	for _, b := range a.GetBatches() {
		batches = append(batches, record.Batch{
			Room: c.id, Epoch: record.Epoch(b.GetEpoch()), First: room.Index(b.GetFirst()), Last: room.Index(b.GetLast()),
			Time: time.Duration(b.GetTimeNs()), Begins: b.GetBegins(), Entries: b.GetEntries(),
		})
		spans = append(spans, replication.Span{Epoch: record.Epoch(b.GetEpoch()), First: room.Index(b.GetFirst()), Last: room.Index(b.GetLast())})
	}
	was := c.c.Doubt
	place, err := c.c.Take(e, before, spans, a.GetFull())
	switch {
	case errors.Is(err, replication.ErrOld):
		c.r.refuse(s.end, c.id, e, err.Error(), c.log())
		return
	case err != nil:
		s.end.Send(&linkpb.FollowerFrame{Room: string(c.id), Epoch: uint64(e), What: &linkpb.FollowerFrame_Mismatch{Mismatch: &linkpb.Nothing{}}})
		return
	}
	c.owner, c.fed, c.unread = s.folder, c.r.o.Clock.Now(), false
	end := before.Seq
	if n := len(batches); n > 0 {
		end = batches[n-1].Last
	}
	w := written{end: s.end, epoch: e, index: end, whole: c.c.Doubt == record.Whole, probe: a.GetProbe(), fills: was != record.Whole && c.c.Doubt == record.Whole}
	if err := c.write(place, batches, w); err != nil {
		c.broken = true
		c.r.o.Log.Warn("a copy of a room cannot be written now", "room", c.id, "err", err)
	}
}

// write hands the journal what is new, and confirms when that and all before it is written.
func (c *copied) write(place replication.Placement, batches []record.Batch, w written) error {
	j := c.r.o.Journal
	if len(batches) == 1 && batches[0].First == place.From && !place.Reset && !place.Cuts && !place.Mark { // as nearly always
		c.underway = append(c.underway, w)
		err := j.Append(batches[0], nil, c.wrote)
		if err != nil {
			c.underway = c.underway[:len(c.underway)-1]
		}
		return err
	}
	var steps []func(done func(error)) error
	if place.Reset {
		steps = append(steps, func(done func(error)) error { return j.Cut(c.id, 0, done) })
	}
	if place.Cuts {
		steps = append(steps, func(done func(error)) error { return j.Cut(c.id, place.Cut, done) })
	}
	for _, b := range batches {
		if b.Last < place.From {
			continue
		}
		tail, err := core.Tail(b, place.From)
		if err != nil {
			return err
		}
		steps = append(steps, func(done func(error)) error { return j.Append(tail, nil, done) })
	}
	if place.Mark {
		epoch, doubt := c.c.Promised, c.c.Doubt
		steps = append(steps, func(done func(error)) error { return j.Mark(c.id, epoch, doubt, done) })
	}
	if len(steps) == 0 {
		w.done = true
		c.underway = append(c.underway, w)
		c.confirm()
		return nil
	}
	for i, step := range steps {
		var done func(error)
		if i == len(steps)-1 {
			c.underway = append(c.underway, w)
			done = c.wrote
		}
		if err := step(done); err != nil {
			if done != nil {
				c.underway = c.underway[:len(c.underway)-1]
			}
			return err
		}
	}
	return nil
}

// hearWritten hears that the journal has written the first thing under way that it had not.
func (c *copied) hearWritten(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	for i := range c.underway {
		if !c.underway[i].done {
			c.underway[i].done = true
			break
		}
	}
	if err != nil {
		c.broken = true
	}
	c.confirm()
}

// confirm confirms everything that is written. The caller holds the lock.
func (c *copied) confirm() {
	n := 0
	var last *written
	filled := false
	for n < len(c.underway) && c.underway[n].done {
		last = &c.underway[n]
		filled = filled || last.fills
		n++
	}
	if last != nil && !c.broken {
		f := confirmFrames.Get().(*confirmFrame)
		f.frame.Room, f.frame.Epoch, f.frame.What, f.what.Confirm = string(c.id), uint64(last.epoch), &f.what, &f.confirm
		f.confirm.Index, f.confirm.Whole, f.confirm.Probe = uint64(last.index), last.whole, last.probe
		last.end.Send(&f.frame)
		confirmFrames.Put(f)
		if filled {
			c.r.tell(c.id, ownership.Event{Kind: ownership.Filled})
		}
	}
	c.underway = slices.Delete(c.underway, 0, n)
	if len(c.underway) == 0 {
		if cap(c.underway) > usual {
			c.underway = nil
		}
		if c.ended {
			select {
			case <-c.empty:
			default:
				close(c.empty)
			}
		}
	}
}

// snapshot keeps an owner's snapshot, from which the room is restored sooner.
func (c *copied) snapshot(e record.Epoch, s *linkpb.Snapshot) {
	c.mu.Lock()
	defer c.mu.Unlock()
	index := room.Index(s.GetIndex())
	if c.ended || c.broken || e < c.c.Promised || index > c.c.Last || c.c.At(index) != record.Epoch(s.GetEpochOf()) {
		return
	}
	snap := record.Snapshot{Room: c.id, Epoch: record.Epoch(s.GetEpochOf()), Index: index, Data: s.GetData()}
	if err := c.r.o.Journal.Append(record.Batch{Room: c.id}, &snap, nil); err != nil {
		c.r.o.Log.Debug("a snapshot of a copy is not kept", "room", c.id, "err", err)
	}
}

func (c *copied) setOffset(offset time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.offset, c.timed, c.stopped = offset, true, 0
}

// mend reads a copy again after the journal has refused something, and has the owner offer the room again.
func (c *copied) mend() {
	kept, err := c.r.o.Journal.Load(c.r.ctx, c.id)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended || !c.broken || len(c.underway) > 0 {
		return
	}
	c.c = replication.Copy{History: historyOf(kept), Promised: max(kept.Epoch, c.c.Promised), Doubt: kept.Doubt}
	c.broken = false
	if err := c.r.o.Journal.Mark(c.id, c.c.Promised, c.c.Doubt, nil); err != nil {
		c.broken = true
		return
	}
	if end := c.r.answers(c.owner); end != nil {
		end.Send(&linkpb.FollowerFrame{Room: string(c.id), Epoch: uint64(c.c.Promised), What: &linkpb.FollowerFrame_Mismatch{Mismatch: &linkpb.Nothing{}}})
	}
}
