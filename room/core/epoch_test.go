package core_test

import (
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// whisper says something to its caller alone, and shows nobody anything.
type whisper struct{ N int }

func (w *whisper) Act(t *room.Turn, by room.Player, a add) error {
	t.Send(by.ID, "heard", a.By)
	return nil
}
func (w *whisper) View(room.Viewer) struct{} { return struct{}{} }

// TestEverybodyIsToldAnEpoch begins epochs in a living room. Each client knows the epoch after the next thing it is told, even
// when that is about somebody else alone, and can resume from what it knows, also across more than one epoch.
func TestEverybodyIsToldAnEpoch(t *testing.T) {
	whispers := room.MustDefine(room.Spec{Name: "whisper", Version: 1, MaxPlayers: 4, SharedView: true}, func() *whisper { return &whisper{} })
	for name, g := range map[string]struct {
		rules *room.Rules
		act   string
	}{"one view": {counterRules(), `{"by":1}`}, "a view each": {cardRules(), `{"do":"draw"}`}, "a private event": {whispers, `{"by":1}`}} {
		t.Run(name, func(t *testing.T) {
			b := newBench(t, g.rules, "")
			x, y := b.join("x"), b.join("y")
			s := b.mirror(core.Recipient{Watcher: 1})
			b.core.Watch(1, nil)
			b.all()
			told := func(want record.Epoch) {
				t.Helper()
				b.all()
				for _, m := range []*mirror{x, y, s} {
					if seen := m.point; seen.Epoch != want {
						t.Errorf("%v knows epoch %d, want %d", m.to, seen.Epoch, want)
					}
				}
			}
			told(1)
			b.act(x, g.act)
			b.all()
			atOne := y.point
			for _, e := range []record.Epoch{3, 4} {
				b.step(core.Input{Kind: core.KindEpoch, Epoch: e})
				b.act(x, g.act)
				b.act(y, g.act)
				told(e)
			}
			here := y.point
			for p, want := range map[record.Point]bool{
				atOne: true, {Epoch: 3, Seq: atOne.Seq}: true, {Epoch: 4, Seq: atOne.Seq}: true, here: true, {Epoch: 1, Seq: here.Seq}: false,
			} {
				b.attach(y, &p)
				for _, o := range b.core.Commit(b.core.Point().Seq) {
					if w, ok := o.(core.Welcome); ok && (w.Recovered != want || w.Point.Epoch != 4) {
						t.Errorf("from %v: recovered %v at %v, want %v", p, w.Recovered, w.Point, want)
					}
				}
			}
			if _, err := core.Restore(b.cfg, b.kept()); err != nil {
				t.Errorf("its log: %v", err)
			}
		})
	}
}
