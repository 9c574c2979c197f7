package room

import (
	"encoding/json"
	"math/rand/v2"
	"time"

	"github.com/roomring/roomring/room/view"
)

// Runtime is what a Turn calls: the machine that runs the room, in package core. Games use Turn; its methods of the
// same names document these. A test of rules by themselves may embed a nil Runtime and implement the methods it needs.
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
	// Options reads the room's options into a struct. It returns their JSON too, and the error says what is wrong with them.
	Options(into any) (raw json.RawMessage, err error)

	Send(to PlayerID, name string, data any) // an empty to means everybody
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

// Instance is one game value without its type parameters. Package core drives games through it.
type Instance interface {
	Spec() *Spec // with every default filled in; not to be changed
	Differ() *view.Differ
	Act(t *Turn, by Player, action json.RawMessage) error
	View(v Viewer) any
	Legal(v Viewer) (actions []any, advises bool) // what an Advisor returns; false if the game is no Advisor
	Game() any                                    // the value itself, which may implement the optional interfaces
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
