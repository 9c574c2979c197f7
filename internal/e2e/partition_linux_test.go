package e2e

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestAPartitionHeals cuts one of three nodes off. The others go on; nobody is told that a room is gone which is only out
// of reach; and when the cable is back all three agree again, without a restart.
func TestAPartitionHeals(t *testing.T) {
	t.Parallel()
	c, w := newWiredTeam(t, 3)
	c.start()
	ctx := patience(t)
	games := steadyGames(t, 18)
	matches := make([]*match, len(games))
	each(len(games), len(games), func(i int) {
		var err error
		if matches[i], err = c.nodes[i%3].seat(ctx, games[i], c.nodes[0], c.nodes[i%2]); err != nil {
			t.Errorf("game %d: %v", games[i].row, err)
		}
	})
	if t.Failed() {
		return
	}
	var beyond roomInfo
	for beyond.Node != c.nodes[2].Node {
		beyond = c.nodes[0].create("chess", nil)
	}
	wait := playAll(ctx, t, matches)
	c.nodes[0].amid(ctx, matches, 0.2)
	w.cut(3)
	for i, seen := range []int{2, 2, 1} {
		c.nodes[i].until(ctx, "the cut is noticed", func() bool { return len(c.nodes[i].sees("active")) == seen })
	}
	if code := c.nodes[0].call("GET", "/v1/rooms/"+beyond.ID, nil, nil); code != http.StatusServiceUnavailable {
		t.Errorf("a room beyond the cut: %d", code)
	}
	sock := dial(t, c.nodes[0].at(beyond).URL, wire.JSON)
	sock.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
	sock.closesWith(wire.CloseUnreachable)
	w.heal(3)
	for _, n := range c.nodes {
		n.until(ctx, "all three see each other again", func() bool { return len(n.sees("active")) == 3 && n.isReady() })
	}
	wait()
	checkStored(t, matches)
}

// TestGamesGoOnOverALossyNetwork loses a tenth of all packets between the nodes.
func TestGamesGoOnOverALossyNetwork(t *testing.T) {
	t.Parallel()
	c, w := newWiredTeam(t, 3)
	c.start()
	for i := range c.nodes {
		w.lose(i+1, 10)
	}
	ctx := patience(t)
	crowd(t, steadyGames(t, 9), 9, func(g recorded) error {
		m, err := c.nodes[g.row%3].seat(ctx, g, c.nodes[(g.row+1)%3], c.nodes[(g.row/3)%3])
		if err != nil {
			return err
		}
		if err := m.toTheEnd(ctx); err != nil {
			return err
		}
		return m.checkStored()
	})
}
