package actor

import (
	"container/list"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// liveRoom is one room at work: a room.Core and the one goroutine that uses it. Whatever happens to it comes through its
// inbox; what it says goes to the outboxes of its sessions, each thing after the commit of its index.
type liveRoom struct {
	id       room.ID
	game     string
	matchKey string
	header   record.Header
	durable  bool // it has a journal and a row
	dir      *Directory
	o        *Options
	in       *inbox

	seats     admission
	info      atomic.Pointer[Info] // committed facts, for everybody
	committed atomic.Uint64
	stepping  stepping

	// Of the directory, and guarded by its mutex.
	owner   owner
	made    bool          // by Create, which keeps a place for it until it is started
	unused  *list.Element // in shares.unused
	evicted bool          // is being closed to make place

	// The rest belongs to the room's goroutine.
	core     *core.Core
	messages []queued // scratch
	recent   recent

	// Time. Room time is the node's clock plus offset; while still, it stands at stillAt and the clock is not used.
	offset  time.Duration
	still   bool
	stillAt time.Duration
	timer   clock.Timer
	armed   time.Duration // the deadline the timer is set for; -1: none

	// The log on its way to be durable. A failure takes back what was handed over; see handOver.
	logStore LogStore // nil: the room is kept in memory alone
	pending  []core.Entry
	since    time.Duration // when the first of pending was stepped
	window   []inflight    // batches that are not yet committed, oldest first
	taken    int           // how many of them are handed over
	snap     *record.Snapshot
	snapSent bool     // snap is handed over
	snapDue  bool     // one is to be taken
	failing  error    // why nothing can be saved at present
	told     bool     // that it stands still was logged, and nothing was saved since
	lost     bool     // failing is for ever: the room is to be held
	refused  bool     // a commit was refused, and logged
	waiters  []waiter // for commits

	// In a ticking room answers go out with a tick.
	ticked   room.Index // the oldest tick that is not yet committed; 0: none
	deferred []*session // those whose answers wait for it

	gathered []func() // see Bindings.Later

	// Who is there.
	players     map[room.PlayerID][]*session // by age: the last is the one that the core has attached
	watchers    map[core.WatcherID]*session
	classes     map[core.ClassID][]*session
	watches     map[*roomWatch]struct{} // of the operator's
	nextWatcher core.WatcherID

	// The room's life.
	draft    *Info // next info, until its index is committed
	dirty    bool  // info is out of date
	joined   bool  // the directory knows that somebody ever was here
	free     int   // seats, as admission knows it
	phase    core.Phase
	coming   room.PlayerID // who is being given a seat and connected to it, which are two inputs
	skipped  uint64
	panicked bool            // and logged
	sealed   bool            // its end is on the way to the store
	stored   bool            // and has arrived
	gone     bool            // its last look is over
	stopping bool            // its time in this process ends: it takes no more input
	left     bool            // the loop is over
	leaving  func(Departure) // hears that it has stopped; nil: nobody waits for that
}

// burst is how many of the players' messages are stepped before commits and control are served again.
const burst = 32

func (d *Directory) newRoom(machine *core.Core) *liveRoom {
	h := machine.Header()
	r := &liveRoom{
		id: h.ID, game: h.Game, header: h, durable: h.Durability != room.Memory,
		matchKey: d.pools.Key(Match{Game: h.Game, Options: h.Options}),
		dir:      d, o: &d.o, core: machine, in: newInbox(d.o.Mailbox),
		players:  map[room.PlayerID][]*session{},
		watchers: map[core.WatcherID]*session{},
		classes:  map[core.ClassID][]*session{},
		armed:    -1, dirty: true, free: machine.FreeSeats(), phase: machine.Phase(),
	}
	r.seats.unclaimed = &d.waited
	d.o.Clock.Use(1)
	r.since = d.o.Clock.Now()
	r.offset = machine.Now() - r.since
	r.committed.Store(uint64(machine.Committed()))
	r.in.expect(record.Point{Epoch: machine.Point().Epoch, Seq: machine.Committed()})
	if r.durable {
		r.logStore = newJournalStore(d.o.Journal, h.ID, r.in)
	}
	r.seats.seats(r.free, r.phase, machine.Seats())
	r.in.ring()
	return r
}

// log is made when something is logged: in an idle room it would be a twentieth of its memory.
func (r *liveRoom) log() *slog.Logger { return r.o.Log.With("room", r.id, "game", r.game) }

// run is the room's goroutine, from its birth until it leaves memory.
func (r *liveRoom) run() {
	if r.durable {
		r.setClock()
	}
	for !r.left {
		<-r.in.wake
		r.turn()
	}
	r.depart()
}

// turn does everything there is to do now: control first, then what time makes due, then players'
// messages; what they made is handed over together.
func (r *liveRoom) turn() {
	control, messages := r.in.take(r.appetite(), r.messages)
	r.serve(control)
	r.elapse()
	for _, m := range messages {
		m.handle(r)
	}
	clear(messages)
	r.messages = messages

	r.flush()
	r.release()
	r.answer()
	r.pace()
	r.end()
	r.dispatch()
	r.arm()
}

// appetite is how many messages of players the room takes now.
func (r *liveRoom) appetite() int {
	if r.stopping {
		return 0
	}
	return max(min(burst, r.o.Uncommitted-r.uncommitted()), 0)
}

func (r *liveRoom) serve(c control) {
	if c.due {
		r.armed = -1
	}
	r.hear(c)
	for _, m := range c.messages {
		m.handle(r)
	}
	for _, s := range c.views {
		r.core.Resync(s.recipient(), func() uint64 { return s.lost })
	}
}

// step stamps an input with room time and applies it, after what was due before.
func (r *liveRoom) step(in core.Input) core.Ready {
	in.At = r.elapse()
	return r.apply(in)
}

// elapse applies what time has made due, and returns that time. What becomes due meanwhile waits for the next
// turn of the loop: a game that is slower than its own ticks must not keep its players from being heard.
func (r *liveRoom) elapse() time.Duration {
	now := r.now()
	for !r.still && !r.gone && !r.stopping && !r.full() {
		in, due := r.core.Due(now)
		if !due {
			break
		}
		if ready := r.apply(in); ready.Entry == nil && !ready.Gone {
			r.log().Error("an input that was due did nothing", "kind", in.Kind.Name())
			break
		}
	}
	if n := r.core.Skipped(); n > r.skipped {
		r.o.Metrics.LateTicks(r.game, n-r.skipped)
		r.skipped = n
	}
	return now
}

// apply steps one input under the eyes of the watchdog and the black box.
func (r *liveRoom) apply(in core.Input) core.Ready {
	mark := r.o.Black.Begin(r.id, in.Fingerprint())
	start := r.o.Clock.Now()
	r.stepping.begin(start, in.Kind, r.core.Point().Seq+1)
	ready, err := r.core.Step(in)
	r.stepping.end()
	mark.Release()
	cost := r.o.Clock.Now() - start
	r.core.Charge(cost)
	r.o.Metrics.StepTime(r.game, cost)
	if err != nil {
		r.log().Error("an input could not be stepped", "kind", in.Kind.Name(), "err", err)
	}
	r.note(ready, in, start)
	if ready.CutDue {
		r.apply(core.Input{Kind: core.KindCut, At: in.At})
	}
	return ready
}

// note keeps what a step has made of an input.
func (r *liveRoom) note(ready core.Ready, in core.Input, at time.Duration) {
	r.gone = r.gone || ready.Gone
	r.snapDue = r.snapDue || ready.SnapshotDue
	if ready.Entry == nil {
		return
	}
	if ready.Changed != "" {
		r.log().Error("the game has changed in an act that it refused: this room logs whole acts from now on, check everything before the first change",
			"version", r.header.Version, "code", ready.Changed, "index", ready.Entry.Index)
	}
	e := *ready.Entry
	if e.Kind == core.KindEpoch {
		r.in.expect(record.Point{Epoch: e.Epoch, Seq: r.handedOver()})
	}
	if len(r.pending) == 0 {
		r.since = at
	}
	r.pending = append(r.pending, e)
	r.recent.add(e)
	r.tellWatches(e, in.Data)
	r.o.Metrics.Inputs(r.game, e.Kind)
	r.noteSeats(e.Kind)
	r.noteTick(e)
	r.notePanic(e)
}

// notePanic tells of a panic of the game's, once.
func (r *liveRoom) notePanic(e core.Entry) {
	p := r.core.Panicked()
	if p == nil || r.panicked {
		return
	}
	r.panicked = true
	r.o.Metrics.Panics(r.game)
	left := r.inspect(Look{})
	left.Info.Phase = core.PhaseOver
	r.dir.notePanic(left, r.header, p, e, "the game panicked: the room is closed as aborted")
}

// end brings the room's life forward: its end to the store, its sessions to their close, itself out of memory.
func (r *liveRoom) end() {
	r.seal()
	if r.stopping {
		r.stop()
		return
	}
	if r.lost {
		r.holdUnsaved()
		return
	}
	if !r.gone || !r.sealed {
		return // what tells of the end may still wait for its commit
	}
	for s := range r.sessions() {
		s.close(closing(closeOver()), false)
	}
	r.left = r.stored
}

// seal hands the room's committed end to the store, once.
func (r *liveRoom) seal() {
	f := r.core.Final()
	if r.sealed || f == nil || r.core.Committed() < f.Point.Seq {
		return
	}
	r.sealed = true
	r.o.Metrics.Ended(r.game, f.End)
	r.endWatches()
	final, err := r.core.Seal()
	if err != nil {
		r.log().Error("the room's replay cannot be made: its result is stored without", "err", err)
	}
	r.o.Owner.Ended(final, func() {
		r.in.command(function(func(r *liveRoom) { r.stored = true }))
	})
}

// stop ends a room's time in this process as soon as everything it has said is safe. One that cannot be saved does not
// wait: what is not durable was not acknowledged.
func (r *liveRoom) stop() {
	if r.failing == nil && (len(r.pending) > 0 || len(r.window) > 0 || r.snap != nil || r.core.Held() > 0) {
		return
	}
	for s := range r.sessions() {
		if r.stored {
			s.close(closing(closeOver()), false)
		}
		s.close(closeMoved(), false)
	}
	r.left = true
}

// depart is the loop's last act.
func (r *liveRoom) depart() {
	if r.timer != nil {
		r.timer.Stop()
	}
	if !r.still {
		r.o.Clock.Use(-1)
	}
	for s := range r.sessions() {
		s.close(closeMoved(), false)
		r.count(s, -1)
	}
	r.endWatches()
	left := Departure{Time: r.now(), Last: r.core.Committed(), Over: r.core.Final() != nil}
	r.dir.remove(r)
	close(r.in.gone)
	switch {
	case r.leaving != nil:
		r.leaving(left)
	case r.gone && r.stored:
		r.o.Owner.Gone(r.id)
	}
}
