// Package locate says which node has a room: this one, one that said so lately, one of the ring's first, any other, or the one that
// claims a room that lies in the store. It tells a room that certainly is not there from one that nobody can speak for.
package locate

import (
	"context"
	"errors"
	"log/slog"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/sync/singleflight"
	"golang.org/x/time/rate"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/cluster/tasks"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// Store is what a Locator asks of the store. record.ErrNotFound says for certain that there is no such thing; any other error that
// the store is away.
type Store interface {
	Row(ctx context.Context, id room.ID) (record.Row, error)
	// Past is a room that is over and gone from memory.
	Past(ctx context.Context, id room.ID) (actor.Info, error)
}

// Options make a Locator. All are needed.
type Options struct {
	Rooms *actor.Directory // of this node
	Nodes *nodes.Nodes
	Store Store
	Calls *rpc.Caller
	Tasks *tasks.Group // runs searches
	Clock clock.Clock
	Log   *slog.Logger
	// Claim brings a released room to a node, see claim.Claimer.
	Claim func(ctx context.Context, id room.ID) error

	Ask     time.Duration // how long one node may take to say whether it has a room
	Gather  time.Duration // how long the store may take
	Forward time.Duration // how long a claim may take
	Known   int           // rooms elsewhere whose node is remembered
	Fresh   time.Duration // how long a boot that nobody hears may be silent and still keep rooms from being called not found
}

// Locator finds rooms. Its methods may be called from any goroutine.
type Locator struct {
	o        Options
	searches singleflight.Group
	logged   rate.Sometimes // each client whose room is not found searches again and again
	complete atomic.Bool    // the rooms of this node's journal are back

	mu    sync.Mutex
	known *simplelru.LRU[room.ID, string] // rooms elsewhere, and where
}

// New makes a Locator that knows no room yet. Until Complete this node answers others that it cannot say what it lacks.
func New(o Options) (*Locator, error) {
	known, err := simplelru.NewLRU[room.ID, string](o.Known, nil)
	if err != nil {
		return nil, err
	}
	l := &Locator{o: o, known: known, logged: rate.Sometimes{Interval: time.Second}}
	rpc.Serve(o.Calls, Where, func(_ context.Context, id room.ID) (Presence, error) { return l.presence(id) })
	return l, nil
}

// Where asks a node whether it has a room.
const Where rpc.Method[room.ID, Presence] = "rooms.where"

// Presence says whether a room is at a node, and at which epoch. A room that the node holds and cannot run is there.
type Presence struct {
	Here  bool         `json:"here"`
	Epoch record.Epoch `json:"epoch"`
	Heir  bool         `json:"heir,omitempty"` // not here, but the node follows it, and can take it; an older node does not say
}

func (l *Locator) presence(id room.ID) (Presence, error) {
	info, err := l.o.Rooms.Info(id)
	if errors.Is(err, actor.ErrNotFound) {
		if !l.IsComplete() {
			return Presence{}, actor.ErrUnreachable // the room may be among those that are still being brought back
		}
		_, heir := l.o.Rooms.Next(id)
		return Presence{Heir: heir}, nil
	}
	return Presence{Here: true, Epoch: info.Epoch}, nil
}

// Complete says whether the rooms of this node's journal are back, so that a room it does not have is not here.
func (l *Locator) Complete(is bool) { l.complete.Store(is) }

// IsComplete is what Complete was told last.
func (l *Locator) IsComplete() bool { return l.complete.Load() }

// Here reports whether this node has a room.
func (l *Locator) Here(id room.ID) bool {
	p, _ := l.presence(id)
	return p.Here
}

// Locate is the node that has a room. The answer may be out of date when it arrives: call Forget then, and Locate again. Concurrent
// calls for one room share one search. Errors: actor.ErrNotFound when there certainly is no such room; actor.ErrUnreachable, often an
// *actor.UnreachableError, when nobody can say or the room is at a node that is away, with its Next if another node can take it; an *OverError when the room is over; ctx's.
func (l *Locator) Locate(ctx context.Context, id room.ID) (node string, err error) {
	if l.Here(id) {
		return l.o.Calls.Self(), nil
	}
	if node, ok := l.remembered(id); ok {
		return node, nil
	}
	found := l.searches.DoChan(string(id), func() (any, error) {
		if node, ok := l.remembered(id); ok {
			return node, nil // by a search that ended as this call began
		}
		return l.search(id)
	})
	select {
	case f := <-found:
		node, _ = f.Val.(string)
		return node, f.Err
	case <-ctx.Done():
		return "", ctx.Err()
	}
}

// remembered is the node that has a room as far as this one knows. It forgets a node that is not heard.
func (l *Locator) remembered(id room.ID) (node string, ok bool) {
	l.mu.Lock()
	node, ok = l.known.Get(id)
	l.mu.Unlock()
	if ok && !l.o.Nodes.Hears(node) {
		l.Forget(id, node)
		return "", false
	}
	return node, ok
}

// Forget says that a room is not at that node, or does not answer there.
func (l *Locator) Forget(id room.ID, node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if known, _ := l.known.Peek(id); known == node {
		l.known.Remove(id)
	}
}

// Remember says that a room was seen at another node.
func (l *Locator) Remember(id room.ID, node string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.known.Add(id, node)
}

// askTimes bounds how often a question follows a room that moves.
const askTimes = 3

// Ask asks the node that has a room, and looks for the room again when it is not there any more. What a node that did not answer may
// have done is not tried again. Errors: those of Locate and of rpc.Ask.
func Ask[In, Out any](ctx context.Context, l *Locator, id room.ID, m rpc.Method[In, Out], in In) (out Out, err error) {
	for range askTimes {
		var node string
		if node, err = l.Locate(ctx, id); err != nil {
			return out, err
		}
		out, err = rpc.Ask(ctx, l.o.Calls, node, m, in)
		switch {
		case errors.Is(err, actor.ErrNotFound), errors.Is(err, link.ErrNoPeer):
			l.Forget(id, node)
		case rpc.Unanswered(err):
			l.Forget(id, node)
			return out, err
		default:
			return out, err
		}
	}
	if errors.Is(err, actor.ErrNotFound) {
		err = actor.ErrUnreachable // it was somewhere a moment ago
	}
	return out, err
}
