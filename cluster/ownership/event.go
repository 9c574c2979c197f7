package ownership

import (
	"fmt"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Kind says what an Event tells.
type Kind uint8

// The kinds of events. All but Answer come from outside and are heard in every state.
const (
	Made   Kind = iota + 1 // somebody makes the room here; Event.Memory
	Found                  // the journal has it at a start; Event.Log
	Copied                 // a log that was set aside is to go on here under this new id; Event.Log
	Broken                 // the journal has it and cannot read it; Event.Why
	Wanted                 // somebody wants it served here: it is released, or may be
	Ended                  // its end is committed
	Gone                   // it has left memory: its last look is over
	Lost                   // it has left memory: it can never be saved as it is; Event.Why
	Drain                  // the node gives its rooms away
	Forgot                 // the store has no such released room any more
	Answer                 // an effect has come to its end; Event.N names it
)

var kindNames = [...]string{
	Made: "made", Found: "found", Copied: "copied", Broken: "broken", Wanted: "wanted", Ended: "ended", Gone: "gone", Lost: "lost",
	Drain: "drain", Forgot: "forgot", Answer: "answer",
}

func (k Kind) String() string { return kindNames[k] }

// Event is something that a machine hears. Fields that a Kind or an answer does not name are ignored.
type Event struct {
	Kind   Kind
	Memory bool // Made: it has neither log nor row
	Log    Log  // Found, Checkpoint, Load: what is kept
	Why    string

	// Of an Answer.
	N       uint64      // of the Effect
	Err     error       // it failed, and says nothing else; room.ErrPermanent: it always will
	Outcome Outcome     // of the store's writes
	Row     record.Row  // as it stands after Claim and CreateRow; the zero Row: there is none
	Verdict Verdict     // Check, Replay
	Stopped StoppedRoom // Stop
}

// Log is what a machine must know of a room's log.
type Log struct {
	Epoch  record.Epoch // the newest that it knows
	Last   room.Index   // its end
	Cut    string       // why its tail is missing; "": it is whole
	Unborn bool         // nothing is in it: nobody was told of the room
}

// Next is the epoch to wish for. A log whose tail was lost may have lost what clients have seen: a far later epoch
// sees to it that nothing of that is ever taken for what comes now.
func (l Log) Next() record.Epoch {
	if l.Cut != "" {
		return l.Epoch + 1<<32
	}
	return l.Epoch + 1
}

// Outcome is what became of a write that the store has answered.
type Outcome uint8

// The outcomes.
const (
	Won     Outcome = iota // it is done, by this write or an earlier try of it
	Moved                  // the row is not as the write says; Event.Row
	NoRow                  // there is none
	Refused                // the store never takes it; Event.Why
)

var outcomeNames = [...]string{Won: "won", Moved: "moved", NoRow: "no row", Refused: "refused"}

func (o Outcome) String() string { return outcomeNames[o] }

// Verdict is what a program makes of a room's log.
type Verdict uint8

// The verdicts.
const (
	Runs     Verdict = iota // it can go on here
	RunsOver                // it runs, and has come to its end
	Lacks                   // this program lacks a version that it needs; Event.Why
	Diverged                // these rules come to something else than is recorded; Event.Why
	Dead                    // it cannot be brought back by anybody; Event.Why
)

var verdictNames = [...]string{Runs: "runs", RunsOver: "runs over", Lacks: "lacks", Diverged: "diverged", Dead: "dead"}

func (v Verdict) String() string { return verdictNames[v] }

// StoppedRoom is what a room leaves behind when it has stopped and all it has said is safe.
type StoppedRoom struct {
	Time time.Duration // its time
	Last room.Index    // committed
	Over bool          // it has come to its end
}

// Op is what an Effect does.
type Op uint8

// The effects, by port. Each is answered once by an Event, unless it says otherwise.
const (
	// The journal.
	Create   Op = iota + 1 // keep a new room's header, at Effect.To
	Import                 // keep what Checkpoint has brought
	Note                   // keep the epoch To
	Load                   // read what it keeps: Log
	Remove                 // forget the room
	SetAside               // keep it for people, and never load it again; Why

	// The store.
	CreateRow  // live at To, by this boot: Outcome, Row
	Claim      // from From to live at To, by this boot: Outcome, Row
	Checkpoint // read what a released row holds: Log; Outcome NoRow
	Release    // from From to released, with what Load has brought: Outcome, Row
	Store      // the room's end: Outcome; tried again until the store has answered

	// The rooms.
	Check   // whether this program has the versions for what Checkpoint has brought: Verdict
	Replay  // run the log: Verdict
	Start   // let the room go on at epoch To; no answer
	Stop    // have it stop, commit all it has said, and leave memory: Stopped
	Settled // tell the room that its end is stored; no answer
	Abandon // make the end of a room that cannot be brought back, why, and Store it: as Store

	// Links.
	Tell // tell the node that the ring names of a released room; no answer

	// The clock.
	Wait   // for Effect.Wait, or somewhat less
	Cancel // the Wait of the same N, which needs no answer any more; no answer

	// Those who wait.
	Reply // answer all who want the room; Err nil: it is here; no answer
	Fail  // the node must stop, Err; no answer
)

var opNames = [...]string{
	Create: "create", Import: "import", Note: "note", Load: "load", Remove: "remove", SetAside: "set aside",
	CreateRow: "create row", Claim: "claim", Checkpoint: "checkpoint", Release: "release", Store: "store",
	Check: "check", Replay: "replay", Start: "start", Stop: "stop", Settled: "settled", Abandon: "abandon",
	Tell: "tell", Wait: "wait", Cancel: "cancel", Reply: "reply", Fail: "fail",
}

func (o Op) String() string { return opNames[o] }

// Effect is something to do for a machine.
type Effect struct {
	Do   Op
	N    uint64 // to be repeated in the answer
	From Row
	To   record.Epoch
	Why  string
	Wait time.Duration
	Err  error
}

// Row is what a room's row must be for a write to move it.
type Row struct {
	State  record.RowState
	Epoch  record.Epoch
	Folder string // compared only if State is live
}

// String words an event for people, but for which effect it answers.
func (e Event) String() string {
	if e.Kind != Answer {
		return strings.TrimRight(fmt.Sprintf("%s%s %s", e.Kind, e.Log, e.Why), " ")
	}
	switch {
	case e.Err != nil:
		return "failed: " + e.Err.Error()
	case e.Outcome == Moved:
		return fmt.Sprintf("moved: the row is %s at %d, %s, %s", e.Row.State, e.Row.Epoch, e.Row.Boot, e.Row.Folder)
	case e.Outcome != Won:
		return strings.TrimRight(e.Outcome.String()+" "+e.Why, " ")
	case e.Verdict != Runs:
		return strings.TrimRight(e.Verdict.String()+" "+e.Why, " ")
	case e.Log != Log{}:
		return "done" + e.Log.String()
	case e.Stopped != StoppedRoom{}:
		return fmt.Sprintf("done at index %d", e.Stopped.Last)
	}
	return "done"
}

func (l Log) String() string {
	switch {
	case l == Log{}:
		return ""
	case l.Unborn:
		return fmt.Sprintf(" (epoch %d, unborn)", l.Epoch)
	case l.Cut != "":
		return fmt.Sprintf(" (epoch %d, index %d, cut)", l.Epoch, l.Last)
	}
	return fmt.Sprintf(" (epoch %d, index %d)", l.Epoch, l.Last)
}
