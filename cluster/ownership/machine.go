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
	Former []string // ids that the folder had before an operator adopted it

	// DoubtWait is how long a copy that may have lost its end with its machine's power waits for the other member. Then it
	// goes on without what it has lost.
	DoubtWait time.Duration
}

// State is where a room's life on this node stands.
type State uint8

// The states.
const (
	Absent    State = iota // nothing of it is kept here
	Creating               // its header is being written to the journal, its row to the store
	Asking                 // the store is asked who owns it; it may be in the journal and is not served
	Restoring              // its log is being run
	Owning                 // it is served here
	Yielding               // it has stopped, and its standby may take it
	Releasing              // it is being given to the store
	Ending                 // it is over, or another node's: its log is being removed or set aside
	Held                   // it is kept, but this program cannot serve it
	Learning               // another node's owner feeds a copy that is not whole
	Following              // another node's owner feeds a whole copy
	Seizing                // as Following, while the store is asked for the room
)

var stateNames = [...]string{
	"absent", "creating", "asking", "restoring", "owning", "yielding", "releasing", "ending", "held", "learning", "following", "seizing",
}

func (s State) String() string { return stateNames[s] }

const (
	rowPatience    = 500 * time.Millisecond // how long a new room waits for its row before it begins without
	resultPatience = 2 * time.Second        // how long the release of a finished room waits for its result to be stored
	yieldPatience  = 2 * time.Second        // how long a room that was yielded waits for its standby before the row is read
)

// The backoffs between tries.
var (
	claimBackoff   = clock.Backoff{Min: 50 * time.Millisecond, Max: 2 * time.Second}
	rowBackoff     = clock.Backoff{Min: 20 * time.Millisecond, Max: 2 * time.Second}
	releaseBackoff = clock.Backoff{Min: 100 * time.Millisecond, Max: 5 * time.Second}
	journalBackoff = clock.Backoff{Min: 100 * time.Millisecond, Max: 10 * time.Second}
)

// Errors of Effect.Err, beside record.ErrMovedOn, record.ErrNotFound and a *HeldError.
var (
	ErrOver     = errors.New("the room is over, and its end is stored")
	ErrFollowed = errors.New("another node has the room, and this one a copy of it")
	ErrLeaving  = errors.New("the room is on its way to another node")
	ErrDead     = errors.New("the game failed and could not be brought back: it has been ended")
)

// HeldError says why a room is kept here and not served.
type HeldError struct {
	Why string
	// Released says that the store has it, not this node's journal, so another node may serve it.
	Released bool

	cause error
}

func (e *HeldError) Error() string { return e.Why }

// Unwrap returns the error that caused it, or nil.
func (e *HeldError) Unwrap() error { return e.cause }

const movedOn = "it has moved on: another node has taken the room on"

// origin is how a room came to this node.
type origin uint8

const (
	made     origin = iota // it was made here
	found                  // it was in the journal at a start
	released               // it was in the store
	offered                // an owner elsewhere has offered it
	copied                 // it was made from a log that was set aside, under a new id
)

// task is an effect under way, with its retries. A machine has one that its state depends on, and three beside it.
type task struct {
	op      Op     // 0: nothing is under way
	n       uint64 // the Effect whose answer it waits for
	tries   int
	pausing bool // that effect is the wait before the next try
}

// Machine is one room's life on one node. The zero Machine of a room is Absent; New makes it.
type Machine struct {
	self *Self

	state    State
	origin   origin
	memory   bool
	draining bool // release it as soon as it is owned

	log        Log
	verdict    Verdict
	replayed   bool         // verdict is of this log
	dead       string       // why nobody can bring it back
	from       Row          // what the claim expects of the row
	wish       record.Epoch // the epoch asked for
	with       string       // the standby asked for
	epoch      record.Epoch // the epoch owned
	standby    string       // the standby at that epoch; "": none
	next       change       // the change of members under way
	open       record.Epoch // the newest epoch of a claim without an answer; 0: all were answered
	failedAt   room.Index   // the end of the log whose replay failed; 0: none did
	held       HeldError
	stopped    StoppedRoom
	unloaded   bool // Stop has dropped it from memory
	awaitedEnd bool // it has waited for its end to be stored
	rowMoved   bool // its row had already moved at the release
	pending    bool // it was wanted while its log was on the way out

	wasOver bool   // its row was over before it came back here
	stored  bool   // its end is stored
	refused string // why its end never will be stored

	followed  record.Epoch // the epoch of the row by which it follows
	owner     string       // the folder of the owner that it follows
	appointed bool         // the row that was read last names this node as the standby
	first     record.Epoch // of the row that a copy that may have forgotten its promises has read first
	doubted   record.Epoch // the promise that a released row was read again for
	kept      bool         // it has been a copy of another node's room in this life
	expelled  bool         // it has been dropped from memory because its row has moved, or nothing can be saved
	passing   int          // how many times the standby was told to take the room
	cannot    string       // why this node cannot serve it: its standby should
	inStore   bool         // its row is there
	suspected bool         // its owner seems to be dead
	waited    bool         // and has seemed to be for so long that a copy that may have lost its end goes on

	main, row, end, conf task
	last                 uint64 // the number of the last effect
	effects              []Effect
}

// New makes the machine of a room that is Absent.
func New(self *Self) *Machine { return &Machine{self: self} }

// State returns the room's state on this node.
func (m *Machine) State() State { return m.state }

// Held says why a room is in state Held.
func (m *Machine) Held() HeldError { return m.held }

// Tries returns how often what the room waits for has failed: the store or the journal did not answer.
func (m *Machine) Tries() int { return m.main.tries }

// InDoubt reports whether the room waits for its standby because this node, which the row names as the owner, has a copy that
// is not whole.
func (m *Machine) InDoubt() bool { return m.state == Yielding && m.unloaded && m.doubtful() }

// Lingers reports whether the room is here only to be looked at, because its end was stored before it came back.
func (m *Machine) Lingers() bool { return m.wasOver }

// Epoch returns the epoch at which this node owns the room, or did last; 0 means none.
func (m *Machine) Epoch() record.Epoch { return m.epoch }

// Standby returns the folder of the standby of a room that is owned here; "": it has none.
func (m *Machine) Standby() string { return m.standby }

// Member reports whether a room that is followed here has this node as its standby, as far as the row that was read last says.
func (m *Machine) Member() bool { return m.appointed }

// Owner returns the folder of the owner of a room that is followed here, and the epoch of the row that says so.
func (m *Machine) Owner() (folder string, at record.Epoch) { return m.owner, m.followed }

// Blank reports whether the machine knows no more than a new one: the room is Absent, and all its claims were answered.
func (m *Machine) Blank() bool { return m.state == Absent && m.open == 0 }

// Step handles an event and returns what to do, in order. It needs no clock: waiting is an effect.
func (m *Machine) Step(e Event) []Effect {
	m.effects = nil
	switch e.Kind {
	case Made, Found, Copied, Broken:
		if m.state == Absent {
			m.arrive(e)
		}
	case Ended, Gone, Lost:
		if m.state == Owning || (m.state == Releasing || m.state == Yielding) && !m.unloaded {
			m.inMemory(e)
		}
		if m.main.op == Expel && e.Kind != Ended {
			m.expelAnswered()
		}
	case Offered, Filled, Suspected, Heard, Yielded:
		m.asFollower(e)
	case Recruit, Dismiss, Yield, Declined, Unable:
		m.asOwner(e)
	case Look:
		m.look()
	case Wanted:
		m.wanted()
	case Drain:
		m.drain()
	case Forgot:
		if m.state == Held && m.held.Released {
			m.held = HeldError{}
			m.reset(nil)
		}
	case Answer:
		m.answer(e)
	}
	return m.effects
}

// arrive begins a room's life on this node.
func (m *Machine) arrive(e Event) {
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

// inMemory handles the events of a room in memory.
func (m *Machine) inMemory(e Event) {
	switch e.Kind {
	case Ended:
		m.finished()
	case Gone:
		m.gone()
	case Lost:
		m.lost(e.Why)
	}
}

// lost goes on after the room has left memory because it cannot be saved here. A standby may take it.
func (m *Machine) lost(why string) {
	m.idle()
	if m.conf.op == Change {
		m.open = max(m.open, m.next.to)
	}
	m.drop(&m.conf)
	m.unloaded = true
	if m.standby == "" || m.end.op != 0 || m.endDecided() {
		m.hold(why, false)
		return
	}
	m.cannot = why
	m.pass()
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

// found begins with a room from the journal. Its row says whether this node owns or follows it, or neither.
func (m *Machine) found(log Log) {
	m.origin, m.log, m.state = found, log, Asking
	m.begin(&m.main, ReadRow)
}

// restore runs the log of a room that this node may own, before it asks for the room: a room that this program cannot run
// is not claimed.
func (m *Machine) restore() {
	m.state = Restoring
	switch {
	case m.replayed:
		m.chooseEpoch()
	case m.log.Unborn:
		m.begin(&m.main, Check)
	case m.expelled || m.kept: // Found has not brought the log as it is now
		m.begin(&m.main, Load)
	default:
		m.begin(&m.main, Replay)
	}
}

// copied begins a new room with another room's log.
func (m *Machine) copied(log Log) {
	m.origin, m.log, m.state = copied, log, Asking
	m.begin(&m.main, Check)
}

// wanted adopts a room from the store. Concurrent calls share one adoption.
func (m *Machine) wanted() {
	switch {
	case m.state == Absent, m.state == Held && m.held.Released:
		*m = Machine{
			self: m.self, origin: released, state: Asking, held: m.held, failedAt: m.failedAt, last: m.last, open: m.open, effects: m.effects,
		}
		m.begin(&m.main, Checkpoint)
	case m.state == Owning:
		m.reply(nil)
	case m.state == Held:
		m.reply(&m.held)
	case m.state == Releasing:
		m.reply(ErrLeaving)
	case m.state == Ending: // adopt it when its log is out of the way
		m.pending = true
	case m.state == Yielding:
		m.reply(ErrLeaving)
	case m.state == Learning, m.state == Following:
		m.pending = true
		m.look()
	}
}

// finished stores the room's end.
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

// gone cleans up after a room that has ended and left memory.
func (m *Machine) gone() {
	m.idle()
	m.drop(&m.conf)
	switch {
	case m.memory:
		m.reset(nil)
	case m.endDecided(), m.wasOver:
		m.clear()
	case m.end.op != 0:
		m.state = Ending // endAnswered removes its log
	default:
		m.hold("it has left memory before its end", false)
	}
}

// endDecided reports whether the room's end is stored, or never will be.
func (m *Machine) endDecided() bool { return m.stored || m.refused != "" }

// clear removes a finished room's log, or sets it aside if the store refuses the room's end.
func (m *Machine) clear() {
	m.state = Ending
	if m.refused != "" && !without(KeepRefused) {
		m.begin(&m.main, SetAside)
		return
	}
	m.notify()
	m.begin(&m.main, Remove)
}

// drain releases the room, or notes to do so as soon as this node owns it.
func (m *Machine) drain() {
	switch m.state {
	case Owning:
	case Creating, Asking, Restoring, Yielding, Learning, Following, Seizing:
		m.draining = true
		return
	default:
		return
	}
	switch {
	case m.conf.op != 0:
		m.draining = true // as soon as the change is settled
		return
	case m.standby != "" && m.end.op == 0 && !m.stored && m.refused == "":
		m.draining = true // if the standby does not take it, the store shall have it
		m.yield()
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

// own lets the room run here.
func (m *Machine) own() {
	m.state, m.held = Owning, HeldError{}
	m.passing, m.cannot, m.expelled, m.unloaded, m.replayed, m.kept = 0, "", false, false, false, false
	m.emit(Effect{Do: Start, To: m.epoch, Folder: m.standby})
	if m.inStore && !m.memory && !m.wasOver {
		m.emit(Effect{Do: Replicate})
	}
	m.reply(nil)
	if m.draining {
		m.draining = false
		m.drain()
	}
}

func (m *Machine) reply(err error) { m.emit(Effect{Do: Reply, Err: err}) }

// reset ends the room's life on this node: the machine is Absent again. An err goes to all who want the room.
func (m *Machine) reset(err error) {
	if err != nil {
		m.reply(err)
	}
	for _, t := range [...]*task{&m.main, &m.row, &m.end, &m.conf} {
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

// ours reports whether a row is live in this data folder.
func (m *Machine) ours(row record.Row) bool { return row.State == record.RowLive && m.named(row) }

// member reports whether a row is live and names this node as the owner or the standby.
func (m *Machine) member(row record.Row) bool {
	return m.ours(row) || row.State == record.RowLive && row.Standby == m.self.Folder
}

// named reports whether a row names this data folder as the owner's, under its present or a former id.
func (m *Machine) named(row record.Row) bool { return m.isSelf(row.Folder) }

func (m *Machine) isSelf(folder string) bool {
	return folder == m.self.Folder || slices.Contains(m.self.Former, folder)
}

// mine reports whether this process moved the row and lost the answer. No other process writes this boot.
func (m *Machine) mine(row record.Row) bool {
	return m.wrote(row, m.from)
}

// wrote reports whether this process has moved the row on from where it was.
func (m *Machine) wrote(row record.Row, from Row) bool {
	return row.State == record.RowLive && row.Epoch > from.Epoch && (row.Boot == m.self.Boot || without(OwnBoot))
}

func (m *Machine) emit(e Effect) { m.effects = append(m.effects, e) }

// begin starts an effect in a task. It drops the task's earlier effect, whose answer is ignored.
func (m *Machine) begin(t *task, op Op) {
	m.drop(t)
	t.op = op
	m.try(t)
}

func (m *Machine) idle() { m.drop(&m.main) }

// drop ends a task. The answer to its effect is ignored.
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
	case Learn:
		e.To = m.followed
	case Claim:
		e.From, e.To, e.Folder = m.from, m.wish, m.with
	case Change:
		e.From, e.To, e.Folder = m.at(), m.next.to, m.next.standby
	case Release:
		e.From, e.To = m.at(), m.next.to
	case SetAside:
		e.Why = m.whyAside()
	case Abandon:
		e.Why, e.To = m.dead, m.epoch
	}
	m.emit(e)
}

// at is the row as this owner knows it.
func (m *Machine) at() Row { return Row{State: record.RowLive, Epoch: m.epoch, Folder: m.self.Folder} }

// whyAside says, for people, why a log is set aside.
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

// again tries a task once more after a backoff.
func (m *Machine) again(t *task, b clock.Backoff) {
	t.pausing = true
	m.emit(Effect{Do: Wait, N: m.number(t), Wait: b.Ceiling(t.tries)})
	t.tries++
}

func (m *Machine) wait(d time.Duration) {
	m.drop(&m.main)
	m.main.op = Wait
	m.emit(Effect{Do: Wait, N: m.number(&m.main), Wait: d})
}

func (e Effect) String() string {
	s := opNames[e.Do]
	if e.Folder != "" {
		s += " " + e.Folder
	}
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
