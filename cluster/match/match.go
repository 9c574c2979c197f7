// Package match finds rooms with a seat for players across all nodes. All requests for one game meet at one node, its matchmaker: the
// node that the ring names for the game. The matchmaker keeps tickets, so that a request that comes again is answered the same, and
// hands them over when the ring names another node.
package match

import (
	"context"
	"errors"
	"log/slog"
	"net/netip"
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/roomring/roomring/cluster/locate"
	"github.com/roomring/roomring/cluster/nodes"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	roommatch "github.com/roomring/roomring/room/match"
)

const (
	maxHops    = 3                      // nodes that a request goes to, one naming the next
	retryAfter = 100 * time.Millisecond // between two tries while the nodes do not agree
	seatTries  = 3                      // times that all nodes are asked for a room before a new one is made
)

// Questions of matchmaking.
const (
	findQuestion    rpc.Method[findAsk, actor.Info]             = "match.find"    // to the game's matchmaker
	standQuestion   rpc.Method[actor.Match, stand]              = "match.stand"   // to all nodes
	bestQuestion    rpc.Method[actor.Match, *actor.Candidate]   = "match.best"    // to all nodes
	seatQuestion    rpc.Method[seatAsk, actor.Info]             = "match.seat"    // to the node that has the room
	ticketsQuestion rpc.Method[[]roommatch.Ticket, rpc.None]    = "match.tickets" // to the next matchmaker
	filledQuestion  rpc.Method[map[string]filledRoom, rpc.None] = "match.filled"  // likewise: by pool, the room that was filled last
)

// findAsk is a request, with its ticket if the asking node remembers it: the matchmaker that answered it may have died.
type findAsk struct {
	actor.Match
	Known []roommatch.Ticket `json:",omitempty"`
}

// filledRoom is the room that was filled last for requests of one pool.
type filledRoom struct {
	Game string  `json:"game"`
	Room room.ID `json:"room"`
}

// stand is how a node stands to a request.
type stand struct {
	Maker bool `json:"maker"` // its ring names itself as the game's matchmaker
	Busy  bool `json:"busy"`  // it is serving such a request
}

type seatAsk struct {
	Room   room.ID       `json:"room"`
	Player room.PlayerID `json:"player"`
	From   netip.Addr    `json:"from,omitzero"`
}

// Options make a Matcher. All are needed.
type Options struct {
	Rooms  *actor.Directory // of this node
	Nodes  *nodes.Nodes
	Locate *locate.Locator
	Calls  *rpc.Caller
	Clock  clock.Clock
	Log    *slog.Logger
	// Create makes a room at any node.
	Create func(ctx context.Context, want actor.Create) (actor.Info, error)

	Ask      time.Duration // how long nodes may take to answer a question to all of them
	Forward  time.Duration // how long a request is tried while the nodes do not agree
	Reattach time.Duration // how long a room on its way to another node is waited for
	Known    int           // requests whose room was filled last, and tickets
}

// Matcher serves the requests of this node's players, and those of all players for the games that this node is the matchmaker of. Its
// methods may be called from any goroutine.
type Matcher struct {
	o       Options
	local   *roommatch.Maker // one request of a pool at a time
	changed chan struct{}    // holds one: the ring has changed
	handing sync.Mutex       // of tickets

	mu      sync.Mutex
	filled  *simplelru.LRU[string, filledRoom]     // by pool: the room that was filled last
	tickets *simplelru.LRU[ticketKey, *seenTicket] // answered by way of this node
	quiet   map[string]time.Duration               // by node: since when it has not said how it stands, by the clock
}

// New makes a Matcher that remembers nothing yet.
func New(o Options) (*Matcher, error) {
	m := &Matcher{o: o, changed: make(chan struct{}, 1)}
	var err, err2 error
	m.filled, err = simplelru.NewLRU[string, filledRoom](o.Known, nil)
	m.tickets, err2 = simplelru.NewLRU[ticketKey, *seenTicket](o.Known, nil)
	if err := errors.Join(err, err2); err != nil {
		return nil, err
	}
	m.local = roommatch.New(roommatch.Options{Pool: o.Rooms.Pool, Clock: o.Clock}, seats{m})
	m.serve()
	return m, nil
}

func (m *Matcher) serve() {
	rpc.Serve(m.o.Calls, findQuestion, func(ctx context.Context, in findAsk) (actor.Info, error) {
		if err := m.makes(in.Game); err != nil {
			return actor.Info{}, err
		}
		m.local.Import(in.Known)
		return m.local.Match(ctx, in.Match)
	})
	rpc.Serve(m.o.Calls, standQuestion, func(_ context.Context, want actor.Match) (stand, error) {
		return stand{Maker: m.makes(want.Game) == nil, Busy: m.local.Busy(want)}, nil
	})
	rpc.Serve(m.o.Calls, ticketsQuestion, func(_ context.Context, tickets []roommatch.Ticket) (rpc.None, error) {
		m.local.Import(tickets)
		return rpc.None{}, nil
	})
	rpc.Serve(m.o.Calls, filledQuestion, func(_ context.Context, rooms map[string]filledRoom) (rpc.None, error) {
		m.mu.Lock()
		defer m.mu.Unlock()
		for pool, last := range rooms {
			if !m.filled.Contains(pool) {
				m.filled.Add(pool, last)
			}
		}
		return rpc.None{}, nil
	})
	rpc.Serve(m.o.Calls, bestQuestion, func(_ context.Context, want actor.Match) (*actor.Candidate, error) {
		if best, ok := m.o.Rooms.Candidate(want); ok {
			return &best, nil
		}
		return nil, nil
	})
	rpc.Serve(m.o.Calls, seatQuestion, func(ctx context.Context, in seatAsk) (actor.Info, error) {
		info, err := m.o.Rooms.Seat(ctx, in.Room, in.Player, in.From)
		if err == actor.ErrNotFound && m.o.Locate.Here(in.Room) {
			err = rpc.ErrNoSeat
		}
		return info, err
	})
}

// maker is the node that all requests for a game go to, by this node's ring; "": nobody is on it.
func (m *Matcher) maker(game string) string { return m.o.Nodes.Ring().OwnerOf("match:" + game) }

// makes is a *rpc.NotMatchmakerError when this node's ring names another one for the game.
func (m *Matcher) makes(game string) error {
	if maker := m.maker(game); maker != m.o.Calls.Self() {
		return &rpc.NotMatchmakerError{Maker: maker}
	}
	return nil
}

// Match finds or makes a room with a seat for a player. While the nodes do not agree on the matchmaker, or it does not answer, this
// node tries again for Options.Forward; then the error is an actor.ErrUnreachable. Asking again with the same ticket is harmless.
func (m *Matcher) Match(ctx context.Context, want actor.Match) (actor.Info, error) {
	for until := m.o.Clock.Now() + m.o.Forward; ; {
		info, err := m.follow(ctx, want)
		_, disagree := errors.AsType[*rpc.NotMatchmakerError](err)
		_, silent := errors.AsType[*rpc.NoAnswerError](err)
		if !disagree && !silent || m.o.Clock.Now() > until {
			return info, err
		}
		if !clock.Sleep(ctx, m.o.Clock, retryAfter) {
			return actor.Info{}, ctx.Err()
		}
	}
}

// follow asks the matchmaker by this node's ring, and then the node that it names instead.
func (m *Matcher) follow(ctx context.Context, want actor.Match) (info actor.Info, err error) {
	node := m.maker(want.Game)
	for range maxHops {
		if node == "" {
			return actor.Info{}, &actor.UnreachableError{Reason: "no node takes rooms at present"}
		}
		info, err = rpc.Ask(ctx, m.o.Calls, node, findQuestion, findAsk{want, m.seen(want)})
		if err == nil {
			m.see(want, info.ID, node)
		}
		other, ok := errors.AsType[*rpc.NotMatchmakerError](err)
		if !ok || other.Maker == "" {
			break
		}
		node = other.Maker
	}
	return info, err
}

// seats are those of the whole cluster, for the matchmaker of this node.
type seats struct{ *Matcher }

// Seat tries the room that was filled last for such a request, wherever it has moved. Then it tries the room of all nodes that the
// player belongs in.
func (s seats) Seat(ctx context.Context, want actor.Match) (actor.Info, error) {
	pool := s.o.Rooms.Pool(want)
	s.mu.Lock()
	last, ok := s.filled.Get(pool)
	s.mu.Unlock()
	if ok {
		info, err := s.wait(ctx, last.Room, want)
		if err == nil || errors.Is(err, actor.ErrUnclaimed) {
			return info, err
		}
		if ctx.Err() != nil {
			return actor.Info{}, ctx.Err()
		}
		s.mu.Lock()
		if now, _ := s.filled.Peek(pool); now == last {
			s.filled.Remove(pool)
		}
		s.mu.Unlock()
	}
	if err := s.agree(ctx, want); err != nil {
		return actor.Info{}, err
	}
	var silent []string
	for range seatTries {
		node, id := s.best(ctx, want, silent)
		if node == "" {
			break
		}
		info, err := rpc.Ask(ctx, s.o.Calls, node, seatQuestion, seatAsk{id, want.Player, want.From})
		switch {
		case err == nil:
			s.fill(want, id)
			return info, nil
		case errors.Is(err, actor.ErrUnclaimed):
			return info, err
		case ctx.Err() != nil:
			return actor.Info{}, ctx.Err()
		case errors.Is(err, actor.ErrUnreachable):
			silent = append(silent, node)
		}
	}
	return actor.Info{}, actor.ErrNotFound
}

// wait is Renew for a room that may be on its way to another node: the player joins those who wait in it.
func (s seats) wait(ctx context.Context, id room.ID, want actor.Match) (actor.Info, error) {
	for until := s.o.Clock.Now() + s.o.Reattach; ; {
		info, err := s.Renew(ctx, id, want)
		if !errors.Is(err, actor.ErrUnreachable) || s.o.Clock.Now() > until || !clock.Sleep(ctx, s.o.Clock, retryAfter) {
			return info, err
		}
	}
}

// best is the room of all nodes but some that the player belongs in, and its node; "": there is none.
func (s seats) best(ctx context.Context, want actor.Match, but []string) (node string, id room.ID) {
	ask := slices.DeleteFunc(s.o.Nodes.All(), func(n string) bool { return slices.Contains(but, n) })
	var best actor.Candidate
	rpc.Scatter(ctx, s.o.Calls, ask, bestQuestion, want, s.o.Ask, func(from string, has *actor.Candidate, err error) rpc.Next {
		if err == nil && has != nil && (node == "" || has.Before(best)) {
			best, node, id = *has, from, has.Room
		}
		return rpc.Continue
	})
	return node, id
}

// fill remembers the room that was filled last for such a request.
func (m *Matcher) fill(want actor.Match, id room.ID) {
	m.mu.Lock()
	defer m.mu.Unlock()
	m.filled.Add(m.o.Rooms.Pool(want), filledRoom{want.Game, id})
}

// Renew finds a seat in the same room again, which may have moved.
func (s seats) Renew(ctx context.Context, id room.ID, want actor.Match) (actor.Info, error) {
	info, err := locate.Ask(ctx, s.o.Locate, id, seatQuestion, seatAsk{id, want.Player, want.From})
	if errors.Is(err, rpc.ErrNoSeat) || locate.Living(err) == actor.ErrNotFound {
		return actor.Info{}, actor.ErrNotFound
	}
	return info, err
}

// Make makes a room anywhere. Seat has agreed with the other nodes that this one serves the request.
func (s seats) Make(ctx context.Context, want actor.Match) (actor.Info, error) {
	info, err := s.o.Create(ctx, actor.Create{
		Game: want.Game, Options: want.Options, By: want.Player, From: want.From, Reserve: []room.PlayerID{want.Player},
	})
	if err == nil {
		s.fill(want, info.ID)
	}
	return info, err
}
