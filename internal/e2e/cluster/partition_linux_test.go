package cluster_test

import (
	"context"
	"errors"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestAPartitionHeals cuts one of three nodes off. The others go on. Nobody hears that a room is gone when it is only out of reach. When
// the network is back, all three nodes agree again without a restart.
func TestAPartitionHeals(t *testing.T) {
	t.Parallel()
	c, w := newWiredTeam(t, 3)
	c.Start()
	ctx := e2e.WaitContext(t)
	games := e2e.SteadyGames(t, 18)
	matches := make([]*e2e.Match, len(games))
	e2e.ForEach(len(games), len(games), func(i int) {
		var err error
		if matches[i], err = c.Nodes[i%3].Seat(ctx, games[i], c.Nodes[0], c.Nodes[i%2]); err != nil {
			t.Errorf("game %d: %v", games[i].Row, err)
		}
	})
	if t.Failed() {
		return
	}
	var beyond e2e.RoomInfo
	for beyond.Node != c.Nodes[2].Node {
		beyond = c.Nodes[0].Create("chess", nil)
	}
	wait := e2e.PlayAll(ctx, t, matches)
	c.Nodes[0].WaitForShare(ctx, matches, 0.2)
	w.cut(3)
	for i, seen := range []int{2, 2, 1} {
		c.Nodes[i].Until(ctx, "the cut is noticed", func() bool { return len(c.Nodes[i].KnownNodes("active")) == seen })
	}
	checkBeyond(ctx, t, c, beyond)
	w.heal(3)
	for _, n := range c.Nodes {
		n.Until(ctx, "all three see each other again", func() bool { return len(n.KnownNodes("active")) == 3 && n.IsReady() })
	}
	wait()
	e2e.CheckStored(t, matches)
}

// checkBeyond checks what the first node says of a room that the third, which is cut off, had: by the room's row it still does, and is
// out of reach, or another node has seized it and serves it.
func checkBeyond(ctx context.Context, t *testing.T, c *e2e.Team, room e2e.RoomInfo) {
	t.Helper()
	cut := c.Nodes[2].Folder()
	c.Nodes[0].Until(ctx, "the first node says of the room what its row says", func() bool {
		before := c.Members(room.ID)
		var info e2e.RoomInfo
		code := c.Nodes[0].Call("GET", "/v1/rooms/"+room.ID, nil, &info)
		sock := e2e.Dial(t, c.Nodes[0].Via(room).URL, wire.JSON)
		defer sock.Ws.CloseNow()
		sock.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "late"}))
		first, err, ok := sock.Next()
		after := c.Members(room.ID)
		switch {
		case before.Row != after.Row || !ok:
			return false // it moves just now
		case after.Row.Folder == cut:
			closed, is := errors.AsType[websocket.CloseError](err)
			return code == http.StatusServiceUnavailable && is && wire.CloseCode(closed.Code) == wire.CloseUnreachable
		}
		_, welcome := first.(wire.Welcome)
		return code == http.StatusOK && info.Node != c.Nodes[2].Node && err == nil && welcome
	})
}

// TestACutCableIsGoneRound cuts the cable between two of three nodes. The third one carries what they say to each other, so all players go
// on while it is cut, whichever node they came to.
func TestACutCableIsGoneRound(t *testing.T) {
	t.Parallel()
	c, w := newWiredTeam(t, 3)
	c.Start()
	ctx := e2e.WaitContext(t)
	var all []*watcher
	for i := range 12 {
		one := &watcher{room: c.Nodes[i%3].Create("metronome", nil)}
		one.client = c.Nodes[i/3%3].Join(c.Nodes[i/3%3].Via(one.room), client.Options{
			Encoding: wire.CBOR, Name: e2e.Name(i), Trace: &client.Trace{Received: one.received},
		})
		all = append(all, one)
	}
	via := func(of, to *e2e.Server, want string) func() bool {
		return func() bool {
			for _, n := range of.KnownNodes("") {
				for _, l := range n.Links {
					if n.Name == of.Node && l.Peer == to.Node {
						return l.Up && l.Via == want
					}
				}
			}
			return false
		}
	}
	gaps(t, all)
	for _, one := range all {
		one.begin()
	}
	a, b := c.Nodes[0], c.Nodes[1]
	w.must(w.Cut(1, 2))
	w.must(w.Cut(2, 1))
	a.Until(ctx, "the third node carries the link", via(a, b, c.Nodes[2].Node))
	b.Until(ctx, "the third node carries the link", via(b, a, c.Nodes[2].Node))
	t.Logf("longest time without a turn: %s", spread(gaps(t, all)))
	w.must(w.Heal(1, 2))
	w.must(w.Heal(2, 1))
	a.Until(ctx, "the link is direct again", via(a, b, ""))
	b.Until(ctx, "the link is direct again", via(b, a, ""))
	gaps(t, all)
	missedNothing(t, all)
	for _, one := range all {
		if st := one.client.Stats(); st.Sockets > 1 {
			t.Logf("a player of %s had %d sockets", one.room.ID, st.Sockets)
		}
	}
}

// TestGamesGoOnOverALossyNetwork drops a tenth of all packets between the nodes.
func TestGamesGoOnOverALossyNetwork(t *testing.T) {
	t.Parallel()
	c, w := newWiredTeam(t, 3)
	c.Start()
	for i := range c.Nodes {
		w.lose(i+1, 10)
	}
	ctx := e2e.WaitContext(t)
	e2e.ForEachGame(t, e2e.SteadyGames(t, 9), 9, func(g e2e.RecordedGame) error {
		m, err := c.Nodes[g.Row%3].Seat(ctx, g, c.Nodes[(g.Row+1)%3], c.Nodes[(g.Row/3)%3])
		if err != nil {
			return err
		}
		if err := m.PlayAndCheck(ctx); err != nil {
			return err
		}
		return m.CheckStored()
	})
}
