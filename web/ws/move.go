package ws

import (
	"context"
	"math/rand/v2"
	"time"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/wire"
)

// Move asks every client to connect elsewhere, before so much time is over, and returns when all have gone. They are
// asked one after another over most of that time, so that the other nodes are not stormed. Whoever is still there at the
// end is closed with 4100; so is, at once, who has not said hello yet. Options.Draining must tell by now, for sockets that
// come later are closed only at the end. When ctx ends before, Move returns its error and leaves the rest to Shutdown.
func (s *Sockets) Move(ctx context.Context, within time.Duration) error {
	end := time.Now().Add(within)
	var open []*conn
	s.each(func(c *conn) { open = append(open, c) })
	rand.Shuffle(len(open), func(i, j int) { open[i], open[j] = open[j], open[i] })
	spread := within * 3 / 4
	for i, c := range open {
		at := spread * time.Duration(i) / time.Duration(len(open))
		if err := pauseUntil(ctx, end.Add(at-within)); err != nil {
			return err
		}
		c.move(time.Until(end))
	}
	for s.Open() > 0 && time.Now().Before(end) {
		if err := pauseUntil(ctx, time.Now().Add(min(20*time.Millisecond, time.Until(end)))); err != nil {
			return err
		}
	}
	s.each(func(c *conn) { c.kick(stopping()) })
	for s.Open() > 0 {
		if err := pauseUntil(ctx, time.Now().Add(20*time.Millisecond)); err != nil {
			return err
		}
	}
	return nil
}

// stopping closes a socket of a server that is about to end.
func stopping() *actor.CloseError {
	return closeWith(wire.CloseMoved, "this server is stopping: reconnect")
}

func pauseUntil(ctx context.Context, at time.Time) error {
	wait := time.Until(at)
	if wait <= 0 {
		return ctx.Err()
	}
	t := time.NewTimer(wait)
	defer t.Stop()
	select {
	case <-t.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// move tells the client to connect again before then. This socket goes on.
func (c *conn) move(within time.Duration) {
	c.mu.Lock()
	greeted := c.out != nil
	c.mu.Unlock()
	if !greeted {
		c.kick(stopping())
		return
	}
	var frame [frameHead]byte
	msg := wire.AppendMove(frame[:], c.encoding, wire.Move{Within: uint64(max(within.Milliseconds(), 0))})
	c.enqueue(framed(msg, c.encoding), always)
}
