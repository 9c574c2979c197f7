package chess_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/record"
)

// alone makes a room in which Ann plays White against the built-in opponent.
func alone(t testing.TB, options string) *table {
	t.Helper()
	b := open(t, `{"white": "first", "bot": true`+options+`}`)
	b.sit(ann, "Ann")
	return b
}

func TestBotAnswersAfterAWhile(t *testing.T) {
	b := alone(t, "")
	if v := b.view(); v.Status != "playing" || !v.Black.Bot || !v.Black.Online || v.White.Bot {
		t.Fatalf("%+v", v)
	}
	if err := b.sit(bob, "Bob"); err == nil {
		t.Error("a second player sat down against the built-in opponent")
	}
	b.moves("e4")
	b.pass(200 * time.Millisecond)
	if b.view().Turn != "black" {
		t.Error("it moved at once")
	}
	b.pass(time.Second)
	if b.view().Turn != "white" {
		t.Error("it did not move")
	}
}

func TestBotHasWhite(t *testing.T) {
	b := open(t, `{"white": "second", "bot": 1}`)
	b.sit(ann, "Ann")
	b.pass(time.Second)
	if v := b.view(); v.Black.Player != ann || v.Turn != "black" || len(v.Moves) != 1 {
		t.Errorf("%+v", v)
	}
}

// TestBotAgainstRandom proves that the opponent wins against random moves at every level, and that the game is not rated.
func TestBotAgainstRandom(t *testing.T) {
	random := rand.New(rand.NewPCG(5, 6))
	for level := range 3 {
		b := open(t, `{"white": "first", "bot": `+string(rune('1'+level))+`}`)
		b.sit(ann, "Ann")
		for b.core.Final() == nil {
			if b.toMove() == ann {
				b.moves(randomMove(b, random))
			} else {
				b.pass(time.Second)
			}
		}
		f := b.core.Final()
		if f.Rated {
			t.Error("the game is rated")
		}
		if o := f.Result.Outcomes; len(o) != 2 || o[0].Bot || !o[1].Bot {
			t.Errorf("outcomes %+v", o)
		}
		if w := b.view().Result.Winner; w == "white" || level > 0 && w != "black" {
			t.Errorf("level %d: %s", level+1, f.Result.Summary)
		}
	}
}

// randomMove finds a legal move by trial.
func randomMove(b *table, random *rand.Rand) string {
	fen := b.view().FEN
	return chess.RandomMove(fen, random)
}

func TestBotAgainstItself(t *testing.T) {
	for seed := range uint64(3) {
		if moves, reason := chess.BotGame(int(seed)+1, rand.New(rand.NewPCG(seed, 1))); reason == "" || len(moves) < 10 {
			t.Errorf("the game ended by %q after %d half-moves", reason, len(moves))
		}
	}
}

func TestBotOnTheClock(t *testing.T) {
	b := alone(t, `, "clock": {"initial_ms": 500, "increment_ms": 50}`)
	random := rand.New(rand.NewPCG(8, 9))
	for b.core.Final() == nil {
		if b.toMove() == ann {
			b.moves(randomMove(b, random))
			continue
		}
		at, _ := b.core.Deadline()
		b.pass(at - b.now)
	}
	if r := b.core.Final().Result.Reason; strings.HasPrefix(r, "time") {
		t.Errorf("it ended by %s", r)
	}
}

func TestBotAndOffers(t *testing.T) {
	b := alone(t, `, "takeback": true, "fen": "4k3/8/8/8/8/8/PPP5/4K3 w - - 0 1"`)
	b.must(ann, `{"draw": "offer"}`)
	b.going()
	if len(b.events) == 0 || b.view().DrawOffer != "" {
		t.Error("the offer was not declined at once")
	}
	b.moves("a3")
	b.must(ann, `{"takeback": "offer"}`)
	if v := b.view(); v.Turn != "white" || len(v.Moves) != 0 {
		t.Errorf("%+v", v)
	}
	b.pass(time.Minute) // the opponent's timer is stopped
	b.going()
	b.moves("b3")
	b.pass(time.Second)
	b.must(ann, `{"takeback": "offer"}`)
	if v := b.view(); v.Turn != "white" || len(v.Moves) != 0 {
		t.Errorf("%+v", v)
	}
}

func TestBotRematch(t *testing.T) {
	for white, want := range map[string]string{"first": "second", "second": "first"} {
		b := open(t, `{"white": "`+white+`", "bot": 3}`)
		b.sit(ann, "Ann")
		b.must(ann, `{"resign": true}`)
		b.cseq[ann]++
		b.step(core.Input{Kind: core.KindAct, Player: ann, Client: "c", CSeq: b.cseq[ann], Data: json.RawMessage(`{"rematch": true}`)})
		for _, o := range b.core.Commit(b.core.Point().Seq) {
			if r, ok := o.(core.RematchAgreed); ok && string(r.Options) != `{"white":"`+want+`","bot":3}` {
				t.Errorf("after %q: %s", white, r.Options)
			}
		}
	}
}

// TestBotReplays proves that a replay makes the opponent's moves again.
func TestBotReplays(t *testing.T) {
	var entries []core.Entry
	machine, opened, err := core.Open(config(`{"white": "second", "bot": 3}`, 9), 1)
	if err != nil {
		t.Fatal(err)
	}
	entries = append(entries, opened...)
	b := &table{t: t, core: machine, cseq: map[room.PlayerID]record.CSeq{}}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: ann, Name: "Ann"}, {Kind: core.KindAttach, Player: ann, Client: "c", Attempt: 1},
	} {
		entries = append(entries, *b.step(in).Entry)
	}
	random := rand.New(rand.NewPCG(1, 1))
	for b.core.Final() == nil && len(entries) < 60 {
		in, ok := b.core.Due(b.now + time.Second)
		if b.toMove() == ann {
			b.cseq[ann]++
			move, _ := json.Marshal(chess.Action{Move: randomMove(b, random)})
			in = core.Input{Kind: core.KindAct, Player: ann, Client: "c", CSeq: b.cseq[ann], Data: move}
		} else if !ok {
			t.Fatal("the opponent has no timer")
		}
		b.now = max(b.now, in.At)
		entries = append(entries, *b.step(in).Entry)
	}
	again, err := core.Run(core.Config{Rules: rules, Header: b.core.Header()}, core.LogOf(entries), nil)
	if err != nil {
		t.Fatal(err)
	}
	if got := (&table{t: t, core: again}).state(); got != b.state() {
		t.Errorf("the replay leads to\n%s, not\n%s", got, b.state())
	}
}
