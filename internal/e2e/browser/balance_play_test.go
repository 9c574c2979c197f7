//go:build !race

package browser_test

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// seat makes a room and connects both players by the hints. It makes rooms until one suits.
func seat(b *e2e.Balancer, ctx context.Context, front *e2e.Server, g e2e.RecordedGame, suits func(e2e.RoomInfo) bool, hints [2]string) (*e2e.Match, error) {
	m := &e2e.Match{Server: front, Game: g}
	options := map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 3_600_000}}
	for m.Room.ID == "" || !suits(m.Room) {
		m.Room = front.Create("chess", options)
	}
	for i := range m.Players {
		info := m.Room
		if hints[i] != "own" {
			info.URL = hinted(info, hints[i])
		}
		c, err := front.TryJoin(info, client.Options{Encoding: e2e.EncodingOf(i)})
		if err != nil {
			return nil, fmt.Errorf("join by hint %q: %w", hints[i], err)
		}
		m.Players[i] = c
	}
	return m, m.Players[1].WaitView(ctx, func(v any) bool { return e2e.Field(v, "status") == "playing" })
}

// playsAnyway plays whole games while one node is dead. The hints are right, missing, wrong, those of another node, and those of the dead
// node.
func playsAnyway(t *testing.T, b *e2e.Balancer, c *e2e.Team, _ []e2e.RoomInfo) {
	ctx, front, dead := e2e.WaitContext(t), front(b), c.Nodes[2]
	lives := func(info e2e.RoomInfo) bool { return info.Node != dead.Node }
	hints := []string{"own", "", "nowhere", "evil.example:80", "n1", "n2", dead.Node}
	dead.Kill()
	front.Until(ctx, "the others know that a node is dead", func() bool {
		return len(c.Nodes[0].KnownNodes("active")) == 2 && len(c.Nodes[1].KnownNodes("active")) == 2
	})
	games := e2e.SteadyGames(t, 2*len(hints))
	matches := make([]*e2e.Match, len(games))
	e2e.ForEach(len(games), len(games), func(i int) {
		var err error
		if matches[i], err = seat(b, ctx, front, games[i], lives, [2]string{hints[i%len(hints)], hints[(i+i/len(hints)+1)%len(hints)]}); err != nil {
			t.Errorf("game %d: %v", games[i].Row, err)
		}
	})
	if !t.Failed() {
		e2e.PlayAll(ctx, t, matches)()
		e2e.CheckStored(t, matches)
	}
}

// sparesTheDraining stops a node by SIGTERM during games. The node gets no new socket, sockets that ask for it open elsewhere, and its
// games go on.
func sparesTheDraining(t *testing.T, b *e2e.Balancer, c *e2e.Team, rooms []e2e.RoomInfo) {
	ctx, front, leaver := e2e.WaitContext(t), front(b), c.Nodes[1]
	games := e2e.SteadyGames(t, 12)
	matches := make([]*e2e.Match, len(games))
	e2e.ForEach(len(games), len(games), func(i int) {
		var err error
		theirs := func(info e2e.RoomInfo) bool { return i%2 == 1 || info.Node == leaver.Node }
		if matches[i], err = seat(b, ctx, front, games[i], theirs, [2]string{"own", "own"}); err != nil {
			t.Errorf("game %d: %v", games[i].Row, err)
		}
	})
	if t.Failed() {
		return
	}
	wait := e2e.PlayAll(ctx, t, matches)
	front.WaitForShare(ctx, matches, 0.05)
	for refused := 0; refused == 0 && ctx.Err() == nil && !t.Failed(); { // the node may end before anybody asks for it
		refused = drains(b, ctx, leaver, rooms)
		leaver.Start()
		c.WaitWhole(3)
	}
	wait()
	e2e.CheckStored(t, matches)
}

// drains stops a node by SIGTERM and asks for it by name until it has ended. It returns how many of the sockets that asked for it opened
// elsewhere meanwhile.
func drains(b *e2e.Balancer, ctx context.Context, leaver *e2e.Server, rooms []e2e.RoomInfo) (refused int) {
	t, front := b.T, front(b)
	stays, err := b.Open(clientAt(b, "127.0.0.1"), hinted(rooms[0], leaver.Node), nil)
	if err == nil {
		err = stays.TryHello(e2e.SpectatorHello("stays")) // leaves only when the node has no more time
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for err := error(nil); err == nil; { // reading answers the close
			_, err, _ = stays.Next()
		}
	}()
	if err := leaver.Cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	front.Until(ctx, "the node drains", func() bool { return !leaver.IsReady() })
	before := -1
	for leaver.IsRunning() {
		if _, bad := b.Open(clientAt(b, "127.0.0.1"), hinted(rooms[(refused+1)%len(rooms)], leaver.Node), nil); bad != nil {
			t.Errorf("asking for a node that drains: %v", bad)
		}
		now, err := tryTaken(leaver)
		if err != nil {
			break
		}
		if before < 0 { // a socket from before the drain may be counted only now
			before = now
			continue
		}
		if now > before {
			t.Errorf("a draining node got %d sockets", now-before)
			break
		}
		refused++
		time.Sleep(50 * time.Millisecond) // a node may take seconds to drain, and each new connection costs a handshake
	}
	t.Logf("the node was asked for %d times while it drained", refused)
	if code := leaver.Wait(); code != 0 {
		t.Errorf("the node stopped with %d", code)
	}
	return refused
}
