package replica

import (
	"encoding/json"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// lead is the log of one room that this node owns: on its way to this node's journal and to those who follow. It is the
// room's LogStore, and hears of the journal as the room would.
type lead struct {
	r  *Replicas
	id room.ID

	mu        sync.Mutex
	l         replication.Leader
	header    record.Header
	store     actor.LogStore // this node's journal; nil until the room runs
	room      actor.Progress
	window    []record.Batch // what the journal does not have yet, or a copy that is being filled needs
	bytes     int            // of window
	stable    room.Index
	reported  room.Index // the commit that the room knows
	handed    record.Epoch
	offset    time.Duration
	timed     bool
	copying   bool   // it has a row, so it may be copied
	learner   string // the folder that is to become the standby
	asked     bool   // the machine was told that the learner is ready
	askedAt   time.Duration
	feeds     map[string]*feed
	avoid     map[string]time.Duration // folders that did not get on, until then
	heldSince time.Duration            // since when it promises nothing; 0: it does not
	named     time.Duration            // since when it has the present standby, or none
	stalled   time.Duration            // since when something waits for its commit, or when that was said last; 0: nothing does
	asking    uint64                   // the number of the question that waits
	question  func()                   // answers it; nil: none waits
	wary      room.Index               // until so much is committed the followers are told of every step; 0: they are not
	step      *step                    // of which they were told
	failing   error                    // why this node's journal saves nothing
	failed    time.Duration            // since when
	closed    bool
	came      time.Duration // when it came here; 0: it was made here
}

// feed is the feeding of one follower.
type feed struct {
	folder  string
	end     *link.LeaderEnd
	filling bool
	match   room.Index    // when it got on last
	moved   time.Duration // when that was, or when the room was offered
	on      time.Duration // when it got on or had everything last
	owed    room.Index    // an entry that it has not confirmed; 0: there is none
	since   time.Duration // when that was appended, or somewhat later
}

// Lead implements lifecycle.Replicas.
func (r *Replicas) Lead(h record.Header, e record.Epoch, standby string, kept *record.Kept, wary bool) {
	l := &lead{r: r, id: h.ID, header: h, feeds: map[string]*feed{}, handed: e, named: r.o.Clock.Now()}
	var has replication.History
	if kept != nil {
		has = historyOf(*kept)
		l.came = r.o.Clock.Now()
	}
	l.l.Begin(e, standby, has)
	l.stable = has.Last
	if wary {
		l.watch(has.Last)
	}
	r.mu.Lock()
	r.rooms[h.ID] = l
	if kept == nil && h.Durability == room.Standby && r.hasOthers() {
		l.heldSince = r.o.Clock.Now()
		l.l.Hold(true)
	}
	r.mu.Unlock()
}

// hasOthers reports whether a stream stands to another node. The caller holds the lock.
func (r *Replicas) hasOthers() bool {
	for _, p := range r.peers {
		if p.lead != nil && !p.dead {
			return true
		}
	}
	return false
}

// historyOf reads the history of a log. A log that cannot be read has the history of what can be.
func historyOf(kept record.Kept) (h replication.History) {
	for _, b := range kept.Batches {
		if h.Last > 0 && h.At(h.Last) == b.Epoch {
			h.Add(b.Epoch, b.First, b.Last)
			continue
		}
		parts, err := core.ByEpoch(b)
		if err != nil {
			return h
		}
		for _, p := range parts {
			h.Add(p.Epoch, p.First, p.Last)
		}
	}
	return h
}

// Open implements actor.Logs.
func (r *Replicas) Open(id room.ID, p actor.Progress) actor.LogStore {
	l := r.room(id)
	if l == nil {
		return r.o.Logs.Open(id, p)
	}
	l.mu.Lock()
	l.room = p
	l.mu.Unlock()
	store := r.o.Logs.Open(id, l)
	l.mu.Lock()
	l.store = store
	l.mu.Unlock()
	return l
}

// Failing implements actor.Logs.
func (r *Replicas) Failing() error { return r.o.Logs.Failing() }

// Append implements actor.LogStore.
func (l *lead) Append(b record.Batch) error {
	if err := l.store.Append(b); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.handed = b.Epoch
	if b.Last <= l.l.Log().Last {
		return nil // it is handed over again, after the disk has failed
	}
	l.l.Appended(b.Epoch, b.First, b.Last, b.Begins)
	l.window = append(l.window, b)
	l.bytes += len(b.Entries)
	for _, f := range l.feeds {
		l.owes(f)
		l.send(f)
	}
	l.trim()
	l.commit()
	return nil
}

// Save implements actor.LogStore.
func (l *lead) Save(s record.Snapshot) error {
	if err := l.store.Save(s); err != nil {
		return err
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	for _, f := range l.feeds {
		if next := l.l.Next(f.folder); f.end != nil && !f.filling && next > s.Index {
			l.sendSnapshot(f, s)
		}
	}
	return nil
}

// SetClock implements actor.LogStore.
func (l *lead) SetClock(offset time.Duration) error {
	l.mu.Lock()
	l.offset, l.timed = offset, true
	for _, f := range l.feeds {
		l.sendTime(f)
	}
	l.mu.Unlock()
	return l.store.SetClock(offset)
}

// Current implements actor.LogStore.
func (l *lead) Current(done func()) {
	l.mu.Lock()
	l.asking, l.question = l.l.Ask(), done
	if l.l.Current() >= l.asking { // nobody need be asked, and no goroutine be started
		l.question = nil
		l.mu.Unlock()
		done()
		return
	}
	l.ask()
	l.mu.Unlock()
}

// ask sends a question that waits to all members. The caller holds the lock.
func (l *lead) ask() {
	for folder, f := range l.feeds {
		if l.question != nil && l.l.Member(folder) {
			l.send(f)
		}
	}
}

// answer answers the question that waits, if all members have said what is needed. The caller holds the lock.
func (l *lead) answer() {
	if l.question != nil && l.l.Current() >= l.asking {
		l.r.spawn(l.question)
		l.question = nil
	}
}

// Close implements actor.LogStore.
func (l *lead) Close() {
	l.r.mu.Lock()
	if l.r.rooms[l.id] == l {
		delete(l.r.rooms, l.id)
	}
	l.r.mu.Unlock()
	l.mu.Lock()
	l.closed, l.question, l.window = true, nil, nil
	l.calm()
	l.mu.Unlock()
	l.store.Close()
}

// Committed implements actor.Progress: this node's journal has the log up to a point.
func (l *lead) Committed(p record.Point) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.stable = max(l.stable, p.Seq)
	l.l.Stable(p.Seq)
	l.trim()
	l.commit()
}

// commit tells the room what all members have.
func (l *lead) commit() {
	if c := l.l.Commit(); c > l.reported && !l.closed && l.room != nil {
		l.reported = c
		if c >= l.wary {
			l.calm()
		}
		l.room.Committed(record.Point{Epoch: l.handed, Seq: c})
	}
	l.answer()
}

// Saved, Failed, Unavailable and Available implement actor.Progress.
func (l *lead) Saved(i room.Index) { l.room.Saved(i) }

func (l *lead) Failed(err error) {
	l.fails(err)
	l.room.Failed(err)
}

func (l *lead) Unavailable(err error) {
	l.fails(err)
	l.room.Unavailable(err)
}

func (l *lead) Available() {
	l.mu.Lock()
	l.failing = nil
	l.mu.Unlock()
	l.room.Available()
}

// fails notes since when nothing can be saved here.
func (l *lead) fails(err error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing == nil {
		l.failing, l.failed = err, l.r.o.Clock.Now()
	}
}

// unable is why this node cannot save the room, if that lasts; nil: it can.
func (l *lead) unable() error {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.failing == nil || l.r.o.Clock.Now() < l.failed+l.r.o.Unable {
		return nil
	}
	return l.failing
}

// trim drops from the window what the journal has, unless a copy is being filled. What is too much ends the filling.
func (l *lead) trim() {
	for _, f := range l.feeds {
		if f.filling && l.bytes > l.r.o.Window {
			l.l.Offer(f.folder) // it begins again
			f.filling, f.end = false, nil
		}
	}
	for _, f := range l.feeds {
		if f.filling {
			return
		}
	}
	n := 0
	for n < len(l.window) && l.window[n].Last <= l.stable {
		l.bytes -= len(l.window[n].Entries)
		n++
	}
	l.window = slices.Delete(l.window, 0, n)
	if len(l.window) == 0 && cap(l.window) > usual {
		l.window = nil
	}
}

// Enter implements lifecycle.Replicas.
func (r *Replicas) Enter(id room.ID, e record.Epoch, standby string) {
	l := r.room(id)
	if l == nil {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	was := l.l.Standby()
	l.l.Enter(e, standby)
	if was != standby {
		l.named = r.o.Clock.Now()
	}
	l.learner, l.asked = "", false
	if standby != "" {
		l.l.Hold(false)
		l.heldSince = 0
	}
	dropped := map[string]bool{was: was != "" && was != standby}
	for folder := range l.feeds {
		if folder != standby {
			dropped[folder] = true
			delete(l.feeds, folder)
			l.l.Drop(folder)
		}
	}
	for folder, is := range dropped {
		if is {
			r.lookAt(folder, id, e)
		}
	}
	l.ask()
	l.trim()
	l.commit()
}

// lookAt tells the node of a folder to look at a room's row.
func (r *Replicas) lookAt(folder string, id room.ID, e record.Epoch) {
	if end := r.stream(folder); end != nil {
		end.Send(&linkpb.LeaderFrame{Room: string(id), Epoch: uint64(e), What: &linkpb.LeaderFrame_Dismissed{Dismissed: &linkpb.Nothing{}}})
	}
}

// Replicate implements lifecycle.Replicas.
func (r *Replicas) Replicate(id room.ID, h record.Header) {
	l := r.room(id)
	if l == nil || h.Durability != room.Standby {
		return
	}
	l.mu.Lock()
	l.header, l.copying = h, true
	l.mu.Unlock()
	r.tend(l)
}

// Join implements lifecycle.Replicas.
func (r *Replicas) Join(id room.ID, folder string) {
	if l := r.room(id); l != nil {
		l.mu.Lock()
		defer l.mu.Unlock()
		l.l.Join(folder)
		l.ask()
	}
}

// Notify implements lifecycle.Replicas.
func (r *Replicas) Notify(id room.ID, folder string) { r.lookAt(folder, id, 0) }

// Retire implements lifecycle.Replicas.
func (r *Replicas) Retire(id room.ID) {
	l := r.room(id)
	if l == nil {
		return
	}
	l.mu.Lock()
	l.copying = false
	e := l.l.Epoch()
	l.mu.Unlock()
	r.Enter(id, e, "")
}

// Pass implements lifecycle.Replicas.
func (r *Replicas) Pass(id room.ID, e record.Epoch, folder string, log ownership.Log, stopped time.Duration) {
	if end := r.stream(folder); end != nil {
		end.Send(&linkpb.LeaderFrame{Room: string(id), Epoch: uint64(e), What: &linkpb.LeaderFrame_Yield{Yield: &linkpb.Yield{Copy: copyOf(log), TimeNs: int64(stopped)}}})
	}
}

// Decline implements lifecycle.Replicas.
func (r *Replicas) Decline(id room.ID, e record.Epoch, folder string, log ownership.Log) {
	r.mu.Lock()
	delete(r.offers, id)
	r.mu.Unlock()
	r.refuse(r.answers(folder), id, e, "this node does not take it now", log)
}

func (r *Replicas) refuse(end *link.FollowerEnd, id room.ID, e record.Epoch, why string, log ownership.Log) {
	if end != nil {
		end.Send(&linkpb.FollowerFrame{Room: string(id), Epoch: uint64(e), What: &linkpb.FollowerFrame_Refuse{Refuse: &linkpb.Refuse{
			Why: why, EpochKnown: uint64(log.Epoch), Copy: copyOf(log), Unable: r.Failing() != nil,
		}}})
	}
}

func headerBytes(h record.Header) []byte {
	b, err := json.Marshal(h)
	if err != nil {
		panic(err) // every field is plain
	}
	return b
}
