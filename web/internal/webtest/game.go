package webtest

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Pressed is the least game that ends: one press.
type Pressed struct{ Presses int }

func (p *Pressed) Act(t *room.Turn, by room.Player, _ struct{}) error {
	p.Presses++
	t.Finish(room.Result{
		Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Seat: by.Seat, Rank: 1}}, Reason: "pressed", Summary: by.Name + " pressed",
	})
	return nil
}

func (p *Pressed) View(room.Viewer) int { return p.Presses }

// PressRules are the rules of Pressed.
func PressRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "press", Version: 1}, func() *Pressed { return &Pressed{} })
}

// PlayedGame is a real room, played to its end.
func PlayedGame(t *testing.T) record.Final {
	t.Helper()
	rules := PressRules()
	header := record.Header{
		ID: RoomID, Game: "press", Version: 1, Runtime: core.RuntimeVersion, Code: "joincode", Private: true, Public: true,
		Durability: room.Memory, Created: Now,
	}
	machine, _, err := core.Open(core.Config{Header: header, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann", Name: "Ann"},
		{Kind: core.KindAttach, Player: "ann", Client: "client-1", Attempt: 1},
		{Kind: core.KindAct, At: time.Second, Player: "ann", Client: "client-1", CSeq: 1, Data: json.RawMessage(`{}`)},
	} {
		if ready, err := machine.Step(in); err != nil || ready.Refused != nil {
			t.Fatalf("%s: %v, %v", in.Kind, err, ready.Refused)
		}
	}
	final, err := machine.Seal()
	if err != nil {
		t.Fatal(err)
	}
	return final
}
