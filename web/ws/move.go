package ws

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
)

// Move asks every client to connect elsewhere within so much time, and returns when all have gone. It asks one after another over
// most of that time, so that they do not storm the other nodes. It closes with 4100 those that are still there at the end, and at
// once those that have not said hello. Options.Draining must report true by now: sockets that come later are only closed at the
// end. When ctx ends before, Move returns its error and leaves the rest to Shutdown.
func (s *Sockets) Move(ctx context.Context, within time.Duration) error {
	end := time.Now().Add(within)
	var open []*conn
	s.each(func(c *conn) { open = append(open, c) })
	rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	spread := within * 3 / 4
	for i, c := range open {
		at := spread * time.Duration(i) / time.Duration(len(open))
		if !clock.Sleep(ctx, nil, time.Until(end.Add(at-within))) {
			return ctx.Err()
		}
		c.askToMove(time.Until(end))
	}
	for s.Open() > 0 && time.Now().Before(end) {
		if !clock.Sleep(ctx, nil, min(20*time.Millisecond, time.Until(end))) {
			return ctx.Err()
		}
	}
	s.each(func(c *conn) { c.disconnect(closeStopping()) })
	for s.Open() > 0 {
		if !clock.Sleep(ctx, nil, 20*time.Millisecond) {
			return ctx.Err()
		}
	}
	return nil
}

// closeStopping is the close for sockets of a server that stops.
func closeStopping() *actor.CloseError {
	return closeWith(wire.CloseMoved, "this server is stopping: reconnect")
}

// askToMove tells the client to connect again within so much time. This socket goes on.
func (c *conn) askToMove(within time.Duration) {
	c.mu.Lock()
	said := c.out != nil
	c.mu.Unlock()
	if !said {
		c.disconnect(closeStopping())
		return
	}
	var frame [frameHead]byte
	msg := wire.AppendMove(frame[:], c.encoding, wire.Move{Within: uint64(max(within.Milliseconds(), 0))})
	c.enqueue(framed(msg, c.encoding), always)
}
