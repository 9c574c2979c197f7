package room_test

import (
	"encoding/json"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/roomtest"
)

// Nim is for two players, or for one against the computer. They take 1, 2 or 3 from a heap in turn, and whoever takes
// the last wins.
type Nim struct {
	Heap     int
	Next     int // the seat that takes
	Computer bool
}

type Take struct {
	N int `json:"n"`
}

type Heap struct {
	Heap int `json:"heap"`
	Next int `json:"next"`
}

var computer = room.Player{ID: "nim:computer", Name: "Computer", Seat: 1}

func (g *Nim) Open(t *room.Turn, _ json.RawMessage) error {
	var o struct {
		Computer bool `json:"computer"`
	}
	if err := t.Options(&o); err != nil {
		return err
	}
	g.Heap, g.Computer = 21, o.Computer
	if g.Computer {
		t.Seats(1) // the computer has the other one
		t.Begin()  // one player is enough
	}
	return nil
}

func (g *Nim) Join(_ *room.Turn, p room.Player) error {
	if p.ID == computer.ID {
		return room.Refuse("reserved", "this id is the computer's")
	}
	return nil
}

func (g *Nim) Act(t *room.Turn, by room.Player, a Take) error {
	switch {
	case len(g.players(t)) < 2:
		return room.Refuse("waiting", "nobody else is here yet")
	case by.Seat != g.Next:
		return room.Refuse("not_your_turn", "the other player takes now")
	case a.N < 1 || a.N > 3 || a.N > g.Heap:
		return room.Refuse("bad_number", "take 1, 2 or 3 of what is there")
	}
	g.take(t, a.N)
	if g.Computer {
		t.StartTimer("computer", time.Second)
	}
	return nil
}

func (g *Nim) Timer(t *room.Turn, _ string) {
	n := g.Heap % 4
	if n == 0 {
		n = 1 + t.Rand().IntN(3)
	}
	g.take(t, n)
}

func (g *Nim) players(t *room.Turn) []room.Player {
	if g.Computer {
		return append(t.Players(), computer)
	}
	return t.Players()
}

func (g *Nim) take(t *room.Turn, n int) {
	winner := g.Next
	g.Heap, g.Next = g.Heap-n, 1-g.Next
	if g.Heap > 0 {
		return
	}
	r := room.Result{Reason: "empty", Summary: "The heap is empty"}
	for _, p := range g.players(t) {
		o := room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 2, Bot: p.ID == computer.ID}
		if p.Seat == winner {
			o.Rank = 1
		}
		r.Outcomes = append(r.Outcomes, o)
	}
	t.Finish(r)
}

func (g *Nim) View(room.Viewer) Heap { return Heap{g.Heap, g.Next} }

var NimRules = room.MustDefine(
	room.Spec{Name: "nim", Version: 1, Title: "Nim", MinPlayers: 2, SharedView: true},
	func() *Nim { return new(Nim) },
)

func TestNim(t *testing.T) {
	roomtest.Prove(t, NimRules, roomtest.Options{
		Act: func(r *rand.Rand, p room.Player, view json.RawMessage) any { return Take{N: 1 + r.IntN(3)} },
	})
}

// A game against the computer is on from the start, and its result includes the computer.
func TestExampleNim(t *testing.T) {
	head := record.Header{ID: "0123456789abcdef", Game: "nim", Version: 1, Runtime: core.RuntimeVersion, Options: json.RawMessage(`{"computer":true}`)}
	machine, _, err := core.Open(core.Config{Header: head, Rules: NimRules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	exampleStep(t, machine, core.Input{Kind: core.KindJoin, Player: "ann", Name: "ann"})
	exampleStep(t, machine, core.Input{Kind: core.KindAttach, Player: "ann", Client: "1", Attempt: 1})
	if machine.Phase() != core.PhasePlaying || machine.FreeSeats() != 0 {
		t.Errorf("the room is %s with %d free seats", machine.Phase(), machine.FreeSeats())
	}
	for n := record.CSeq(1); machine.Final() == nil && n < 21; n++ {
		choose(t, machine, "ann", n, `{"n": 1}`)
		for at, ok := machine.Deadline(); ok && machine.Final() == nil; at, ok = machine.Deadline() {
			in, due := machine.Due(at)
			if !due || in.Kind != core.KindTimer {
				break
			}
			exampleStep(t, machine, in)
		}
	}
	f := machine.Final()
	if f == nil || len(f.Result.Outcomes) != 2 || !f.Result.Outcomes[1].Bot || f.Result.Outcomes[1].Player != "nim:computer" || f.Rated {
		t.Errorf("the game ended as %+v", f)
	}
}
