package ownership

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Self is the node that a machine runs on.
type Self struct {
	Boot   record.BootID
	Folder string   // the id of its data folder
	Former []string // ids that the folder had before it was adopted by hand
}

// State is where a room's life on this node stands.
type State uint8

// The states. Learning, following and yielding will stand beside Owning.
const (
	Absent    State = iota // nothing is kept of it here
	Creating               // its header is on the way to the journal, its row to the store
	Asking                 // whose is it? It may be in the journal, and is not served
	Restoring              // its log is being run
	Owning                 // served here
	Releasing              // on its way to the store
	Ending                 // over, or somebody else's: its log is on the way out
	Held                   // kept, and this program cannot serve it
)

var stateNames = [...]string{"absent", "creating", "asking", "restoring", "owning", "releasing", "ending", "held"}

func (s State) String() string { return stateNames[s] }

// Waits of machines.
const (
	rowPatience    = 500 * time.Millisecond // for a new room's row: then the room begins without
	resultPatience = 2 * time.Second        // of a finished room that is to leave, for its result to be stored
)

// Waits before one more try.
var (
	claimBackoff   = clock.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second}
	rowBackoff     = clock.Backoff{Min: 20 * time.Millisecond, Max: 2 * time.Second}
	releaseBackoff = clock.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}
	journalBackoff = clock.Backoff{Min: 100 * time.Millisecond, Max: 10 * time.Second}
)

// Errors of Effect.Err, beside record.ErrMovedOn, record.ErrNotFound and a *HeldError.
var (
	ErrOver    = errors.New("the room is over, and its end is stored")
	ErrLeaving = errors.New("the room is on its way to another node")
	ErrDead    = errors.New("the game failed and could not be brought back: it has been ended")
)

// HeldError says why a room is kept here and not served.
type HeldError struct {
	Why string
	// Released says that it lies in the store, not in this node's journal: another node may serve it.
	Released bool

	cause error
}

func (e *HeldError) Error() string { return e.Why }

// Unwrap is what has gone wrong, if something has.
func (e *HeldError) Unwrap() error { return e.cause }

const movedOn = "it has moved on: another node has taken the room on"

// origin is how a room came to this node.
type origin uint8

const (
	made     origin = iota // by a player's wish
	found                  // in the journal, at a start
	released               // in the store
	copied                 // from a log that was set aside, under a new id
)

// task is something that is under way. A machine has one that its state hangs on, and two beside it.
type task struct {
	op      Op     // 0: nothing is
	n       uint64 // of the Effect whose answer is waited for
	tries   int
	pausing bool // that effect is the wait before the next try
}

// Machine is one room's life on one node. The zero Machine of a room is Absent; New makes it.
type Machine struct {
	self *Self

	state    State
	origin   origin
	memory   bool
	draining bool // to be released as soon as it is owned

	log     Log
	verdict Verdict
	dead    string       // why nobody can bring it back
	from    Row          // what the row must be for the claim
	wish    record.Epoch // asked for
	epoch   record.Epoch // owned
	open    record.Epoch // the newest that a claim without an answer was for; 0: all were answered
	vain    room.Index   // the end of a log that was run in vain; 0: none was
	held    HeldError
	stopped StoppedRoom
	out     bool // out of memory, since Stop
	patient bool // it has waited for its end to be stored
	late    bool // its row had moved when it was to be released
	pending bool // it is wanted again

	wasOver bool   // its row was over before it came back here
	stored  bool   // its end is
	refused string // why its end never will be

	main, row, end task
	last           uint64 // effect
	effects        []Effect
}

// New is the machine of a room that this node has nothing of.
func New(self *Self) *Machine { return &Machine{self: self} }

// State is where the room's life stands.
func (m *Machine) State() State { return m.state }

// Held is why a room is in state Held.
func (m *Machine) Held() HeldError { return m.held }

// Lingers reports whether the room is here to be looked at alone: its end was stored before it came back.
func (m *Machine) Lingers() bool { return m.wasOver }

// Epoch is the one that the room is, or was last, owned at; 0: none.
func (m *Machine) Epoch() record.Epoch { return m.epoch }

// Blank reports whether a new machine would do as well: the room is Absent, and no claim of it is without an answer.
func (m *Machine) Blank() bool { return m.state == Absent && m.open == 0 }

// Step hears an event and returns what to do, in order. It needs no time: to wait is an effect.
func (m *Machine) Step(e Event) []Effect {
	m.effects = nil
	switch e.Kind {
	case Made, Found, Copied, Broken:
		if m.state == Absent {
			m.arrives(e)
		}
	case Ended, Gone, Lost:
		if m.state == Owning || m.state == Releasing {
			m.speaks(e)
		}
	case Wanted:
		m.wanted()
	case Drain:
		m.drain()
	case Forgot:
		if m.state == Held && m.held.Released {
			m.held = HeldError{}
			m.leave(nil)
		}
	case Answer:
		m.answer(e)
	}
	return m.effects
}

// arrives begins a room's life on this node.
func (m *Machine) arrives(e Event) {
	switch e.Kind {
	case Made:
		m.made(e.Memory)
	case Found:
		m.found(e.Log)
	case Copied:
		m.copied(e.Log)
	case Broken:
		m.hold(e.Why, false)
	}
}

// speaks hears what has become of a room in memory.
func (m *Machine) speaks(e Event) {
	switch e.Kind {
	case Ended:
		m.finished()
	case Gone:
		m.gone()
	case Lost:
		m.idle()
		m.hold(e.Why, false)
	}
}

// made begins a new room.
func (m *Machine) made(memory bool) {
	m.origin, m.memory, m.epoch, m.wish = made, memory, 1, 1
	if memory {
		m.own()
		return
	}
	m.state = Creating
	m.begin(&m.main, Create)
}

// found begins with a room that the journal has kept for this start. It is replayed first: a room that this program
// cannot run is not asked for.
func (m *Machine) found(log Log) {
	m.origin, m.log, m.state = found, log, Restoring
	if log.Unborn {
		m.begin(&m.main, Check)
		return
	}
	m.begin(&m.main, Replay)
}

// copied begins with a log that is to go on as a new room.
func (m *Machine) copied(log Log) {
	m.origin, m.log, m.state = copied, log, Asking
	m.begin(&m.main, Check)
}

// wanted takes on a room that lies in the store. Concurrent calls share one adoption.
func (m *Machine) wanted() {
	switch {
	case m.state == Absent, m.state == Held && m.held.Released:
		m.origin, m.state = released, Asking
		m.begin(&m.main, Checkpoint)
	case m.state == Owning:
		m.reply(nil)
	case m.state == Held:
		m.reply(&m.held)
	case m.state == Releasing:
		m.reply(ErrLeaving)
	case m.state == Ending: // when its log is out of the way
		m.pending = true
	}
}

// finished has the room's end stored.
func (m *Machine) finished() {
	if m.end.op != 0 || m.stored || m.refused != "" {
		return
	}
	if without(StoreFirst) {
		m.stored = true
		m.emit(Effect{Do: Settled})
		return
	}
	m.begin(&m.end, Store)
}

// gone clears up behind a room that was looked at for the last time.
func (m *Machine) gone() {
	m.idle()
	switch {
	case m.memory:
		m.leave(nil)
	case m.settled(), m.wasOver:
		m.clear()
	case m.end.op != 0:
		m.state = Ending // and its log goes when its end is stored
	default:
		m.hold("it has left memory before its end", false)
	}
}

// settled reports whether nothing more is to come of the room's end.
func (m *Machine) settled() bool { return m.stored || m.refused != "" }

// clear takes a finished room's log out.
func (m *Machine) clear() {
	m.state = Ending
	if m.refused != "" && !without(KeepRefused) {
		m.begin(&m.main, SetAside)
		return
	}
	m.begin(&m.main, Remove)
}

// drain gives the room away as soon as this node owns it.
func (m *Machine) drain() {
	switch m.state {
	case Owning:
	case Creating, Asking, Restoring:
		m.draining = true
		return
	default:
		return
	}
	m.state = Releasing
	switch {
	case m.end.op != 0:
		m.awaitEnd()
	case without(StopFirst):
		m.begin(&m.main, Load)
	default:
		m.begin(&m.main, Stop)
	}
}

// own lets the room go on here.
func (m *Machine) own() {
	m.state, m.held = Owning, HeldError{}
	m.emit(Effect{Do: Start, To: m.epoch})
	m.reply(nil)
	if m.draining {
		m.draining = false
		m.drain()
	}
}

func (m *Machine) reply(err error) { m.emit(Effect{Do: Reply, Err: err}) }

// leave ends the room's life on this node.
func (m *Machine) leave(err error) {
	if err != nil {
		m.reply(err)
	}
	for _, t := range [...]*task{&m.main, &m.row, &m.end} {
		m.drop(t)
	}
	pending := m.pending
	*m = Machine{self: m.self, last: m.last, open: m.open, effects: m.effects}
	if pending {
		m.wanted()
	}
}

func (m *Machine) hold(why string, inStore bool) {
	m.state, m.held = Held, HeldError{Why: why, Released: inStore}
	m.reply(&HeldError{Why: why, Released: inStore})
}

// ours reports whether a room is live in this data folder.
func (m *Machine) ours(row record.Row) bool { return row.State == record.RowLive && m.named(row) }

// named reports whether a row names this data folder, under its present or a former id.
func (m *Machine) named(row record.Row) bool {
	return row.Folder == m.self.Folder || slices.Contains(m.self.Former, row.Folder)
}

// mine reports whether this process has moved the row and the answer was lost: no other process writes this boot.
func (m *Machine) mine(row record.Row) bool {
	return row.State == record.RowLive && row.Epoch > m.from.Epoch && (row.Boot == m.self.Boot || without(OwnBoot))
}

func (m *Machine) emit(e Effect) { m.effects = append(m.effects, e) }

// begin starts a task in place of what it did before. An answer to that is too late.
func (m *Machine) begin(t *task, op Op) {
	m.drop(t)
	t.op = op
	m.try(t)
}

func (m *Machine) idle() { m.drop(&m.main) }

// drop leaves a task: an answer to it is too late.
func (m *Machine) drop(t *task) {
	if t.pausing || t.op == Wait {
		m.emit(Effect{Do: Cancel, N: t.n})
	}
	*t = task{}
}

func (m *Machine) number(t *task) uint64 {
	m.last++
	t.n = m.last
	return t.n
}

func (m *Machine) try(t *task) {
	t.pausing = false
	e := Effect{Do: t.op, N: m.number(t)}
	switch t.op {
	case Create, Note, CreateRow:
		e.To = m.wish
	case Claim:
		e.From, e.To = m.from, m.wish
	case Release:
		e.From = Row{State: record.RowLive, Epoch: m.epoch, Folder: m.self.Folder}
	case SetAside:
		e.Why = m.whyAside()
	case Abandon:
		e.Why = m.dead
	}
	m.emit(e)
}

// whyAside tells people why a log was set aside.
func (m *Machine) whyAside() string {
	switch {
	case m.refused != "":
		return m.refused
	case m.dead != "":
		return m.dead
	case m.wasOver:
		return "the store holds the room to be over"
	}
	return movedOn
}

// again tries a task once more, after a while.
func (m *Machine) again(t *task, b clock.Backoff) {
	t.pausing = true
	m.emit(Effect{Do: Wait, N: m.number(t), Wait: b.Ceiling(t.tries)})
	t.tries++
}

func (m *Machine) wait(patience time.Duration) {
	m.drop(&m.main)
	m.main.op = Wait
	m.emit(Effect{Do: Wait, N: m.number(&m.main), Wait: patience})
}

func (e Effect) String() string {
	s := opNames[e.Do]
	if e.From != (Row{}) {
		s += fmt.Sprintf(" from %s %d", e.From.State, e.From.Epoch)
	}
	if e.To != 0 {
		s += fmt.Sprintf(" to %d", e.To)
	}
	if e.Why != "" {
		s += fmt.Sprintf(" because %q", e.Why)
	}
	if e.Wait != 0 {
		s += " " + e.Wait.String()
	}
	if e.Err != nil {
		s += ": " + e.Err.Error()
	}
	return s
}
