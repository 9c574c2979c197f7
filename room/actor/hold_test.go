package actor_test

import (
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock/clocktest"
)

// TestAnswersWaitForTheTick: the answers of a ticking room leave with the next tick, in one write, even if that tick has
// nothing to say.
func TestAnswersWaitForTheTick(t *testing.T) {
	for _, c := range []struct{ game, want string }{
		{"ticker", "ack ack ack turn"},
		{"quiet", "ack ack ack"},
	} {
		clock := clocktest.New()
		n := newNode(t, func(o *setup) { o.Clock = clock })
		id := n.create(actor.Create{Game: c.game})
		a := n.player(id, "a")
		a.next("state")
		before := n.point(id)
		for len(a.wake) > 0 {
			<-a.wake
		}
		for range 3 {
			a.send(`{}`)
		}
		testwait.Until(t, "the acts are stepped", func() bool { return n.point(id) == before+3 })
		if len(a.wake) > 0 {
			t.Errorf("%s: the writer is woken before the tick", c.game)
		}
		clock.Jump(100 * time.Millisecond)
		<-a.wake
		b, _ := a.box.Take(nil, 32<<10)
		var kinds []string
		for line := range strings.SplitSeq(string(b), "\n") {
			kinds = append(kinds, decodeMessage(t, line).kind())
		}
		if got := strings.Join(kinds, " "); got != c.want {
			t.Errorf("%s: %s, want %s in one write", c.game, got, c.want)
		}
		n.stop()
	}
}

// TestAnswersDoNotWaitForASlowTick: a tick that is too far away holds nothing up.
func TestAnswersDoNotWaitForASlowTick(t *testing.T) {
	clock := clocktest.New()
	n := newNode(t, func(o *setup) { o.Clock = clock })
	defer n.stop()
	a := n.player(n.create(actor.Create{Game: "slow"}), "a")
	a.act(`{}`) // the clock stands still
}

// TestTheEndFlushesAnswers ends a room before the tick that its answers wait for.
func TestTheEndFlushesAnswers(t *testing.T) {
	clock := clocktest.New()
	n := newNode(t, func(o *setup) { o.Clock = clock })
	defer n.stop()
	id := n.create(actor.Create{Game: "quiet"})
	a := n.player(id, "a")
	before := n.point(id)
	a.send(`{}`)
	testwait.Until(t, "the act is stepped", func() bool { return n.point(id) == before+1 })
	if err := n.Close(t.Context(), id, "enough"); err != nil {
		t.Fatal(err)
	}
	a.next("ack")
	a.next("over")
}

// point is the room's last index.
func (n *node) point(id room.ID) room.Index {
	n.t.Helper()
	look, err := n.Inspect(n.t.Context(), id, actor.Look{})
	if err != nil {
		n.t.Fatal(err)
	}
	return look.Point.Seq
}
