package cluster

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/edge"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
)

// locator knows where rooms are.
type locator interface {
	// Locate is the node that has a room. actor.ErrNotFound: there certainly is none; a *actor.CloseError is what to
	// tell the client; any other error: it cannot be said at present.
	Locate(ctx context.Context, id room.ID) (node string, err error)
	// Forget says that the room was not there after all.
	Forget(id room.ID, node string)
}

// edgeOptions make edges.
type edgeOptions struct {
	Node        string // this node's name
	Rooms       *actor.Directory
	Locator     locator
	Reattach    time.Duration // how long a room is looked for before its client is closed with 4103; 0 means 2 s
	Reattaching int           // sessions that look for their rooms at once, the others wait; 0 means 256
	Clock       clock.Clock   // Reattach goes by; nil: one of its own
	Counts      *counts       // nil: nobody wants to know
}

// edges brings this node's clients into rooms, here or elsewhere, and again when the way to a room is lost or the room
// has moved.
type edges struct {
	o      edgeOptions
	ctx    context.Context // ends with close
	cancel context.CancelFunc
	turns  chan struct{} // one for each session that may look for its room now

	mu      sync.Mutex
	streams map[string]*stream // by owner
	closed  bool
	wg      sync.WaitGroup
}

func newEdges(o edgeOptions) *edges {
	o.Reattach = cmp.Or(o.Reattach, 2*time.Second)
	o.Reattaching = cmp.Or(o.Reattaching, 256)
	o.Counts = cmp.Or(o.Counts, new(counts))
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	e := &edges{o: o, turns: make(chan struct{}, o.Reattaching), streams: map[string]*stream{}}
	e.ctx, e.cancel = context.WithCancel(context.Background())
	return e
}

// close stops looking: sessions that lose their room from now on end with 4100.
func (e *edges) close() {
	e.mu.Lock()
	e.closed = true
	e.mu.Unlock()
	e.cancel()
	e.wg.Wait()
}

// start runs f beside all else; false after close.
func (e *edges) start(f func()) bool {
	e.mu.Lock()
	defer e.mu.Unlock()
	if !e.closed {
		e.wg.Go(f)
	}
	return !e.closed
}

// Attach is actor.Directory.Attach for a room anywhere. It tries for as long as Reattach, and waits for the answer to a
// try until ctx ends. Errors: actor.ErrNotFound, or a *actor.CloseError.
func (e *edges) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	s := &session{e: e, id: id, hello: h, out: out, machine: edge.New(e.o.Reattach)}
	answer := make(chan error, 1)
	s.answer = answer
	s.step(nil, edge.Event{What: edge.Begin})
	select {
	case err := <-answer:
		return s.begun(err)
	case <-ctx.Done():
		s.step(nil, edge.Event{What: edge.GaveUp})
		return s.begun(<-answer)
	}
}

// edgeEnd is what an edge needs of a link.EdgeEnd.
type edgeEnd interface {
	Peer() link.Peer
	Send(*linkpb.EdgeFrame)
}

// stream is what this node has to do with one owner as long as one link lasts. It is the link's handler.
type stream struct {
	e  *edges
	to edgeEnd

	mu     sync.Mutex
	routes map[uint64]*thereRoute // by session number; nil: it is down
	last   uint64                 // number drawn

	named []*thereRoute // scratch of Frame
}

// open takes a stream to an owner.
func (e *edges) open(to edgeEnd) *stream {
	s := &stream{e: e, to: to, routes: map[uint64]*thereRoute{}}
	e.mu.Lock()
	e.streams[to.Peer().Node] = s
	e.mu.Unlock()
	return s
}

// Frame takes what the owner says. Sessions that are not known have been given up here: what was under way to them is late.
func (s *stream) Frame(f *linkpb.OwnerFrame) {
	s.mu.Lock()
	for _, number := range f.Sessions {
		if r := s.routes[number]; r != nil {
			s.named = append(s.named, r)
		}
	}
	s.mu.Unlock()
	say := said(f.GetSay())
	for _, r := range s.named {
		if say != nil {
			r.feed.Deliver(say)
		} else {
			r.take(f)
		}
	}
	clear(s.named)
	s.named = s.named[:0]
}

// said is a message to sessions here; nil if it is none.
func said(s *linkpb.Say) *actor.Say {
	if s == nil {
		return nil
	}
	return &actor.Say{Frame: s.Frame, Fate: actor.Fate(s.Fate), Seq: room.Index(s.Seq), Events: int(s.Events)}
}

// Down is when the stream is over: all its sessions look for their rooms again.
func (s *stream) Down(err error) {
	s.e.mu.Lock()
	if node := s.to.Peer().Node; s.e.streams[node] == s {
		delete(s.e.streams, node)
	}
	s.e.mu.Unlock()
	s.mu.Lock()
	routes := s.routes
	s.routes = nil
	s.mu.Unlock()
	for _, r := range routes {
		r.spoke()
		r.hears(edge.Event{What: edge.Lost, Err: errLinkLost})
	}
}

var errLinkLost = &actor.UnreachableError{Reason: "the connection to the room's node was lost: retry"}

// add draws a session number; false: the stream is down.
func (s *stream) add(r *thereRoute) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.routes == nil {
		return false
	}
	s.last++
	r.session = s.last
	s.routes[r.session] = r
	return true
}

// forget takes a session out; false: it was not there any more.
func (s *stream) forget(number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.routes[number]
	delete(s.routes, number)
	return ok
}

// remote counts the sessions of this node's clients in rooms elsewhere.
func (e *edges) remote() int {
	e.mu.Lock()
	streams := slices.Collect(maps.Values(e.streams))
	e.mu.Unlock()
	n := 0
	for _, s := range streams {
		s.mu.Lock()
		n += len(s.routes)
		s.mu.Unlock()
	}
	return n
}

func (e *edges) stream(node string) *stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.streams[node]
}

// unreachable is the close for a client whose room was not found in time. It tells reasons that are made for players,
// when they fit a close frame.
func unreachable(why error) *actor.CloseError {
	_, told := errors.AsType[*actor.CloseError](why)
	if (told || errors.Is(why, actor.ErrUnreachable)) && len(why.Error()) <= wire.MaxCloseReason {
		return &actor.CloseError{Code: wire.CloseUnreachable, Reason: why.Error()}
	}
	return &actor.CloseError{Code: wire.CloseUnreachable, Reason: "the room is not reachable: retry"}
}

// final reports whether an error of an attach ends the looking.
func final(err error) bool {
	if errors.Is(err, actor.ErrNotFound) || errors.Is(err, actor.ErrEnded) {
		return true
	}
	why, ok := errors.AsType[*actor.CloseError](err)
	return ok && !why.Moved()
}
