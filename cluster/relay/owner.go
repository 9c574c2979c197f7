package relay

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

// OwnerOptions make an Owner.
type OwnerOptions struct {
	Rooms     *actor.Directory
	Attaching int // attaches of one edge under way at once; more are told to come again; 0 means 1,024
}

// Owner lets clients of other nodes into rooms of this one.
type Owner struct {
	o   OwnerOptions
	ctx context.Context
	end context.CancelFunc
	wg  sync.WaitGroup
}

// NewOwner makes an Owner without clients. Close ends it.
func NewOwner(o OwnerOptions) *Owner {
	o.Attaching = cmp.Or(o.Attaching, 1024)
	w := &Owner{o: o}
	w.ctx, w.end = context.WithCancel(context.Background())
	return w
}

// Close ends the attaches under way and waits for them. Close the links before, so that no more follow.
func (w *Owner) Close() {
	w.end()
	w.wg.Wait()
}

// OwnerEnd is what an Owner needs of a link.OwnerEnd.
type OwnerEnd interface {
	Peer() link.Peer
	Send(*linkpb.OwnerFrame)
	Defer(*linkpb.OwnerFrame)
}

// ownerStream is an Owner's side of one link to an edge. It is the link's handler: nothing in it waits.
type ownerStream struct {
	*Owner
	to OwnerEnd

	mu        sync.Mutex
	sessions  map[uint64]*remote
	fanouts   map[room.ID]*fanout
	attaching int
	down      bool
}

// Open serves a new link to an edge.
func (w *Owner) Open(to OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return w.open(to) }

func (w *Owner) open(to OwnerEnd) *ownerStream {
	return &ownerStream{Owner: w, to: to, sessions: map[uint64]*remote{}, fanouts: map[room.ID]*fanout{}}
}

// Frame hears what the edge says.
func (o *ownerStream) Frame(f *linkpb.EdgeFrame) {
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
			r.handle(f)
		}
	}
}

// Down detaches every client of the edge, which attaches them again by another stream.
func (o *ownerStream) Down(error) {
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

func (o *ownerStream) session(number uint64) *remote {
	o.mu.Lock()
	defer o.mu.Unlock()
	return o.sessions[number]
}

// forget removes a session, if it is there. Another session may have its number by now: an edge should not use a number twice, but
// could.
func (o *ownerStream) forget(r *remote) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.sessions[r.number] != r {
		return
	}
	delete(o.sessions, r.number)
	if r.to.users--; r.to.users == 0 {
		delete(o.fanouts, r.room)
	}
}

// attach begins to bring a client in, on a goroutine of its own, because the room may let it wait.
func (o *ownerStream) attach(number uint64, a *linkpb.Attach) {
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
		o.finishAttach(ctx, r, o.hello(a))
	})
}

// remote makes a session; the lock is held.
func (o *ownerStream) remote(number uint64, a *linkpb.Attach, cancel context.CancelFunc) *remote {
	id := room.ID(a.Room)
	g := o.fanouts[id]
	if g == nil {
		g = &fanout{to: o.to}
		o.fanouts[id] = g
	}
	g.users++
	r := &remote{owner: o, number: number, room: id, to: g, encoding: wire.Encoding(a.Encoding), cancel: cancel}
	o.sessions[number] = r
	return r
}

func (o *ownerStream) hello(a *linkpb.Attach) actor.Hello {
	h := actor.Hello{
		Player: room.PlayerID(a.Player), Name: a.Name, Client: record.ClientID(a.Client), Attempt: a.Attempt,
		Spectate: a.Spectate, Code: a.Code, Again: a.Again, Edge: o.to.Peer().Node,
		Heartbeat: time.Duration(a.HeartbeatMs) * time.Millisecond,
		Limits:    wire.Limits{Message: int(a.LimitMessage), Rate: int(a.LimitRate), Bytes: int(a.LimitBytes)},
		Token:     a.Token, Coming: a.Coming,
	}
	if a.Resume != nil {
		h.Resume = &record.Point{Epoch: record.Epoch(a.Resume.Epoch), Seq: room.Index(a.Resume.Seq)}
	}
	return h
}

// finishAttach waits for the room's yes or no and tells the edge.
func (o *ownerStream) finishAttach(ctx context.Context, r *remote, h actor.Hello) {
	var session actor.Remote
	var err error = &actor.CloseError{Code: wire.CloseTooOld, Reason: "the room's node does not know this encoding"}
	if r.encoding <= wire.CBOR {
		session, err = o.o.Rooms.AttachSink(ctx, r.room, h, r)
	}
	o.mu.Lock()
	o.attaching--
	o.mu.Unlock()
	if err == nil {
		r.attached(session)
		return
	}
	o.forget(r)
	if ctx.Err() == nil {
		why := refusal(err)
		why.Next = nextOf(o.o.Rooms, r.room, err)
		o.refuse(r.number, why)
	}
}

// nextOf is the node that this one knows to have a room, or to be about to have it, whose session has ended or was refused here; "": it
// knows none, or the end is for good.
func nextOf(rooms *actor.Directory, id room.ID, why error) string {
	end, closed := errors.AsType[*actor.CloseError](why)
	if why == nil || closed && !end.Moved() {
		return ""
	}
	node, _ := rooms.Next(id)
	return node
}

func (o *ownerStream) refuse(number uint64, why *linkpb.Refused) {
	o.to.Send(&linkpb.OwnerFrame{Sessions: []uint64{number}, What: &linkpb.OwnerFrame_Refused{Refused: why}})
}

// refusal says in a frame why an attach failed.
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
