package cluster

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

const (
	matchTimes = 8                      // times that a request goes after a matchmaker that has moved
	matchAgain = 100 * time.Millisecond // between them
	seatTimes  = 3                      // times that all nodes are asked for a room before a new one is made
)

// Questions of matchmaking.
const (
	matchFind method[actor.Match, actor.Info]       = "match.find" // to the game's matchmaker
	matchBest method[actor.Match, *actor.Candidate] = "match.best" // to all nodes
	matchSeat method[seatAsk, actor.Info]           = "match.seat" // to the node that has the room
)

type seatAsk struct {
	Room   room.ID       `json:"room"`
	Player room.PlayerID `json:"player"`
}

// seatAt is a room with its node.
type seatAt struct {
	node string
	room room.ID
}

func (c *Cluster) serveMatches() {
	serve(c, matchFind, func(ctx context.Context, want actor.Match) (actor.Info, error) {
		if err := c.makesMatches(want.Game); err != nil {
			return actor.Info{}, err
		}
		return c.matches.Match(ctx, want)
	})
	serve(c, matchBest, func(_ context.Context, want actor.Match) (*actor.Candidate, error) {
		if best, ok := c.o.Rooms.Candidate(want); ok {
			return &best, nil
		}
		return nil, nil
	})
	serve(c, matchSeat, func(_ context.Context, in seatAsk) (actor.Info, error) {
		info, err := c.o.Rooms.Seat(in.Room, in.Player)
		if err == actor.ErrNotFound && c.here(in.Room) {
			err = errNoSeat
		}
		return info, err
	})
}

// matchmaker is the node that all requests for a game go to: who asks at two nodes in the same moment meets there.
func (c *Cluster) matchmaker(game string) string { return c.members.Ring().OwnerOf("match:" + game) }

// makesMatches is errNotMine when this node's ring names another one for the game. Whoever waits here then is turned
// away at its turn, and asks that node.
func (c *Cluster) makesMatches(game string) error {
	if c.matchmaker(game) != c.self {
		return errNotMine
	}
	return nil
}

// Match finds or makes a room with a seat for a player. All requests for one game meet at one node. While the ring
// changes, the answer may be actor.ErrUnreachable; asking again with the same ticket is harmless.
func (r Rooms) Match(ctx context.Context, want actor.Match) (actor.Info, error) {
	for range matchTimes {
		node := r.c.matchmaker(want.Game)
		if node == "" {
			return actor.Info{}, &actor.UnreachableError{Reason: "no node takes rooms at present"}
		}
		info, err := ask(ctx, r.c, node, matchFind, want)
		if !errors.Is(err, errNotMine) && !errors.Is(err, link.ErrNoPeer) {
			return info, err
		}
		if !pause(ctx, matchAgain) {
			return actor.Info{}, ctx.Err()
		}
	}
	return actor.Info{}, actor.ErrUnreachable
}

// seats are those of the whole cluster, for the matchmaker of this node.
type seats struct{ c *Cluster }

// Seat tries the room that was filled last for such a request, then the fullest of all nodes.
func (s seats) Seat(ctx context.Context, want actor.Match) (actor.Info, error) {
	key := want.Key()
	if last, ok := s.c.filled.get(key); ok {
		if info, err := s.seat(ctx, last, want); err == nil {
			return info, nil
		}
		s.c.filled.drop(key, func(at seatAt) bool { return at == last })
	}
	var silent []string
	for range seatTimes {
		if err := s.c.makesMatches(want.Game); err != nil {
			return actor.Info{}, err
		}
		at, ok := s.best(ctx, want, silent)
		if !ok {
			break
		}
		info, err := s.seat(ctx, at, want)
		switch {
		case err == nil:
			return info, nil
		case ctx.Err() != nil:
			return actor.Info{}, ctx.Err()
		case errors.Is(err, actor.ErrUnreachable):
			silent = append(silent, at.node)
		}
	}
	return actor.Info{}, actor.ErrNotFound
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
	if err := s.c.makesMatches(want.Game); err != nil {
		return actor.Info{}, err
	}
	info, err := ask(ctx, s.c, at.node, matchSeat, seatAsk{at.room, want.Player})
	if err == nil {
		s.c.filled.put(want.Key(), at)
	}
	return info, err
}

// Renew finds a room again that may have moved.
func (s seats) Renew(ctx context.Context, id room.ID, p room.PlayerID) (actor.Info, error) {
	info, err := at(ctx, s.c, id, matchSeat, seatAsk{id, p})
	if errors.Is(err, errNoSeat) || living(err) == actor.ErrNotFound {
		return actor.Info{}, actor.ErrNotFound
	}
	return info, err
}

// Make makes a room anywhere.
func (s seats) Make(ctx context.Context, want actor.Match) (actor.Info, error) {
	if err := s.c.makesMatches(want.Game); err != nil {
		return actor.Info{}, err
	}
	info, err := s.c.Rooms().Create(ctx, actor.Create{
		Game: want.Game, Options: want.Options, By: want.Player, Reserve: []room.PlayerID{want.Player},
	})
	if err == nil {
		s.c.filled.put(want.Key(), seatAt{info.Node, info.ID})
	}
	return info, err
}
