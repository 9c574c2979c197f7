//go:build !race

package e2e

import (
	"context"
	"fmt"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/web/client"
)

// seat makes a room and brings both players in by the hints, as often as it takes for the room to suit.
func (b *balancer) seat(ctx context.Context, front *server, g recorded, suits func(roomInfo) bool, hints [2]string) (*match, error) {
	m := &match{s: front, g: g}
	options := map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 3_600_000}}
	for m.room.ID == "" || !suits(m.room) {
		m.room = front.create("chess", options)
	}
	for i := range m.players {
		info := m.room
		if hints[i] != "own" {
			info.URL = hinted(info, hints[i])
		}
		c, err := front.tryJoin(info, client.Options{Encoding: encodingOf(i)})
		if err != nil {
			return nil, fmt.Errorf("join by hint %q: %w", hints[i], err)
		}
		m.players[i] = c
	}
	return m, m.players[1].WaitView(ctx, func(v any) bool { return field(v, "status") == "playing" })
}

// playsAnyway plays whole games with one node dead, by hints that are right, missing, wrong, another node's and the dead
// one's.
func playsAnyway(t *testing.T, b *balancer, c *team, _ []roomInfo) {
	ctx, front, dead := patience(t), b.front(), c.nodes[2]
	lives := func(info roomInfo) bool { return info.Node != dead.Node }
	hints := []string{"own", "", "nowhere", "evil.example:80", "n1", "n2", dead.Node}
	dead.kill()
	front.until(ctx, "the others know that a node is dead", func() bool { return len(c.nodes[0].sees("active")) == 2 && len(c.nodes[1].sees("active")) == 2 })
	games := steadyGames(t, 2*len(hints))
	matches := make([]*match, len(games))
	each(len(games), len(games), func(i int) {
		var err error
		if matches[i], err = b.seat(ctx, front, games[i], lives, [2]string{hints[i%len(hints)], hints[(i+i/len(hints)+1)%len(hints)]}); err != nil {
			t.Errorf("game %d: %v", games[i].row, err)
		}
	})
	if !t.Failed() {
		playAll(ctx, t, matches)()
		checkStored(t, matches)
	}
}

// sparesTheDraining stops a node politely under games: it gets no new socket, whoever asks for it is taken elsewhere, and
// its games go on.
func sparesTheDraining(t *testing.T, b *balancer, c *team, rooms []roomInfo) {
	ctx, front, leaver := patience(t), b.front(), c.nodes[1]
	games := steadyGames(t, 12)
	matches := make([]*match, len(games))
	each(len(games), len(games), func(i int) {
		var err error
		theirs := func(info roomInfo) bool { return i%2 == 1 || info.Node == leaver.Node }
		if matches[i], err = b.seat(ctx, front, games[i], theirs, [2]string{"own", "own"}); err != nil {
			t.Errorf("game %d: %v", games[i].row, err)
		}
	})
	if t.Failed() {
		return
	}
	wait := playAll(ctx, t, matches)
	front.amid(ctx, matches, 0.05)
	for refused := 0; refused == 0 && ctx.Err() == nil && !t.Failed(); { // it may have ended before anybody could ask
		refused = b.drains(ctx, leaver, rooms)
		leaver.start()
		c.whole(3)
	}
	wait()
	checkStored(t, matches)
}

// drains stops a node politely and asks for it by name until it has ended. It returns how many sockets that asked for it
// were seen to open elsewhere meanwhile.
func (b *balancer) drains(ctx context.Context, leaver *server, rooms []roomInfo) (refused int) {
	t, front := b.t, b.front()
	stays, err := b.open(b.client("127.0.0.1"), hinted(rooms[0], leaver.Node), nil)
	if err == nil {
		err = stays.plays(watch("stays")) // and goes only when the node has no more time
	}
	if err != nil {
		t.Fatal(err)
	}
	go func() {
		for err := error(nil); err == nil; { // who reads answers the close
			_, err, _ = stays.next()
		}
	}()
	if err := leaver.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	front.until(ctx, "the node drains", func() bool { return !leaver.isReady() })
	before := -1
	for leaver.runs() {
		if _, bad := b.open(b.client("127.0.0.1"), hinted(rooms[(refused+1)%len(rooms)], leaver.Node), nil); bad != nil {
			t.Errorf("asking for a node that drains: %v", bad)
		}
		now, err := leaver.tryTaken()
		if err != nil {
			break
		}
		if before < 0 { // one that was let in before it drained may be counted only now
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
	if code := leaver.wait(); code != 0 {
		t.Errorf("the node stopped with %d", code)
	}
	return refused
}
