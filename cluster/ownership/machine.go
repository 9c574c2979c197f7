package ownership

import (
	"errors"
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

// Is reports whether a folder is this node's, under its present or a former id.
func (s *Self) Is(folder string) bool { return folder == s.Folder || slices.Contains(s.Former, folder) }

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
	unablePasses   = 5                      // how often that is before a node whose journal failed tries to go on by itself
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

// Machine is one room's life on one node. The zero Machine of a room is Absent; New makes it.
type Machine struct {
	self *Self

	state    State
	origin   origin
	memory   bool
	draining bool // give it away whenever it is owned

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

	wasOver   bool   // its row was over before it came back here
	finishing bool   // its end is to be stored when the change of members under way is settled
	stored    bool   // its end is stored
	refused   string // why its end never will be stored

	followed  record.Epoch // the epoch of the row by which it follows
	owner     string       // the folder of the owner that it follows
	appointed bool         // the row that was read last names this node as the standby
	first     record.Epoch // of the row that a copy that may have forgotten its promises has read first
	doubted   record.Epoch // the promise that a released row was read again for
	kept      bool         // it has been a copy of another node's room in this life
	expelled  bool         // it has been dropped from memory because its row has moved, or nothing can be saved
	passing   int          // how many times the standby was told to take the room
	taker     record.Epoch // at which it has, as it says
	cannot    string       // why this node cannot serve it: its standby should
	unable    bool         // that may pass, because only its journal fails
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

// Heir returns the folder of the standby that is to take a room that is being yielded; "": there is none any more.
func (m *Machine) Heir() string {
	if m.unloaded {
		return m.with
	}
	return m.standby
}

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
