package core_test

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// worldRules returns a game that never ends and keeps a short log. It ticks if rate is above 0.
func worldRules(rate int) *room.Rules {
	spec := room.Spec{Name: "world", Version: 1, MaxPlayers: 2, TickRate: rate, LogBytes: room.MinLogBytes}
	if rate > 0 {
		return room.MustDefine(spec, func() *tickingWorld { return &tickingWorld{} })
	}
	return room.MustDefine(spec, func() *world { return &world{} })
}

type world struct{ Steps, Ticks int }

func (w *world) Act(_ *room.Turn, _ room.Player, _ string) error { w.Steps++; return nil }
func (w *world) View(room.Viewer) world                          { return *w }

type tickingWorld struct{ world }

func (w *tickingWorld) Tick(*room.Turn) { w.Ticks++ }

// playPastBound plays a world until its log was cut many times, as an actor would, and returns what a journal has then.
func (b *bench) playPastBound(m *mirror, acts int) (cuts int, kept record.Kept) {
	b.t.Helper()
	began := 0
	cut := func(r core.Ready) {
		for r.CutDue {
			if r = b.step(core.Input{Kind: core.KindCut, At: b.core.Now()}); r.Entry == nil {
				b.t.Fatal("a cut that was due is refused")
			}
			began = len(b.entries) - 1
			cuts++
		}
	}
	for range acts {
		cut(b.act(m, `"`+strings.Repeat("x", 200)+`"`))
		if in, due := b.core.Due(b.core.Now() + time.Second); due && in.Kind == core.KindTick {
			cut(b.step(in))
		}
		b.all()
	}
	b.entries = b.entries[began:]
	kept = b.kept()
	kept.Batches[0].First = b.entries[0].Index
	return cuts, kept
}

func TestALogIsCutAtItsBound(t *testing.T) {
	for _, rate := range []int{0, 20} {
		t.Run(fmt.Sprint(rate), func(t *testing.T) {
			b := newBench(t, worldRules(rate), "")
			m := b.join("x")
			b.all()
			cuts, kept := b.playPastBound(m, 500)
			if cuts < 10 {
				t.Fatalf("the log was cut %d times", cuts)
			}
			if err := core.CheckKept(&kept); err != nil {
				t.Fatal(err)
			}
			entries, size := packedLog(t, b.core)
			if entries[0].Kind != core.KindCut || entries[0].Index != kept.Batches[0].First || size > 4*room.MinLogBytes {
				t.Errorf("the log begins with %v at %d and has %d bytes", entries[0].Kind, entries[0].Index, size)
			}
			want, err := b.core.GameState()
			if err != nil {
				t.Fatal(err)
			}
			packed, err := core.EncodeKept(kept)
			if err != nil {
				t.Fatal(err)
			}
			if kept, err = core.DecodeKept(packed); err != nil {
				t.Fatal(err)
			}
			back, err := core.Restore(b.cfg, kept)
			if err != nil {
				t.Fatal(err)
			}
			run, err := core.Run(b.cfg, core.LogOf(entries), nil)
			if err != nil {
				t.Fatal(err)
			}
			for by, c := range map[string]*core.Core{"restored": back, "run again": run} {
				if got, _ := c.GameState(); string(got) != string(want) || c.Point() != b.core.Point() {
					t.Errorf("%s: %s at %v, want %s at %v", by, got, c.Point(), want, b.core.Point())
				}
			}
			var shown []core.SpectatorTurn
			for s, err := range core.SpectatorTurns(b.cfg, core.LogOf(entries)) {
				if err != nil {
					t.Fatal(err)
				}
				shown = append(shown, s)
			}
			if len(shown) == 0 || shown[0].View == nil || shown[0].Seq != entries[0].Index {
				t.Errorf("its views begin with %+v", shown[0])
			}
			b.core = back
			b.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
			b.step(core.Input{Kind: core.KindDetach, Player: "x"})
			b.attach(m, new(m.point))
			b.act(m, `"on"`)
			if in, due := b.core.Due(b.core.Now() + time.Second); due && in.Kind == core.KindTick {
				b.step(in)
			}
			b.all()
			b.checkViews()
		})
	}
}

// TestAReplayComparesTheStateAtACut replays a log that still has the entries before its cut.
func TestAReplayComparesTheStateAtACut(t *testing.T) {
	r := &duelRules{}
	spec := duelGame(1, r).Spec()
	spec.LogBytes = room.MinLogBytes
	duels := func(r *duelRules) *room.Rules {
		return room.MustDefine(spec, func() *duel { return &duel{rules: r} })
	}
	b := newBench(t, duels(r), "")
	m := b.join("x")
	for cut := false; !cut; {
		ready := b.act(m, "1"+strings.Repeat(" ", 100))
		if cut = ready.CutDue; cut {
			b.step(core.Input{Kind: core.KindCut, At: b.core.Now()})
		}
	}
	if _, err := core.Restore(b.cfg, b.kept()); err != nil {
		t.Fatal(err)
	}
	b.cfg.Rules = duels(&duelRules{plots: true})
	if _, err := core.Restore(b.cfg, b.kept()); err == nil || !strings.Contains(err.Error(), "left one state when it was played and these rules leave another") {
		t.Errorf("%v", err)
	}
}

func TestALogOfTheFirstRuntimeIsNeverCut(t *testing.T) {
	b := newBench(t, worldRules(0), "")
	m := b.join("x")
	kept := b.kept()
	kept.Header.Runtime = 1
	c, err := core.Restore(b.cfg, kept)
	if err != nil {
		t.Fatal(err)
	}
	b.core = c
	if cuts, _ := b.playPastBound(m, 100); cuts > 0 {
		t.Errorf("it was cut %d times", cuts)
	}
}

func TestLogOfASpec(t *testing.T) {
	for _, c := range []struct {
		log   room.LogKind
		bytes int
		want  int // 0: an error
	}{
		{room.WholeLog, 0, 32 << 20}, {room.TailLog, 0, 1 << 20}, {room.TailLog, 1 << 16, 1 << 16}, {room.WholeLog, 1, 0}, {"half", 0, 0},
	} {
		rules, err := room.Define(room.Spec{Name: "world", Version: 1, Log: c.log, LogBytes: c.bytes}, func() *world { return &world{} })
		if c.want == 0 != (err != nil) || err == nil && rules.Spec().LogBytes != c.want {
			t.Errorf("%+v: %v", c, err)
		}
	}
}
