package schema

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"

	"github.com/roomring/roomring/room"
)

// Game is what a game's values are as JSON.
type Game struct {
	Name    string
	Version int
	View    Value
	Action  Value
	Options *Value // nil: the game has none, or does not read them by Turn.Options
	Events  []Event
}

// Event is one kind of event.
type Event struct {
	Name string
	Data Value // of the kind Null: there is none
}

// Of reads the types of a game. The error is one line, and names the field whose type cannot be JSON.
func Of(rules *room.Rules) (*Game, error) {
	spec := rules.Spec()
	g := &Game{Name: spec.Name, Version: spec.Version}
	wrong := func(part string, err error) error { return fmt.Errorf("game %s: its %s: %w", spec.Name, part, err) }
	action, view := rules.Types()
	var err error
	if g.View, err = newBuilder(viewed).root(view, false); err != nil {
		return nil, wrong("view", err)
	}
	if g.Action, err = newBuilder(read).root(action, false); err != nil {
		return nil, wrong("action", err)
	}
	if g.Options, err = optionsOf(rules); err != nil {
		return nil, wrong("options", err)
	}
	samples, err := samplesOf(rules)
	if err != nil {
		return nil, wrong("events", err)
	}
	b := newBuilder(written)
	for _, name := range slices.Sorted(maps.Keys(samples)) {
		data := Value{Type: &Type{Kind: Null, Len: -1}}
		if sample := samples[name]; sample != nil {
			if data, err = b.root(reflect.TypeOf(sample), false); err != nil {
				return nil, wrong("event "+name, err)
			}
		}
		g.Events = append(g.Events, Event{name, data})
	}
	return g, nil
}

// samplesOf returns what the game says of its events.
func samplesOf(rules *room.Rules) (samples map[string]any, err error) {
	announcer, ok := rules.Instance().Game().(room.Announcer)
	if !ok {
		return nil, nil
	}
	defer func() {
		if r := recover(); r != nil {
			err = fmt.Errorf("the method Events panics on a new game: %v: it must return the same for every game", r)
		}
	}()
	return announcer.Events(), nil
}

func optionsOf(rules *room.Rules) (*Value, error) {
	p := probeOptions(rules)
	if p.into == nil {
		return nil, nil
	}
	v, err := newBuilder(read).root(p.into, true)
	if err != nil {
		return nil, err
	}
	var defaults map[string]json.RawMessage
	if json.Unmarshal(p.defaults, &defaults) == nil {
		for i := range v.Fields {
			if d := defaults[v.Fields[i].Name]; string(d) != "null" {
				v.Fields[i].Default = d
			}
		}
	}
	return &v, nil
}
