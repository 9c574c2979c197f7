package chess

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// FuzzActions sends lines of text as two players' actions. Nothing may panic, a refused action may change
// nothing, and the game must be restorable after each.
func FuzzActions(f *testing.F) {
	f.Add("{\"move\":\"e4\"}\n{\"move\":\"e5\"}\n{\"draw\":\"offer\"}\n{\"draw\":\"accept\"}")
	f.Add("{\"move\":\"e4\"}\n{\"takeback\":\"offer\"}\n{\"takeback\":\"accept\"}\n{\"move\":\"g1f3\"}")
	f.Add("{\"move\":\"f3\"}\n{\"move\":\"e5\"}\n{\"move\":\"g4\"}\n{\"move\":\"Qh4#\"}\n{\"resign\":true}")
	f.Add("{\"move\":\"e8(Q)\"}\n{\"move\":\"0-0-0\"}\n{\"move\":\"e.p.\"}\n{\"draw\":\"claim\"}\nnull")
	f.Fuzz(func(t *testing.T, script string) {
		machine := fuzzRoom(t)
		var cseq [2]record.CSeq
		for i, text := range strings.SplitN(script, "\n", 64) {
			// Both players send each line, so that it is the turn of one of them.
			for j, p := range [2]room.PlayerID{"ann", "bob"} {
				cseq[j]++
				fuzzAct(t, machine, core.Input{Kind: core.KindAct, At: ms(int64(i) * 100), Player: p, Client: "c", CSeq: cseq[j], Data: json.RawMessage(text)})
			}
		}
	})
}

func fuzzRoom(t *testing.T) *core.Core {
	machine, _, err := core.Open(core.Config{Rules: Rules(), Header: record.Header{
		Game: "chess", Version: Version, Runtime: core.RuntimeVersion,
		Options: json.RawMessage(`{"white": "first", "takeback": true, "clock": {"initial_ms": 2000, "increment_ms": 10}}`),
	}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, p := range []room.PlayerID{"ann", "bob"} {
		for _, in := range []core.Input{{Kind: core.KindJoin, Player: p}, {Kind: core.KindAttach, Player: p, Client: "c"}} {
			if _, err := machine.Step(in); err != nil {
				t.Fatal(err)
			}
		}
	}
	return machine
}

func fuzzAct(t *testing.T, machine *core.Core, in core.Input) {
	before, err := machine.GameState()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := machine.Step(in); err != nil {
		t.Fatal(err)
	}
	if p := machine.Panicked(); p != nil {
		t.Fatalf("%s: %s\n%s", in.Data, p.Value, p.Stack)
	}
	after, err := machine.GameState()
	if err != nil {
		t.Fatal(err)
	}
	refused := false
	for _, o := range machine.Commit(machine.Point().Seq) {
		if a, ok := o.(core.Answered); ok {
			refused = strings.Contains(string(a.Frame.Bytes(0)), `"t":"reject"`)
		}
	}
	if refused && string(before) != string(after) {
		t.Fatalf("the refused %s changed\n%s to\n%s", in.Data, before, after)
	}
	again := new(Game)
	if err := again.Restore(after); err != nil {
		t.Fatalf("%v: %s", err, after)
	}
	if back, err := again.Snapshot(); err != nil || string(back) != string(after) {
		t.Fatalf("%v: the snapshot\n%s comes back as\n%s", err, after, back)
	}
}

// FuzzRestore proves that no snapshot makes Restore or View panic.
func FuzzRestore(f *testing.F) {
	f.Add([]byte(`{"options":{"white":"first","fen":"` + startFEN + `"},"uci":"e2e4 e7e5","san":"e4 e5","draw":{"by":-1},"takeback":{"by":-1}}`))
	f.Add([]byte(`{"options":{"fen":"k7/8/8/8/8/8/7P/K7 w - - 0 1","clock":{"initial_ms":5}},"uci":"a1a8","san":"K","players":[{},{}],"clock":{"log":[4]}}`))
	f.Add([]byte(`{"options":{"fen":"8/4P1k1/8/8/8/8/8/4K3 w - -"},"uci":"e7e8n","san":"e8=N","over":{"winner":7,"reason":"x"}}`))
	f.Fuzz(func(t *testing.T, snapshot []byte) {
		g := new(Game)
		if g.Restore(snapshot) != nil {
			return
		}
		g.View(room.Spectator)
		if _, err := g.Snapshot(); err != nil {
			t.Fatal(err)
		}
	})
}

// FuzzFEN proves that a game can go on from every accepted position, and that the position is written as it was read.
func FuzzFEN(f *testing.F) {
	for _, fen := range []string{
		startFEN, "4k3/8/8/3pP3/8/8/8/4K3 w - d6 0 1", "r3k2r/8/8/8/8/8/8/R3K2R b Qk - 3 9", "8/4P1k1/8/8/8/8/8/4K3 w - -",
		"q3k1b1/PPPPPPPP/8/8/8/8/8/4K3 w - - 0 1",
	} {
		f.Add(fen)
	}
	f.Fuzz(func(t *testing.T, fen string) {
		l, err := newLine(fen)
		if err != nil {
			return
		}
		again, err := newLine(l.fen())
		if err != nil || again.fen() != l.fen() {
			t.Fatalf("%q is written %q and read %v", fen, l.fen(), err)
		}
		for _, m := range l.pos.ValidMoves() {
			next, err := newLine(fen)
			if err != nil {
				t.Fatal(err)
			}
			found, err := next.find(m.String())
			if err != nil {
				t.Fatalf("%q: %s: %v", fen, m.String(), err)
			}
			p := next.play(found)
			if bare := strings.TrimRight(p.san, "+#"); !l.reads(bare, m.String()) {
				t.Fatalf("%q: %s is written %s, which does not mean it", fen, m.String(), p.san)
			}
		}
	})
}

func (l *line) reads(san, uci string) bool {
	f, err := l.find(san)
	return err == nil && f.uci == uci
}
