package core

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// StepResult is what stepping an input came to. It stands in the log, so that a replay proves itself: rules that come to
// something else are not the rules that were played by.
type StepResult uint8

// The results of a step.
const (
	StepUnknown StepResult = iota // of entries of the first runtime, which say nothing
	StepAccepted
	StepRefused // an act that the game did not take; Entry.Refused says why
	StepEnded   // taken, and it was the end of the room
	StepFailed  // the game panicked
)

// ViewCheck is the checksum of a class's view that went out with an input's turn. In a run of ticks After counts from
// the run's first.
type ViewCheck struct {
	_     struct{} `cbor:",toarray"`
	After uint32
	Class ClassID
	Sum   uint32
}

// maxRunChecks bounds the checks, and so the length, of one run of ticks.
const maxRunChecks = 1024

// DivergedError says that a replay came to something else than the log says: what was acknowledged to players would not
// be what they find. The log is whole, and the rules that recorded it can go on with it.
type DivergedError struct {
	Game    string
	Index   room.Index
	Kind    Kind
	Was, Is string // when it was played, and by the rules of this program; both without hidden facts
}

func (e *DivergedError) Error() string {
	return fmt.Sprintf("game %s, %s: input %d %s and these rules %s: raise Spec.Version and write Upgrade",
		e.Game, e.Kind.Name(), e.Index, e.Was, e.Is)
}

func (c *Core) diverged(e *Entry, was, is string) error {
	return &DivergedError{c.header.Game, e.Index, e.Kind, was, is}
}

// note writes into the newest entry what stepping it came to.
func (c *Core) note(wasOver bool) {
	e := &c.last
	switch {
	case c.panicked != c.panickedBefore:
		e.Result = StepFailed
	case !wasOver && c.s.Final != nil:
		e.Result = StepEnded
	case e.Refused != nil:
		e.Result = StepRefused
	default:
		e.Result = StepAccepted
	}
}

// agree compares what stepping an entry anew has come to with what it says itself. Entries that say nothing agree.
func (c *Core) verifyEntry(e *Entry, ready Ready, err error) error {
	was := e.was()
	switch now := ready.Entry; {
	case err != nil:
		return c.diverged(e, was, "cannot play it ("+err.Error()+")")
	case now == nil && ready.Refused != nil:
		return c.diverged(e, was, "refuse it ("+asRefusal(ready.Refused).Code+")")
	case now == nil:
		return c.diverged(e, was, "find nothing to do in it")
	case e.Result == StepUnknown:
		return nil
	case now.Result != e.Result || now.Refused != nil && now.Refused.Code != codeOf(e.Refused):
		return c.diverged(e, was, now.is())
	}
	return c.verifyViews(e)
}

func codeOf(r *room.Refusal) string {
	if r == nil {
		return ""
	}
	return r.Code
}

// was says in words what an entry came to when it was played.
func (e *Entry) was() string {
	switch e.Result {
	case StepAccepted:
		return "was accepted when it was played"
	case StepRefused:
		return "was refused when it was played (" + codeOf(e.Refused) + ")"
	case StepEnded:
		return "ended the game when it was played"
	case StepFailed:
		return "made the game fail when it was played"
	}
	return "was played"
}

// is says the same of the present rules.
func (e *Entry) is() string {
	switch e.Result {
	case StepRefused:
		return "refuse it (" + codeOf(e.Refused) + ")"
	case StepEnded:
		return "end the game with it"
	case StepFailed:
		return "fail in it"
	}
	return "accept it and go on"
}

// agreeOnViews compares the views that the log has checksums of.
func (c *Core) verifyViews(e *Entry) error {
	if c.panicked != nil {
		return nil
	}
	for _, check := range e.Checks {
		if cl := c.classOf(check.Class); cl == nil || cl.shadow.Checksum() != check.Sum {
			return c.diverged(e, "showed one thing when it was played", "show another after it")
		}
	}
	return nil
}

// classOf is a class of players, or that of spectators; nil: there is none.
func (c *Core) classOf(id ClassID) *class {
	if id == spectatorClass {
		return c.classes.spectator
	}
	return c.classes.byID[id]
}

// agreeOnState compares the present state with a snapshot that was taken at its index. One without a sum is of a program
// that did not promise that they are the same.
func (c *Core) verifySnapshot(snap record.Snapshot, last *Entry) error {
	theirs, err := decodeState(snap.Data, len(c.s.Seats))
	if err != nil || len(theirs.Sum) == 0 {
		return nil // what is wrong with it comes out when it is needed
	}
	if !c.clean() {
		return c.divergedState(last)
	}
	return c.verifyState(theirs, snap.Data, last)
}

func (c *Core) divergedState(last *Entry) error {
	return c.diverged(last, "left one state when it was played", "leave another")
}

// sameState compares the present state with one that was decoded, which it may change. Raw is that one's bytes, if there are any.
func (c *Core) verifyState(theirs state, raw []byte, last *Entry) error {
	ours, err := c.encodeState()
	if err != nil || bytes.Equal(ours, raw) {
		return err
	}
	mine, err := decodeState(ours, 0)
	if err != nil {
		return err
	}
	if c.equalGames(mine.Game, theirs.Game) {
		mine.Game, mine.Sum, theirs.Game, theirs.Sum = nil, nil, nil, nil
		mine.capActs()
		theirs.capActs()
		if bytes.Equal(must(encMode.Marshal(mine)), must(encMode.Marshal(theirs))) {
			return nil
		}
	}
	return c.divergedState(last)
}

// sameGame reports whether two snapshots of the game are of one state. Newer code of the same version may write more
// fields than older: they are compared as it reads and writes them. A game that writes one state in several ways cannot
// be compared.
func (c *Core) equalGames(ours, theirs []byte) bool {
	if bytes.Equal(ours, theirs) {
		return true
	}
	if again, err := snapshotGame(c.inst); err != nil || !bytes.Equal(again, ours) {
		return true
	}
	g := c.rules.Instance()
	if restoreGame(g, theirs) != nil {
		return false
	}
	again, err := snapshotGame(g)
	return err == nil && bytes.Equal(again, ours)
}

// checksAt are those of the tick that is after ticks behind the run's first, as a single entry has them, and the rest.
func checksAt(checks []ViewCheck, after uint32) (here, rest []ViewCheck) {
	n := 0
	for n < len(checks) && checks[n].After == after {
		n++
	}
	here, rest = checks[:n:n], checks[n:]
	if after > 0 && n > 0 {
		here = slices.Clone(here)
		for i := range here {
			here[i].After = 0
		}
	}
	return here, rest
}
