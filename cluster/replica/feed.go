package replica

import (
	"cmp"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// piece is how many bytes of a log one frame brings, about.
const piece = 256 << 10

// offer asks the follower at the end of a stream what it has. The caller holds the lock.
func (l *lead) offer(folder string, end *link.LeaderEnd) {
	now := l.r.o.Clock.Now()
	f := l.feeds[folder]
	if f == nil {
		f = &feed{folder: folder}
		l.feeds[folder] = f
	}
	f.end, f.filling, f.moved, f.match = end, false, now, l.l.Match(folder)
	f.on = cmp.Or(f.on, now)
	l.l.Offer(folder)
	l.owes(f)
	log := l.l.Log()
	end.Send(l.frame(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Offer{Offer: &linkpb.Offer{
		Header: headerBytes(l.header), Runs: runsOf(log), Last: uint64(log.Last),
	}}}))
}

// frame completes a frame of the room.
func (l *lead) frame(f *linkpb.LeaderFrame) *linkpb.LeaderFrame {
	f.Room, f.Epoch = string(l.id), uint64(l.l.Epoch())
	return f
}

func runsOf(h *replication.History) []*linkpb.Run {
	runs := make([]*linkpb.Run, len(h.Runs))
	for i, r := range h.Runs {
		runs[i] = &linkpb.Run{Epoch: uint64(r.Epoch), First: uint64(r.First)}
	}
	return runs
}

func historyFrom(runs []*linkpb.Run, last uint64) (h replication.History) {
	for _, r := range runs {
		h.Runs = append(h.Runs, replication.Run{Epoch: record.Epoch(r.GetEpoch()), First: room.Index(r.GetFirst())})
	}
	h.Last = room.Index(last)
	return h
}

// have begins to send what a follower does not have.
func (l *lead) have(folder string, end *link.LeaderEnd, e record.Epoch, has *linkpb.Have) {
	l.mu.Lock()
	defer l.mu.Unlock()
	f := l.feeds[folder]
	if f == nil || f.end != end || e != l.l.Epoch() || l.closed {
		return
	}
	if _, ok := l.l.Have(folder, historyFrom(has.GetRuns(), has.GetLast())); !ok {
		return
	}
	f.moved = l.r.o.Clock.Now()
	l.tellStep(f)
	l.sendTime(f)
	l.send(f)
}

// send sends a follower what the window has for it, or has it filled from the journal. The caller holds the lock.
func (l *lead) send(f *feed) {
	next := l.l.Next(f.folder)
	switch {
	case next == 0 || f.end == nil || f.filling || l.closed:
		return
	case next > l.l.Log().Last:
		if l.question != nil && l.l.Member(f.folder) {
			l.append(f, next, nil)
		}
		return
	case len(l.window) == 0 || l.window[0].First > next:
		f.filling = true
		end, e := f.end, l.l.Epoch()
		l.r.spawn(func() { l.fill(f, end, e) })
		return
	}
	i := 0
	for l.window[i].Last < next {
		i++
	}
	l.sendBatches(f, next, l.window[i:])
}

// sendBatches sends batches from an index on, in pieces. The caller holds the lock.
func (l *lead) sendBatches(f *feed, next room.Index, batches []record.Batch) {
	for len(batches) > 0 {
		n, size := 0, 0
		for n < len(batches) && (n == 0 || size+len(batches[n].Entries) <= piece) {
			size += len(batches[n].Entries)
			n++
		}
		l.append(f, next, batches[:n])
		next = batches[n-1].Last + 1
		batches = batches[n:]
	}
}

// appendFrame is a frame that brings batches, with room for the usual one: most frames of a stream are such.
type appendFrame struct {
	frame  linkpb.LeaderFrame
	what   linkpb.LeaderFrame_Append
	append linkpb.Append
	batch  linkpb.LogBatch
	one    [1]*linkpb.LogBatch
}

// appendFrames are used again: who sends one is done with it when Send returns.
var appendFrames = sync.Pool{New: func() any { return new(appendFrame) }}

// start empties the frame and returns the append in it, which can take one batch without an allocation.
func (a *appendFrame) start() *linkpb.Append {
	a.append.Reset()
	a.batch.Reset()
	a.what.Append, a.frame.What = &a.append, &a.what
	a.append.Batches = a.one[:0]
	return &a.append
}

// add adds a batch to the append.
func (a *appendFrame) add(b record.Batch) {
	to := &a.batch
	if len(a.append.Batches) > 0 {
		to = new(linkpb.LogBatch)
	}
	to.Epoch, to.First, to.Last, to.TimeNs, to.Begins, to.Entries = uint64(b.Epoch), uint64(b.First), uint64(b.Last), int64(b.Time), b.Begins, b.Entries
	a.append.Batches = append(a.append.Batches, to)
}

// append sends one frame of batches. The caller holds the lock.
func (l *lead) append(f *feed, next room.Index, batches []record.Batch) {
	frame := appendFrames.Get().(*appendFrame)
	defer appendFrames.Put(frame)
	a := frame.start()
	a.Probe = l.asking
	if len(batches) > 0 && batches[0].First < next {
		tail, err := core.Tail(batches[0], next)
		if err != nil {
			l.r.o.Log.Error("a log cannot be copied: it cannot be read", "room", l.id, "err", err)
			return
		}
		batches = append([]record.Batch{tail}, batches[1:]...)
	}
	log := l.l.Log()
	if e := log.At(next - 1); e != 0 {
		a.PrevEpoch, a.PrevIndex = uint64(e), uint64(next-1)
	}
	for _, b := range batches {
		frame.add(b)
		a.Full = l.l.Sent(f.folder, b.Last)
	}
	if len(batches) == 0 {
		a.Full = l.l.Sent(f.folder, next-1)
	}
	f.end.Send(l.frame(&frame.frame))
	frame.batch.Entries = nil // the journal's
}

func (l *lead) sendTime(f *feed) {
	if f.end != nil && l.timed {
		f.end.Send(l.frame(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Time{Time: &linkpb.Time{OffsetNs: int64(l.offset)}}}))
	}
}

// sendSnapshot sends a follower a snapshot, from which it restores the room sooner than from its log alone.
func (l *lead) sendSnapshot(f *feed, s record.Snapshot) {
	if len(s.Data) > l.r.o.Snapshot || f.end.Queued() > 2*l.r.o.Snapshot {
		return
	}
	f.end.Send(l.frame(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Snapshot{Snapshot: &linkpb.Snapshot{
		EpochOf: uint64(s.Epoch), Index: uint64(s.Index), Data: s.Data,
	}}}))
}

// fill sends a follower what this node's journal has, piece by piece and no faster than the follower takes it. What is
// appended meanwhile waits in the window.
func (l *lead) fill(f *feed, end *link.LeaderEnd, e record.Epoch) {
	select {
	case l.r.fills <- struct{}{}:
		defer func() { <-l.r.fills }()
	case <-l.r.ctx.Done():
		return
	}
	l.r.filledCopies.Add(1)
	kept, err := l.r.o.Journal.Load(l.r.ctx, l.id)
	var batches []record.Batch
	for _, b := range kept.Batches {
		parts, wrong := core.ByEpoch(b)
		if wrong != nil {
			err = wrong
			break
		}
		batches = append(batches, parts...)
	}
	if err != nil {
		if l.r.ctx.Err() == nil {
			l.r.o.Log.Warn("a room cannot be copied now", "room", l.id, "err", err)
		}
		l.giveUp(f, end)
		return
	}
	for {
		more, ok := l.fillPiece(f, end, e, batches)
		if !ok {
			return
		}
		sent := 0
		for _, b := range batches[:len(batches)-len(more)] {
			sent += len(b.Entries)
		}
		if batches = more; !l.r.pace(sent) {
			return
		}
		if len(batches) == 0 {
			break
		}
		for end.Queued() > l.r.o.Ahead {
			if !clock.Sleep(l.r.ctx, l.r.o.Clock, 5*time.Millisecond) {
				return
			}
		}
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.fills(f, end, e) {
		return
	}
	for _, s := range kept.Snapshots {
		l.sendSnapshot(f, s)
	}
	f.filling = false
	l.send(f)
	l.trim()
}

// fills reports whether the filling of a follower is still wanted. The caller holds the lock.
func (l *lead) fills(f *feed, end *link.LeaderEnd, e record.Epoch) bool {
	return !l.closed && l.feeds[f.folder] == f && f.filling && f.end == end
}

// fillPiece sends the next piece and returns what is left of the batches.
func (l *lead) fillPiece(f *feed, end *link.LeaderEnd, e record.Epoch, batches []record.Batch) (rest []record.Batch, ok bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.fills(f, end, e) {
		return nil, false
	}
	next := l.l.Next(f.folder)
	for len(batches) > 0 && batches[0].Last < next {
		batches = batches[1:]
	}
	if len(batches) == 0 || next == 0 {
		return nil, next != 0
	}
	n, size := 0, 0
	for n < len(batches) && (n == 0 || size+len(batches[n].Entries) <= piece) {
		size += len(batches[n].Entries)
		n++
	}
	l.append(f, next, batches[:n])
	return batches[n:], true
}

// giveUp ends a filling. The room is offered again later.
func (l *lead) giveUp(f *feed, end *link.LeaderEnd) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.feeds[f.folder] == f && f.end == end {
		f.filling, f.end = false, nil
	}
}

// confirmed takes a follower's confirmation.
func (l *lead) confirmed(folder string, e record.Epoch, c *linkpb.Confirm) {
	l.mu.Lock()
	f := l.feeds[folder]
	if f == nil || l.closed {
		l.mu.Unlock()
		return
	}
	l.l.Confirm(folder, e, room.Index(c.GetIndex()), c.GetWhole())
	if m := l.l.Match(folder); m > f.match || m >= l.l.Log().Last {
		f.match, f.moved, f.on = m, l.r.o.Clock.Now(), l.r.o.Clock.Now()
		l.owes(f)
	}
	l.l.Said(folder, e, c.GetProbe())
	l.commit()
	ready := l.ready(folder)
	l.mu.Unlock()
	if ready {
		l.recruit(folder)
	}
}

// ready reports, once, that the learner may become the standby. The caller holds the lock.
func (l *lead) ready(folder string) bool {
	if folder != l.learner || l.asked || !l.copying || !l.l.Ready(folder) {
		return false
	}
	l.asked = true
	return true
}

func (l *lead) recruit(folder string) {
	l.r.tell(l.id, ownership.Event{Kind: ownership.Recruit, Folder: folder})
}

// mismatch offers the room again to a follower whose log is not as this node thinks.
func (l *lead) mismatch(folder string, end *link.LeaderEnd, e record.Epoch) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.feeds[folder]; f != nil && !l.closed && l.l.Mismatch(folder, e) {
		l.offer(folder, end)
	}
}

// refused hears that a follower does not take the room. If it knows a later epoch, this node may not own the room any more.
func (l *lead) refused(folder string, e record.Epoch, why *linkpb.Refuse) {
	l.mu.Lock()
	later := record.Epoch(why.GetEpochKnown()) > l.l.Epoch()
	now := e == l.l.Epoch()
	if folder == l.learner && now {
		l.forget(folder)
	}
	f := l.feeds[folder]
	standby := f != nil && now && folder == l.l.Standby()
	again := standby && !why.GetUnable()
	if again {
		f.end = nil // it may be between two states: it is offered the room again
	}
	l.mu.Unlock()
	if again {
		l.r.spawn(func() {
			if clock.Sleep(l.r.ctx, l.r.o.Clock, offerAgain) {
				l.r.tend(l)
			}
		})
	}
	if standby && !again {
		l.r.tell(l.id, ownership.Event{Kind: ownership.Dismiss})
	}
	if later {
		l.r.tell(l.id, ownership.Event{Kind: ownership.Look})
	}
}

// offerAgain is how long an owner waits before it offers a room again to a standby that has refused it.
const offerAgain = 50 * time.Millisecond

// forget gives a learner up for a while. The caller holds the lock.
func (l *lead) forget(folder string) {
	if l.avoid == nil {
		l.avoid = map[string]time.Duration{}
	}
	l.avoid[folder] = l.r.o.Clock.Now() + l.r.o.Patience
	delete(l.feeds, folder)
	l.l.Drop(folder)
	if l.learner == folder {
		l.learner, l.asked = "", false
	}
	l.trim()
}
