package cluster

import (
	"context"
	"errors"
	"maps"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// roomsQueues asks a node what waits there for its clients that are in a room elsewhere.
const roomsQueues method[room.ID, []clientQueue] = "rooms.queues"

// roomsPanicked asks a node for a room as a panic of its game left it there: nil if it knows of none.
const roomsPanicked method[room.ID, *actor.Inspection] = "rooms.panicked"

// clientQueue is what waits for one client.
type clientQueue struct {
	Client  record.ClientID   `json:"client"`
	Attempt uint64            `json:"attempt"`
	Queue   actor.OutboxStats `json:"queue"`
}

func (c *Cluster) serveQueues(_ context.Context, id room.ID) ([]clientQueue, error) {
	return c.edges.queues(id), nil
}

// queues are those of this node's clients in a room elsewhere.
func (e *edges) queues(id room.ID) []clientQueue {
	e.mu.Lock()
	streams := slices.Collect(maps.Values(e.streams))
	e.mu.Unlock()
	var out []clientQueue
	for _, s := range streams {
		for _, to := range s.sessions(id) {
			out = append(out, clientQueue{to.hello.Client, to.hello.Attempt, to.out.Stats()})
		}
	}
	return out
}

func (s *stream) sessions(id room.ID) []*session {
	s.mu.Lock()
	defer s.mu.Unlock()
	var out []*session
	for _, r := range s.routes {
		if r.s.id == id {
			out = append(out, r.s)
		}
	}
	return out
}

// Inspect looks into a room for the operator. See actor.Directory. What waits for a session is known to the node that
// has its socket; of one that does not answer in time nothing seems to wait.
func (r Rooms) Inspect(ctx context.Context, id room.ID, look actor.Look) (actor.Inspection, error) {
	i, err := at(ctx, r.c, id, roomsInspect, inspectAsk{id, look})
	if err != nil {
		return r.panicked(ctx, id, living(err))
	}
	elsewhere := map[string]bool{}
	for _, s := range i.Sessions {
		if s.Edge != i.Info.Node {
			elsewhere[s.Edge] = true
		}
	}
	nodes := slices.Collect(maps.Keys(elsewhere))
	scatter(ctx, r.c, nodes, roomsQueues, id, r.c.o.Ask, func(node string, queues []clientQueue, _ error) patience {
		for _, q := range queues {
			q.tell(node, i.Sessions)
		}
		return goOn
	})
	return i, ctx.Err()
}

// panicked is a room that a panic has ended at some node, which keeps that in mind for a while. Otherwise it is err.
func (r Rooms) panicked(ctx context.Context, id room.ID, err error) (i actor.Inspection, _ error) {
	if !errors.Is(err, actor.ErrNotFound) {
		return i, err
	}
	scatter(ctx, r.c, append(r.c.others(), r.c.self), roomsPanicked, id, r.c.o.Ask, func(_ string, left *actor.Inspection, wrong error) patience {
		if wrong != nil || left == nil {
			return goOn
		}
		i, err = *left, nil
		return enough
	})
	return i, err
}

// tell puts the queue into the session that it is of. How many acts are unanswered the room knows best.
func (q clientQueue) tell(node string, sessions []actor.SessionInfo) {
	for i := range sessions {
		if s := &sessions[i]; s.Edge == node && s.Client == q.Client && s.Attempt == q.Attempt {
			unanswered := s.Queue.Unanswered
			s.Queue = q.Queue
			s.Queue.Unanswered = unanswered
		}
	}
}
