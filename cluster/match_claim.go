package cluster

import (
	"context"
	"sync"
	"time"

	"github.com/roomring/roomring/room/actor"
)

// quietFor is how long a node that does not answer keeps others from making rooms for players who are to meet: one that
// has just come has no links yet, and one that has died is gone from the table by then.
const quietFor = 2 * time.Second

// claim makes sure that no other node is about to make a room for such a request: while rings differ, two nodes may
// each hold themselves to be the matchmaker. Either is busy with its request before it asks the other, so of two that
// know of each other at most one goes on. Where both claim, it is the first by name.
func (s seats) claim(ctx context.Context, want actor.Match) error {
	c := s.c
	if err := c.makesMatches(want.Game); err != nil {
		return err
	}
	var refused *notMineError
	silent := scatter(ctx, c, c.others(), matchStand, want, c.o.Ask, func(node string, is stand, err error) patience {
		switch {
		case err != nil:
		case is.Maker && node < c.self:
			refused = &notMineError{node}
		case is.Busy && refused == nil:
			refused = &notMineError{}
		}
		return goOn
	})
	if c.quiet.note(silent, c.o.Clock.Now()) && refused == nil {
		refused = &notMineError{}
	}
	if refused != nil {
		return refused
	}
	return ctx.Err()
}

// quiet knows since when nodes have not answered how they stand.
type quiet struct {
	mu    sync.Mutex
	since map[string]time.Duration // by the clock
}

// note notes which nodes were silent, and reports whether one has been for less than quietFor.
func (q *quiet) note(silent []string, now time.Duration) (lately bool) {
	q.mu.Lock()
	defer q.mu.Unlock()
	since := make(map[string]time.Duration, len(silent))
	for _, node := range silent {
		since[node] = now
		if before, ok := q.since[node]; ok {
			since[node] = before
		}
		lately = lately || now-since[node] < quietFor
	}
	q.since = since
	return lately
}
