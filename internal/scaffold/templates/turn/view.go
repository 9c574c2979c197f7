package main

import "github.com/roomring/roomring/room"

// View is what a viewer may see.
type View struct {
	Status  Status  `json:"status"`
	Turn    int     `json:"turn"`    // the seat that shoots next; of a game that is over, the winner's
	Ends    int64   `json:"ends_ms"` // room time at which the turn ends
	Size    int     `json:"size"`    // cells on each side of a sea
	Seas    [2]Sea  `json:"seas"`    // by seat
	Options Options `json:"options"`
}

// Sea is one player's half of the table.
type Sea struct {
	Player room.PlayerID   `json:"player,omitempty"`
	Name   string          `json:"name,omitempty"`
	Ready  bool            `json:"ready"`
	Afloat int             `json:"afloat"` // ships that are not sunk
	Marks  map[string]Mark `json:"marks"`  // by cell
}

// Shot is the event of a shot.
type Shot struct {
	By   int    `json:"by"`   // the seat that shot
	Cell string `json:"cell"` // of the other sea
	Mark Mark   `json:"mark"` // what it came to
}

// Events names the events of the game, so that pages get types for them.
func (g *Game) Events() map[string]any { return map[string]any{"shot": Shot{}} }

// View hides a fleet from everybody but its owner until the game is over.
func (g *Game) View(v room.Viewer) View {
	view := View{Status: g.Status, Turn: g.Turn, Ends: g.Ends, Size: size, Options: g.Options}
	for seat := range g.Sides {
		s := &g.Sides[seat]
		view.Seas[seat] = Sea{
			Player: s.Player.ID, Name: s.Player.Name, Ready: s.Ready, Afloat: s.afloat(),
			Marks: s.marks(v.Seat == seat || g.Status == Over),
		}
	}
	return view
}
