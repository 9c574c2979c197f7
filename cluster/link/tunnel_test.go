package link_test

import (
	"context"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/internal/testwait"
)

// triangle starts nodes a, b and c. A reaches b through the proxy p, and c reaches b through p2.
func triangle(t *testing.T, change ...func(*link.Options)) (a, b, c *node, p, p2 *proxy, edge *edgeSide, owner *ownerSide) {
	t.Helper()
	key := secret(t)
	m := link.NewMux()
	m.Handle("name", func(context.Context, link.Peer, []byte) ([]byte, error) { return []byte(`"b"`), nil })
	change = append(change, with(key), silence(2*time.Second))
	a, b, c = start(t, "a", change...), start(t, "b", append(change, answering(m))...), start(t, "c", change...)
	p2, _, _ = through(t, c, b)
	p = newProxy(t, b.addr)
	by := b.target()
	by.Addr = p.Addr().String()
	a.Targets([]link.Target{by, c.target()})
	edge, owner = ends(t, a, b)
	testwait.Until(t, "both links stand", func() bool {
		return a.state("b").Up && a.state("b").Replication.Up && a.state("c").Up && c.state("b").Up
	})
	return a, b, c, p, p2, edge, owner
}

// ends takes the ends of the next stream from a to b.
func ends(t *testing.T, a, b *node) (edge *edgeSide, owner *ownerSide) {
	t.Helper()
	for edge == nil || edge.end.Peer().Node != "b" {
		edge = take(t, "the edge's end", a.edges)
	}
	for owner == nil || owner.end.Peer().Node != "a" {
		owner = take(t, "the owner's end", b.owners)
	}
	return edge, owner
}

// TestAThirdNodeCarriesACutConnection cuts the cable between two nodes. The third carries their streams and questions until it is mended.
func TestAThirdNodeCarriesACutConnection(t *testing.T) {
	a, b, _, p, _, edge, owner := triangle(t)
	if via := a.state("b").Via; via != "" {
		t.Fatalf("at first it goes through %q", via)
	}
	p.hole.Store(true)
	take(t, "the edge's Down", edge.down)
	take(t, "the owner's Down", owner.down)
	edge, owner = ends(t, a, b)
	testwait.Until(t, "it stands again", func() bool { return a.state("b").Up && a.state("b").Replication.Up })
	if st := a.state("b"); st.Via != "c" || st.Silent {
		t.Errorf("the link is %+v", st)
	}
	data := strings.Repeat("x", 300<<10)
	for i := range uint64(20) {
		edge.end.Send(act(i, data))
		owner.end.Send(say(data, i))
	}
	for i := range uint64(20) {
		if f := take(t, "an act", owner.frames); f.GetSession() != i || string(f.GetAct().GetData()) != data {
			t.Fatalf("act %d is %d with %d bytes", i, f.GetSession(), len(f.GetAct().GetData()))
		}
		if f := take(t, "a message", edge.frames); f.GetSessions()[0] != i {
			t.Fatalf("message %d is %v", i, f.GetSessions())
		}
	}
	if got, err := a.Call(t.Context(), "b", "name", nil); err != nil || string(got) != `"b"` {
		t.Errorf("a question: %s, %v", got, err)
	}
	p.hole.Store(false)
	testwait.Until(t, "it is direct again", func() bool { st := a.state("b"); return st.Up && st.Via == "" && st.Replication.Up })
	edge, owner = ends(t, a, b)
	edge.end.Send(act(1, "directly"))
	take(t, "an act", owner.frames)
}

// TestASecondOpinionCounts cuts the cable between two nodes: neither calls the other silent, because the third one hears both. When that one hears
// nothing any more either, silence is called.
func TestASecondOpinionCounts(t *testing.T) {
	silent := make(chan link.Peer, 64)
	a, _, _, p, p2, edge, _ := triangle(t, func(o *link.Options) {
		if o.Self.GetNode() == "a" {
			o.Silent = func(p link.Peer) { silent <- p }
		}
	})
	p.hole.Store(true)
	take(t, "the edge's Down", edge.down)
	testwait.Until(t, "it is carried", func() bool { st := a.state("b"); return st.Via == "c" && st.Replication.Up })
	if len(silent) > 0 || a.state("b").Silent {
		t.Errorf("%v is called silent, and c hears it", <-silent)
	}
	p2.hole.Store(true)
	if who := take(t, "a calls b silent", silent); who.Node != "b" {
		t.Errorf("%v is called silent", who)
	}
}

// TestNobodyCarriesWhatItDoesNotReach cuts b off from both others, and has c carry as many connections as it may.
func TestNobodyCarriesWhatItDoesNotReach(t *testing.T) {
	a, b, c, p, _, edge, _ := triangle(t, func(o *link.Options) { o.Tunnels = 1 })
	p.hole.Store(true)
	take(t, "the edge's Down", edge.down)
	testwait.Until(t, "one of two is carried", func() bool {
		st := a.state("b")
		return st.Via == "c" && strings.Contains(st.Replication.Err, "carries 1 connections") || st.Replication.Up && strings.Contains(st.Err, "carries 1 connections")
	})
	b.stop(t)
	testwait.Until(t, "nothing is carried", func() bool { st := a.state("b"); return !st.Up && !st.Replication.Up && !c.state("b").Up })
	testwait.Until(t, "c says why", func() bool { return strings.Contains(a.state("b").Err, "does not reach") })
	testwait.Until(t, "it is silent", func() bool { return a.state("b").Silent })
}

// TestTunnelsLeaveNothing closes three nodes while one carries a connection.
func TestTunnelsLeaveNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	a, b, c, p, p2, edge, _ := triangle(t)
	p.hole.Store(true)
	take(t, "the edge's Down", edge.down)
	testwait.Until(t, "it is carried", func() bool { st := a.state("b"); return st.Via == "c" && st.Replication.Up })
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	for _, n := range []*node{c, a, b} {
		if err := n.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	p.hole.Store(false)
	p.reset()
	p2.reset()
	testwait.Until(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before+2 }) // those of the proxies
}
