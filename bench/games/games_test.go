package games

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/roomtest"
	"github.com/roomring/roomring/room/wire"
)

// TestProved proves that the rooms of the comparison are games like any other.
func TestProved(t *testing.T) {
	roomtest.Prove(t, Act(), roomtest.Options{Act: sayText, Games: 3, Inputs: 40})
	roomtest.Prove(t, Turns(), roomtest.Options{Act: sayText, Games: 3, Inputs: 40})
	roomtest.Prove(t, Arena(), roomtest.Options{Act: steerAnywhere, Games: 3, Inputs: 40, Players: 3})
}

// open makes a room with two players, "a" and "b", connected.
func open(t *testing.T, rules *room.Rules) *core.Core {
	t.Helper()
	head := record.Header{ID: record.NewID([10]byte{1}), Game: rules.Spec().Name, Version: 1, Runtime: core.RuntimeVersion}
	machine, _, err := core.Open(core.Config{Header: head, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []room.PlayerID{"a", "b"} {
		step(t, machine, core.Input{Kind: core.KindJoin, Player: id, Name: string(id)})
		step(t, machine, core.Input{Kind: core.KindAttach, Player: id, Client: "c", Attempt: 1})
	}
	heard(machine)
	return machine
}

func step(t *testing.T, machine *core.Core, in core.Input) {
	t.Helper()
	in.At = machine.Now()
	ready, err := machine.Step(in)
	if err != nil || ready.Refused != nil {
		t.Fatal(in.Kind, err, ready.Refused)
	}
}

func act(t *testing.T, machine *core.Core, by room.PlayerID, cseq record.CSeq, data any) string {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	step(t, machine, core.Input{Kind: core.KindAct, Player: by, Client: "c", CSeq: cseq, Data: raw})
	return heard(machine)
}

// heard are the room's messages, as clients of the JSON encoding get them.
func heard(machine *core.Core) string {
	var b strings.Builder
	for _, out := range machine.Commit(machine.Point().Seq) {
		switch out := out.(type) {
		case core.Turned:
			if out.Frame != nil {
				b.Write(out.Frame.Bytes(wire.JSON))
			}
		case core.Answered:
			b.Write(out.Frame.Bytes(wire.JSON))
		}
	}
	return b.String()
}

func TestActSendsToAll(t *testing.T) {
	machine := open(t, Act())
	text := strings.Repeat("x", payload)
	if got := act(t, machine, "b", 1, text); !strings.Contains(got, `{"name":"act","data":"`+text+`"}`) || !strings.Contains(got, `"t":"ack"`) {
		t.Errorf("said %s", got)
	}
	if got := act(t, machine, "b", 2, "short"); !strings.Contains(got, "bad_payload") {
		t.Errorf("said %s", got)
	}
}

func TestTurnRefusesOutOfTurn(t *testing.T) {
	machine := open(t, Turns())
	text := strings.Repeat("x", payload)
	if got := act(t, machine, "b", 1, text); !strings.Contains(got, "not_your_turn") {
		t.Errorf("said %s", got)
	}
	for cseq, by := range []room.PlayerID{"a", "b", "a"} {
		n := record.CSeq(cseq/2 + 1)
		if by == "b" {
			n = 2
		}
		if got := act(t, machine, by, n, text); !strings.Contains(got, `"name":"act"`) {
			t.Errorf("move %d: said %s", cseq, got)
		}
	}
}

func TestArenaMoves(t *testing.T) {
	machine := open(t, Arena())
	if got := act(t, machine, "b", 1, Steer{VX: 20, VY: -40}); strings.Contains(got, "patch") {
		t.Errorf("the arena spoke between ticks: %s", got)
	}
	at, ok := machine.Deadline()
	if !ok {
		t.Fatal("the arena does not tick")
	}
	in, ok := machine.Due(at)
	if !ok || in.Kind != core.KindTick {
		t.Fatalf("due is %v, %v", in, ok)
	}
	if _, err := machine.Step(in); err != nil {
		t.Fatal(err)
	}
	if got := heard(machine); !strings.Contains(got, `"x":11,"y":998}`) {
		t.Errorf("said %s", got)
	}
}
