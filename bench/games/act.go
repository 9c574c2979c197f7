package games

import "github.com/roomring/roomring/room"

// ActRoom sends every player's action to all eight, and keeps count and the last value of each.
type ActRoom struct {
	Said [8]said
}

// Act is the game "act".
func Act() *room.Rules {
	spec := room.Spec{Name: "act", Version: 1, Title: "Actions", About: "Eight players, every action to all", MaxPlayers: 8, SharedView: true}
	return room.MustDefine(spec, func() *ActRoom { return new(ActRoom) })
}

// Act implements room.Game.
func (g *ActRoom) Act(t *room.Turn, by room.Player, data string) error {
	if err := checkPayload(data); err != nil {
		return err
	}
	g.Said[by.Seat].add(data)
	t.Broadcast("act", data)
	return nil
}

// View implements room.Game.
func (g *ActRoom) View(room.Viewer) quiet { return quiet{} }
