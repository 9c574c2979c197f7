package persist

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// CourierOptions configure a Courier. Target and Send are needed; everything else has a default.
type CourierOptions struct {
	Target string
	// Send gives an event to the target. It may block until ctx ends. After an error the event is tried again. The error is shown to
	// operators and must say nothing secret.
	Send func(ctx context.Context, e record.Event) error

	Parallel int           // calls of Send at a time; 0 means 16
	Batch    int           // events claimed at once; 0 means Parallel
	Timeout  time.Duration // for one call of Send; 0 means 10 s
	// GiveUp is how long an event is tried, from when it was written or replayed. Then it is record.EventFailed. 0 means 72 h.
	GiveUp time.Duration
	// Retry is the wait between two tries of an event. Its zero value is 1 s doubling up to 1 h, with full jitter.
	Retry clock.Backoff
	// Poll is how often the store is asked for events that are due and were written by other nodes. 0 means 1 s.
	Poll time.Duration
	Log  *slog.Logger // nil discards
}

// Courier delivers the events of one target from the store's outbox. Any number of nodes may have one for the same target: each event is
// claimed by one of them at a time. If its node dies it is delivered by another once its lease has ended.
//
// One goroutine claims and settles. NewCourier starts it and Close ends it.
type Courier struct {
	store Outbox
	o     CourierOptions
	wake  chan struct{}
	stop  context.CancelFunc
	ended chan struct{}

	delivered, retried, failed atomic.Uint64
}

// CourierStats are for metrics.
type CourierStats struct {
	Delivered uint64
	Retried   uint64 // tries that failed and are repeated
	Failed    uint64 // events that were given up
}

// NewCourier starts a courier. Close ends it.
func NewCourier(store Outbox, o CourierOptions) *Courier {
	o.Parallel = orDefault(o.Parallel, 16)
	o.Batch = orDefault(o.Batch, o.Parallel)
	o.Timeout = orDefault(o.Timeout, 10*time.Second)
	o.GiveUp = orDefault(o.GiveUp, 72*time.Hour)
	o.Poll = orDefault(o.Poll, time.Second)
	o.Retry.Min, o.Retry.Max = orDefault(o.Retry.Min, time.Second), orDefault(o.Retry.Max, time.Hour)
	o.Log = orDiscard(o.Log).With("target", o.Target)
	ctx, cancel := context.WithCancel(context.Background())
	c := &Courier{store: store, o: o, wake: make(chan struct{}, 1), stop: cancel, ended: make(chan struct{})}
	go c.run(ctx)
	return c
}

// Wake tells the courier that there may be events. It does not block.
func (c *Courier) Wake() {
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

// Stats returns the figures so far.
func (c *Courier) Stats() CourierStats {
	return CourierStats{Delivered: c.delivered.Load(), Retried: c.retried.Load(), Failed: c.failed.Load()}
}

// Close ends the contexts of the calls under way, gives back the events that they had, and ends the goroutine. Ctx bounds the last.
func (c *Courier) Close(ctx context.Context) error {
	c.stop()
	select {
	case <-c.ended:
		return nil
	case <-ctx.Done():
		return fmt.Errorf("the deliveries to %s under way have not ended: their events are sent again", c.o.Target)
	}
}

// lease is how long claimed events are nobody else's: until all of them have been sent, and time to say so.
func (c *Courier) lease() time.Duration {
	rounds := (c.o.Batch + c.o.Parallel - 1) / c.o.Parallel
	return c.o.Timeout * time.Duration(rounds+1)
}

func (c *Courier) run(ctx context.Context) {
	defer close(c.ended)
	failures := 0
	for ctx.Err() == nil {
		claimed, err := c.claim(ctx)
		switch {
		case err != nil:
			if failures++; powerOfTwo(failures) && ctx.Err() == nil {
				c.o.Log.Warn("the store does not say which events are due", "failures", failures, "error", err)
			}
		case len(claimed) > 0:
			failures = 0
			c.settle(ctx, c.deliver(ctx, claimed))
			continue
		default:
			failures = 0
		}
		timer := time.NewTimer(c.o.Poll/2 + rand.N(c.o.Poll)) // so that nodes do not ask at the same time
		select {
		case <-c.wake:
		case <-timer.C:
		case <-ctx.Done():
		}
		timer.Stop()
	}
}

func (c *Courier) claim(ctx context.Context) ([]record.Delivery, error) {
	ctx, cancel := context.WithTimeout(ctx, c.o.Timeout)
	defer cancel()
	return c.store.ClaimEvents(ctx, c.o.Target, c.o.Batch, c.lease())
}

// deliver sends claimed events, some at a time, and returns what has become of each.
func (c *Courier) deliver(ctx context.Context, claimed []record.Delivery) []Settled {
	settled := make([]Settled, len(claimed))
	places := make(chan struct{}, c.o.Parallel)
	var wg sync.WaitGroup
	for i, d := range claimed {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			settled[i] = c.try(ctx, d)
		})
	}
	wg.Wait()
	return settled
}

// try sends one event.
func (c *Courier) try(ctx context.Context, d record.Delivery) Settled {
	out := Settled{Number: d.Number, Tries: d.Tries, State: record.EventDelivered}
	err := ctx.Err()
	if err == nil {
		limited, cancel := context.WithTimeout(ctx, c.o.Timeout)
		err = c.send(limited, d.Event)
		cancel()
	}
	switch {
	case err == nil:
		c.delivered.Add(1)
		return out
	case ctx.Err() != nil: // this node stops: another one may try at once
		out.State, out.Error = record.EventWaiting, "the node stopped"
		return out
	}
	out.Error = shorten(err.Error())
	wait := rand.N(c.o.Retry.Ceiling(d.Tries-1)) + 1
	if d.Waited+wait >= c.o.GiveUp {
		c.failed.Add(1)
		c.o.Log.Error("an event is given up and kept for an operator to replay", "event", d.Event.ID, "tries", d.Tries, "error", out.Error)
		out.State = record.EventFailed
		return out
	}
	c.retried.Add(1)
	if powerOfTwo(d.Tries) {
		c.o.Log.Warn("an event could not be delivered and is tried again", "event", d.Event.ID, "tries", d.Tries, "wait", wait, "error", out.Error)
	}
	out.State, out.Retry = record.EventWaiting, wait
	return out
}

// send has a panic of Send count as an error: it may be the program's own function.
func (c *Courier) send(ctx context.Context, e record.Event) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = errors.New("its function panicked")
		}
	}()
	return c.o.Send(ctx, e)
}

// shorten bounds what is kept of an error, to text that any store can hold.
func shorten(s string) string {
	const most = 300
	if len(s) > most {
		s = s[:most] + "…"
	}
	return strings.ReplaceAll(strings.ToValidUTF8(s, ""), "\x00", "")
}

// settle writes what has become of events. It tries for as long as they are nobody else's, and after a stop once more.
func (c *Courier) settle(ctx context.Context, settled []Settled) {
	limited, cancel := context.WithTimeout(context.WithoutCancel(ctx), c.o.Timeout)
	defer cancel()
	var retry clock.Backoff
	for {
		err := c.store.SettleEvents(limited, settled)
		if err == nil {
			return
		}
		if ctx.Err() != nil || !clock.Sleep(limited, nil, retry.Next()) {
			c.o.Log.Warn("the store was not told what has become of events: they are sent again", "events", len(settled), "error", err)
			return
		}
	}
}
