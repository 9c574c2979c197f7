package core_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// confidant is a game that ends when a player asks for it. Its log is long enough to be cut.
type confidant struct{ Said int }

func (g *confidant) Act(t *room.Turn, by room.Player, said string) error {
	if g.Said++; said == "end" {
		t.Finish(room.Result{Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Rank: 1}}})
	}
	return nil
}
func (g *confidant) View(room.Viewer) int { return g.Said }

// TestAnonymousReplay checks that replays hold neither join codes nor client ids, and that they replay to the same end. It
// covers new replays, replays of an older program, and a log that was cut.
func TestAnonymousReplay(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "confidant", Version: 1, SharedView: true}, func() *confidant { return new(confidant) })
	head := record.Header{ID: "0123456789abcdef", Game: "confidant", Version: 1, Runtime: core.RuntimeVersion, Private: true, Code: "secretcode"}
	for _, cut := range []bool{false, true} {
		machine, first, err := core.Open(core.Config{Header: head, Rules: rules}, 1)
		if err != nil {
			t.Fatal(err)
		}
		older := first // the log in the form of an older program
		step := func(in core.Input) {
			t.Helper()
			ready, err := machine.Step(in)
			if err != nil || ready.Entry == nil {
				t.Fatalf("%s: %v, %v", in.Kind, err, ready.Refused)
			}
			if in.Kind == core.KindCut {
				older = nil
			}
			older = append(older, *ready.Entry)
			machine.Commit(machine.Point().Seq)
		}
		step(core.Input{Kind: core.KindJoin, Player: "ann", Name: "Ann"})
		step(core.Input{Kind: core.KindAttach, Player: "ann", Client: "the-first-client", Attempt: 1})
		step(core.Input{Kind: core.KindAct, Player: "ann", Client: "the-first-client", CSeq: 1, Data: json.RawMessage(`"hello"`)})
		if cut {
			step(core.Input{Kind: core.KindCut})
		}
		step(core.Input{Kind: core.KindAct, Player: "ann", Client: "the-first-client", CSeq: 2, Data: json.RawMessage(`"again"`)})
		step(core.Input{Kind: core.KindAttach, Player: "ann", Client: "the-other-client", Attempt: 1})
		step(core.Input{Kind: core.KindAct, Player: "ann", Client: "the-other-client", CSeq: 1, Data: json.RawMessage(`"end"`)})
		final, err := machine.Seal()
		if err != nil {
			t.Fatal(err)
		}
		made := final.Replay.Join()
		old := olderReplay(t, head, final, older)
		if !core.IsAnonymous(made) || core.IsAnonymous(old) {
			t.Errorf("cut %v: which are anonymous is told wrongly", cut)
		}
		rr, err := core.OpenReplay(bytes.NewReader(old))
		if err != nil {
			t.Fatal(err)
		}
		var written bytes.Buffer
		if err := rr.WriteAnonymous(&written); err != nil {
			t.Fatal(err)
		}
		if !core.IsAnonymous(written.Bytes()) {
			t.Errorf("cut %v: what was written does not say that it is anonymous", cut)
		}
		for what, data := range map[string][]byte{"made": made, "written": written.Bytes()} {
			r, err := core.ReadReplay(bytes.NewReader(data))
			if err != nil {
				t.Fatal(err)
			}
			plain, err := core.EncodeEntries(nil, r.Entries...)
			if err != nil {
				t.Fatal(err)
			}
			for _, secret := range []string{"the-first-client", "the-other-client"} {
				if bytes.Contains(plain, []byte(secret)) {
					t.Errorf("cut %v: the log that was %s holds %q", cut, what, secret)
				}
			}
			if r.Header.Code != "" {
				t.Errorf("cut %v: the header that was %s holds %q", cut, what, r.Header.Code)
			}
			again, err := core.Run(core.Config{Header: r.Header, Rules: rules}, r.Log(), func(*core.Core, core.Entry) error { return nil })
			if err != nil || again.Final() == nil || again.Final().Sum() != final.Hash {
				t.Errorf("cut %v: the replay that was %s comes to %+v, %v", cut, what, again, err)
			}
		}
		if len(final.Readers) != 1 || final.Readers[0] != "ann" {
			t.Errorf("readers %v", final.Readers)
		}
	}
}

// olderReplay returns a replay in the form of older programs.
func olderReplay(t *testing.T, h record.Header, f record.Final, entries []core.Entry) []byte {
	t.Helper()
	z, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	f.Replay = nil
	plain := append(cborOf(t, h), cborOf(t, f)...)
	if plain, err = core.EncodeEntries(plain, entries...); err != nil {
		t.Fatal(err)
	}
	return z.EncodeAll(plain, []byte("roomring replay 1\n"))
}

func cborOf(t *testing.T, v any) []byte {
	t.Helper()
	data, err := cbor.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return data
}
