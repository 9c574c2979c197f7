package survive_test

import (
	"context"
	"fmt"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// party is a few rooms of a team in which guests count, before, while and after something breaks.
type party struct {
	*e2e.Team
	ctx   context.Context
	rooms []*tallied
	ends  *tallied // is finished while something breaks
	stop  chan struct{}
	wg    sync.WaitGroup
}

// tallied is a room in which two clients count together.
type tallied struct {
	e2e.RoomInfo
	players [2]*client.Client
	was     e2e.Members  // before anything broke
	sum     atomic.Int64 // of all acts that were acknowledged
	acks    [2]atomic.Int64
}

// newParty makes rooms at a node, waits until each has a standby that suits, and has players count in them who are connected to other
// nodes.
func newParty(c *e2e.Team, at *e2e.Server, rooms int, suits func(e2e.Members) bool, edges ...*e2e.Server) *party {
	c.T.Helper()
	p := gather(c, 4*time.Minute)
	for len(p.rooms) < rooms+1 {
		r := &tallied{RoomInfo: at.CreateHere("tally", nil)}
		r.was = c.WaitMembers(p.ctx, r.ID, "a standby", func(m e2e.Members) bool { return m.Owner == at })
		if suits(r.was) {
			p.join(r, edges...)
		}
	}
	p.begin()
	return p
}

// gather makes a party without rooms, which lasts for a while at most.
func gather(c *e2e.Team, lasts time.Duration) *party {
	ctx, cancel := context.WithTimeout(c.T.Context(), lasts)
	c.T.Cleanup(cancel)
	return &party{Team: c, ctx: ctx, stop: make(chan struct{})}
}

// join adds a room, with players who come through the edges.
func (p *party) join(r *tallied, edges ...*e2e.Server) *tallied {
	p.T.Helper()
	for i := range r.players {
		edge := edges[i%len(edges)]
		r.players[i] = edge.Join(edge.Via(r.RoomInfo), client.Options{Encoding: e2e.EncodingOf(i)})
	}
	p.rooms = append(p.rooms, r)
	return r
}

// begin has players count in all rooms but the last, which finishing ends.
func (p *party) begin() {
	p.T.Helper()
	last := len(p.rooms) - 1
	p.ends, p.rooms = p.rooms[last], p.rooms[:last]
	for _, r := range p.rooms {
		p.play(r)
	}
	p.goesOn()
}

// play has the players of a room count.
func (p *party) play(r *tallied) {
	for i := range r.players {
		p.wg.Go(func() { p.count(r, i) })
	}
}

func anyStandby(e2e.Members) bool { return true }

// count acts until the party stops. Each act must be answered.
func (p *party) count(r *tallied, i int) {
	for n := int64(1); ; n++ {
		add := n%9 + 1
		if _, err := r.players[i].Act(p.ctx, e2e.TallyAction{Add: int(add)}); err != nil {
			p.T.Errorf("room %s, player %d: %v", r.ID, i, err)
			return
		}
		r.sum.Add(add)
		r.acks[i].Add(1)
		select {
		case <-p.stop:
			return
		case <-time.After(100 * time.Millisecond):
		}
	}
}

// goesOn waits until every player has been answered a few more acts, and returns the longest that it took.
func (p *party) goesOn() (longest time.Duration) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, e2e.Ceiling)
	defer cancel()
	began := time.Now()
	for _, r := range p.rooms {
		for i := range r.acks {
			enough := r.acks[i].Load() + 3
			p.Nodes[0].Until(ctx, fmt.Sprintf("answered: player %d of room %s", i, r.ID), func() bool { return r.acks[i].Load() >= enough || p.T.Failed() })
		}
	}
	return time.Since(began)
}

// finishing ends one room while strike breaks something. The answer may come later.
func (p *party) finishing(strike func()) {
	p.T.Helper()
	p.wg.Go(func() {
		if _, err := p.ends.players[0].Act(p.ctx, e2e.TallyAction{Add: 7, Finish: true}); err != nil && !e2e.IsRoomOver(err) {
			p.T.Errorf("the end of room %s: %v", p.ends.ID, err)
		}
	})
	strike()
}

// moved waits until every room is where it should be, and has a standby again.
func (p *party) moved(what string, fit func(was, now e2e.Members) bool) {
	p.T.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, e2e.Ceiling)
	defer cancel()
	for _, r := range p.rooms {
		p.WaitMembers(ctx, r.ID, what, func(m e2e.Members) bool { return fit(r.was, m) })
	}
}

// over ends all games. Every act that was answered has counted once, no other has, and the results are stored like that.
func (p *party) over() {
	p.T.Helper()
	close(p.stop)
	p.wg.Wait()
	if p.T.Failed() {
		return
	}
	at := p.AnyNode()
	for _, r := range p.rooms {
		sum := r.sum.Load()
		for i, c := range r.players {
			if err := c.WaitView(p.ctx, func(v any) bool { return e2e.Field(v, "count") == float64(sum) }); err != nil {
				var v e2e.TallyView
				p.T.Errorf("room %s, player %d sees %d (%v), and %d were answered: %v", r.ID, i, v.Count, c.View(&v), sum, err)
			}
			if st := c.Stats(); st.Mismatches > 0 || st.Lost > 0 {
				p.T.Errorf("room %s, player %d: %+v", r.ID, i, st)
			}
		}
		if _, err := r.players[0].Act(p.ctx, e2e.TallyAction{Finish: true}); err != nil && !e2e.IsRoomOver(err) {
			p.T.Errorf("the end of room %s: %v", r.ID, err)
		}
		p.stored(at, r, sum)
	}
	p.stored(at, p.ends, 7)
}

func (p *party) stored(at *e2e.Server, r *tallied, sum int64) {
	p.T.Helper()
	want := fmt.Sprintf("They counted to %d", sum)
	if got := at.Result(r.ID); got.End != "finished" || got.Result.Summary != want || len(got.Result.Outcomes) != 2 {
		p.T.Errorf("room %s is stored as %+v, not with: %s", r.ID, got, want)
	}
}

// welcomes checks how often each player was welcomed, with a whole view or not.
func (p *party) welcomes(most int) {
	p.T.Helper()
	for _, r := range p.rooms {
		for i, c := range r.players {
			if st := c.Stats(); st.Sockets > most || st.Recovered < st.Sockets-1 {
				p.T.Errorf("room %s, player %d: welcomed %d times, %d of them without a whole view; should be %d times at most", r.ID, i, st.Sockets, st.Recovered, most)
			}
		}
	}
}
