package room

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/roomring/roomring/room/view"
)

// Runtime is what a Turn stands on: the machine that runs the room, which is package core. Games use Turn, whose methods of the same
// names say what these do. A test of rules by themselves may embed a nil Runtime and give the methods that they need.
type Runtime interface {
	Now() time.Duration
	Index() Index
	Rand() *rand.Rand
	Players() []Player
	Online(p PlayerID) bool
	Acted(p PlayerID) bool
	RuntimeVersion() int

	// Decode reads an action.
	Decode(raw json.RawMessage, into any) error
	// Options reads the room's options, and returns their JSON beside what is wrong with them.
	Options(into any) (raw json.RawMessage, err error)

	Send(to PlayerID, name string, data any) // an empty to is everybody
	StartTimer(name string, after time.Duration)
	StopTimer(name string)
	Seats(n int)
	Lock(locked bool)
	Wait()
	Begin()
	Grace(d time.Duration)
	Empty(d time.Duration)
	Finish(r Result, abort bool)
}

// Instance is one game value without its type parameters, as a Runtime drives it.
type Instance interface {
	Spec() *Spec // with every default filled in; nobody changes it
	Differ() *view.Differ
	Act(t *Turn, by Player, action json.RawMessage) error
	View(v Viewer) any
	Legal(v Viewer) (actions []any, advises bool) // what an Advisor says; false if the game is none
	Game() any                                    // the value itself, which may have optional interfaces
}

type typed[A, V any] struct {
	g     Game[A, V]
	rules *Rules
}

func (t typed[A, V]) Spec() *Spec          { return &t.rules.spec }
func (t typed[A, V]) Differ() *view.Differ { return t.rules.differ }

func (t typed[A, V]) Act(turn *Turn, by Player, raw json.RawMessage) error {
	var action A
	if err := turn.on.Decode(raw, &action); err != nil {
		return Refuse("bad_action", err.Error())
	}
	return t.g.Act(turn, by, action)
}

func (t typed[A, V]) View(v Viewer) any { return t.g.View(v) }
func (t typed[A, V]) Game() any         { return t.g }

func (t typed[A, V]) Legal(v Viewer) ([]any, bool) {
	g, ok := any(t.g).(Advisor[A])
	if !ok {
		return nil, false
	}
	actions := g.Legal(v)
	all := make([]any, len(actions))
	for i, a := range actions {
		all[i] = a
	}
	return all, true
}
