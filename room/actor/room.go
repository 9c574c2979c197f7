package actor

import (
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// liveRoom is one room at work: a room.Core and the one goroutine that uses it. What happens to the room comes through its
// mailbox. What the room says goes to the sinks of its sessions, after the commit of its index.
type liveRoom struct {
	id      room.ID
	game    string
	pool    string // see pools
	header  record.Header
	durable bool // it has a log store and a row
	dir     *Directory
	o       *Options
	mail    *mailbox

	// Any goroutine.
	seats    admission
	info     roomInfo
	stepping stepping
	reg      registration
	readers  readers
	doubtAt  atomic.Int64 // when the owner may be told again that another node may have the room

	// The rest belongs to the room's goroutine.
	core     *core.Core
	time     roomTime
	log      roomLog
	sessions sessions
	answers  heldAnswers
	flushes  []func()                // see Bindings.Later
	waiters  []waiter                // for commits
	watches  map[*roomWatch]struct{} // of the operator
	recent   recent
	events   []record.Event // wait for their commit
	traces   []traced       // as do these
	life     life
	skipped  uint64 // ticks left out that the metrics know of
	refused  bool   // a commit was refused, and that was logged
	messages []queued
}

// life is how far a room is on its way out of memory.
type life struct {
	panicked bool // its game has, and that was logged
	gone     bool // it is over, and the time in which it can still be looked at has passed
	sealed   bool // its end is on the way to the store
	stored   bool // its end is in the store
	stopping bool // its time in this process ends: it takes no more input
	left     bool // the loop ends
	stopped  func(Stopped)
	expelled func()     // another node has the room
	floor    room.Index // of a revived room: nothing that it says at or before this is known to be committed
}

// waiter is somebody whose answer waits for a commit.
type waiter struct {
	at   room.Index
	done chan<- error
	err  error // what to answer
}

func (d *Directory) newRoom(machine *core.Core) *liveRoom {
	h := machine.Header()
	r := &liveRoom{
		id: h.ID, game: h.Game, header: h, durable: h.Durability != room.Memory,
		pool: d.pools.key(Match{Game: h.Game, Options: h.Options}),
		dir:  d, o: &d.o, mail: newMailbox(d.o.Mailbox), core: machine, sessions: newSessions(),
	}
	r.time = startTime(d.o.Clock, machine.Now(), func() { r.mail.tell(func(c *control) { c.due = true }) })
	r.info.init(machine)
	at := record.Point{Epoch: machine.Point().Epoch, Seq: machine.Committed()}
	r.mail.expect(at)
	if r.durable {
		r.log = roomLog{
			room: h.ID, store: d.o.Logs.Open(h.ID, r.mail), most: d.o.Window, expect: r.mail.expect, logger: r.logger,
			epoch: at.Epoch, durable: at.Seq, since: d.o.Clock.Now(),
		}
	}
	r.seats.unclaimed, r.seats.time = &d.unclaimed, r.time.shared()
	r.seats.update(machine.FreeSeats(), machine.Phase(), machine.Seats())
	r.mail.notify()
	return r
}

// logger is made when something is logged: kept in an idle room it would be a twentieth of its memory.
func (r *liveRoom) logger() *slog.Logger { return r.o.Log.With("room", r.id, "game", r.game) }

// run is the room's goroutine, from its birth until it leaves memory.
func (r *liveRoom) run() {
	r.setClock()
	for !r.life.left {
		<-r.mail.wake
		r.turn()
	}
	r.depart()
}

// turn does everything there is to do now: first control, then what is due, then players' messages. What they made is
// handed to the log together.
func (r *liveRoom) turn() {
	control, messages := r.mail.receive(r.limit(), r.messages)
	r.serve(control)
	r.release()
	r.elapse()
	for _, m := range messages {
		m.handle(r)
	}
	clear(messages)
	r.messages = messages

	r.writeLog()
	r.sendCommitted()
	r.answerWaiters()
	r.pace()
	r.end()
	r.flush()
	r.arm()
}

// burst is how many of the players' messages are stepped before control is served again.
const burst = 32

// limit is how many of the players' messages the room takes now.
func (r *liveRoom) limit() int {
	if r.life.stopping {
		return 0
	}
	return max(min(burst, r.o.Uncommitted-r.uncommitted()), 0)
}

func (r *liveRoom) serve(c control) {
	if c.due {
		r.time.rang()
	}
	r.hearLog(c)
	for _, m := range c.messages {
		m.handle(r)
	}
	for _, s := range c.views { // each session has one on its way at most
		r.whenCurrent(func() { r.core.Resync(s.recipient(), func() uint64 { return s.lost }) })
	}
}

// now is room time. It never falls.
func (r *liveRoom) now() time.Duration { return max(r.time.now(), r.core.Now()) }

// pace stops room time while the log keeps the room from stepping, and lets it run on from there: nobody loses on time
// because a disk is slow.
func (r *liveRoom) pace() {
	stop := r.log.failing != nil || r.full()
	switch {
	case stop == r.time.stopped:
	case stop:
		r.time.stop(r.now())
		r.seats.setTime(r.time.shared())
	default:
		r.time.resume()
		r.seats.setTime(r.time.shared())
		r.setClock()
		r.mail.notify()
	}
}

// setClock lets the journal's time marks tell this room's time.
func (r *liveRoom) setClock() {
	if !r.durable {
		return
	}
	if err := r.log.store.SetClock(-r.time.offset); err != nil {
		r.logger().Error("the room's clock could not be saved: after a crash its time may jump", "err", err)
	}
}

// full reports whether as many inputs are stepped and not committed as may be.
func (r *liveRoom) full() bool { return r.uncommitted() >= r.o.Uncommitted }

func (r *liveRoom) uncommitted() int { return int(r.core.Point().Seq - r.core.Committed()) }

// arm sets the room's one timer for what is due next. When nothing is, the room holds no timer.
func (r *liveRoom) arm() {
	at, ok := r.core.Deadline()
	if !ok || r.time.stopped || r.life.gone || r.life.left || r.life.stopping {
		r.time.disarm()
		return
	}
	r.time.arm(at)
}
