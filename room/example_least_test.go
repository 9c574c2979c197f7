package room_test

import (
	"encoding/json"
	"fmt"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// TwentyOne is for two players. They add 1, 2 or 3 in turn, and whoever reaches 21 loses.
type TwentyOne struct{ Sum, Next int }

type Add struct {
	N int `json:"n"`
}

type Board struct {
	Sum  int `json:"sum"`
	Next int `json:"next"` // the seat that moves
}

func (g *TwentyOne) Act(t *room.Turn, by room.Player, a Add) error {
	switch {
	case len(t.Players()) < 2:
		return room.Refuse("waiting", "nobody else is here yet")
	case by.Seat != g.Next:
		return room.Refuse("not_your_turn", "the other player moves now")
	case a.N < 1 || a.N > 3:
		return room.Refuse("bad_number", "add 1, 2 or 3")
	}
	g.Sum, g.Next = g.Sum+a.N, 1-g.Next
	if g.Sum >= 21 {
		other := t.Players()[g.Next]
		t.Finish(room.Result{Reason: "twenty_one", Summary: by.Name + " reached 21", Outcomes: []room.Outcome{
			{Player: other.ID, Name: other.Name, Seat: other.Seat, Rank: 1},
			{Player: by.ID, Name: by.Name, Seat: by.Seat, Rank: 2},
		}})
	}
	return nil
}

func (g *TwentyOne) View(room.Viewer) Board { return Board{g.Sum, g.Next} }

var TwentyOneRules = room.MustDefine(
	room.Spec{Name: "twentyone", Version: 1, Title: "Twenty-one", MinPlayers: 2, SharedView: true},
	func() *TwentyOne { return new(TwentyOne) },
)

// A game is a struct with two methods. The runtime gives it players, order, storage and viewers.
func Example() {
	head := record.Header{ID: "0123456789abcdef", Game: "twentyone", Version: 1, Runtime: core.RuntimeVersion}
	machine, _, err := core.Open(core.Config{Header: head, Rules: TwentyOneRules}, 1)
	if err != nil {
		panic(err)
	}
	step := func(in core.Input) {
		if _, err := machine.Step(in); err != nil {
			panic(err)
		}
	}
	for _, name := range []string{"ann", "bob"} {
		step(core.Input{Kind: core.KindJoin, Player: room.PlayerID(name), Name: name})
		step(core.Input{Kind: core.KindAttach, Player: room.PlayerID(name), Client: "1", Attempt: 1})
	}
	for i := range 8 {
		data, _ := json.Marshal(Add{3}) // plain data always encodes
		who := []room.PlayerID{"ann", "bob"}[i%2]
		step(core.Input{Kind: core.KindAct, Player: who, Client: "1", CSeq: record.CSeq(i/2 + 1), Data: data})
	}
	for _, out := range machine.Commit(machine.Point().Seq) {
		if turn, ok := out.(core.Turned); ok {
			fmt.Printf("%s\n", turn.Frame.Bytes(wire.JSON))
		}
	}
	for _, o := range machine.Final().Result.Outcomes {
		fmt.Println(o.Name, o.Rank)
	}
	// Output:
	// {"t":"turn","seq":7,"patch":{"next":1,"sum":3}}
	// {"t":"turn","seq":8,"patch":{"next":0,"sum":6}}
	// {"t":"turn","seq":9,"patch":{"next":1,"sum":9}}
	// {"t":"turn","seq":10,"patch":{"next":0,"sum":12}}
	// {"t":"turn","seq":11,"patch":{"next":1,"sum":15}}
	// {"t":"turn","seq":12,"patch":{"next":0,"sum":18}}
	// {"t":"turn","seq":13,"patch":{"next":1,"sum":21}}
	// bob 1
	// ann 2
}
