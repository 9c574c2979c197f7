package core

import (
	"cmp"
	"errors"
	"fmt"

	"github.com/roomring/roomring/room/record"
)

// VersionError says that this program cannot go on with a room, because it lacks the rules or the runtime that recorded
// it. Nothing is wrong with the room: a program that has them can go on.
type VersionError struct {
	Game       string
	Need, Have int  // versions
	Oldest     int  // of the runtime: the first that this program has; 0: OldestRuntime
	Runtime    bool // of the runtime, not of the game
	Why        string
}

func (e *VersionError) Error() string {
	msg := fmt.Sprintf("the room needs version %d of game %s, this program has version %d", e.Need, e.Game, e.Have)
	if e.Runtime {
		msg = fmt.Sprintf("the room needs version %d of the runtime, this program has versions %d to %d", e.Need, cmp.Or(e.Oldest, OldestRuntime), e.Have)
	}
	if e.Why != "" {
		msg += ": " + e.Why
	}
	return msg
}

// unknownPart says that a log or snapshot has a part that only a newer runtime can have written.
func unknownPart(what string) *VersionError {
	return &VersionError{Need: RuntimeVersion + 1, Have: RuntimeVersion, Runtime: true, Why: what}
}

// upgradable reports whether an upgrade may help: the game has another version, or the runtime is older than any that
// this program has.
func (e *VersionError) upgradable() bool { return !e.Runtime || e.Need < e.Have }

// CheckRuntime returns a *VersionError if only a newer program has the runtime that made the room. If that runtime is
// older than this program's oldest, Restore finds out whether the room was moved on or can be.
func CheckRuntime(h record.Header) error {
	if 0 < h.Runtime && h.Runtime <= RuntimeVersion {
		return nil
	}
	return &VersionError{Game: h.Game, Need: h.Runtime, Have: RuntimeVersion, Runtime: true}
}

// KnowsRuntime reports whether this program can step what a runtime has recorded.
func KnowsRuntime(n int) bool { return OldestRuntime <= n && n <= RuntimeVersion }

// checkRuntime returns a *VersionError if this program cannot step what a runtime has recorded.
func (c *Core) checkRuntime(runtime int) error {
	if c.cfg.OldestRuntime <= runtime && runtime <= RuntimeVersion {
		return nil
	}
	return &VersionError{Game: c.header.Game, Need: runtime, Have: RuntimeVersion, Oldest: c.cfg.OldestRuntime, Runtime: true}
}

// checkRuntimes is CheckRuntime for the header and the snapshots. The log is checked when it is read.
func checkRuntimes(k *record.Kept) error {
	if err := CheckRuntime(k.Header); err != nil {
		return err
	}
	for _, snap := range k.Snapshots {
		if _, err := decodeState(snap.Data, 0); err != nil {
			if wrong, ok := errors.AsType[*VersionError](err); ok {
				return wrong
			}
		}
	}
	return nil
}

// CheckVersion tells whether Restore would find that this program lacks a version, without stepping the log. The error
// is then a *VersionError; otherwise it says what is wrong with the log.
func CheckVersion(cfg Config, kept record.Kept) error {
	if err := checkRuntimes(&kept); err != nil {
		return err
	}
	cfg.Header = kept.Header
	err := newCore(cfg).seekStart(entriesOf(&kept))
	if wrong, ok := errors.AsType[*VersionError](err); ok && wrong.upgradable() {
		_, err = upgrade(cfg, kept, wrong)
	}
	return err
}

// RuntimeVersion changes when this package would replay the same log differently, or writes into logs what an older
// one would not understand. New rooms get it; a room of an older one, down to OldestRuntime, goes on by the older rules. One that
// is older still is moved to the present runtime by an upgrade, from a snapshot at the end of its log.
const (
	RuntimeVersion = 3
	OldestRuntime  = 1
)
