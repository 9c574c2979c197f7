package core

import (
	"encoding/json"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// RematchSignal is the name of the signal that answers RematchAgreed. Its data is {"room": id}.
const RematchSignal = "roomring.rematch"

// actRematch handles the only act that a finished room accepts. {"rematch": true} agrees to another game, and false withdraws
// that. When every player who still has a seat has agreed, the room asks for the next room.
func (c *Core) actRematch(p room.Player, data json.RawMessage) error {
	var act struct {
		Rematch *bool `json:"rematch"`
	}
	if err := c.decode(data, &act); err != nil || act.Rematch == nil {
		return room.Refuse("over", `the game is over: only {"rematch": true} or {"rematch": false} can be said`)
	}
	if c.s.Final.End != record.Finished && !c.s.Final.Void() || c.s.Rematch != nil || c.panicked != nil {
		return room.Refuse("over", "there is no rematch to agree to")
	}
	c.s.Agreed = slices.DeleteFunc(c.s.Agreed, func(id room.PlayerID) bool { return id == p.ID })
	if *act.Rematch {
		c.s.Agreed = append(c.s.Agreed, p.ID)
	}
	c.broadcast("rematch", map[string]any{"agreed": c.s.Agreed})
	return c.agreeRematch()
}

func (c *Core) agreeRematch() error {
	for _, p := range c.players() {
		if !slices.Contains(c.s.Agreed, p.ID) {
			return nil
		}
	}
	options := c.header.Options
	if g, ok := asInterface[room.Rematcher](c.inst); ok {
		err := c.call("Rematch", func(*room.Turn) (err error) {
			options, err = json.Marshal(g.Rematch())
			return err
		})
		if err != nil {
			return err
		}
	}
	if len(options) == 0 {
		options = json.RawMessage("{}")
	}
	if c.runtime() >= 2 {
		if err := c.spec.CheckOptions(options); err != nil {
			return err
		}
	}
	c.s.Rematch = options
	c.s.Linger = c.s.Now + c.spec.Linger
	c.queue(RematchAgreed{c.stamp(), options, c.players()})
	return nil
}

// RematchPending returns the agreed rematch that no signal has answered yet. A restored room uses it to ask again.
func (c *Core) RematchPending() (RematchAgreed, bool) {
	if c.s.Rematch == nil || c.s.Next != "" {
		return RematchAgreed{}, false
	}
	return RematchAgreed{c.stamp(), c.s.Rematch, c.players()}, true
}

func (c *Core) stepRematch(in Input) (Ready, error) {
	var next struct {
		Room room.ID `json:"room"`
	}
	if err := c.decode(in.Data, &next); err != nil || c.s.Rematch == nil || c.s.Next != "" {
		return Ready{Refused: room.Refuse("no_rematch", "no rematch was asked for")}, nil
	}
	c.beginEntry(in)
	c.s.Next = next.Room
	c.broadcast("rematch", map[string]any{"agreed": c.s.Agreed, "room": next.Room})
	return c.finishInput(true)
}

func (c *Core) broadcast(name string, data any) {
	var fx effects
	fx.emit("", name, data)
	c.s.Events = append(c.s.Events, fx.events...)
}
