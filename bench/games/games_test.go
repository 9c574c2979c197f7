package games

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
	"github.com/roomring/roomring/room/wire"
)

// TestProved shows that the rooms of the comparison are games like any other.
func TestProved(t *testing.T) {
	text := func(r *rand.Rand, _ room.Player, _ json.RawMessage) any {
		return strings.Repeat(string(rune('a'+r.IntN(26))), payload)
	}
	steer := func(r *rand.Rand, _ room.Player, _ json.RawMessage) any {
		return Steer{VX: r.Float32()*100 - 50, VY: r.Float32()*100 - 50}
	}
	roomtest.Prove(t, Act(), roomtest.Options{Act: text, Games: 3, Inputs: 40})
	roomtest.Prove(t, Turns(), roomtest.Options{Act: text, Games: 3, Inputs: 40})
	roomtest.Prove(t, Arena(), roomtest.Options{Act: steer, Games: 3, Inputs: 40, Players: 3})
}

// open makes a room with two players, "a" and "b", connected.
func open(t *testing.T, rules *room.Rules) *room.Core {
	t.Helper()
	head := room.Header{ID: room.NewID([10]byte{1}), Game: rules.Spec().Name, Version: 1, Runtime: room.RuntimeVersion}
	core, _, err := room.Open(room.Config{Header: head, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, id := range []room.PlayerID{"a", "b"} {
		step(t, core, room.Input{Kind: room.KindJoin, Player: id, Name: string(id)})
		step(t, core, room.Input{Kind: room.KindAttach, Player: id, Client: "c", Attempt: 1})
	}
	heard(core)
	return core
}

func step(t *testing.T, core *room.Core, in room.Input) {
	t.Helper()
	in.At = core.Now()
	ready, err := core.Step(in)
	if err != nil || ready.Refused != nil {
		t.Fatal(in.Kind, err, ready.Refused)
	}
}

func act(t *testing.T, core *room.Core, by room.PlayerID, cseq room.CSeq, data any) string {
	t.Helper()
	raw, err := json.Marshal(data)
	if err != nil {
		t.Fatal(err)
	}
	step(t, core, room.Input{Kind: room.KindAct, Player: by, Client: "c", CSeq: cseq, Data: raw})
	return heard(core)
}

// heard is what the room has to say, as clients of the JSON encoding get it.
func heard(core *room.Core) string {
	var b strings.Builder
	for _, out := range core.Commit(core.Point().Seq) {
		switch out := out.(type) {
		case room.Turned:
			if out.Frame != nil {
				b.Write(out.Frame.Bytes(wire.JSON))
			}
		case room.Answered:
			b.Write(out.Frame.Bytes(wire.JSON))
		}
	}
	return b.String()
}

func TestActSendsToAll(t *testing.T) {
	core := open(t, Act())
	text := strings.Repeat("x", payload)
	if got := act(t, core, "b", 1, text); !strings.Contains(got, `{"name":"act","data":"`+text+`"}`) || !strings.Contains(got, `"t":"ack"`) {
		t.Errorf("said %s", got)
	}
	if got := act(t, core, "b", 2, "short"); !strings.Contains(got, "bad_payload") {
		t.Errorf("said %s", got)
	}
}

func TestTurnRefusesOutOfTurn(t *testing.T) {
	core := open(t, Turns())
	text := strings.Repeat("x", payload)
	if got := act(t, core, "b", 1, text); !strings.Contains(got, "not_your_turn") {
		t.Errorf("said %s", got)
	}
	for cseq, by := range []room.PlayerID{"a", "b", "a"} {
		n := room.CSeq(cseq/2 + 1)
		if by == "b" {
			n = 2
		}
		if got := act(t, core, by, n, text); !strings.Contains(got, `"name":"act"`) {
			t.Errorf("move %d: said %s", cseq, got)
		}
	}
}

func TestArenaMoves(t *testing.T) {
	core := open(t, Arena())
	if got := act(t, core, "b", 1, Steer{VX: 20, VY: -40}); strings.Contains(got, "patch") {
		t.Errorf("the arena spoke between ticks: %s", got)
	}
	at, ok := core.Deadline()
	if !ok {
		t.Fatal("the arena does not tick")
	}
	in, ok := core.Due(at)
	if !ok || in.Kind != room.KindTick {
		t.Fatalf("due is %v, %v", in, ok)
	}
	if _, err := core.Step(in); err != nil {
		t.Fatal(err)
	}
	if got := heard(core); !strings.Contains(got, `"x":11,"y":998}`) {
		t.Errorf("said %s", got)
	}
}
