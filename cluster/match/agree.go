package match

import (
	"context"
	"time"

	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/room/actor"
)

// quietFor is how long a node that does not answer keeps others from making rooms for players who are to meet. A node that has just
// come has no links yet. A node that has died is gone from the table by then.
const quietFor = 2 * time.Second

// agree makes sure that no other node is about to make a room for such a request: while rings differ, two nodes may each hold
// themselves to be the matchmaker. Each is busy with its request before it asks the other, so of two that know of each other at most
// one goes on. Where both are matchmakers, the first by name goes on.
func (m *Matcher) agree(ctx context.Context, want actor.Match) error {
	if err := m.makes(want.Game); err != nil {
		return err
	}
	var refused *rpc.NotMatchmakerError
	silent := rpc.Scatter(ctx, m.o.Calls, m.o.Nodes.Others(), standQuestion, want, m.o.Ask, func(node string, is stand, err error) rpc.Next {
		switch {
		case err != nil:
		case is.Maker && node < m.o.Calls.Self():
			refused = &rpc.NotMatchmakerError{Maker: node}
		case is.Busy && refused == nil:
			refused = &rpc.NotMatchmakerError{}
		}
		return rpc.Continue
	})
	if m.quietLately(silent, m.o.Clock.Now()) && refused == nil {
		refused = &rpc.NotMatchmakerError{}
	}
	if refused != nil {
		return refused
	}
	return ctx.Err()
}

// quietLately notes which nodes have not answered, and reports whether one of them has answered less than quietFor ago.
func (m *Matcher) quietLately(silent []string, now time.Duration) (lately bool) {
	m.mu.Lock()
	defer m.mu.Unlock()
	since := make(map[string]time.Duration, len(silent))
	for _, node := range silent {
		since[node] = now
		if before, ok := m.quiet[node]; ok {
			since[node] = before
		}
		lately = lately || now-since[node] < quietFor
	}
	m.quiet = since
	return lately
}
