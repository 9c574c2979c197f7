package main

import "github.com/roomring/roomring/room"

// View is what a viewer may see.
type View struct {
	Status  Status  `json:"status"`
	Turn    int     `json:"turn"`          // the seat whose turn it is; of a game that is over, the winner's
	Drawn   bool    `json:"drawn"`         // whoever has the turn has drawn a card
	Ends    int64   `json:"ends_ms"`       // room time at which the turn ends
	Seats   []Place `json:"seats"`         // by seat
	Stock   int     `json:"stock"`         // cards that are left to draw
	Top     Card    `json:"top,omitempty"` // the card to match
	Suit    string  `json:"suit"`          // the suit to match
	Hand    []Card  `json:"hand"`          // the viewer's own
	Options Options `json:"options"`
}

// Place is what everybody sees of a player.
type Place struct {
	Player room.PlayerID `json:"player,omitempty"`
	Name   string        `json:"name,omitempty"`
	Bot    bool          `json:"bot,omitempty"`
	Away   bool          `json:"away,omitempty"` // the computer plays on for this player
	Cards  int           `json:"cards"`
	Hand   []Card        `json:"hand"` // shown when the game is over
}

// Drew is the event of a card that was drawn.
type Drew struct {
	Seat int `json:"seat"`
}

// Passed is the event of a turn without a card.
type Passed struct {
	Seat int `json:"seat"`
}

// Played is the event of a card that was played.
type Played struct {
	Seat int    `json:"seat"`
	Card Card   `json:"card"`
	Suit string `json:"suit"` // to match from now on
}

// Events names the events of the game, so that pages get types for them.
func (g *Game) Events() map[string]any {
	return map[string]any{"drew": Drew{}, "passed": Passed{}, "played": Played{}}
}

// View shows each player the own hand, and of the others how many cards they hold.
func (g *Game) View(v room.Viewer) View {
	view := View{
		Status: g.Status, Turn: g.Turn, Drawn: g.Drawn, Ends: g.Ends, Stock: len(g.Stock), Suit: g.Suit, Hand: []Card{}, Options: g.Options,
	}
	if len(g.Pile) > 0 {
		view.Top = g.top()
	}
	for seat, s := range g.Seats {
		p := Place{Player: s.Player.ID, Name: s.Player.Name, Bot: s.Bot, Away: s.Away, Cards: len(s.Hand), Hand: []Card{}}
		if g.Status == Over {
			p.Hand = append(p.Hand, s.Hand...)
		}
		if seat == v.Seat {
			view.Hand = append(view.Hand, s.Hand...)
		}
		view.Seats = append(view.Seats, p)
	}
	return view
}
