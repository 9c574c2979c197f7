package liarsdice

import (
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// After patience missed turns in a row a player's turns last no longer than hurried.
const (
	patience = 2
	hurried  = 5 * time.Second
)

// Reveal is the outcome of a call.
type Reveal struct {
	Call    string        `json:"call"`    // [Liar] or [SpotOn]
	By      int           `json:"by"`      // the seat that called
	Bid     Bid           `json:"bid"`     // what was called
	Counted int           `json:"counted"` // dice that matched the bid
	Right   bool          `json:"right"`   // the caller was right
	Dice    map[int][]int `json:"dice"`    // everybody's dice by seat, each in order
	Loser   int           `json:"loser"`   // the seat that lost a die, or -1
	Winner  int           `json:"winner"`  // the seat that won one back, or -1
	Out     bool          `json:"out"`     // the loser has no dice left
}

// RoundEvent is the data of the event "round".
type RoundEvent struct {
	Round int `json:"round"`
	Seat  int `json:"seat"`
}

// CallEvent is the data of the event "call".
type CallEvent struct {
	Seat int    `json:"seat"`
	Call string `json:"call"`
}

// MissedEvent is the data of the event "missed".
type MissedEvent struct {
	Seat int `json:"seat"`
}

// OutEvent is the data of the event "out".
type OutEvent struct {
	Seat int  `json:"seat"`
	Rank int  `json:"rank"`
	Left bool `json:"left,omitempty"`
}

// Events names what [Game] broadcasts.
func (g *Game) Events() map[string]any {
	return map[string]any{"round": RoundEvent{}, "bid": Bid{}, "missed": MissedEvent{}, "call": CallEvent{}, "out": OutEvent{}}
}

// deal rolls everybody's dice and opens a round.
func (g *Game) deal(t *room.Turn) {
	g.Round++
	g.Status, g.Bids, g.Reveal = Bidding, nil, nil
	for i := range g.Table {
		h := &g.Table[i]
		h.Ready, h.Dice = false, make([]int, h.Count)
		for d := range h.Dice {
			h.Dice[d] = 1 + t.Rand().IntN(6)
		}
		slices.Sort(h.Dice)
	}
	t.Broadcast("round", RoundEvent{g.Round, g.Turn})
	g.startTurn(t)
}

// startTurn starts the time of the player to act. A built-in opponent's thinking time is not shown.
func (g *Game) startTurn(t *room.Turn) {
	h, limit := g.handAt(g.Turn), ms(g.Options.TurnMS)
	switch {
	case h.Bot:
		g.Deadline = 0
		t.StartTimer(alarm, botPause(t, limit))
	case h.Missed >= patience:
		g.setDeadline(t, min(limit, hurried))
	default:
		g.setDeadline(t, limit)
	}
}

// last is the last bid of the round, if there is one.
func (g *Game) last() (b Bid, ok bool) {
	if n := len(g.Bids); n > 0 {
		return g.Bids[n-1], true
	}
	return b, false
}

// least is the lowest claim that can be bid, if there is one.
func (g *Game) least() (c Claim, ok bool) {
	last, ok := g.last()
	switch {
	case !ok:
		c = Claim{1, g.Options.lowest()}
	case last.Face < 6:
		c = Claim{last.Count, last.Face + 1}
	default:
		c = Claim{last.Count + 1, g.Options.lowest()}
	}
	return c, c.Count <= g.total()
}

// bid makes a bid that check has allowed.
func (g *Game) bid(t *room.Turn, h *Hand, c Claim, auto bool) {
	b := Bid{h.Seat, c, auto}
	g.Bids = append(g.Bids, b)
	g.Begun = true
	g.Turn = g.after(h.Seat)
	t.Broadcast("bid", b)
	g.startTurn(t)
}

// missTurn acts for a player whose turn has run out. It uses only what everybody can see.
func (g *Game) missTurn(t *room.Turn, h *Hand) {
	h.Missed++
	t.Broadcast("missed", MissedEvent{h.Seat})
	if c, ok := g.least(); ok {
		g.bid(t, h, c, true)
	} else {
		g.call(t, h, Liar)
	}
}

// call shows all dice and decides who was right.
func (g *Game) call(t *room.Turn, h *Hand, what string) {
	t.Broadcast("call", CallEvent{h.Seat, what})
	r := g.reveal(h.Seat, what)
	if what == SpotOn {
		r.Right = r.Counted == r.Bid.Count
	} else {
		r.Right = r.Counted < r.Bid.Count
	}
	g.Status, g.Reveal, g.Turn = Revealed, r, h.Seat
	switch {
	case !r.Right:
		g.lose(t, h)
	case what == Liar:
		g.lose(t, g.handAt(r.Bid.Seat))
	case h.Count < g.Options.Dice:
		h.Count++
		r.Winner = h.Seat
	}
	if g.playersIn() == 1 {
		g.finish(t, LastDice)
		return
	}
	g.setDeadline(t, ms(g.Options.RevealMS))
}

// reveal moves everybody's dice into a Reveal and counts those that match the bid.
func (g *Game) reveal(by int, what string) *Reveal {
	bid, _ := g.last()
	r := &Reveal{Call: what, By: by, Bid: bid, Dice: map[int][]int{}, Loser: nobody, Winner: nobody}
	for i := range g.Table {
		h := &g.Table[i]
		if !h.in() {
			continue
		}
		r.Counted += matches(h.Dice, bid.Face, g.Options.WildOnes)
		r.Dice[h.Seat], h.Dice = h.Dice, nil
	}
	return r
}

// matches counts the dice that show a face, or stand for it.
func matches(dice []int, face int, wild bool) (n int) {
	for _, d := range dice {
		if d == face || wild && d == 1 {
			n++
		}
	}
	return n
}

// lose takes a die from a player, who opens the next round or is out.
func (g *Game) lose(t *room.Turn, h *Hand) {
	g.Reveal.Loser, g.Turn = h.Seat, h.Seat
	if h.Count > 1 {
		h.Count--
		return
	}
	g.Reveal.Out = true
	g.eliminate(t, h)
	g.Turn = g.after(h.Seat)
}

// eliminate takes a player's last dice, and gives the player the last place among those still in.
func (g *Game) eliminate(t *room.Turn, h *Hand) {
	h.Rank = g.playersIn()
	h.Count, h.Dice = 0, nil
	t.Broadcast("out", OutEvent{h.Seat, h.Rank, h.Left})
}

// dealWhenReady starts the next round once every connected player that it waits for is ready.
func (g *Game) dealWhenReady(t *room.Turn) {
	asked, ready := 0, 0
	for i := range g.Table {
		if h := &g.Table[i]; g.waitsFor(h) && h.Online {
			asked++
			if h.Ready {
				ready++
			}
		}
	}
	if asked > 0 && ready == asked {
		g.deal(t)
	}
}

// waitsFor reports whether the next round waits for a player. It waits for people with dice, or for all people when none of
// them has dice left.
func (g *Game) waitsFor(h *Hand) bool {
	return !h.Bot && !h.Left && (h.in() || g.find(func(h Hand) bool { return !h.Bot && h.in() }) == nil)
}
