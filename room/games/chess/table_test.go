package chess_test

import (
	"encoding/json"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// table is a room with a game of chess in it, driven as an actor would. Ann has the first seat, Bob the
// second.
type table struct {
	t      testing.TB
	core   *core.Core
	now    time.Duration
	cseq   map[room.PlayerID]record.CSeq
	reason string   // of the last refusal
	events []string // heard so far
	patch  int      // bytes of the last patch
}

const (
	ann room.PlayerID = "ann"
	bob room.PlayerID = "bob"
)

var rules = chess.Rules()

func config(options string, seed byte) core.Config {
	return core.Config{Rules: rules, Header: record.Header{
		ID: record.NewID([10]byte{seed}), Game: "chess", Version: chess.Version, Runtime: core.RuntimeVersion,
		Options: json.RawMessage(options), Seed: [32]byte{seed},
	}}
}

// open makes a room without players.
func open(t testing.TB, options string) *table { return openUnder(t, core.RuntimeVersion, options) }

// openUnder is open with a room of an earlier runtime.
func openUnder(t testing.TB, runtime int, options string) *table {
	t.Helper()
	cfg := config(options, 1)
	cfg.Header.Runtime = runtime
	machine, _, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatalf("options %s: %v", options, err)
	}
	return &table{t: t, core: machine, cseq: map[room.PlayerID]record.CSeq{}}
}

// play makes a room in which Ann has White and Bob Black. The options come without their braces.
func play(t testing.TB, options string) *table {
	t.Helper()
	if options != "" {
		options = ", " + options
	}
	return open(t, `{"white": "first"`+options+`}`).both()
}

func (b *table) both() *table {
	b.t.Helper()
	b.sit(ann, "Ann")
	b.sit(bob, "Bob")
	return b
}

// drop cuts a player's connection; back connects the player again.
func (b *table) drop(p room.PlayerID) {
	b.t.Helper()
	b.step(core.Input{Kind: core.KindDetach, Player: p, Client: "c"})
}

func (b *table) back(p room.PlayerID) {
	b.t.Helper()
	b.step(core.Input{Kind: core.KindAttach, Player: p, Client: "c", Attempt: 2})
}

// from is a game that starts from a position, with more options.
func from(t testing.TB, fen, more string) *table {
	t.Helper()
	return play(t, fmt.Sprintf(`"fen": %q%s`, fen, more))
}

func (b *table) step(in core.Input) core.Ready {
	b.t.Helper()
	in.At = b.now
	ready, err := b.core.Step(in)
	if err != nil {
		b.t.Fatal(err)
	}
	if p := b.core.Panicked(); p != nil {
		b.t.Fatalf("the game panicked: %s\n%s", p.Value, p.Stack)
	}
	return ready
}

func (b *table) sit(p room.PlayerID, name string) error {
	b.t.Helper()
	if err := b.step(core.Input{Kind: core.KindJoin, Player: p, Name: name}).Refused; err != nil {
		return err
	}
	b.step(core.Input{Kind: core.KindAttach, Player: p, Client: "c", Attempt: 1})
	b.hear()
	return nil
}

// hear commits all output and returns the code of the refusal in it, if there is one.
func (b *table) hear() (code string) {
	b.t.Helper()
	for _, o := range b.core.Commit(b.core.Point().Seq) {
		var frame *core.Frame
		switch o := o.(type) {
		case core.Turned:
			frame = o.Frame
		case core.Answered:
			frame = o.Frame
		default:
			continue
		}
		var m struct {
			T, Code, Reason string
			Patch           json.RawMessage
			Events          []wire.Event
		}
		if err := json.Unmarshal(frame.Bytes(wire.JSON), &m); err != nil {
			b.t.Fatal(err)
		}
		if m.T == "reject" {
			code, b.reason = m.Code, m.Reason
		}
		if m.T == "turn" {
			b.patch = len(m.Patch)
		}
		for _, e := range m.Events {
			b.events = append(b.events, e.Name+string(e.Data))
		}
	}
	return code
}

// act sends an action and returns the code of its refusal, or nothing.
func (b *table) act(p room.PlayerID, data string) string {
	b.t.Helper()
	b.due()
	b.cseq[p]++
	ready := b.step(core.Input{Kind: core.KindAct, Player: p, Client: "c", CSeq: b.cseq[p], Data: json.RawMessage(data)})
	if ready.Refused != nil {
		return "core:" + ready.Refused.Error()
	}
	return b.hear()
}

// must sends an action that must be accepted.
func (b *table) must(p room.PlayerID, data string) {
	b.t.Helper()
	if code := b.act(p, data); code != "" {
		b.t.Fatalf("%s's %s was refused: %s: %s", p, data, code, b.reason)
	}
}

// refuse sends an action that must be refused with a code, and checks that it changes nothing.
func (b *table) refuse(p room.PlayerID, data, code string) {
	b.t.Helper()
	before := b.state()
	if got := b.act(p, data); got != code {
		b.t.Errorf("%s's %s was answered %q (%s), not %q", p, data, got, b.reason, code)
	}
	if after := b.state(); after != before {
		b.t.Errorf("the refused %s changed the game from\n%s to\n%s", data, before, after)
	}
}

func (b *table) state() string {
	raw, err := b.core.GameState()
	if err != nil {
		b.t.Fatal(err)
	}
	return string(raw)
}

// moves plays moves in turn.
func (b *table) moves(moves string) {
	b.t.Helper()
	v := b.view()
	mover, other := v.White.Player, v.Black.Player
	if v.Turn == "black" {
		mover, other = other, mover
	}
	for m := range strings.FieldsSeq(moves) {
		b.must(mover, fmt.Sprintf(`{"move": %q}`, m))
		mover, other = other, mover
	}
}

func (b *table) toMove() room.PlayerID {
	v := b.view()
	if v.Turn == "white" {
		return v.White.Player
	}
	return v.Black.Player
}

// pass lets time go by.
func (b *table) pass(d time.Duration) {
	b.t.Helper()
	b.now += d
	b.due()
}

// due steps what is due, each at its time.
func (b *table) due() {
	b.t.Helper()
	now := b.now
	for {
		in, ok := b.core.Due(now)
		if !ok || in.Kind == core.KindClose {
			break
		}
		b.now = in.At
		b.step(in)
		b.hear()
	}
	b.now = now
}

func (b *table) view() chess.View {
	b.t.Helper()
	raw, err := b.core.WholeView(room.Spectator)
	if err != nil {
		b.t.Fatal(err)
	}
	var v chess.View
	if err := json.Unmarshal(raw, &v); err != nil {
		b.t.Fatal(err)
	}
	return v
}

// ended checks how the game ended: the score as a PGN has it, and the reason.
func (b *table) ended(score, reason string) room.Result {
	b.t.Helper()
	f := b.core.Final()
	if f == nil {
		b.t.Fatalf("the game is not over: %s", b.state())
	}
	got := b.view().Result
	end := record.Finished
	if reason == chess.Aborted {
		end = record.Aborted
	}
	if f.End != end || f.Rated && end == record.Aborted || f.Result.Reason != reason || got.Reason != reason || got.Score != score {
		b.t.Fatalf("the game ended %s %s by %s (%s), not %s by %s", f.End, got.Score, f.Result.Reason, f.Result.Summary, score, reason)
	}
	want := map[string][]int{"1-0": {1, 2}, "0-1": {2, 1}, "1/2-1/2": {1, 1}}[score]
	var ranks []int
	v := b.view()
	for _, p := range []room.PlayerID{v.White.Player, v.Black.Player} {
		for _, o := range f.Result.Outcomes {
			if o.Player == p {
				ranks = append(ranks, o.Rank)
			}
		}
	}
	if !reflect.DeepEqual(ranks, want) {
		b.t.Fatalf("a game that ended %s ranks White and Black %v", score, ranks)
	}
	return f.Result
}

// going checks that the game is not over.
func (b *table) going() {
	b.t.Helper()
	if f := b.core.Final(); f != nil {
		b.t.Fatalf("the game is over: %s", f.Result.Reason)
	}
}
