package liarsdice

import (
	"fmt"

	"github.com/roomring/roomring/room"
)

// Action is what a player can do. Exactly one field is set.
type Action struct {
	Bid    *Claim `json:"bid,omitempty"`
	Liar   bool   `json:"liar,omitempty"`    // true
	SpotOn bool   `json:"spot_on,omitempty"` // true
	Ready  *bool  `json:"ready,omitempty"`
}

// Claim is that at least Count dice on the table show Face.
type Claim struct {
	Count int `json:"count"`
	Face  int `json:"face"`
}

// Bid is a claim that a player has made.
type Bid struct {
	Seat int `json:"seat"`
	Claim
	Auto bool `json:"auto,omitempty"` // made by the game, because the player's turn had run out
}

// Liar and SpotOn are what a player can call against a bid. [Reveal.Call] is one of them.
const (
	Liar   = "liar"
	SpotOn = "spot_on"
)

var errAction = room.Refuse("bad_action",
	`send one of {"bid":{"count":4,"face":5}}, {"liar":true}, {"spot_on":true}, {"ready":true}`)

// Act applies a player's action.
func (g *Game) Act(t *room.Turn, by room.Player, a Action) error {
	h := g.hand(by.ID)
	switch {
	case !a.single():
		return errAction
	case h == nil:
		return room.Refuse("not_a_player", "only those at the table can do that")
	}
	if err := g.act(t, h, a); err != nil {
		return err
	}
	if h := g.hand(by.ID); h != nil {
		h.Missed = 0
	}
	return nil
}

func (g *Game) act(t *room.Turn, h *Hand, a Action) error {
	if a.Ready != nil {
		return g.ready(t, h, *a.Ready)
	}
	if err := g.mayAct(h); err != nil {
		return err
	}
	if a.Bid != nil {
		if err := g.check(*a.Bid); err != nil {
			return err
		}
		h.Acted = true
		g.bid(t, h, *a.Bid, false)
		return nil
	}
	return g.challenge(t, h, a.SpotOn)
}

func (a Action) single() bool {
	n := 0
	for _, set := range []bool{a.Bid != nil, a.Liar, a.SpotOn, a.Ready != nil} {
		if set {
			n++
		}
	}
	return n == 1
}

// ready notes that a player agrees to start, or to go on after a reveal.
func (g *Game) ready(t *room.Turn, h *Hand, yes bool) error {
	switch {
	case g.Status == Waiting:
		h.Ready = yes
		g.startWhenReady(t)
	case !g.waitsFor(h):
		return errOut
	case g.Status == Revealed:
		h.Ready = yes
		g.dealWhenReady(t)
	default:
		return room.Refuse("not_now", "this is for before the game and between rounds")
	}
	return nil
}

var errOut = room.Refuse("out", "you have no dice left")

func (g *Game) mayAct(h *Hand) error {
	switch {
	case g.Status == Waiting:
		return room.Refuse("waiting", "the game has not started")
	case !h.in():
		return errOut
	case g.Status != Bidding:
		return room.Refuse("not_now", "the next round has not begun")
	case g.Turn != h.Seat:
		return room.Refuse("not_your_turn", fmt.Sprintf("it is %s's turn", g.handAt(g.Turn).name()))
	}
	return nil
}

// check reports why a claim cannot be bid now.
func (g *Game) check(c Claim) error {
	low := g.Options.lowest()
	switch last, ok := g.last(); {
	case c.Face == 1 && low > 1:
		return room.Refuse("bad_bid", "ones are wild and cannot be bid")
	case c.Face < low || c.Face > 6:
		return room.Refuse("bad_bid", fmt.Sprintf("bid on a face from %d to 6", low))
	case c.Count < 1:
		return room.Refuse("bad_bid", "bid one die or more")
	case c.Count > g.total():
		return room.Refuse("too_many", fmt.Sprintf("there are only %d dice on the table", g.total()))
	case ok && !c.raises(last.Claim):
		return room.Refuse("too_low", "bid more dice, or as many of a higher face")
	}
	return nil
}

// raises reports whether c is higher than the claim before it.
func (c Claim) raises(before Claim) bool {
	return c.Count > before.Count || c.Count == before.Count && c.Face > before.Face
}

func (g *Game) challenge(t *room.Turn, h *Hand, exact bool) error {
	switch {
	case exact && !g.Options.SpotOn:
		return room.Refuse("no_spot_on", "spot on cannot be called in this game")
	case len(g.Bids) == 0:
		return room.Refuse("no_bid", "there is no bid yet: make one")
	}
	h.Acted = true
	if exact {
		g.call(t, h, SpotOn)
	} else {
		g.call(t, h, Liar)
	}
	return nil
}
