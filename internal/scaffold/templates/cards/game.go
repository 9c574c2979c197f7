package main

import (
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

var rules = room.MustDefine(room.Spec{
	Name: "fandango", Version: 1, Title: "Fandango", About: "Match the suit or the rank, and be the first to hold no card. Eights are wild.",
	MinPlayers: 2, MaxPlayers: maxSeats, Rated: true, RatedActs: 1,
}, func() *Game { return new(Game) })

const maxSeats = 4

// Options are what whoever makes a room may choose.
type Options struct {
	Players   int `json:"players"`   // people, 1 to 4
	Computers int `json:"computers"` // built-in opponents, 0 to 3
	Seconds   int `json:"seconds"`   // for each turn, 5 to 300
}

// Status says how far a game is.
type Status string

// The states of a game, in order.
const (
	Waiting Status = "waiting" // for players
	Playing Status = "playing"
	Over    Status = "over"
)

// Game is a table of two to four. All of it is exported, so all of it survives a crash and a deploy.
type Game struct {
	Options Options
	Status  Status
	Seats   []Seat
	Stock   []Card // face down; the last one is drawn next
	Pile    []Card // face up; the last one must be matched
	Suit    string // to match, which an eight chooses
	Turn    int
	Drawn   bool  // whoever has the turn has drawn a card
	Passed  int   // turns in a row without a card played
	Ends    int64 // room time at which the turn ends, in milliseconds
}

// Seat is one player's place.
type Seat struct {
	Player room.Player
	Bot    bool
	Away   bool // the computer plays on for this player
	Hand   []Card
}

// Action is what a player can do. Exactly one of Play, Draw and Pass is set.
type Action struct {
	Play Card   `json:"play,omitempty"` // a card of one's own hand, such as "8h"
	Suit string `json:"suit,omitempty"` // with an eight: the suit to match from now on
	Draw bool   `json:"draw,omitempty"` // one card of the stock
	Pass bool   `json:"pass,omitempty"` // after drawing
}

// Open sets up a room.
func (g *Game) Open(t *room.Turn, _ json.RawMessage) error {
	g.Options = Options{Players: 2, Seconds: 30}
	if err := t.Options(&g.Options); err != nil {
		return err
	}
	o := g.Options
	switch {
	case o.Players < 1 || o.Computers < 0 || o.Players+o.Computers < 2 || o.Players+o.Computers > maxSeats:
		return room.Refuse("bad_options", "players and computers together must be 2 to 4, with at least one player")
	case o.Seconds < 5 || o.Seconds > 300:
		return room.Refuse("bad_options", "seconds must be 5 to 300")
	}
	g.Status = Waiting
	g.Seats = make([]Seat, o.Players, maxSeats)
	for n := range o.Computers {
		g.Seats = append(g.Seats, Seat{Bot: true, Player: computer(o.Players + n)})
	}
	t.Seats(o.Players)
	t.Wait() // for all of them
	return nil
}

// Join seats a player. When all are there, the cards are dealt.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	if p.ID == computer(p.Seat).ID {
		return room.Refuse("reserved", "this id is a computer's")
	}
	g.Seats[p.Seat].Player = p
	if len(t.Players()) == g.Options.Players {
		t.Begin()
		t.Lock(true)
		t.Grace(room.Forever) // from here on the clock decides what absence costs
		g.deal(t)
	}
	return nil
}

// Leave has the computer play on for who leaves.
func (g *Game) Leave(t *room.Turn, p room.Player, _ room.LeaveReason) {
	if g.Status == Waiting {
		g.Seats[p.Seat] = Seat{}
		return
	}
	g.Seats[p.Seat].Away = true
	if g.Status == Playing && g.Turn == p.Seat {
		g.next(t, g.Turn)
	}
}

// Act applies a player's action.
func (g *Game) Act(t *room.Turn, by room.Player, a Action) error {
	if err := g.check(by.Seat, a); err != nil {
		return err
	}
	g.Seats[by.Seat].Away = false
	g.apply(t, a)
	return nil
}

// check reports why a seat may not do something.
func (g *Game) check(seat int, a Action) error {
	switch {
	case a != Action{Play: a.Play, Suit: a.Suit} && a != Action{Draw: true} && a != Action{Pass: true} || a == Action{Suit: a.Suit}:
		return room.Refuse("bad_action", `send one of {"play":"5h"}, {"play":"8h","suit":"s"}, {"draw":true}, {"pass":true}`)
	case g.Status != Playing:
		return room.Refuse("not_now", "no cards are dealt")
	case g.Turn != seat:
		return room.Refuse("not_your_turn", fmt.Sprintf("it is %s's turn", g.Seats[g.Turn].Player.Name))
	case a.Draw && g.Drawn:
		return room.Refuse("drawn", "one card is drawn in a turn: play or pass")
	case a.Draw && len(g.Stock)+len(g.Pile) < 2:
		return room.Refuse("empty", "no card is left to draw: pass")
	case a.Pass && !g.Drawn && len(g.Stock)+len(g.Pile) >= 2:
		return room.Refuse("draw_first", "draw a card before you pass")
	case a.Draw || a.Pass:
		return nil
	case !slices.Contains(g.Seats[seat].Hand, a.Play):
		return room.Refuse("not_yours", "you do not hold this card")
	case a.Play.wild() != (a.Suit != "") || a.Suit != "" && !slices.Contains(suits, a.Suit):
		return room.Refuse("bad_suit", "with an eight, and with no other card, say c, d, h or s")
	case !g.matches(a.Play):
		return room.Refuse("no_match", "the card matches neither suit nor rank")
	}
	return nil
}

func (g *Game) matches(c Card) bool {
	return c.wild() || c.suit() == g.Suit || c.rank() == g.top().rank()
}

func (g *Game) top() Card { return g.Pile[len(g.Pile)-1] }

// apply carries out what check allows to whoever has the turn.
func (g *Game) apply(t *room.Turn, a Action) {
	s := &g.Seats[g.Turn]
	switch {
	case a.Draw:
		s.Hand = append(s.Hand, g.draw(t))
		sortCards(s.Hand)
		g.Drawn = true
		t.Broadcast("drew", Drew{Seat: g.Turn})
		g.prompt(t)
	case a.Pass:
		t.Broadcast("passed", Passed{Seat: g.Turn})
		if g.Passed++; g.Passed >= len(g.Seats) {
			g.finish(t, "blocked")
			return
		}
		g.next(t, (g.Turn+1)%len(g.Seats))
	default:
		s.Hand = slices.DeleteFunc(s.Hand, func(c Card) bool { return c == a.Play })
		g.Pile, g.Suit, g.Passed = append(g.Pile, a.Play), a.Play.suit(), 0
		if a.Suit != "" {
			g.Suit = a.Suit
		}
		t.Broadcast("played", Played{Seat: g.Turn, Card: a.Play, Suit: g.Suit})
		if len(s.Hand) == 0 {
			g.finish(t, "empty hand")
			return
		}
		g.next(t, (g.Turn+1)%len(g.Seats))
	}
}

// Timer is called when a turn has run out, or when the computer has thought for long enough.
func (g *Game) Timer(t *room.Turn, name string) {
	if name == "turn" {
		g.Seats[g.Turn].Away = true // until the player acts again
	}
	g.apply(t, think(g.View(room.Viewer{Player: g.Seats[g.Turn].Player.ID, Seat: g.Turn}), g.legal(g.Turn)))
}

// next gives a seat the turn.
func (g *Game) next(t *room.Turn, seat int) {
	g.Turn, g.Drawn = seat, false
	left := time.Duration(g.Options.Seconds) * time.Second
	t.StartTimer("turn", left)
	t.Empty(2 * left) // a room that nobody looks at ends
	g.Ends = (t.Now() + left).Milliseconds()
	g.prompt(t)
}

// prompt has the computer act soon, if it has the turn.
func (g *Game) prompt(t *room.Turn) {
	t.StopTimer("computer")
	if s := g.Seats[g.Turn]; s.Bot || s.Away {
		t.StartTimer("computer", 700*time.Millisecond+time.Duration(t.Rand().IntN(700))*time.Millisecond)
	}
}

// finish ranks the players by what they still hold.
func (g *Game) finish(t *room.Turn, reason string) {
	g.Status = Over
	t.StopTimer("turn")
	t.StopTimer("computer")
	r := room.Result{Reason: reason}
	for seat, s := range g.Seats {
		rank, points := 1, worth(s.Hand)
		for _, other := range g.Seats {
			if worth(other.Hand) < points {
				rank++
			}
		}
		if rank == 1 {
			g.Turn, r.Summary = seat, s.Player.Name+" wins"
		}
		r.Outcomes = append(r.Outcomes, room.Outcome{Player: s.Player.ID, Name: s.Player.Name, Seat: seat, Rank: rank, Score: int64(-points), Bot: s.Bot})
	}
	t.Finish(r)
}

// Legal names what a viewer may do now. The computer, load tests, proofs and the default table play by it.
func (g *Game) Legal(v room.Viewer) []Action {
	if v.Spectating() {
		return nil
	}
	return g.legal(v.Seat)
}

func (g *Game) legal(seat int) (actions []Action) {
	all := []Action{{Draw: true}, {Pass: true}}
	for _, c := range g.Seats[seat].Hand {
		if !c.wild() {
			all = append(all, Action{Play: c})
			continue
		}
		for _, suit := range suits {
			all = append(all, Action{Play: c, Suit: suit})
		}
	}
	for _, a := range all {
		if g.check(seat, a) == nil {
			actions = append(actions, a)
		}
	}
	return actions
}
