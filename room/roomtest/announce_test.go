package roomtest_test

import (
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// caller names one of its two events.
type caller struct{ Sum int }

func (g *caller) Act(t *room.Turn, _ room.Player, a add) error {
	g.Sum += a.By
	t.Broadcast("added", a.By)
	t.Broadcast("sum", g.Sum)
	return nil
}
func (g *caller) View(room.Viewer) sum { return sum{g.Sum} }
func (*caller) Events() map[string]any { return map[string]any{"added": 0, "never": nil} }

func TestAnEventThatIsNotNamedIsRefused(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "caller", Version: 1}, func() *caller { return new(caller) })
	expect(t, rules, roomtest.Options{Act: proposeAdd, Games: 1}, "event sum is sent, and Events names only added, never: add it there")
}
