package roomtest

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// knowledge is all that a room gives to one viewer.
type knowledge struct {
	name  string
	view  string
	legal string   // what Legal names
	heard []string // the messages, in order
}

// differs says where two viewers' knowledge differs, or is empty.
func (l *knowledge) differs(o *knowledge) string {
	if d := diffJSON(l.view, o.view); d != nil {
		return fmt.Sprintf("the view of %s shows it: %v", l.name, d)
	}
	if d := diffJSON(l.legal, o.legal); d != nil {
		return fmt.Sprintf("what Legal names for %s shows it: %v", l.name, d)
	}
	for i := range min(len(l.heard), len(o.heard)) {
		if d := diffJSON(l.heard[i], o.heard[i]); d != nil {
			return fmt.Sprintf("a message to %s tells it: %v", l.name, d)
		}
	}
	if len(l.heard) != len(o.heard) {
		return fmt.Sprintf("%s hears of it: %d messages and %d", l.name, len(l.heard), len(o.heard))
	}
	return ""
}

// learn restores the room of moment m with another game state, has everybody disconnect and come back, and returns
// what each viewer gets. Spectators have the empty id.
func (g *game) learn(m *moment, state any) (map[room.PlayerID]*knowledge, error) {
	raw, err := json.Marshal(state)
	if err != nil {
		return nil, err
	}
	snap, err := core.WithGame(m.snapshot, raw)
	if err != nil {
		return nil, err
	}
	machine, err := g.restore(snap)
	if err != nil {
		return nil, fmt.Errorf("the game cannot be restored: %w", err)
	}
	l := listener{core: machine, all: map[room.PlayerID]*knowledge{}, class: map[room.PlayerID]core.ClassID{}}
	for _, v := range viewers(machine) {
		view, err := lookAs(machine, v)
		if err != nil {
			return nil, err
		}
		legal, err := adviceFor(machine, v)
		if err != nil {
			return nil, err
		}
		l.all[v.Player] = &knowledge{name: nameOf(v), view: view, legal: legal}
	}
	if err := watch(machine); err != nil {
		return nil, err
	}
	return l.all, l.comeAndGo(g.tries + 1)
}

// listener collects what a room sends to each viewer.
type listener struct {
	core  *core.Core
	all   map[room.PlayerID]*knowledge
	class map[room.PlayerID]core.ClassID
}

// comeAndGo attaches everybody, then has each disconnect and come back.
func (l *listener) comeAndGo(attempt uint64) error {
	seats := l.core.Seats()
	attach := func(p room.PlayerID) error {
		return l.step(core.Input{Kind: core.KindAttach, Player: p, Client: client, Attempt: attempt})
	}
	for _, s := range seats {
		if err := attach(s.Player); err != nil {
			return err
		}
	}
	for _, s := range seats {
		if err := l.step(core.Input{Kind: core.KindDetach, Player: s.Player}); err != nil {
			return err
		}
		if err := attach(s.Player); err != nil {
			return err
		}
	}
	return nil
}

func (l *listener) step(in core.Input) error {
	if _, err := l.core.Step(in); err != nil {
		return err
	}
	if p := l.core.Panicked(); p != nil {
		return explained(p)
	}
	for _, o := range l.core.Commit(l.core.Point().Seq) {
		l.hear(o)
	}
	return nil
}

func (l *listener) hear(o core.Output) {
	switch o := o.(type) {
	case core.Welcome:
		l.class[o.To.Player] = o.Class
		l.tell(o.To.Player, o.Frames...)
	case core.ClassChanged:
		l.class[o.To.Player] = o.Class
		l.tell(o.To.Player, o.State)
	case core.Turned:
		for p, class := range l.class {
			if frame, private := o.Private[p]; private {
				l.tell(p, frame)
			} else if class == o.Class {
				l.tell(p, o.Frame)
			}
		}
	case core.Ended:
		for p := range l.class {
			l.tell(p, o.Frame)
		}
	}
}

func (l *listener) tell(p room.PlayerID, frames ...*core.Frame) {
	if l.all[p] == nil {
		l.all[p] = &knowledge{name: watcher(p)}
	}
	for _, f := range frames {
		if f != nil {
			l.all[p].heard = append(l.all[p].heard, string(f.Bytes(wire.JSON)))
		}
	}
}
