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
	Made   Kind = iota + 1 // the room is made here; Event.Memory
	Found                  // the journal has it at a start; Event.Log
	Copied                 // a log that was set aside is to go on here under this new id; Event.Log
	Broken                 // the journal has it and cannot read it; Event.Why
	Wanted                 // somebody wants it served here: it is released, or may be
	Ended                  // its end is committed
	Gone                   // it has ended and left memory
	Lost                   // it has left memory because it can never be saved as it is; Event.Why
	Drain                  // the node releases its rooms
	Forgot                 // the store no longer has this released room
	Answer                 // an effect is done or has failed; Event.N names it
)

var kindNames = [...]string{
	Made: "made", Found: "found", Copied: "copied", Broken: "broken", Wanted: "wanted", Ended: "ended", Gone: "gone", Lost: "lost",
	Drain: "drain", Forgot: "forgot", Answer: "answer",
}

func (k Kind) String() string { return kindNames[k] }

// Event is the input of a machine. Fields that a Kind or an answer does not name are ignored.
type Event struct {
	Kind   Kind
	Memory bool // Made: it has neither log nor row
	Log    Log  // Found, Checkpoint, Load: what is kept
	Why    string

	// For Answer.
	N       uint64      // of the Effect
	Err     error       // it failed, and no other field counts; record.ErrPermanent: it always will
	Outcome Outcome     // of the store's writes
	Row     record.Row  // the room's row after Claim and CreateRow; the zero Row: there is none
	Verdict Verdict     // Check, Replay
	Stopped StoppedRoom // Stop
}

// Log is what a machine needs to know of a room's log.
type Log struct {
	Epoch  record.Epoch // the newest in it
	Last   room.Index   // its end
	Cut    string       // why its tail is missing; "": it is whole
	Unborn bool         // it is empty: nobody was told of the room
}

// Next returns the epoch to ask for. A log that lost its tail may have lost messages that clients have seen. Then the
// epoch is far later, so that the lost messages are never mistaken for new ones.
func (l Log) Next() record.Epoch {
	if l.Cut != "" {
		return l.Epoch + 1<<32
	}
	return l.Epoch + 1
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
	Import                 // keep what Checkpoint has brought
	Note                   // keep the epoch Effect.To
	Load                   // read the room's log: Log
	Remove                 // remove the room's log
	SetAside               // keep the room's log for people, and never load it again; Effect.Why

	// The store.
	CreateRow  // create a row that is live at Effect.To, by this boot: Outcome, Row
	Claim      // move the row from Effect.From to live at Effect.To, by this boot: Outcome, Row
	Checkpoint // read the checkpoint of a released row: Log; Outcome NoRow
	Release    // move the row from Effect.From to released, with what Load has read: Outcome, Row
	Store      // store the room's end, with retries until the store has answered: Outcome

	// The rooms.
	Check   // check whether this program has the versions that the log needs: Verdict
	Replay  // run the log: Verdict
	Start   // let the room go on at epoch Effect.To; no answer
	Stop    // stop the room, commit all its output, and drop it from memory: Stopped
	Settled // tell the room that its end is stored, or never will be; no answer
	Abandon // make the end of a room that cannot be brought back, because of Effect.Why, and store it: as Store

	// Links.
	Tell // tell the node that the ring names that the room is released; no answer

	// The clock.
	Wait   // wait for Effect.Wait, or somewhat less
	Cancel // cancel the Wait of the same N, which then needs no answer; no answer

	// The callers.
	Reply // answer all who want the room; Effect.Err nil: it is here; no answer
	Fail  // stop the node because of Effect.Err; no answer
)

var opNames = [...]string{
	Create: "create", Import: "import", Note: "note", Load: "load", Remove: "remove", SetAside: "set aside",
	CreateRow: "create row", Claim: "claim", Checkpoint: "checkpoint", Release: "release", Store: "store",
	Check: "check", Replay: "replay", Start: "start", Stop: "stop", Settled: "settled", Abandon: "abandon",
	Tell: "tell", Wait: "wait", Cancel: "cancel", Reply: "reply", Fail: "fail",
}

func (o Op) String() string { return opNames[o] }

// Effect is something that a machine wants done.
type Effect struct {
	Do   Op
	N    uint64 // to be repeated in the answer
	From Row
	To   record.Epoch
	Why  string
	Wait time.Duration
	Err  error
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
