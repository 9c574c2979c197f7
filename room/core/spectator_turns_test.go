package core_test

import (
	"encoding/json"
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/view"
)

// playedBench plays a game before a spectator and records what the spectator saw.
func playedBench(t *testing.T, rules *room.Rules) (b *bench, watcher *mirror, seen map[room.Index]string) {
	b, seen = newBench(t, rules, ""), map[room.Index]string{}
	watcher = b.mirror(core.Recipient{Watcher: 1})
	b.core.Watch(1, nil)
	b.all()
	note := func() { b.all(); seen[watcher.point.Seq] = canonical(t, watcher.view) }
	note()
	for _, p := range []room.PlayerID{"ann", "bob"} {
		b.join(p)
		note()
	}
	for i := range 30 {
		now := time.Duration(i) * 900 * time.Millisecond
		for in, ok := b.core.Due(now); ok && b.core.Final() == nil; in, ok = b.core.Due(now) {
			b.step(in)
			note()
		}
		m := b.mirror(core.Recipient{Player: []room.PlayerID{"ann", "bob"}[i%2]})
		b.act(m, []string{`{"do":"draw"}`, `{"do":"play"}`, `{"by":3}`, `{"do":"deal"}`}[i%4])
		note()
	}
	b.all()
	return b, watcher, seen
}

func TestSpectatorTurnsEqualWhatASpectatorSaw(t *testing.T) {
	for _, rules := range []*room.Rules{cardRules(), tickingRules(), counterRules()} {
		t.Run(rules.Spec().Name, func(t *testing.T) {
			b, watcher, seen := playedBench(t, rules)
			var now any
			var events []string
			var last core.SpectatorTurn
			whole, compared := 0, 0
			for s, err := range core.SpectatorTurns(b.cfg, core.LogOf(b.entries)) {
				if err != nil {
					t.Fatal(err)
				}
				if s.Seq <= last.Seq || s.At < last.At {
					t.Fatalf("turn %d at %v comes after %d at %v", s.Seq, s.At, last.Seq, last.At)
				}
				last = s
				if s.View != nil {
					whole++
					now = parsed(t, s.View)
				}
				if s.Patch != nil {
					now = view.Patch(now, parsed(t, s.Patch))
				}
				for _, e := range s.Events {
					events = append(events, e.Name+string(e.Data))
				}
				if want, ok := seen[s.Seq]; ok {
					compared++
					if got := canonical(t, now); got != want {
						t.Fatalf("turn %d: the replay shows %s, the spectator saw %s", s.Seq, got, want)
					}
				}
			}
			if whole != 1 || compared < 8 || canonical(t, now) != canonical(t, watcher.view) {
				t.Errorf("%d whole views, %d turns compared, in the end %s, want %s", whole, compared, canonical(t, now), canonical(t, watcher.view))
			}
			if !slices.Equal(events, watcher.events) {
				t.Errorf("the replay has the events %q, the spectator heard %q", events, watcher.events)
			}
		})
	}
}

func TestSpectatorTurnsStopWithTheirReaderAndReportAWrongLog(t *testing.T) {
	b, _, _ := playedBench(t, counterRules())
	n := 0
	for range core.SpectatorTurns(b.cfg, core.LogOf(b.entries)) {
		if n++; n == 2 {
			break
		}
	}
	if n != 2 {
		t.Errorf("%d turns were shown, want 2", n)
	}
	var wrong error
	for _, err := range core.SpectatorTurns(b.cfg, core.LogOf(slices.Delete(slices.Clone(b.entries), 4, 5))) {
		wrong = err
	}
	if wrong == nil {
		t.Error("a log with a hole in it was replayed")
	}
}

func TestSpectatorTurnsEndBeforeAPanic(t *testing.T) {
	b := newBench(t, cardRules(), "")
	b.act(b.join("ann"), `{"do":"boom"}`)
	b.all()
	boom := b.entries[len(b.entries)-1].Index
	shown := 0
	for s, err := range core.SpectatorTurns(b.cfg, core.LogOf(b.entries)) {
		if shown++; err != nil || s.Seq >= boom {
			t.Errorf("turn %d of %d: %v", s.Seq, boom, err)
		}
	}
	if shown == 0 {
		t.Error("nothing was shown of what went before")
	}
}

func parsed(t *testing.T, raw json.RawMessage) (v any) {
	t.Helper()
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatal(err)
	}
	return v
}
