package link_test

import (
	"bytes"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/internal/testwait"
)

// The connections from one node to another, in the order in which they are made.
const (
	ofSessions    = 1
	ofReplication = 2
)

// all connects a to b through a proxy and returns the ends of both streams.
func all(t testing.TB, a, b *node) (p *proxy, edge *edgeSide, owner *ownerSide, leader *leaderSide, follower *followerSide) {
	t.Helper()
	p, edge, owner = through(t, a, b)
	leader, follower = take(t, "the leader's end", a.leaders), take(t, "the follower's end", b.followers)
	testwait.Until(t, "both stand", func() bool { st := a.state("b"); return st.Up && st.Replication.Up })
	return p, edge, owner, leader, follower
}

func queues(bytes int) func(*link.Options) {
	return func(o *link.Options) { o.Queue, o.ReplicaQueue = bytes, bytes }
}

// echo proves that sessions go on both ways.
func echo(t testing.TB, edge *edgeSide, owner *ownerSide) {
	t.Helper()
	edge.end.Send(act(1, "x"))
	take(t, "an act", owner.frames)
	owner.end.Send(say("x", 1))
	take(t, "a message", edge.frames)
}

// copyOne proves that replication goes on both ways.
func copyOne(t testing.TB, leader *leaderSide, follower *followerSide) {
	t.Helper()
	leader.end.Send(appendTo("r", 1, []byte("x")))
	take(t, "an append", follower.frames)
	follower.end.Send(confirm("r", 1))
	take(t, "a confirmation", leader.frames)
}

// A stream whose reader stands still, or whose TCP connection is full, ends by itself when its queue is full. The other
// stream between the two nodes notices nothing.
func TestStalledStreamHoldsNothingElseUp(t *testing.T) {
	big := bytes.Repeat([]byte("x"), 32<<10)
	t.Run("replication, by TCP", func(t *testing.T) {
		a, b := start(t, "a", queues(1<<20)), start(t, "b")
		p, edge, owner, leader, follower := all(t, a, b)
		p.stop(ofReplication)
		testwait.Until(t, "the stream has ended", func() bool {
			leader.end.Send(appendTo("r", 1, big))
			echo(t, edge, owner)
			return len(leader.down) > 0
		})
		replicationStalled(t, a, leader, edge, owner)
		p.reset()
		take(t, "the follower's Down", follower.down)
	})
	t.Run("replication, by its reader", func(t *testing.T) {
		slow := make(chan struct{})
		a, b := start(t, "a", queues(1<<20)), start(t, "b", func(o *link.Options) {
			o.Follower = func(to *link.FollowerEnd) link.Handler[*linkpb.LeaderFrame] {
				h := newHandler[*link.FollowerEnd, *linkpb.LeaderFrame](to)
				h.slow = slow
				return h
			}
		})
		t.Cleanup(func() { close(slow) })
		_, edge, owner := through(t, a, b)
		leader := take(t, "the leader's end", a.leaders)
		testwait.Until(t, "the stream has ended", func() bool {
			leader.end.Send(appendTo("r", 1, big))
			echo(t, edge, owner)
			return len(leader.down) > 0
		})
		replicationStalled(t, a, leader, edge, owner)
	})
	t.Run("sessions, by TCP", func(t *testing.T) {
		a, b := start(t, "a", queues(1<<20)), start(t, "b")
		p, edge, _, leader, follower := all(t, a, b)
		p.stop(ofSessions)
		testwait.Until(t, "the stream has ended", func() bool {
			edge.end.Send(act(1, string(big)))
			copyOne(t, leader, follower)
			return len(edge.down) > 0
		})
		if err := take(t, "the edge's Down", edge.down); !strings.Contains(err.Error(), "too slowly") {
			t.Errorf("down: %v", err)
		}
		copyOne(t, leader, follower)
		if st := a.state("b"); st.Overflows != 1 || st.Replication.Overflows != 0 || !st.Replication.Up || len(leader.down)+len(follower.down) > 0 {
			t.Errorf("the stream of replication has ended too: %+v", st)
		}
		echo(t, take(t, "a new edge's end", a.edges), take(t, "a new owner's end", b.owners))
	})
}

func replicationStalled(t *testing.T, a *node, leader *leaderSide, edge *edgeSide, owner *ownerSide) {
	t.Helper()
	if err := take(t, "the leader's Down", leader.down); !strings.Contains(err.Error(), "too slowly") {
		t.Errorf("down: %v", err)
	}
	echo(t, edge, owner)
	if st := a.state("b"); st.Replication.Overflows != 1 || st.Overflows != 0 || !st.Up || st.Reconnects != 0 || st.Silent || st.Gone {
		t.Errorf("state %+v", st)
	}
	if len(edge.down)+len(owner.down) > 0 {
		t.Error("the sessions' stream has ended too")
	}
}

// What breaks ends with one Down on both sides, and another stream is opened. After each end the wait is longer, up to
// Options.Retry.
func TestReplicationHeals(t *testing.T) {
	a, b := start(t, "a"), start(t, "b")
	p, _, _, leader, follower := all(t, a, b)
	for n := range uint64(3) {
		leader.end.Send(appendTo("r", 1, []byte("x")))
		take(t, "an append", follower.frames)
		p.reset()
		take(t, "the leader's Down", leader.down)
		take(t, "the follower's Down", follower.down)
		before, beyond := leader, follower
		leader, follower = take(t, "a new leader's end", a.leaders), take(t, "a new follower's end", b.followers)
		before.end.Send(appendTo("r", 2, []byte("of the old stream")))
		copyOne(t, leader, follower)
		if len(before.down)+len(beyond.down) > 0 {
			t.Fatal("Down twice")
		}
		if st := a.state("b").Replication; st.Reconnects != n+1 || !st.Up {
			t.Errorf("after %d breaks: %+v", n+1, st)
		}
	}
}

// A snapshot of megabytes delays another room's append by its own writing and no more. Acts and messages of sessions do not
// wait for it at all: they have another connection. The times are measured in turns, so load changes all of them alike.
func TestSnapshotsDelayOthersByTheirOwnWritingAlone(t *testing.T) {
	const size = 2 << 20
	a, b := start(t, "a"), start(t, "b")
	edge, owner := connect(t, a, b)
	leader, follower := take(t, "the leader's end", a.leaders), take(t, "the follower's end", b.followers)
	snapshot := &linkpb.LeaderFrame{Room: "big", Epoch: 1, What: &linkpb.LeaderFrame_Snapshot{Snapshot: &linkpb.Snapshot{EpochOf: 1, Index: 9, Data: make([]byte, size)}}}
	var alone, behind, session []time.Duration
	for range 11 {
		began := time.Now()
		leader.end.Send(snapshot)
		take(t, "a snapshot", follower.frames)
		alone = append(alone, time.Since(began))

		began = time.Now()
		leader.end.Send(snapshot)
		leader.end.Send(appendTo("small", 1, []byte("x")))
		edge.end.Send(act(1, "x"))
		take(t, "an act", owner.frames)
		session = append(session, time.Since(began))
		if f := take(t, "a snapshot", follower.frames); len(f.GetSnapshot().GetData()) != size {
			t.Fatalf("got %v", f.GetRoom())
		}
		if f := take(t, "an append", follower.frames); f.GetRoom() != "small" {
			t.Fatalf("got %v", f.GetRoom())
		}
		behind = append(behind, time.Since(began))
	}
	median := func(of []time.Duration) time.Duration { slices.Sort(of); return of[len(of)/2] }
	t.Logf("a snapshot takes %v, with an append behind it %v; an act beside it %v", median(alone), median(behind), median(session))
	if ratio := float64(median(behind)) / float64(median(alone)); ratio > 3 {
		t.Errorf("an append behind a snapshot takes %.1f times as long as the snapshot alone", ratio)
	}
	if st := a.state("b").Replication; st.Overflows+st.Reconnects > 0 {
		t.Errorf("state %+v", st)
	}
}
