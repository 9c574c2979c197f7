package cluster

import (
	"context"
	"errors"
	"net/netip"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/match"
)

const (
	matchHops  = 3                      // nodes that a request goes to, one naming the next
	matchAgain = 100 * time.Millisecond // between two tries while the nodes do not agree
	seatTimes  = 3                      // times that all nodes are asked for a room before a new one is made
)

// Questions of matchmaking.
const (
	matchFind    method[findAsk, actor.Info]           = "match.find"    // to the game's matchmaker
	matchStand   method[actor.Match, stand]            = "match.stand"   // to all nodes
	matchBest    method[actor.Match, *actor.Candidate] = "match.best"    // to all nodes
	matchSeat    method[seatAsk, actor.Info]           = "match.seat"    // to the node that has the room
	matchTickets method[[]match.Ticket, none]          = "match.tickets" // to the matchmaker that follows
	matchFilled  method[map[string]filledRoom, none]   = "match.filled"  // likewise: by pool, the room that was filled last
)

// findAsk is a request, with its ticket if the asking node remembers it: the matchmaker that answered it may have died.
type findAsk struct {
	actor.Match
	Known []match.Ticket `json:",omitempty"`
}

// filledRoom is the room that was filled last for equal requests.
type filledRoom struct {
	Game string  `json:"game"`
	Room room.ID `json:"room"`
}

// stand is how a node stands to a request.
type stand struct {
	Maker bool `json:"maker"` // by its ring the matches of the game are made there
	Busy  bool `json:"busy"`  // it is serving such a request
}

type seatAsk struct {
	Room   room.ID       `json:"room"`
	Player room.PlayerID `json:"player"`
	From   netip.Addr    `json:"from,omitzero"`
}

// seatAt is a room with its node.
type seatAt struct {
	node string
	room room.ID
}

func (c *Cluster) serveMatches() {
	serve(c, matchFind, func(ctx context.Context, in findAsk) (actor.Info, error) {
		if err := c.makesMatches(in.Game); err != nil {
			return actor.Info{}, err
		}
		c.matches.Import(in.Known)
		return c.matches.Match(ctx, in.Match)
	})
	serve(c, matchStand, func(_ context.Context, want actor.Match) (stand, error) {
		return stand{Maker: c.makesMatches(want.Game) == nil, Busy: c.matches.Busy(want)}, nil
	})
	serve(c, matchTickets, func(_ context.Context, tickets []match.Ticket) (none, error) {
		c.matches.Import(tickets)
		return none{}, nil
	})
	serve(c, matchFilled, func(_ context.Context, rooms map[string]filledRoom) (none, error) {
		for key, last := range rooms {
			if _, ok := c.filled.get(key); !ok {
				c.filled.put(key, last)
			}
		}
		return none{}, nil
	})
	serve(c, matchBest, func(_ context.Context, want actor.Match) (*actor.Candidate, error) {
		if best, ok := c.o.Rooms.Candidate(want); ok {
			return &best, nil
		}
		return nil, nil
	})
	serve(c, matchSeat, func(_ context.Context, in seatAsk) (actor.Info, error) {
		info, err := c.o.Rooms.Seat(in.Room, in.Player, in.From)
		if err == actor.ErrNotFound && c.here(in.Room) {
			err = errNoSeat
		}
		return info, err
	})
}

// matchmaker is the node that all requests for a game go to: who asks at two nodes in the same moment meets there.
func (c *Cluster) matchmaker(game string) string { return c.members.Ring().OwnerOf("match:" + game) }

// makesMatches is a *notMineError when this node's ring names another one for the game.
func (c *Cluster) makesMatches(game string) error {
	if maker := c.matchmaker(game); maker != c.self {
		return &notMineError{maker}
	}
	return nil
}

// Match finds or makes a room with a seat for a player. All requests for one game meet at one node. While the nodes
// do not agree which, or it does not answer, this one tries again for Options.Forward; then the error is an
// actor.ErrUnreachable. Asking again with the same ticket is harmless.
func (r Rooms) Match(ctx context.Context, want actor.Match) (actor.Info, error) {
	for until := r.c.o.Clock.Now() + r.c.o.Forward; ; {
		info, err := r.follow(ctx, want)
		_, disagree := errors.AsType[*notMineError](err)
		_, silent := errors.AsType[*callError](err)
		if !disagree && !silent || r.c.o.Clock.Now() > until {
			return info, err
		}
		if !clock.Sleep(ctx, r.c.o.Clock, matchAgain) {
			return actor.Info{}, ctx.Err()
		}
	}
}

// follow asks the node that makes the matches by this node's ring, and then whom that one names instead.
func (r Rooms) follow(ctx context.Context, want actor.Match) (info actor.Info, err error) {
	node := r.c.matchmaker(want.Game)
	for range matchHops {
		if node == "" {
			return actor.Info{}, &actor.UnreachableError{Reason: "no node takes rooms at present"}
		}
		info, err = ask(ctx, r.c, node, matchFind, findAsk{want, r.c.knownTicket(want)})
		if err == nil {
			r.c.keepTicket(want, info.ID, node)
		}
		moved, ok := errors.AsType[*notMineError](err)
		if !ok || moved.to == "" {
			break
		}
		node = moved.to
	}
	return info, err
}

// seats are those of the whole cluster, for the matchmaker of this node.
type seats struct{ c *Cluster }

// Seat tries the room that was filled last for such a request, wherever it has moved, then the one that the player
// belongs in, of all nodes'.
func (s seats) Seat(ctx context.Context, want actor.Match) (actor.Info, error) {
	key := s.c.o.Rooms.Pool(want)
	if last, ok := s.c.filled.get(key); ok {
		info, err := s.wait(ctx, last.Room, want)
		if err == nil || errors.Is(err, actor.ErrUnclaimed) {
			return info, err
		}
		if ctx.Err() != nil {
			return actor.Info{}, ctx.Err()
		}
		s.c.filled.drop(key, func(now filledRoom) bool { return now == last })
	}
	if err := s.claim(ctx, want); err != nil {
		return actor.Info{}, err
	}
	var silent []string
	for range seatTimes {
		at, ok := s.best(ctx, want, silent)
		if !ok {
			break
		}
		info, err := s.seat(ctx, at, want)
		switch {
		case err == nil || errors.Is(err, actor.ErrUnclaimed):
			return info, err
		case ctx.Err() != nil:
			return actor.Info{}, ctx.Err()
		case errors.Is(err, actor.ErrUnreachable):
			silent = append(silent, at.node)
		}
	}
	return actor.Info{}, actor.ErrNotFound
}

// wait is Renew for a room that may be on its way to another node: who waits in it for others shall meet them there.
func (s seats) wait(ctx context.Context, id room.ID, want actor.Match) (actor.Info, error) {
	for until := s.c.o.Clock.Now() + s.c.o.Reattach; ; {
		info, err := s.Renew(ctx, id, want)
		if !errors.Is(err, actor.ErrUnreachable) || s.c.o.Clock.Now() > until || !clock.Sleep(ctx, s.c.o.Clock, matchAgain) {
			return info, err
		}
	}
}

// best is the room that the player belongs in, of all nodes but some.
func (s seats) best(ctx context.Context, want actor.Match, but []string) (at seatAt, ok bool) {
	nodes := slices.DeleteFunc(append(s.c.others(), s.c.self), func(n string) bool { return slices.Contains(but, n) })
	var best actor.Candidate
	scatter(ctx, s.c, nodes, matchBest, want, s.c.o.Ask, func(node string, has *actor.Candidate, err error) patience {
		if err == nil && has != nil && (!ok || has.Before(best)) {
			best, at, ok = *has, seatAt{node, has.Room}, true
		}
		return goOn
	})
	return at, ok
}

func (s seats) seat(ctx context.Context, at seatAt, want actor.Match) (actor.Info, error) {
	info, err := ask(ctx, s.c, at.node, matchSeat, seatAsk{at.room, want.Player, want.From})
	if err == nil {
		s.c.filled.put(s.c.o.Rooms.Pool(want), filledRoom{want.Game, at.room})
	}
	return info, err
}

// Renew finds a room again that may have moved.
func (s seats) Renew(ctx context.Context, id room.ID, want actor.Match) (actor.Info, error) {
	info, err := at(ctx, s.c, id, matchSeat, seatAsk{id, want.Player, want.From})
	if errors.Is(err, errNoSeat) || living(err) == actor.ErrNotFound {
		return actor.Info{}, actor.ErrNotFound
	}
	return info, err
}

// Make makes a room anywhere. Seat has claimed the request.
func (s seats) Make(ctx context.Context, want actor.Match) (actor.Info, error) {
	info, err := s.c.Rooms().Create(ctx, actor.Create{
		Game: want.Game, Options: want.Options, By: want.Player, From: want.From, Reserve: []room.PlayerID{want.Player},
	})
	if err == nil {
		s.c.filled.put(s.c.o.Rooms.Pool(want), filledRoom{want.Game, info.ID})
	}
	return info, err
}
