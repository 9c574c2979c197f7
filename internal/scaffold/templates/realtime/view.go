package main

import "github.com/roomring/roomring/room"

// View is what a viewer may see.
type View struct {
	Status  Status       `json:"status"`
	Left    int          `json:"left"` // ticks until the round begins or ends
	Rate    int          `json:"rate"` // ticks a second
	Width   int          `json:"width"`
	Height  int          `json:"height"`
	Runners []Seen       `json:"runners"` // by seat; a seat that nobody has taken has an empty id
	Cells   map[Cell]int `json:"cells"`   // the seat that painted a cell, by "x,y"
	Mines   []Cell       `json:"mines"`   // the viewer's own
	Spare   int          `json:"spare"`   // mines that the viewer may still lay
	Winner  int          `json:"winner"`  // the seat, once the game is over; -1 before
	Options Options      `json:"options"`
}

// Seen is what everybody sees of a runner.
type Seen struct {
	Player  room.PlayerID `json:"player,omitempty"`
	Name    string        `json:"name,omitempty"`
	X       int           `json:"x"`
	Y       int           `json:"y"`
	Facing  Heading       `json:"facing,omitempty"`
	Stunned bool          `json:"stunned,omitempty"`
	Painted int           `json:"painted"` // cells
}

// Boom is the event of a mine that somebody stepped on.
type Boom struct {
	At Cell `json:"at"`
	By int  `json:"by"` // the seat that laid it
}

// Events names the events of the game, so that pages get types for them.
func (g *Game) Events() map[string]any { return map[string]any{"boom": Boom{}} }

// View shows everything but the others' mines.
func (g *Game) View(v room.Viewer) View {
	view := View{
		Status: g.Status, Left: g.Left, Rate: tickRate, Width: width, Height: height, Cells: g.Cells, Mines: []Cell{}, Winner: -1, Options: g.Options,
	}
	painted := g.painted()
	for seat, r := range g.Runners {
		view.Runners = append(view.Runners, Seen{
			Player: r.Player.ID, Name: r.Player.Name, X: r.At.X, Y: r.At.Y, Facing: r.Facing, Stunned: r.Stunned > 0, Painted: painted[seat],
		})
	}
	if !v.Spectating() {
		view.Mines = append(view.Mines, g.Runners[v.Seat].Mines...)
		view.Spare = mines - len(view.Mines)
	}
	if g.Status == Over {
		view.Winner = g.Winner
	}
	return view
}
