package liarsdice

import (
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// After so many missed turns in a row a player's turns last no longer than hurried.
const (
	patience = 2
	hurried  = 5 * time.Second
)

// Reveal is what a call brought to light.
type Reveal struct {
	Call    string        `json:"call"`    // [Liar] or [SpotOn]
	By      int           `json:"by"`      // the seat that called
	Bid     Bid           `json:"bid"`     // what was called
	Counted int           `json:"counted"` // dice that matched the bid
	Right   bool          `json:"right"`   // the caller was
	Dice    map[int][]int `json:"dice"`    // everybody's by seat, in order
	Loser   int           `json:"loser"`   // the seat that lost a die, or -1
	Winner  int           `json:"winner"`  // the seat that won one back, or -1
	Out     bool          `json:"out"`     // the loser's was the last one
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
	g.await(t)
}

// await gives the player to act their time. How long an opponent that is built in seems to think is nobody's concern.
func (g *Game) await(t *room.Turn) {
	h, limit := g.at(g.Turn), ms(g.Options.TurnMS)
	switch {
	case h.Bot:
		g.Deadline = 0
		t.StartTimer(alarm, botPause(t, limit))
	case h.Missed >= patience:
		g.wait(t, min(limit, hurried))
	default:
		g.wait(t, limit)
	}
}

// last is the bid that stands.
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

// bid takes a claim that has been checked.
func (g *Game) bid(t *room.Turn, h *Hand, c Claim, auto bool) {
	b := Bid{h.Seat, c, auto}
	g.Bids = append(g.Bids, b)
	g.Begun = true
	g.Turn = g.after(h.Seat)
	t.Broadcast("bid", b)
	g.await(t)
}

// overdue acts for a player whose turn has run out, by nothing but what everybody can see.
func (g *Game) overdue(t *room.Turn, h *Hand) {
	h.Missed++
	t.Broadcast("missed", MissedEvent{h.Seat})
	if c, ok := g.least(); ok {
		g.bid(t, h, c, true)
	} else {
		g.call(t, h, Liar)
	}
}

// call shows all dice and settles who was right.
func (g *Game) call(t *room.Turn, h *Hand, what string) {
	t.Broadcast("call", CallEvent{h.Seat, what})
	r := g.lift(h.Seat, what)
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
		g.lose(t, g.at(r.Bid.Seat))
	case h.Count < g.Options.Dice:
		h.Count++
		r.Winner = h.Seat
	}
	if g.left() == 1 {
		g.finish(t, LastDice)
		return
	}
	g.wait(t, ms(g.Options.RevealMS))
}

// lift takes everybody's dice into the open.
func (g *Game) lift(by int, what string) *Reveal {
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

// matches counts the dice that count for a face.
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
	g.out(t, h)
	g.Turn = g.after(h.Seat)
}

// out gives a player the last place among those still in.
func (g *Game) out(t *room.Turn, h *Hand) {
	h.Rank = g.left()
	h.Count, h.Dice = 0, nil
	t.Broadcast("out", OutEvent{h.Seat, h.Rank, h.Left})
}

// goOn ends a reveal that everybody who is asked has seen.
func (g *Game) goOn(t *room.Turn) {
	asked, ready := 0, 0
	for i := range g.Table {
		if h := &g.Table[i]; g.asks(h) && h.Online {
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

// asks reports whether the next round waits for a player: for people with dice, and for those who only look
// on when none of them has any left.
func (g *Game) asks(h *Hand) bool {
	return !h.Bot && !h.Left && (h.in() || g.find(func(h Hand) bool { return !h.Bot && h.in() }) == nil)
}
