package core_test

import (
	"encoding/json"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// longOptions is a game that accepts any options. Its rematch has longer ones.
type longOptions struct{ Next string }

func (g *longOptions) Open(*room.Turn, json.RawMessage) error { return nil }
func (g *longOptions) Act(t *room.Turn, _ room.Player, next string) error {
	g.Next = next
	t.Finish(room.Result{Outcomes: []room.Outcome{}})
	return nil
}
func (g *longOptions) View(room.Viewer) int { return 0 }
func (g *longOptions) Rematch() any         { return map[string]string{"x": g.Next} }

func longOptionsRules(most int) *room.Rules {
	return room.MustDefine(room.Spec{Name: "long", Version: 1, OptionBytes: most}, func() *longOptions { return &longOptions{} })
}

// TestOptionsAreBounded checks that the options of a new room and of a rematch are bounded. A room that was made with longer
// options can still be restored.
func TestOptionsAreBounded(t *testing.T) {
	long := `{"x":"` + strings.Repeat("x", room.DefaultOptionBytes) + `"}`
	roomy, usual := longOptionsRules(3<<10), longOptionsRules(0)
	if _, _, err := core.Open(core.Config{Rules: usual, Header: record.Header{Game: "long", Options: json.RawMessage(long)}}, 1); err == nil || !strings.Contains(err.Error(), "2048 bytes at most") {
		t.Errorf("options of %d bytes: %v", len(long), err)
	}
	b := newBench(t, roomy, long)
	x := b.join("x")
	old := b.cfg
	old.Rules = usual
	again, err := core.Restore(old, b.kept())
	if err != nil || string(again.Header().Options) != long {
		t.Errorf("a room with options of %d bytes did not come back: %v", len(long), err)
	}
	b.act(x, `"`+strings.Repeat("y", 3<<10)+`"`)
	b.act(x, `{"rematch":true}`)
	b.all()
	if b.rematch != nil || x.acked[2] != "rejectbad_options" {
		t.Errorf("a rematch with options that are too long: %v, %v", b.rematch, x.acked)
	}
	for _, most := range []int{-1, room.MaxOptionBytes + 1} {
		if _, err := room.Define(room.Spec{Name: "long", Version: 1, OptionBytes: most}, func() *longOptions { return nil }); err == nil {
			t.Errorf("a spec with OptionBytes %d was taken", most)
		}
	}
}

// TestARoomThatNobodyJoinedHasNoReplay closes a room that nobody joined, and one that somebody joined, which has a replay.
func TestARoomThatNobodyJoinedHasNoReplay(t *testing.T) {
	for _, joined := range []bool{false, true} {
		b := newBench(t, counterRules(), "")
		if joined {
			b.join("x")
		}
		b.step(core.Input{Kind: core.KindClose, Reason: "enough"})
		b.all()
		final, err := b.core.Seal()
		if err != nil || final.Hash != final.Sum() || (final.Replay.Len() > 0) != joined {
			t.Errorf("joined %v: %d bytes of replay, %v", joined, final.Replay.Len(), err)
		}
	}
}
