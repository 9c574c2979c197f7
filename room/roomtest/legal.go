package roomtest

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// actByLegal has a player take an action that Legal names, one of all that it names for anybody: so who is to move acts most. The game
// must accept it.
func (g *game) actByLegal() error {
	players := g.online(g.core)
	legal := make([][]json.RawMessage, len(players))
	for i, by := range players {
		var err error
		if legal[i], err = legalFor(g.core, by); err != nil {
			return err
		}
	}
	i, action := play.Draw(g.r, legal)
	if action == nil {
		return g.pass()
	}
	by, before := players[i], g.p.report.Refused
	if err := g.stepAndNote(actOf(g.core, by.ID, action)); err != nil {
		return err
	}
	if g.p.report.Refused > before {
		return fmt.Errorf("the game's Legal names %s for %s, and Act refuses it (%s): name only what Act takes at that moment", brief(string(action)), by.ID, g.p.lastRefusal)
	}
	g.p.report.Legal++
	return nil
}

// legalFor is what Legal names for a player.
func legalFor(machine *core.Core, by room.Player) ([]json.RawMessage, error) {
	actions, err := play.Legal(machine, room.Viewer{Player: by.ID, Seat: by.Seat})
	if err != nil {
		return nil, fmt.Errorf("calling Legal for %s: %w", by.ID, explained(err))
	}
	return actions, nil
}
