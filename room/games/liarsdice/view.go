package liarsdice

import (
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// View is what one viewer sees: the table, and the viewer's own dice while dice are hidden. Seats are 0 to 5,
// and -1 is nobody. An action changes few bytes of a view, and passing time changes none.
type View struct {
	Status  string             `json:"status"`  // [Waiting], [Bidding], [Revealed] or [Over]
	Round   int                `json:"round"`   // 0 before the start
	Players map[int]PlayerView `json:"players"` // by seat
	Turn    int                `json:"turn"`    // the seat to act; -1 unless the status is "bidding"
	// DeadlineMS is when the countdown, turn or reveal ends by itself, in milliseconds of room time.
	// It is absent when none of them runs, and while a built-in opponent thinks.
	DeadlineMS int64 `json:"deadline_ms,omitempty"`
	Total      int   `json:"total"` // dice on the table

	Mine []int `json:"mine,omitempty"` // the viewer's own dice in order, while the status is "bidding"

	Bid   Bid         `json:"bid,omitzero"`   // the last one of the round, during its reveal too
	Bids  map[int]Bid `json:"bids"`           // of the round, numbered from 1 in their order
	Least Claim       `json:"least,omitzero"` // the lowest that can be bid now; absent if there is none

	Reveal Reveal `json:"reveal,omitzero"` // after a call, until the next round

	Options Options `json:"options"`         // with their defaults
	Result  Ending  `json:"result,omitzero"` // once it is over
}

// PlayerView is what everybody sees of a player.
type PlayerView struct {
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Online bool          `json:"online"`
	Bot    bool          `json:"bot,omitempty"`
	Ready  bool          `json:"ready,omitempty"`  // to start, or to go on
	Dice   int           `json:"dice"`             // how many; 0 is out, or before the start
	Rank   int           `json:"rank,omitempty"`   // the final place, once there is one
	Left   bool          `json:"left,omitempty"`   // gave up the seat after the start
	Missed int           `json:"missed,omitempty"` // turns in a row that ran out
}

// View shows the game to one viewer.
func (g *Game) View(v room.Viewer) View {
	out := View{
		Status: g.Status, Round: g.Round, Turn: nobody, DeadlineMS: g.Deadline.Milliseconds(), Total: g.total(),
		Players: make(map[int]PlayerView, len(g.Table)), Bids: make(map[int]Bid, len(g.Bids)),
		Options: g.Options, Result: g.Ending,
	}
	for i := range g.Table {
		h := &g.Table[i]
		out.Players[h.Seat] = h.view()
		if !v.Spectating() && h.ID == v.Player {
			out.Mine = slices.Clone(h.Dice)
		}
	}
	for i, b := range g.Bids {
		out.Bids[i+1] = b
	}
	out.Bid, _ = g.last()
	if g.Status == Bidding {
		out.Turn = g.Turn
		if c, ok := g.least(); ok {
			out.Least = c
		}
	}
	if g.Reveal != nil {
		out.Reveal = *g.Reveal
	}
	return out
}

func (h *Hand) name() string { return strings.ToValidUTF8(h.Name, "�") }

func (h *Hand) view() PlayerView {
	return PlayerView{
		Player: h.ID, Name: h.name(), Online: h.Online, Bot: h.Bot, Ready: h.Ready,
		Dice: h.Count, Rank: h.Rank, Left: h.Left, Missed: h.Missed,
	}
}
