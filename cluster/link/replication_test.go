package link_test

import (
	"fmt"
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/internal/testwait"
)

// replicating gives a node both ends of replication.
func (n *node) replicating(o *link.Options) {
	n.leading(o)
	n.copying(o)
}

func (n *node) leading(o *link.Options) {
	o.Leader = func(to *link.LeaderEnd) link.Handler[*linkpb.FollowerFrame] {
		h := newHandler[*link.LeaderEnd, *linkpb.FollowerFrame](to)
		n.leaders <- h
		return h
	}
}

func (n *node) copying(o *link.Options) {
	o.Follower = func(to *link.FollowerEnd) link.Handler[*linkpb.LeaderFrame] {
		h := newHandler[*link.FollowerEnd, *linkpb.LeaderFrame](to)
		n.followers <- h
		return h
	}
}

// lead connects a leader to a follower and returns both ends of replication.
func lead(t testing.TB, leader, follower *node) (*leaderSide, *followerSide) {
	t.Helper()
	leader.Targets([]link.Target{follower.target()})
	l, f := take(t, "the leader's end", leader.leaders), take(t, "the follower's end", follower.followers)
	testwait.Until(t, "the stream stands", func() bool { return leader.state(follower.name).Replication.Up })
	return l, f
}

func appendTo(room string, index uint64, entries []byte) *linkpb.LeaderFrame {
	return &linkpb.LeaderFrame{Room: room, Epoch: 3, What: &linkpb.LeaderFrame_Append{Append: &linkpb.Append{
		PrevEpoch: 3, PrevIndex: index - 1,
		Batches: []*linkpb.LogBatch{{Epoch: 3, First: index, Last: index, TimeNs: int64(index), Entries: entries}},
	}}}
}

func confirm(room string, index uint64) *linkpb.FollowerFrame {
	return &linkpb.FollowerFrame{Room: room, Epoch: 3, What: &linkpb.FollowerFrame_Confirm{Confirm: &linkpb.Confirm{Index: index, Whole: true}}}
}

func TestReplicationBothWays(t *testing.T) {
	for name, way := range map[string]func(*link.Options){"insecure": func(*link.Options) {}, "secrets": with(secret(t))} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, "a", way), start(t, "b", way)
			leader, follower := lead(t, a, b)
			if got := follower.end.Peer(); got != a.target().Peer {
				t.Errorf("the follower takes the leader for %v", got)
			}
			if got := leader.end.Peer(); got != b.target().Peer {
				t.Errorf("the leader takes the follower for %v", got)
			}
			const n = 5000
			for i := range uint64(n) {
				leader.end.Send(appendTo("r", i+1, fmt.Append(nil, i)))
				follower.end.Send(confirm("r", i+1))
			}
			for i := range uint64(n) {
				in := take(t, "an append", follower.frames)
				if p := in.GetAppend(); in.GetRoom() != "r" || p.GetPrevIndex() != i || string(p.GetBatches()[0].GetEntries()) != fmt.Sprint(i) {
					t.Fatalf("append %d came as %v", i+1, in)
				}
				out := take(t, "a confirmation", leader.frames)
				if c := out.GetConfirm(); out.GetRoom() != "r" || c.GetIndex() != i+1 || !c.GetWhole() {
					t.Fatalf("confirmation %d came as %v", i+1, out)
				}
			}
			testwait.Until(t, "nothing waits", func() bool { return leader.end.Queued() == 0 && follower.end.Queued() == 0 })
			st := a.state("b")
			if r := st.Replication; !st.Replicates || r.Since.IsZero() || r.Err != "" || r.Sent < n || r.Received < n || r.Overflows != 0 {
				t.Errorf("state %+v", st)
			}
			if st.Sent+st.Received > n {
				t.Errorf("the sessions' stream carried %d and %d bytes", st.Sent, st.Received)
			}
			if len(a.followers)+len(b.leaders) > 0 {
				t.Error("the other direction has a stream, and nobody dialled it")
			}
		})
	}
}

// A node of before replication, or one that takes no copies, never gets the stream. Its sessions are as ever.
func TestPeersWithoutReplication(t *testing.T) {
	for name, change := range map[string]func(*link.Options){
		"an older program":   func(o *link.Options) { o.Self.Latest = 1 },
		"it takes no copies": func(o *link.Options) { o.Follower = nil },
	} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, "a"), start(t, "b", change)
			a.Targets([]link.Target{b.target()})
			edge, owner := take(t, "the edge's end", a.edges), take(t, "the owner's end", b.owners)
			edge.end.Send(act(1, "x"))
			take(t, "an act", owner.frames)
			testwait.Until(t, "it is known", func() bool { st := a.state("b"); return st.Version != 0 && !st.Replicates })
			if st := a.state("b"); st.Replication.Up || strings.Contains(b.log.String(), "refused") {
				t.Errorf("state %+v, log %s", st, b.log.String())
			}
			if len(edge.down)+len(owner.down)+len(a.leaders)+len(b.followers) > 0 {
				t.Error("a stream has begun or ended")
			}
		})
	}
}
