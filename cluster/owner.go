package cluster

import (
	"cmp"
	"context"
	"errors"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// ownerOptions make owners.
type ownerOptions struct {
	Rooms     *actor.Directory
	Attaching int // attaches of one edge under way at once; what is beyond it is told to come again. 0 means 1,024
}

// owners lets clients of other nodes into rooms of this one.
type owners struct {
	o   ownerOptions
	ctx context.Context
	end context.CancelFunc
	wg  sync.WaitGroup
}

func newOwners(o ownerOptions) *owners {
	o.Attaching = cmp.Or(o.Attaching, 1024)
	s := &owners{o: o}
	s.ctx, s.end = context.WithCancel(context.Background())
	return s
}

// close waits for what is under way. The links are closed before it, so that nothing follows.
func (s *owners) close() {
	s.end()
	s.wg.Wait()
}

// ownerEnd is what an owner needs of a link.OwnerEnd.
type ownerEnd interface {
	Peer() link.Peer
	Send(*linkpb.OwnerFrame)
	Defer(*linkpb.OwnerFrame)
}

// owner is this node's side of one edge's stream. It is the link's handler: nothing in it waits.
type owner struct {
	*owners
	to ownerEnd

	mu        sync.Mutex
	sessions  map[uint64]*remote
	gatherers map[room.ID]*gatherer
	attaching int
	down      bool
}

// open takes an edge's stream.
func (s *owners) open(to ownerEnd) *owner {
	return &owner{owners: s, to: to, sessions: map[uint64]*remote{}, gatherers: map[room.ID]*gatherer{}}
}

// Frame takes what the edge says.
func (o *owner) Frame(f *linkpb.EdgeFrame) {
	switch what := f.What.(type) {
	case *linkpb.EdgeFrame_Attach:
		o.attach(f.Session, what.Attach)
	case *linkpb.EdgeFrame_Detach:
		if r := o.session(f.Session); r != nil {
			o.forget(r)
			r.detach()
		}
	default:
		if r := o.session(f.Session); r != nil {
			r.take(f)
		}
	}
}

// Down has every client of the edge go: the edge attaches them again by another stream.
func (o *owner) Down(error) {
	o.mu.Lock()
	sessions := o.sessions
	o.sessions, o.down = map[uint64]*remote{}, true
	o.mu.Unlock()
	o.wg.Go(func() {
		for _, r := range sessions {
			r.detach()
		}
	})
}

func (o *owner) session(number uint64) *remote {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sessions[number]
}

// forget takes a session out, if it is there. Another one may have its number: an edge should not, but could, use one
// again.
func (o *owner) forget(r *remote) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sessions[r.number] != r {
		return
	}
	delete(o.sessions, r.number)
	if r.to.users--; r.to.users == 0 {
		delete(o.gatherers, r.room)
	}
}

// attach begins to bring a client in. The room may let it wait, so that has a goroutine of its own.
func (o *owner) attach(number uint64, a *linkpb.Attach) {
	o.mu.Lock()
	_, twice := o.sessions[number]
	if o.down || twice {
		o.mu.Unlock()
		return
	}
	if o.attaching >= o.o.Attaching {
		o.mu.Unlock()
		o.refuse(number, &linkpb.Refused{Moved: true, Reason: "too many come to the room's node at once: retry"})
		return
	}
	o.attaching++
	ctx, cancel := context.WithCancel(o.ctx)
	r := o.remote(number, a, cancel)
	o.mu.Unlock()
	o.wg.Go(func() {
		defer cancel()
		o.enter(ctx, r, o.hello(a))
	})
}

// remote makes a session; the lock is held.
func (o *owner) remote(number uint64, a *linkpb.Attach, cancel context.CancelFunc) *remote {
	id := room.ID(a.Room)
	g := o.gatherers[id]
	if g == nil {
		g = &gatherer{to: o.to}
		o.gatherers[id] = g
	}
	g.users++
	r := &remote{owner: o, number: number, room: id, to: g, encoding: wire.Encoding(a.Encoding), cancel: cancel}
	o.sessions[number] = r
	return r
}

func (o *owner) hello(a *linkpb.Attach) actor.Hello {
	h := actor.Hello{
		Player: room.PlayerID(a.Player), Name: a.Name, Client: record.ClientID(a.Client), Attempt: a.Attempt,
		Spectate: a.Spectate, Code: a.Code, Again: a.Again, Edge: o.to.Peer().Node,
		Heartbeat: time.Duration(a.HeartbeatMs) * time.Millisecond,
		Limits:    wire.Limits{Message: int(a.LimitMessage), Rate: int(a.LimitRate), Bytes: int(a.LimitBytes)},
		Token:     a.Token,
	}
	if a.Resume != nil {
		h.Resume = &record.Point{Epoch: record.Epoch(a.Resume.Epoch), Seq: room.Index(a.Resume.Seq)}
	}
	return h
}

// enter waits for the room's yes or no and tells the edge.
func (o *owner) enter(ctx context.Context, r *remote, h actor.Hello) {
	session, err := o.let(ctx, r, h)
	o.mu.Lock()
	o.attaching--
	o.mu.Unlock()
	if err == nil {
		r.attached(session)
		return
	}
	o.forget(r)
	if ctx.Err() == nil {
		o.refuse(r.number, refusal(err))
	}
}

func (o *owner) let(ctx context.Context, r *remote, h actor.Hello) (actor.Remote, error) {
	if r.encoding > wire.CBOR {
		return nil, &actor.CloseError{Code: wire.CloseTooOld, Reason: "the room's node does not know this encoding"}
	}
	return o.o.Rooms.AttachSink(ctx, r.room, h, r)
}

func (o *owner) refuse(number uint64, why *linkpb.Refused) {
	o.to.Send(&linkpb.OwnerFrame{Sessions: []uint64{number}, What: &linkpb.OwnerFrame_Refused{Refused: why}})
}

// refusal says in the link's words why an attach failed.
func refusal(err error) *linkpb.Refused {
	why, final := errors.AsType[*actor.CloseError](err)
	switch {
	case errors.Is(err, actor.ErrNotFound):
		return &linkpb.Refused{NotHere: true, Reason: err.Error()}
	case !final || why.Moved():
		return &linkpb.Refused{Moved: true, Reason: err.Error()}
	}
	return &linkpb.Refused{Code: uint32(why.Code), Reason: why.Reason, Over: encodeOver(why.Over)}
}
