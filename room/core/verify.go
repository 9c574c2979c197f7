package core

import (
	"bytes"
	"fmt"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// StepResult is what stepping an input came to. The log holds it, so a replay proves itself: rules that come to
// something else are not those by which the game was played.
type StepResult uint8

// The results of a step.
const (
	StepUnknown StepResult = iota // entries of the first runtime do not say
	StepAccepted
	StepRefused // the game refused an act; Entry.Refused says why
	StepEnded   // accepted, and it ended the room
	StepFailed  // the game panicked
)

// ViewCheck is the checksum of a class's view, as sent with an input's turn. In a run of ticks After counts from the
// run's first.
type ViewCheck struct {
	_     struct{} `cbor:",toarray"`
	After uint32
	Class ClassID
	Sum   uint32
}

// maxRunChecks bounds the checks, and so the length, of one run of ticks.
const maxRunChecks = 1024

// DivergedError says that a replay came to something else than the log says, so players would not find what was
// acknowledged to them. The log is whole, and the rules that recorded it can go on with it.
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

// stepResult is what the present step has come to.
func (c *Core) stepResult(wasOver bool) StepResult {
	switch {
	case c.panicked != c.panickedBefore:
		return StepFailed
	case !wasOver && c.s.Final != nil:
		return StepEnded
	case c.last.Refused != nil:
		return StepRefused
	}
	return StepAccepted
}

// verifyEntry compares the result of stepping an entry again with the result in the log. An entry without a result
// agrees.
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

// is says what an entry comes to by the present rules.
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

// verifyViews compares the present views with the checksums in the log.
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

// classOf returns a class of players or that of spectators; nil if there is none.
func (c *Core) classOf(id ClassID) *class {
	if id == spectatorClass {
		return c.classes.spectator
	}
	return c.classes.byID[id]
}

// verifySnapshot compares the present state with a snapshot taken at its index. Snapshots without a sum come from
// programs that did not promise equality, and are not compared.
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

// verifyState compares the present state with a decoded one, which it may change. Raw is the encoded form of that one,
// or nil.
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

// equalGames reports whether two snapshots of the game are of one state. Newer code of the same version may write more
// fields than older code, so both are compared as this code reads and writes them. A game that writes one state in
// several ways cannot be compared.
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

// checksAt returns the checks of the tick that comes after ticks behind the run's first, as a single entry has them,
// and the remaining checks.
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
