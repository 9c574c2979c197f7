package main

import (
	"encoding/json"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

var rules = room.MustDefine(room.Spec{
	Name: "salvo", Version: 1, Title: "Salvo", About: "Find and sink the other fleet before yours is sunk.",
	MinPlayers: 2, Rated: true, RatedActs: 3,
}, func() *Game { return new(Game) })

// Options are what whoever makes a room may choose.
type Options struct {
	Computer bool `json:"computer"` // play against the computer
	Seconds  int  `json:"seconds"`  // for each shot, 5 to 600
}

// Status says how far a game is.
type Status string

// The states of a game, in order.
const (
	Waiting Status = "waiting" // for a second player
	Placing Status = "placing" // both look at their fleets
	Playing Status = "playing"
	Over    Status = "over"
)

// Game is a duel of two fleets on two seas. All of it is exported, so all of it survives a crash and a deploy.
type Game struct {
	Options Options
	Status  Status
	Sides   [2]Side // by seat
	Turn    int     // the seat that shoots next
	Ends    int64   // room time at which the turn ends, in milliseconds
}

// Side is one player with a sea of their own.
type Side struct {
	Player room.Player
	Bot    bool
	Ready  bool
	Fleet  []Ship
	Shots  []string // the cells that were shot at
	Missed int      // turns in a row that ran out
}

// Action is what a player can do. Exactly one field is set.
type Action struct {
	Fire    string `json:"fire,omitempty"`    // at a cell of the other sea, such as "b4"
	Shuffle bool   `json:"shuffle,omitempty"` // place the own fleet anew
	Ready   bool   `json:"ready,omitempty"`   // begin
}

// Open sets up a room.
func (g *Game) Open(t *room.Turn, _ json.RawMessage) error {
	g.Options = Options{Seconds: 30}
	if err := t.Options(&g.Options); err != nil {
		return err
	}
	if g.Options.Seconds < 5 || g.Options.Seconds > 600 {
		return room.Refuse("bad_options", "seconds must be 5 to 600")
	}
	g.Status = Waiting
	if g.Options.Computer {
		t.Seats(1) // the computer has the other one
		t.Begin()  // one player is enough
		g.Sides[1] = Side{Player: computer, Bot: true, Ready: true, Fleet: launch(t.Rand())}
	}
	return nil
}

// Join gives a player a fleet. When both are there, they look at their fleets.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	if p.ID == computer.ID {
		return room.Refuse("reserved", "this id is the computer's")
	}
	g.Sides[p.Seat] = Side{Player: p, Fleet: launch(t.Rand())}
	if g.Options.Computer || len(t.Players()) == 2 {
		t.Lock(true)
		t.Grace(room.Forever) // from here on the clock decides what absence costs
		g.Status = Placing
		g.clock(t, time.Minute)
	}
	return nil
}

// Leave ends the game: who leaves loses.
func (g *Game) Leave(t *room.Turn, p room.Player, why room.LeaveReason) {
	switch g.Status {
	case Waiting:
		g.Sides[p.Seat] = Side{}
	case Placing, Playing:
		g.finish(t, 1-p.Seat, string(why), g.Sides[1-p.Seat].Player.Name+" wins, because "+p.Name+" left")
	}
}

// Act applies a player's action.
func (g *Game) Act(t *room.Turn, by room.Player, a Action) error {
	me := &g.Sides[by.Seat]
	switch {
	case a == Action{Shuffle: true}:
		if g.Status != Placing || me.Ready {
			return room.Refuse("too_late", "the fleet can be placed anew before you are ready")
		}
		me.Fleet = launch(t.Rand())
	case a == Action{Ready: true}:
		if g.Status != Placing {
			return room.Refuse("not_now", "nobody waits for that now")
		}
		me.Ready = true
		g.begin(t)
	case a == Action{Fire: a.Fire} && a.Fire != "":
		return g.fire(t, by.Seat, a.Fire)
	default:
		return room.Refuse("bad_action", `send one of {"fire":"b4"}, {"shuffle":true}, {"ready":true}`)
	}
	return nil
}

func (g *Game) fire(t *room.Turn, seat int, cell string) error {
	target := &g.Sides[1-seat]
	switch {
	case g.Status != Playing:
		return room.Refuse("not_now", "the shooting has not begun")
	case g.Turn != seat:
		return room.Refuse("not_your_turn", "it is the other player's turn")
	case !slices.Contains(cells, cell):
		return room.Refuse("no_such_cell", "cells are a1 to h8")
	case slices.Contains(target.Shots, cell):
		return room.Refuse("shot_before", "you have shot there before")
	}
	g.Sides[seat].Missed = 0
	g.shoot(t, seat, cell)
	return nil
}

// shoot applies a shot that is allowed, and passes the turn on.
func (g *Game) shoot(t *room.Turn, seat int, cell string) {
	target := &g.Sides[1-seat]
	target.Shots = append(target.Shots, cell)
	t.Broadcast("shot", Shot{By: seat, Cell: cell, Mark: target.marks(false)[cell]})
	if target.sunk() {
		g.finish(t, seat, "sunk", g.Sides[seat].Player.Name+" sank the whole fleet")
		return
	}
	g.next(t, 1-seat)
}

// Timer is called when a turn has run out, or when the computer has thought for long enough.
func (g *Game) Timer(t *room.Turn, name string) {
	switch {
	case name == "computer":
		g.shoot(t, computer.Seat, think(g.View(room.Viewer{Player: computer.ID, Seat: computer.Seat}), t.Rand()))
	case g.Status == Placing:
		g.Sides[0].Ready, g.Sides[1].Ready = true, true
		g.begin(t)
	case g.Status == Playing:
		me := &g.Sides[g.Turn]
		if me.Missed++; me.Missed < 2 {
			g.next(t, 1-g.Turn)
			return
		}
		g.finish(t, 1-g.Turn, "time", me.Player.Name+" let two turns run out")
	}
}

func (g *Game) begin(t *room.Turn) {
	if g.Sides[0].Ready && g.Sides[1].Ready {
		g.Status = Playing
		g.next(t, 0)
	}
}

// next gives a seat the turn.
func (g *Game) next(t *room.Turn, seat int) {
	g.Turn = seat
	g.clock(t, time.Duration(g.Options.Seconds)*time.Second)
	if g.Sides[seat].Bot {
		t.StartTimer("computer", time.Second+time.Duration(t.Rand().IntN(800))*time.Millisecond)
	}
}

func (g *Game) clock(t *room.Turn, left time.Duration) {
	t.StartTimer("turn", left)
	t.Empty(2 * left) // a room that nobody looks at ends by its clock
	g.Ends = (t.Now() + left).Milliseconds()
}

func (g *Game) finish(t *room.Turn, winner int, reason, summary string) {
	g.Status, g.Turn = Over, winner
	t.StopTimer("turn")
	t.StopTimer("computer")
	r := room.Result{Reason: reason, Summary: summary}
	for seat, s := range g.Sides {
		rank := 1
		if seat != winner {
			rank = 2
		}
		r.Outcomes = append(r.Outcomes, room.Outcome{Player: s.Player.ID, Name: s.Player.Name, Seat: seat, Rank: rank, Bot: s.Bot})
	}
	t.Finish(r)
}

// Legal names what a viewer may do now. Load tests, proofs and the default table play by it.
func (g *Game) Legal(v room.Viewer) (actions []Action) {
	switch {
	case v.Spectating():
	case g.Status == Placing && !g.Sides[v.Seat].Ready:
		actions = append(actions, Action{Ready: true}, Action{Shuffle: true})
	case g.Status == Playing && g.Turn == v.Seat:
		for _, cell := range cells {
			if !slices.Contains(g.Sides[1-v.Seat].Shots, cell) {
				actions = append(actions, Action{Fire: cell})
			}
		}
	}
	return actions
}
