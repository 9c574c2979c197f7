// Package claim is the policy of when a node tries to take on a room that lies in the store: as soon as the room's node has released
// it, when a player asks for it, and when a sweep finds it. What follows is up to package lifecycle, and rows decide whose a room is.
// Whatever this package believes of the ring or of other nodes can make a claim late or in vain, never double.
package claim

import (
	"cmp"
	"context"
	"errors"
	"log/slog"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/tasks"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Batch is how many rooms one Request names at most.
const Batch = 256

// Request asks a node to claim released rooms. It travels as JSON.
type Request struct {
	Rooms []room.ID `json:"rooms"`
}

// Answer says why rooms of a Request could not be claimed.
type Answer struct {
	Refused map[room.ID]string `json:"refused,omitempty"`
}

// Owner is what a Claimer needs of lifecycle.Owner.
type Owner interface {
	Want(ctx context.Context, id room.ID) error
	Drain(ctx context.Context) error
	PutOff(id room.ID, wait time.Duration)
	Due(id room.ID) bool
	AllDue()
	ForgetReleased(still func(room.ID) bool)
}

// Store is what a Claimer needs of the store.
type Store interface {
	// Released lists released rows after an id, by id.
	Released(ctx context.Context, after room.ID, limit int) ([]record.Row, error)
}

// Options make a Claimer. What says no default is needed.
type Options struct {
	Here  func(id room.ID) bool // this node has the room
	Owner Owner
	Store Store
	Node  string                    // this node's name
	Order func(id room.ID) []string // the nodes that inherit a room, in order, by the present ring
	Ask   func(ctx context.Context, node string, r Request) (Answer, error)

	Sweep    time.Duration // how often released rooms are looked for; 0 means 2 s
	Patience time.Duration // how long another node may take to claim rooms it is asked to; 0 means 2 s
	PutOff   time.Duration // how long sweeps leave a room alone that could not be claimed; 0 means 30 s
	Clock    clock.Clock   // nil: one of its own
	Log      *slog.Logger  // nil: discarded
}

// Claimer claims released rooms, here and by way of other nodes. Its methods may be called from any goroutine.
type Claimer struct {
	o     Options
	tasks *tasks.Group  // sweeps and messages to other nodes
	wake  chan struct{} // holds one: sweep now

	mu      sync.Mutex
	untold  []room.ID     // released here, and the ring's node has not been told
	telling chan struct{} // closed when all are told; nil: nobody is being told
}

// New makes a Claimer that claims only what it is asked to. Start has it sweep.
func New(o Options) *Claimer {
	o.Sweep = cmp.Or(o.Sweep, 2*time.Second)
	o.Patience = cmp.Or(o.Patience, 2*time.Second)
	o.PutOff = cmp.Or(o.PutOff, 30*time.Second)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return &Claimer{o: o, tasks: tasks.New(), wake: make(chan struct{}, 1)}
}

// Start begins to look for released rooms that the ring gives this node.
func (c *Claimer) Start() { c.tasks.Go(c.sweeps) }

// Close ends sweeps and claims, and waits for them. The next start of the node settles a claim that is cut short.
func (c *Claimer) Close() { c.tasks.Close() }

// RingChanged has the next sweep come at once. It does not block.
func (c *Claimer) RingChanged() {
	c.o.Owner.AllDue()
	select {
	case c.wake <- struct{}{}:
	default:
	}
}

func (c *Claimer) sweeps(ctx context.Context) {
	every := clock.NewTicker(c.o.Clock, c.o.Sweep)
	defer every.Stop()
	for {
		if err := c.sweep(ctx); err != nil && ctx.Err() == nil {
			c.o.Log.Warn("released rooms cannot be looked for now", "err", err)
		}
		select {
		case <-c.wake:
		case <-every.C:
		case <-ctx.Done():
			return
		}
	}
}

// sweep claims every released room that the ring gives this node, and returns when all claims have ended.
func (c *Claimer) sweep(ctx context.Context) error {
	var wg sync.WaitGroup
	defer wg.Wait()
	released := map[room.ID]bool{}
	for after := room.ID(""); ; {
		rows, err := c.o.Store.Released(ctx, after, Batch)
		if err != nil {
			return err
		}
		for _, row := range rows {
			after = row.Room
			released[row.Room] = true
			if c.first(row.Room) == c.o.Node && c.o.Owner.Due(row.Room) {
				wg.Go(func() { c.claimFound(ctx, row.Room) })
			}
		}
		wg.Wait() // a page at a time, so that few claims are under way
		if len(rows) < Batch {
			c.o.Owner.ForgetReleased(func(id room.ID) bool { return released[id] })
			return nil
		}
	}
}

// claimFound claims a room that a sweep has found. What cannot be claimed is left alone for a while.
func (c *Claimer) claimFound(ctx context.Context, id room.ID) {
	err := c.Claim(ctx, id)
	nobodys := errors.Is(err, record.ErrMovedOn) || errors.Is(err, record.ErrNotFound)
	if err == nil || ctx.Err() != nil || nobodys || errors.Is(err, actor.ErrDraining) {
		return
	}
	c.o.Owner.PutOff(id, c.o.PutOff)
	c.o.Log.Warn("a released room could not be taken on: another try follows", "room", id, "in", c.o.PutOff, "err", err)
}

// Claim brings a released room to the node that the ring names. If that node cannot take it, it brings the room to this one; if both
// lack the game, to the first node that can. When it returns nil the room is somewhere: locate it again. Errors: record.ErrMovedOn when
// another node was first, an actor.ErrUnreachable with the reason, actor.ErrDraining when this node is stopping, record.ErrNotFound,
// and those of the store.
func (c *Claimer) Claim(ctx context.Context, id room.ID) error {
	order := c.o.Order(id)
	if len(order) > 0 && c.claimAt(ctx, order[0], id) {
		return nil
	}
	err := c.claimHere(ctx, id)
	if _, held := errors.AsType[*actor.HeldError](err); held && len(order) > 0 {
		for _, node := range order[1:] {
			if c.claimAt(ctx, node, id) {
				return nil
			}
		}
	}
	return err
}

// claimAt has another node claim a room, and reports whether it has.
func (c *Claimer) claimAt(ctx context.Context, node string, id room.ID) bool {
	if node == c.o.Node {
		return false
	}
	answer, err := c.ask(ctx, node, []room.ID{id})
	return err == nil && len(answer.Refused) == 0
}

// first is the node that the ring names; "": the ring is empty.
func (c *Claimer) first(id room.ID) string {
	if order := c.o.Order(id); len(order) > 0 {
		return order[0]
	}
	return ""
}

// ask has another node claim rooms.
func (c *Claimer) ask(ctx context.Context, node string, ids []room.ID) (Answer, error) {
	ctx, cancel := clock.WithTimeout(ctx, c.o.Clock, c.o.Patience)
	defer cancel()
	return c.o.Ask(ctx, node, Request{ids})
}

// Serve claims rooms here that another node asks for, and returns when all claims have ended or ctx does.
func (c *Claimer) Serve(ctx context.Context, want Request) (Answer, error) {
	answer := Answer{Refused: map[room.ID]string{}}
	if len(want.Rooms) > Batch {
		return answer, errTooMany
	}
	var mu sync.Mutex
	var wg sync.WaitGroup
	for _, id := range want.Rooms {
		wg.Go(func() {
			if err := c.claimHere(ctx, id); err != nil {
				mu.Lock()
				defer mu.Unlock()
				answer.Refused[id] = err.Error()
			}
		})
	}
	wg.Wait()
	return answer, nil
}

var errTooMany = errors.New("a claim names more rooms than one message may")

// claimHere brings a released room to this node. A claim that has begun goes on when ctx ends.
func (c *Claimer) claimHere(ctx context.Context, id room.ID) error {
	if c.o.Here(id) {
		return nil
	}
	return c.o.Owner.Want(ctx, id)
}

// Drain gives all rooms of this node away. Take this node off the ring before. It returns nil when no room is left here and the nodes
// that the ring names have been told of those that were released; otherwise the error of lifecycle.Owner.Drain.
func (c *Claimer) Drain(ctx context.Context) error {
	err := c.o.Owner.Drain(ctx)
	c.mu.Lock()
	telling := c.telling
	c.mu.Unlock()
	if telling != nil {
		select {
		case <-telling:
		case <-ctx.Done():
		}
	}
	return err
}

// Released hears of a room that this node has given to the store, and has the node that the ring names told. It does not block. The
// message is a hint: a node that does not get it sweeps.
func (c *Claimer) Released(id room.ID) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.untold = append(c.untold, id)
	if c.telling == nil {
		told := make(chan struct{})
		if c.tasks.Go(func(ctx context.Context) { c.tell(ctx, told) }) {
			c.telling = told
		}
	}
}

// tell asks nodes to claim what has been released, batch by batch, until nothing is left.
func (c *Claimer) tell(ctx context.Context, told chan struct{}) {
	for {
		c.mu.Lock()
		some := c.untold[:min(len(c.untold), Batch)]
		c.untold = c.untold[len(some):]
		if len(some) == 0 {
			c.telling = nil
			close(told)
			c.mu.Unlock()
			return
		}
		c.mu.Unlock()
		byNode := map[string][]room.ID{}
		for _, id := range some {
			node := c.first(id)
			byNode[node] = append(byNode[node], id)
		}
		var wg sync.WaitGroup
		for node, ids := range byNode {
			if node == "" || node == c.o.Node {
				continue
			}
			wg.Go(func() {
				if _, err := c.ask(ctx, node, ids); err != nil {
					c.o.Log.Debug("a node was not told of released rooms: it finds them by itself", "node", node, "err", err)
				}
			})
		}
		wg.Wait()
	}
}
