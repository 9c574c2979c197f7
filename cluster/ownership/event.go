package ownership

import (
	"fmt"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Kind says what has happened.
type Kind uint8

// The kinds of events. All but Answer come from outside and may come in every state.
const (
	Made      Kind = iota + 1 // the room is made here; Event.Memory
	Found                     // the journal has it at a start; Event.Log
	Copied                    // a log that was set aside is to go on here under this new id; Event.Log
	Broken                    // the journal has it and cannot read it; Event.Why
	Wanted                    // somebody wants it served here: it is released, or may be
	Ended                     // its end is committed
	Gone                      // it has ended and left memory
	Lost                      // it has left memory because it can never be saved as it is; Event.Why
	Drain                     // the node releases its rooms
	Forgot                    // the store no longer has this released room
	Offered                   // an owner elsewhere wants to feed this node; Event.Folder and Event.Epoch are the owner's
	Filled                    // the copy is whole now
	Suspected                 // the owner of a followed room seems to be dead
	Heard                     // it is not dead after all
	Yielded                   // the owner wants this node to take the room; Event.Folder and Event.Epoch are the owner's
	Look                      // the room's row may have changed
	Recruit                   // the follower Event.Folder may become the standby
	Dismiss                   // the standby is silent, or leaves
	Yield                     // the standby Event.Folder is to take the room
	Declined                  // the standby does not take it
	Unable                    // this node can save nothing; Event.Why
	Answer                    // an effect is done or has failed; Event.N names it
)

var kindNames = [...]string{
	Made: "made", Found: "found", Copied: "copied", Broken: "broken", Wanted: "wanted", Ended: "ended", Gone: "gone", Lost: "lost",
	Drain: "drain", Forgot: "forgot", Offered: "offered", Filled: "filled", Suspected: "suspected", Heard: "heard", Yielded: "yielded",
	Look: "look", Recruit: "recruit", Dismiss: "dismiss", Yield: "yield", Declined: "declined", Unable: "unable", Answer: "answer",
}

func (k Kind) String() string { return kindNames[k] }

// Event is the input of a machine. Fields that a Kind or an answer does not name are ignored.
type Event struct {
	Kind   Kind
	Memory bool // Made: it has neither log nor row
	Log    Log  // Found, ReadRow, Checkpoint, Load: what is kept; Yielded, Declined: what the other member keeps
	Why    string
	Folder string       // Offered, Yielded, Recruit, Yield
	Epoch  record.Epoch // Offered, Yielded

	// For Answer.
	N       uint64      // of the Effect
	Err     error       // it failed, and no other field counts; record.ErrPermanent: it always will
	Outcome Outcome     // of the store's writes
	Row     record.Row  // the room's row after ReadRow, Claim, CreateRow and Checkpoint; the zero Row: there is none
	Verdict Verdict     // Check, Replay
	Stopped StoppedRoom // Stop
}

// Log is what a machine needs to know of a room's log.
type Log struct {
	Epoch  record.Epoch // the newest in it, or the newest that was promised to its owner
	Last   room.Index   // its end
	Cut    string       // why its tail is missing; "": it is not
	Doubt  record.Doubt // whether the copy is whole
	Unborn bool         // it is empty: nobody was told of the room
	Copied bool         // the room's durability is standby, so another node may have all of it too
}

// next returns the epoch to ask for after another. A log that lost its tail may have lost messages that clients have seen.
// Then the epoch is far later, so that the lost messages are never mistaken for new ones.
func (l Log) next(after record.Epoch) record.Epoch {
	if l.Cut != "" || l.Doubt != record.Whole {
		return max(l.Epoch, after) + 1<<32
	}
	return max(l.Epoch, after) + 1
}

// beats reports whether a copy that may have lost its end holds more than another one that is not whole. A known gap is
// worse than a possible loss.
func (l Log) beats(other Log) bool {
	if l.Doubt != other.Doubt {
		return l.Doubt == record.Unsure
	}
	return l.Epoch > other.Epoch || l.Epoch == other.Epoch && l.Last > other.Last
}

// Outcome is the result of a write that the store has answered.
type Outcome uint8

// The outcomes.
const (
	Won     Outcome = iota // it is done, by this write or an earlier try of it
	Moved                  // the row is not what the write expects; Event.Row
	NoRow                  // there is no row
	Refused                // the store will never accept the write; Event.Why
)

var outcomeNames = [...]string{Won: "won", Moved: "moved", NoRow: "no row", Refused: "refused"}

func (o Outcome) String() string { return outcomeNames[o] }

// Verdict says whether a room can go on from its log.
type Verdict uint8

// The verdicts.
const (
	Runs     Verdict = iota // it can go on here
	RunsOver                // it runs, and the room has ended
	Lacks                   // this program lacks a version that it needs; Event.Why
	Diverged                // this program's rules do not reproduce the log; Event.Why
	Dead                    // no program can bring it back; Event.Why
)

var verdictNames = [...]string{Runs: "runs", RunsOver: "runs over", Lacks: "lacks", Diverged: "diverged", Dead: "dead"}

func (v Verdict) String() string { return verdictNames[v] }

// StoppedRoom describes a room that has stopped with all its output committed.
type StoppedRoom struct {
	Time time.Duration // room time
	Last room.Index    // the last committed entry
	Over bool          // it has ended
}

// Op is what an Effect does.
type Op uint8

// The effects, by port. Each is answered once by an Event, except where "no answer" is noted.
const (
	// The journal.
	Create   Op = iota + 1 // keep a new room's header, at Effect.To
	Learn                  // keep an empty copy, not whole, of the room that Offered tells of, which has promised to follow Effect.To
	Import                 // keep what Checkpoint has brought
	Note                   // keep the epoch Effect.To
	Load                   // read the room's log: Log
	Remove                 // remove the room's log
	SetAside               // keep the room's log for people, and never load it again; Effect.Why

	// The store.
	CreateRow  // create a row that is live at Effect.To, by this boot: Outcome, Row
	ReadRow    // read the row, and then what is kept here: Outcome, Row, Log
	Claim      // move the row from Effect.From to live at Effect.To, by this boot, with the standby Effect.Folder: Outcome, Row
	Change     // the same, for a room that is owned here
	Checkpoint // read the row of a released room and then its checkpoint: Row, Log; Outcome NoRow
	Release    // move the row from Effect.From to released at Effect.To, with what Load has read: Outcome, Row
	Store      // store the room's end as the owner at Effect.To, with retries until the store has answered: Outcome; Moved: the row is another's

	// The rooms.
	Check   // check whether this program has the versions that the log needs: Verdict
	Replay  // run the log: Verdict
	Start   // let the room go on at epoch Effect.To with the standby Effect.Folder; no answer
	Enter   // a room that runs enters epoch Effect.To with the standby Effect.Folder; no answer
	Stop    // stop the room, commit all its output, and drop it from memory: Stopped
	Expel   // drop the room from memory, and with it what is not committed
	Settled // tell the room that its end is stored, or never will be; no answer
	Abandon // make the end of a room that cannot be brought back, because of Effect.Why, and store it: as Store

	// Links.
	Tell      // tell the node that the ring names that the room is released; no answer
	Replicate // the room has a row: it may be copied to other nodes; no answer
	Join      // commit nothing more that the follower Effect.Folder does not have; no answer
	Notify    // tell the followers to look at the row; no answer
	Retire    // let the followers go, because the end is stored; no answer
	Pass      // tell the standby Effect.Folder that it may take the room, which is at epoch Effect.To; no answer
	Follow    // take what the owner Effect.Folder sends, at Effect.To and later; no answer
	Decline   // tell the owner that this node does not take what it was offered, or the room; no answer

	// The clock.
	Wait   // wait for Effect.Wait, or somewhat less
	Cancel // cancel the Wait of the same N, which then needs no answer; no answer

	// The callers.
	Reply // answer all who want the room; Effect.Err nil: it is here; no answer
	Fail  // stop the node because of Effect.Err; no answer
)

var opNames = [...]string{
	Create: "create", Learn: "learn", Import: "import", Note: "note", Load: "load", Remove: "remove", SetAside: "set aside",
	CreateRow: "create row", ReadRow: "read row", Claim: "claim", Change: "change", Checkpoint: "checkpoint", Release: "release", Store: "store",
	Check: "check", Replay: "replay", Start: "start", Enter: "enter", Stop: "stop", Expel: "expel", Settled: "settled", Abandon: "abandon",
	Tell: "tell", Replicate: "replicate", Join: "join", Notify: "notify", Retire: "retire", Pass: "pass", Follow: "follow",
	Decline: "decline", Wait: "wait", Cancel: "cancel", Reply: "reply", Fail: "fail",
}

func (o Op) String() string { return opNames[o] }

// Effect is something that a machine wants done.
type Effect struct {
	Do   Op
	N    uint64 // to be repeated in the answer
	From Row
	To   record.Epoch

	Folder string // of a member
	Log    Log    // Pass, Decline: this node's, to be compared where neither copy is whole
	Why    string
	Wait   time.Duration
	Err    error
}

// Row is what a write expects of a room's row. It changes no other row.
type Row struct {
	State  record.RowState
	Epoch  record.Epoch
	Folder string // compared only if State is live
}

// String describes an event for people. It leaves out which effect an answer belongs to.
func (e Event) String() string {
	if e.Kind != Answer {
		text := fmt.Sprintf("%s%s %s", e.Kind, e.Log, e.Why)
		if e.Folder != "" {
			text += e.Folder
		}
		if e.Epoch != 0 {
			text += fmt.Sprintf(" at %d", e.Epoch)
		}
		return strings.TrimRight(text, " ")
	}
	switch {
	case e.Err != nil:
		return "failed: " + e.Err.Error()
	case e.Outcome == Moved:
		return "moved: " + describe(e.Row)
	case e.Outcome != Won:
		return strings.TrimRight(e.Outcome.String()+" "+e.Why, " ")
	case e.Verdict != Runs:
		return strings.TrimRight(e.Verdict.String()+" "+e.Why, " ")
	case e.Row != record.Row{}:
		return describe(e.Row) + e.Log.String()
	case e.Log != Log{}:
		return "done" + e.Log.String()
	case e.Stopped != StoppedRoom{}:
		return fmt.Sprintf("done at index %d", e.Stopped.Last)
	}
	return "done"
}

// describe describes a row for people.
func describe(r record.Row) string {
	text := fmt.Sprintf("the row is %s at %d, %s", r.State, r.Epoch, r.Boot)
	if r.Folder != "" {
		text += ", " + r.Folder
	}
	if r.Standby != "" {
		text += " and " + r.Standby
	}
	return text
}

func (l Log) String() string {
	switch {
	case l == Log{}:
		return ""
	case l.Unborn && l.Doubt == record.Whole:
		return fmt.Sprintf(" (epoch %d, unborn)", l.Epoch)
	case l.Cut != "":
		return fmt.Sprintf(" (epoch %d, index %d, cut)", l.Epoch, l.Last)
	case l.Doubt != record.Whole:
		return fmt.Sprintf(" (epoch %d, index %d, %s)", l.Epoch, l.Last, l.Doubt)
	}
	return fmt.Sprintf(" (epoch %d, index %d)", l.Epoch, l.Last)
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
