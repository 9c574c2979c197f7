package loadtest

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// player is one client of a room.
type player struct {
	*client.Client
	viewer      room.Viewer
	name        string
	outstanding atomic.Int32 // acts without an answer
}

// seat is a place for one player after another: who has played a game to its end comes into the next one.
type seat struct {
	r     *run
	n     int
	token string // of the guest; empty: not yet known
}

// play has the seat's player come, play and come again until ctx ends. The first time to come is reserved already.
func (s *seat) play(ctx context.Context, at time.Duration) {
	r := s.r
	for r.sleepUntil(ctx, at) {
		p, t, err := s.join(ctx)
		if ctx.Err() == nil {
			r.stats.joined(r.since()-at, err)
		}
		pause := time.Duration(0)
		if err != nil {
			pause = time.Second
			if busy, ok := errors.AsType[*problem](err); ok {
				pause = max(pause, busy.After)
			}
		} else {
			t.add(ctx, p)
			s.stay(ctx, p, t.id)
			t.remove(p)
		}
		at = r.joins.reserve(r.since() + pause)
	}
}

// join finds a room by matchmaking and takes a seat in it. It waits until the first view is there.
func (s *seat) join(ctx context.Context) (*player, *table, error) {
	r := s.r
	ctx, cancel := context.WithTimeoutCause(ctx, r.o.Patience, fmt.Errorf("not in after %v", r.o.Patience))
	defer cancel()
	found, err := match(ctx, r.wires.http, r.o.URLs[s.n%len(r.o.URLs)], s.token, &r.o)
	if err != nil {
		return nil, nil, because(ctx, err)
	}
	if found.Guest.Token != "" {
		s.token = found.Guest.Token
	}
	t := r.table(found.ID)
	c, err := r.dial(ctx, client.Options{
		URL: found.WSURL, Token: s.token, Encoding: r.encoding(s.n), OnView: func(_ any, seq uint64) { t.saw(seq) },
	})
	if err != nil {
		t.remove(nil)
		return nil, nil, err
	}
	r.stats.entered(found.ID)
	w := c.Welcome()
	name := fmt.Sprintf("player %d", s.n+1)
	return &player{Client: c, name: name, viewer: room.Viewer{Player: room.PlayerID(w.Player), Seat: w.Seat}}, t, nil
}

// stay waits until the room is over or the session has ended, and closes the client. When ctx ends it leaves the room.
func (s *seat) stay(ctx context.Context, p *player, id room.ID) {
	r := s.r
	r.stats.locked(func() { r.stats.players++ })
	over, err := p.WaitOver(ctx)
	r.stats.locked(func() { r.stats.players-- })
	switch {
	case err == nil:
		r.stats.ended(id, over.End)
	case ctx.Err() != nil:
		last, cancel := context.WithTimeout(context.WithoutCancel(ctx), leaveWait)
		defer cancel()
		_ = p.Leave(last) // the room's own time ends it
	}
	p.Close()
	if n := p.Stats().Mismatches; n > 0 {
		r.stats.locked(func() { r.stats.fail("a view whose checksum was not the server's") })
	}
}

// leaveWait bounds how long a player waits for the server to confirm that the seat is given up.
const leaveWait = 2 * time.Second

// dial opens a session. It does not try again when the first socket fails, for that is what is measured.
func (r *run) dial(ctx context.Context, o client.Options) (*client.Client, error) {
	ctx, cancel := context.WithCancelCause(ctx)
	defer cancel(nil)
	var in atomic.Bool
	o.HTTP, o.Client = r.wires.http, ""
	o.Trace = &client.Trace{
		Received: r.stats.received,
		Lost: func(err error) {
			if in.Load() {
				r.stats.lost(err)
			} else {
				cancel(err)
			}
		},
	}
	c, err := client.Dial(ctx, o)
	in.Store(err == nil)
	if err != nil {
		return nil, because(ctx, err)
	}
	return c, nil
}

// because is why a context ended, if it has, or else the error.
func because(ctx context.Context, err error) error {
	if _, closed := errors.AsType[*client.Closed](err); !closed && ctx.Err() != nil && context.Cause(ctx) != nil {
		return context.Cause(ctx)
	}
	return err
}

// encoding is that of the n-th client.
func (r *run) encoding(n int) wire.Encoding { return r.o.Encodings[n%len(r.o.Encodings)] }

// watch has a spectator watch one room after another until ctx ends.
func (r *run) watch(ctx context.Context, n int, at time.Duration) {
	rng := rand.New(rand.NewPCG(r.o.Seed, 1<<32+uint64(n)))
	for r.sleepUntil(ctx, at) {
		at = r.watchers.reserve(r.since() + 200*time.Millisecond)
		t := r.anyTable(rng)
		if t == nil {
			continue
		}
		o := client.Options{URL: r.socketURL(n, t.id), Encoding: r.encoding(n), Spectate: true}
		joining, cancel := context.WithTimeoutCause(ctx, r.o.Patience, fmt.Errorf("not in after %v", r.o.Patience))
		c, err := r.dial(joining, o)
		cancel()
		if err != nil {
			if c, ok := errors.AsType[*client.Closed](err); (!ok || c.Code != wire.CloseNoRoom) && ctx.Err() == nil {
				r.stats.locked(func() { r.stats.refusedBy(err); r.stats.fail("watch: " + plain(err)) })
			}
			continue
		}
		r.stats.locked(func() { r.stats.watch++ })
		_, _ = c.WaitOver(ctx) // whatever ended it, there is another room
		c.Close()
		r.stats.locked(func() { r.stats.watch-- })
	}
}

// sleepUntil waits for a time since the run began; false: ctx has ended.
func (r *run) sleepUntil(ctx context.Context, at time.Duration) bool {
	return clock.Sleep(ctx, nil, at-r.since()) && ctx.Err() == nil
}
