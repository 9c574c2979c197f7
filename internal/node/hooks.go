package node

import (
	"context"
	"sync"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// hooks are the parts of a node that tell events. Nobody to tell: it has none of them.
type hooks struct {
	queue *persist.EventQueue // nil: there is no target

	mu       sync.Mutex
	couriers map[string]*persist.Courier // by target; empty until the node runs
	trimmed  map[record.EventKind]uint64
	stats    []record.OutboxStat
}

// openEvents starts what keeps rooms' events until the store has them.
func (n *Node) openEvents(context.Context) error {
	n.hooks.trimmed = map[record.EventKind]uint64{}
	if len(n.targets) == 0 {
		return nil
	}
	n.hooks.queue = persist.NewEventQueue(n.store, n.wakeCouriers, persist.EventQueueOptions{
		Subscribers: n.subscribers(), Most: n.cfg.OutboxEvents, Log: n.log,
	})
	n.onClose("events", shortly(n.hooks.queue.Close))
	return nil
}

// events is what rooms tell their events. Nil: nobody wants any.
func (n *Node) events() actor.Events {
	if n.hooks.queue == nil {
		return nil
	}
	return n.hooks.queue
}

// eventsOf are the events of a room that go with its result.
func (n *Node) eventsOf(id room.ID) []record.Event {
	if n.hooks.queue == nil {
		return nil
	}
	return n.hooks.queue.Of(id)
}

// startCouriers starts what delivers events.
func (n *Node) startCouriers(ctx context.Context) {
	if len(n.targets) == 0 {
		return
	}
	started := map[string]*persist.Courier{}
	for _, t := range n.targets {
		o := persist.CourierOptions{Target: t.Target, Timeout: n.cfg.WebhookTimeout, GiveUp: n.cfg.WebhookGiveUp, Log: n.log}
		if t.hook != nil {
			o.Send, o.Parallel = t.hook.Send, n.cfg.WebhookParallel
			n.log.Info("events are sent to a webhook", "target", t.Target, "url", t.hook.String(), "events", t.Kinds)
			if t.hook.Plain() {
				n.log.Warn("a webhook has an http URL: what it is sent can be read on the way", "target", t.Target)
			}
		} else {
			o.Send, o.Parallel, o.Batch = n.onEvent, 1, 8 // one call at a time is what a program expects
		}
		c := persist.NewCourier(n.store, o)
		started[t.Target] = c
		n.onClose("events to "+t.Target, func(ctx context.Context) error {
			if t.hook != nil {
				defer t.hook.Close()
			}
			return shortly(c.Close)(ctx)
		})
	}
	n.hooks.mu.Lock()
	n.hooks.couriers = started
	n.hooks.mu.Unlock()
	keep, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() { defer close(done); n.keepOutbox(keep) }()
	n.onClose("outbox", func(context.Context) error { cancel(); <-done; return nil })
}

// wakeCouriers tells those who deliver events that there are some.
func (n *Node) wakeCouriers() {
	n.hooks.mu.Lock()
	defer n.hooks.mu.Unlock()
	for _, c := range n.hooks.couriers {
		c.Wake()
	}
}

// outbox is the store's for the operator.
type outbox struct {
	persist.Outbox
	n *Node
}

// ReplayEvent implements admin.Outbox.
func (o outbox) ReplayEvent(ctx context.Context, number int64) error {
	defer o.n.wakeCouriers()
	return o.Outbox.ReplayEvent(ctx, number)
}

// outboxEvery is the time between two looks at the outbox's size.
const outboxEvery = 5 * time.Second

// keepOutbox keeps the outbox within its bounds, and its figures fresh, until ctx ends.
func (n *Node) keepOutbox(ctx context.Context) {
	for ctx.Err() == nil {
		if err := n.lookAtOutbox(ctx); err != nil && ctx.Err() == nil {
			n.log.Warn("the outbox of events could not be looked at", "err", err)
		}
		clock.Sleep(ctx, nil, outboxEvery)
	}
}

func (n *Node) lookAtOutbox(ctx context.Context) error {
	gone, err := n.store.TrimEvents(ctx, n.cfg.OutboxEvents)
	n.hooks.mu.Lock()
	for kind, count := range gone {
		n.hooks.trimmed[kind] += uint64(count)
	}
	n.hooks.mu.Unlock()
	if err != nil {
		return err
	}
	stats, err := n.store.OutboxStats(ctx)
	if err != nil {
		return err
	}
	n.hooks.mu.Lock()
	n.hooks.stats = stats
	n.hooks.mu.Unlock()
	for pruned := persist.PruneBatch; pruned == persist.PruneBatch && err == nil; {
		pruned, err = n.store.PruneEvents(ctx, n.cfg.KeepEvents, n.cfg.WebhookGiveUp+n.cfg.KeepEvents)
	}
	return err
}

// outboxBy returns a function that reads a figure of the outbox, by target.
func (n *Node) outboxBy(state record.DeliveryState, figure func(record.OutboxStat) float64) func() map[string]float64 {
	return func() map[string]float64 {
		out := map[string]float64{}
		for _, t := range n.targets {
			out[t.Target] = 0
		}
		n.hooks.mu.Lock()
		defer n.hooks.mu.Unlock()
		for _, s := range n.hooks.stats {
			if s.State == state {
				out[s.Target] = figure(s)
			}
		}
		return out
	}
}

// registerHookMetrics registers the metrics of events.
func (n *Node) registerHookMetrics() {
	m := n.metrics
	count := func(s record.OutboxStat) float64 { return float64(s.Count) }
	m.GaugeVec("roomring_outbox_waiting", "Events in the store's outbox that are not delivered yet, by target. Every node that has targets tells the same.", "target", n.outboxBy(record.EventWaiting, count))
	m.GaugeVec("roomring_outbox_oldest_seconds", "How long the oldest of these events has waited, in seconds.", "target", n.outboxBy(record.EventWaiting, func(s record.OutboxStat) float64 { return s.Oldest.Seconds() }))
	m.GaugeVec("roomring_outbox_failed", "Events that were given up and wait for an operator to replay them, by target.", "target", n.outboxBy(record.EventFailed, count))
	m.Gauge("roomring_outbox_unwritten", "Events in this node's memory that the store's outbox does not have yet.", func() float64 {
		if n.hooks.queue == nil {
			return 0
		}
		return float64(n.hooks.queue.Waiting())
	})
	m.CounterVec("roomring_outbox_dropped_total", "Events that were dropped undelivered because more than --outbox-events waited.", "kind", func() map[string]float64 {
		out := map[string]float64{}
		for _, kind := range []record.EventKind{record.RoomCreated, record.PlayerJoined} {
			if out[string(kind)] = 0; n.hooks.queue != nil {
				out[string(kind)] = float64(n.hooks.queue.Dropped(kind))
			}
		}
		n.hooks.mu.Lock()
		defer n.hooks.mu.Unlock()
		for kind, count := range n.hooks.trimmed {
			out[string(kind)] += float64(count)
		}
		return out
	})
	m.CounterVec("roomring_webhook_deliveries_total", "Tries of this node to deliver events: delivered; retried, which failed and are repeated; failed, which were given up.", "outcome", func() map[string]float64 {
		n.hooks.mu.Lock()
		defer n.hooks.mu.Unlock()
		out := map[string]float64{"delivered": 0, "retried": 0, "failed": 0}
		for _, c := range n.hooks.couriers {
			s := c.Stats()
			out["delivered"] += float64(s.Delivered)
			out["retried"] += float64(s.Retried)
			out["failed"] += float64(s.Failed)
		}
		return out
	})
}
