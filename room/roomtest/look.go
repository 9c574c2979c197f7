package roomtest

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// watch lets a spectator in. The room makes the spectator's view at once, so watch first proves that it can be sent.
func watch(machine *core.Core) error {
	if _, err := lookAs(machine, room.Spectator); err != nil {
		return err
	}
	return guard("View for a spectator", func() error {
		machine.Watch(1, nil)
		return nil
	})
}

// lookTwice proves that View and Legal give the same when they are called again, that calling them does not
// change the game, and that viewers who are said to see the same do.
func lookTwice(machine *core.Core, m *moment) error {
	state := m.state
	for _, s := range m.views {
		again, err := lookAs(machine, s.viewer)
		if err != nil {
			return err
		}
		after, err := stateOf(machine)
		if err != nil {
			return err
		}
		if d := diffJSON(state, after); d != nil {
			return fmt.Errorf("calling View for %s changes the game: %v after it: View may only read", nameOf(s.viewer), d)
		}
		if d := diffJSON(s.json, again); d != nil {
			return fmt.Errorf("calling View for %s twice shows two things: %v: %s", nameOf(s.viewer), d, chance)
		}
	}
	for _, s := range machine.Seats() {
		if err := adviseTwice(machine, room.Viewer{Player: s.Player, Seat: s.Seat}, state); err != nil {
			return err
		}
	}
	return sameClassSameView(machine, m)
}

// adviseTwice proves that Legal names the same when it is called again, and does not change the game.
func adviseTwice(machine *core.Core, v room.Viewer, state string) error {
	once, err := adviceFor(machine, v)
	if err != nil || once == "" {
		return err
	}
	after, err := stateOf(machine)
	if err != nil {
		return err
	}
	if d := diffJSON(state, after); d != nil {
		return fmt.Errorf("calling Legal for %s changes the game: %v after it: Legal may only read", nameOf(v), d)
	}
	again, err := adviceFor(machine, v)
	if err != nil {
		return err
	}
	if d := diffJSON(once, again); d != nil {
		return fmt.Errorf("calling Legal for %s twice names two things: %v: %s", nameOf(v), d, chance)
	}
	return nil
}

// adviceFor is what a game names as legal for a viewer, as JSON. It is empty if the game is no room.Advisor.
func adviceFor(machine *core.Core, v room.Viewer) (advice string, err error) {
	err = guard("Legal for "+nameOf(v), func() error {
		actions, advises, err := machine.Legal(v)
		if err != nil || !advises {
			return err
		}
		raw, err := json.Marshal(actions)
		advice = string(raw)
		return err
	})
	return advice, err
}

// chance is advice about runs of the same inputs that differ.
const chance = "look for a map's order, the wall clock, a global random source or a goroutine"

// sameClassSameView proves that Spec.SharedView or the game's Classifier is right.
func sameClassSameView(machine *core.Core, m *moment) error {
	if machine.Rules().Spec().SharedView {
		for _, s := range m.views {
			if d := diffJSON(s.json, m.viewOf("")); d != nil {
				return fmt.Errorf("Spec.SharedView says that all see the same, but View shows %s and a spectator different things: %v", nameOf(s.viewer), d)
			}
		}
		return nil
	}
	classes, ok := machine.Game().(room.Classifier)
	if !ok {
		return nil
	}
	first := map[string]shownView{}
	for _, s := range m.views {
		if s.viewer.Spectating() {
			continue
		}
		key := classes.ViewClass(s.viewer)
		other, seen := first[key]
		if !seen {
			first[key] = s
			continue
		}
		if d := diffJSON(other.json, s.json); d != nil {
			return fmt.Errorf("ViewClass puts %s and %s into class %q, but View shows them different things: %v",
				nameOf(other.viewer), nameOf(s.viewer), key, d)
		}
	}
	return nil
}
