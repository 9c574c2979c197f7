package relay

import (
	"cmp"
	"context"
	"errors"
	"maps"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/cluster/edge"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/tasks"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Locator knows where rooms are.
type Locator interface {
	// Locate is the node that has a room. actor.ErrNotFound: there certainly is none; a *actor.CloseError is what to
	// tell the client; any other error: it cannot be said at present.
	// If it is an *actor.UnreachableError, the room may be on its way to its Next.
	Locate(ctx context.Context, id room.ID) (node string, err error)
	// Forget says that the room was not there after all.
	Forget(id room.ID, node string)
	// Remember says that the room is at another node, or about to be.
	Remember(id room.ID, node string)
}

// EdgeOptions make an Edge.
type EdgeOptions struct {
	Node        string // this node's name
	Rooms       *actor.Directory
	Locator     Locator
	Reattach    time.Duration // how long a session looks for its room before it ends with 4103; 0 means 2 s
	Reattaching int           // sessions that look for their rooms at once, the others wait; 0 means 256
	Clock       clock.Clock   // nil: one of its own
}

// Edge brings this node's clients into rooms, here or elsewhere, and again when the way to a room is lost or the room has moved. Its
// methods may be called from any goroutine.
type Edge struct {
	o     EdgeOptions
	tasks *tasks.Group
	turns chan struct{} // one for each session that looks for its room again

	reattached, lostEvents atomic.Uint64

	mu      sync.Mutex
	streams map[string]*stream // by owner
}

// NewEdge makes an Edge without clients. Close ends it.
func NewEdge(o EdgeOptions) *Edge {
	o.Reattach = cmp.Or(o.Reattach, 2*time.Second)
	o.Reattaching = cmp.Or(o.Reattaching, 256)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	return &Edge{o: o, tasks: tasks.New(), turns: make(chan struct{}, o.Reattaching), streams: map[string]*stream{}}
}

// Close ends all searches. A session that loses its room from now on ends with 4100.
func (e *Edge) Close() { e.tasks.Close() }

// Counts are how many times a client was brought into its room again, and how many events clients of rooms elsewhere were told that
// they missed.
func (e *Edge) Counts() (reattached, lostEvents uint64) {
	return e.reattached.Load(), e.lostEvents.Load()
}

// Attach is actor.Directory.Attach for a room anywhere. It tries for as long as Options.Reattach, and waits for the answer to a
// try until ctx ends. Errors: actor.ErrNotFound, or a *actor.CloseError.
func (e *Edge) Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error) {
	s := &session{e: e, id: id, hello: h, out: out, machine: edge.New(e.o.Reattach)}
	answer := make(chan error, 1)
	s.answer = answer
	s.step(nil, edge.Event{What: edge.Begin})
	var err error
	select {
	case err = <-answer:
	case <-ctx.Done():
		s.step(nil, edge.Event{What: edge.GaveUp})
		err = <-answer
	}
	switch {
	case err == nil:
		return s, nil
	case errors.Is(err, actor.ErrNotFound):
		return nil, err
	}
	return nil, closeFor(err)
}

// Remote counts the sessions of this node's clients in rooms elsewhere.
func (e *Edge) Remote() (n int) {
	for _, s := range e.allStreams() {
		s.mu.Lock()
		n += len(s.routes)
		s.mu.Unlock()
	}
	return n
}

// Queue is what waits for one client.
type Queue struct {
	Client  record.ClientID   `json:"client"`
	Attempt uint64            `json:"attempt"`
	Queue   actor.OutboxStats `json:"queue"`
}

// Queues are those of this node's clients in a room elsewhere.
func (e *Edge) Queues(id room.ID) (all []Queue) {
	for _, s := range e.allStreams() {
		var sessions []*session
		s.mu.Lock()
		for _, r := range s.routes {
			if r.s.id == id {
				sessions = append(sessions, r.s)
			}
		}
		s.mu.Unlock()
		for _, to := range sessions {
			all = append(all, Queue{to.hello.Client, to.hello.Attempt, to.out.Stats()})
		}
	}
	return all
}

func (e *Edge) allStreams() []*stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	return slices.Collect(maps.Values(e.streams))
}

func (e *Edge) stream(node string) *stream {
	e.mu.Lock()
	defer e.mu.Unlock()
	return e.streams[node]
}

// EdgeEnd is what an Edge needs of a link.EdgeEnd.
type EdgeEnd interface {
	Peer() link.Peer
	Send(*linkpb.EdgeFrame)
}

// stream is an Edge's side of one link to an owner. It is the link's handler.
type stream struct {
	e  *Edge
	to EdgeEnd

	mu     sync.Mutex
	routes map[uint64]*remoteRoute // by session number; nil: it is down
	last   uint64                  // number drawn

	named []*remoteRoute // scratch of Frame
}

// Open serves a new link to an owner.
func (e *Edge) Open(to EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return e.open(to) }

func (e *Edge) open(to EdgeEnd) *stream {
	s := &stream{e: e, to: to, routes: map[uint64]*remoteRoute{}}
	e.mu.Lock()
	e.streams[to.Peer().Node] = s
	e.mu.Unlock()
	return s
}

// Frame hears what the owner says. Sessions that are not known have been given up here: what was on its way to them is late.
func (s *stream) Frame(f *linkpb.OwnerFrame) {
	s.mu.Lock()
	for _, number := range f.Sessions {
		if r := s.routes[number]; r != nil {
			s.named = append(s.named, r)
		}
	}
	s.mu.Unlock()
	var say *actor.Say
	if m := f.GetSay(); m != nil {
		say = &actor.Say{
			Frame: m.Frame, Fate: actor.Fate(m.Fate), Epoch: record.Epoch(m.Epoch), Seq: room.Index(m.Seq), Events: int(m.Events),
		}
	}
	for _, r := range s.named {
		if say != nil {
			r.hearsEpoch(say.Epoch)
			r.feed.Deliver(say)
		} else {
			r.handle(f)
		}
	}
	clear(s.named)
	s.named = s.named[:0]
}

// Down has all sessions of the stream look for their rooms again.
func (s *stream) Down(error) {
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
		r.answerCame()
		r.hears(edge.Event{What: edge.Lost, Err: errLinkLost})
	}
}

var errLinkLost = &actor.UnreachableError{Reason: "the connection to the room's node was lost: retry"}

// add draws a session number; false: the stream is down.
func (s *stream) add(r *remoteRoute) bool {
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

// forget removes a session; false: it was not there any more.
func (s *stream) forget(number uint64) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	_, ok := s.routes[number]
	delete(s.routes, number)
	return ok
}

// unreachable is the close for a client whose room was not found in time. It tells reasons that are made for players,
// when they fit a close frame.
func unreachable(why error) *actor.CloseError {
	_, told := errors.AsType[*actor.CloseError](why)
	if (told || errors.Is(why, actor.ErrUnreachable)) && len(why.Error()) <= 123 {
		return &actor.CloseError{Code: wire.CloseUnreachable, Reason: why.Error()}
	}
	return &actor.CloseError{Code: wire.CloseUnreachable, Reason: "the room is not reachable: retry"}
}

// final reports whether an error of an attach ends the search for the room.
func final(err error) bool {
	if errors.Is(err, actor.ErrNotFound) || errors.Is(err, actor.ErrEnded) {
		return true
	}
	why, ok := errors.AsType[*actor.CloseError](err)
	return ok && !why.Moved()
}
