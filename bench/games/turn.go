package games

import "github.com/roomring/roomring/room"

// TurnRoom is ActRoom for two players who take turns.
type TurnRoom struct {
	Said  [2]said
	Next  int // seat whose turn it is
	Moves int
}

// Turns is the game "turn".
func Turns() *room.Rules {
	spec := room.Spec{Name: "turn", Version: 1, Title: "Turns", About: "Two players, one after the other", MaxPlayers: 2, SharedView: true}
	return room.MustDefine(spec, func() *TurnRoom { return new(TurnRoom) })
}

// Act implements room.Game.
func (g *TurnRoom) Act(t *room.Turn, by room.Player, data string) error {
	if err := checkPayload(data); err != nil {
		return err
	}
	if by.Seat != g.Next {
		return room.Refuse("not_your_turn", "the other player moves now")
	}
	g.Said[by.Seat].add(data)
	g.Next, g.Moves = 1-g.Next, g.Moves+1
	t.Broadcast("act", data)
	return nil
}

// View implements room.Game.
func (g *TurnRoom) View(room.Viewer) quiet { return quiet{} }
