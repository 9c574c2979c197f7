package actor

import (
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Verdict is what this program makes of a room that was kept.
type Verdict uint8

// The verdicts.
const (
	Runs     Verdict = iota // it can go on here
	Lacks                   // this program lacks a version that it needs
	Diverged                // these rules play the log differently than is recorded
	Dead                    // nobody can bring it back
)

// Revival is a room that was kept and has been run again.
type Revival struct {
	Verdict Verdict
	Why     string // empty for Runs
	Over    bool   // it has come to its end

	kept record.Kept
	core *core.Core
}

// CanRun says which version this program lacks for a room, without running it; "": it lacks none.
func (d *Directory) CanRun(kept record.Kept) (lacks string) {
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	if !ok {
		return noGame(kept.Header)
	}
	if wrong, ok := errors.AsType[*core.VersionError](core.CheckVersion(d.coreConfig(kept.Header, rules), kept)); ok {
		return wrong.Error()
	}
	return "" // Revive finds what else is wrong with it
}

// Revive runs a room's log again, under the eyes of the black box. It blocks for as long as that takes.
func (d *Directory) Revive(kept record.Kept) Revival {
	if err := core.CheckRuntime(kept.Header); err != nil {
		return Revival{Verdict: Lacks, Why: err.Error()}
	}
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	if !ok {
		return Revival{Verdict: Lacks, Why: noGame(kept.Header)}
	}
	if why, poisoned := d.o.Black.Poisoned(kept.Header.ID); poisoned {
		if lacks := d.CanRun(kept); lacks != "" { // a program that has the versions judges it
			return Revival{Verdict: Lacks, Why: lacks}
		}
		return Revival{Verdict: Dead, Why: why}
	}
	mark := d.o.Black.BeginReplay(kept.Header.ID)
	defer mark.Release()
	machine, err := core.Restore(d.coreConfig(kept.Header, rules), kept)
	switch {
	case err == nil:
		return Revival{kept: kept, core: machine, Over: machine.Final() != nil}
	case isError[*core.VersionError](err):
		return Revival{Verdict: Lacks, Why: err.Error()}
	case isError[*core.DivergedError](err):
		return Revival{Verdict: Diverged, Why: err.Error()}
	}
	return Revival{Verdict: Dead, Why: err.Error()}
}

// End runs the log of a room that has ended up to its end, under the eyes of the black box, and returns the end. It blocks for as long
// as that takes. A log whose replay has killed processes is not run.
func (d *Directory) End(kept record.Kept) (record.Final, error) {
	id := kept.Header.ID
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	switch {
	case !ok:
		return record.Final{}, errors.New(noGame(kept.Header))
	case d.o.Black.Fatal(id):
		return record.Final{}, errors.New("processes died when its log was run")
	}
	mark := d.o.Black.BeginReplay(id)
	defer mark.Release()
	return core.End(d.coreConfig(kept.Header, rules), kept)
}

// Suspected reports whether a process has died in a room and nothing has cleared it since. Revive such a room alone, so that
// no other room is suspected with it if it kills this process too.
func (d *Directory) Suspected(id room.ID) bool { return d.o.Black.Suspected(id) }

func noGame(h record.Header) string {
	return fmt.Sprintf("it needs game %s version %d, and this program has no such game", h.Game, h.Version)
}

// comeback is how long players of a room that was handed over stay connected without a client.
const comeback = time.Second

// Resume runs a revived room on under a new epoch. Its clients are detached: they are gone with the process that had them. Handed: that
// process has handed the room over, so they come at once. Only who has not come within a second is detached, so that the game notices
// nothing.
func (d *Directory) Resume(v Revival, e record.Epoch, handed bool) {
	r := d.newRoom(v.core)
	r.time.offset = v.kept.Time - d.o.Clock.Now()
	r.seats.setTime(r.time.shared())
	r.tellAgain(v.kept)
	for _, k := range v.core.Reservations() {
		r.seats.reserve(k.Player, netip.Addr{}, d.o.Clock.Now(), k.Until-v.kept.Time)
	}
	r.apply(core.Input{Kind: core.KindEpoch, Epoch: e, At: v.kept.Time})
	r.life.floor = r.core.Point().Seq
	if in, ok := v.core.Pending(); ok {
		r.apply(in)
	}
	awaits := false
	for _, s := range v.core.Seats() {
		switch {
		case s.Online && handed:
			awaits = true
		case s.Online:
			r.apply(core.Input{Kind: core.KindDetach, Player: s.Player, At: v.kept.Time})
		}
	}
	d.start(r)
	if awaits {
		d.o.Clock.AfterFunc(comeback, func() { r.mail.command(function((*liveRoom).detachAbsent)) })
	}
	if agreed, ok := v.core.RematchPending(); ok {
		d.rematch(r, agreed)
	}
}

// detachAbsent detaches the players who are connected as far as the game knows, and have no client here.
func (r *liveRoom) detachAbsent() {
	for _, s := range r.core.Seats() {
		if s.Online && len(r.sessions.players[s.Player]) == 0 {
			r.step(core.Input{Kind: core.KindDetach, Player: s.Player})
		}
	}
}

// NewID draws an id, and a code for a private room, for a log that goes on as a new room.
func (d *Directory) NewID(h record.Header) record.Header {
	h.ID = d.o.NewID(h.Game)
	if h.Private {
		h.Code = string(randomID()[:codeLength])
	}
	return h
}

// GoesOn runs a room's log again and refuses it unless the room comes back alive. It blocks for as long as that takes.
func (d *Directory) GoesOn(kept record.Kept) error {
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	if !ok {
		return room.Refuse("no_game", noGame(kept.Header))
	}
	mark := d.o.Black.BeginRerun(kept.Header.ID, kept.Header.Game)
	defer mark.Release()
	machine, err := core.Restore(d.coreConfig(kept.Header, rules), kept)
	switch {
	case err != nil:
		return room.Refuse("broken", "it still cannot be brought back: "+err.Error())
	case machine.Panicked() != nil:
		return room.Refuse("panics", fmt.Sprintf("its game still panics, in %s at input %d: roomring admin replay shows it", machine.Panicked().Call, machine.Point().Seq))
	case machine.Final() != nil:
		return room.Refuse("over", fmt.Sprintf("it comes to its end at input %d: %s", machine.Final().Point.Seq, machine.Final().End))
	}
	return nil
}
