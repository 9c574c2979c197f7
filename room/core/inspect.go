package core

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/room"
)

// WholeView returns what a viewer would be shown now, ahead of commit. It is for the operator alone. The error is a
// *view.Error.
func (c *Core) WholeView(v room.Viewer) (json.RawMessage, error) {
	s := c.newShadow()
	if _, _, _, err := s.Update(c.inst.View(v), nil, nil); err != nil {
		return nil, err
	}
	return s.AppendJSON(nil), nil
}

// Legal returns the actions that the game says a viewer may take now, ahead of commit, as that viewer's client would
// send them. False means that the game is no room.Advisor. The error is a *Panic, or names an action that is no JSON.
func (c *Core) Legal(v room.Viewer) (actions []json.RawMessage, advises bool, err error) {
	if c.s.Final != nil || c.panicked != nil {
		_, advises = c.inst.Legal(room.Spectator)
		return nil, advises, nil
	}
	return legal(c.inst, v)
}

// LegalIn is Core.Legal for a game whose snapshot is state, in the form of Core.GameState. The error says that state is
// no snapshot, or is that of Core.Legal.
func LegalIn(rules *room.Rules, state json.RawMessage, v room.Viewer) (actions []json.RawMessage, advises bool, err error) {
	inst := rules.Instance()
	raw := []byte(state)
	if len(raw) > 0 && raw[0] == '"' {
		if err := json.Unmarshal(state, &raw); err != nil {
			return nil, false, fmt.Errorf("the state of game %s is no snapshot: %w", rules.Spec().Name, err)
		}
	}
	if err := restoreGame(inst, raw); err != nil {
		return nil, false, fmt.Errorf("the state of game %s is no snapshot: %w", rules.Spec().Name, err)
	}
	return legal(inst, v)
}

// Advises reports whether a game says what is legal.
func Advises(rules *room.Rules) bool {
	advises := true // only an advisor can panic
	_ = catchPanic("Legal", func() error {
		_, advises = rules.Instance().Legal(room.Spectator)
		return nil
	})
	return advises
}

func legal(inst room.Instance, v room.Viewer) (actions []json.RawMessage, advises bool, err error) {
	err = catchPanic("Legal", func() error {
		var all []any
		all, advises = inst.Legal(v)
		for _, a := range all {
			raw, err := json.Marshal(a)
			if err != nil {
				return fmt.Errorf("Legal names an action that is no JSON: %w", err)
			}
			actions = append(actions, raw)
		}
		return nil
	})
	return actions, advises, err
}

// GameState returns the game's snapshot, hidden facts included. It is for the operator alone. A snapshot that is not
// JSON becomes a JSON string in base64.
func (c *Core) GameState() (json.RawMessage, error) {
	raw, err := snapshotGame(c.inst)
	if err != nil {
		return nil, err
	}
	if json.Valid(raw) {
		return raw, nil
	}
	return json.Marshal(raw)
}

// GivenOutcomes returns the outcomes that the game passed to Turn.Finish, before idle players were dropped. It is for
// test kits.
func (c *Core) GivenOutcomes() []room.Outcome { return c.givenOutcomes }

// Game returns the game value itself. It is for test kits; a caller that changes the value breaks the room.
func (c *Core) Game() any { return c.inst.Game() }
