package relay

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// encodings are tried with everything that touches frames.
var encodings = map[string]wire.Encoding{"json": wire.JSON, "cbor": wire.CBOR}

func TestPlayersAtTwoNodes(t *testing.T) {
	for name, e := range encodings {
		for _, game := range []string{"adding", "ticking"} {
			t.Run(name+" "+game, func(t *testing.T) {
				w := newWorld(t, "a", "b")
				w.connect("a", "b")
				id := w.create("b", game)
				far := w.join("a", id, w.hello("far"), actor.OutboxOptions{Encoding: e})
				near := w.join("b", id, w.hello("near"), actor.OutboxOptions{Encoding: e})
				for range 40 {
					far.act(added{Add: 1})
					near.act(added{Add: 1})
				}
				for _, g := range []*guest{far, near} {
					g.wait("everything added up and answered", func(g *guest) bool { return g.sum() == 80 && len(g.pending) == 0 })
					g.check()
				}
				if far.welcome.Node != "b" || w.nodes["a"].edge.Remote() != 1 || w.nodes["b"].edge.Remote() != 0 {
					t.Errorf("the welcome names %q, %d are remote", far.welcome.Node, w.nodes["a"].edge.Remote())
				}
			})
		}
	}
}

func TestABroadcastCrossesOnceForEachEdge(t *testing.T) {
	w := newWorld(t, "a", "b")
	c := w.connect("a", "b")
	id := w.create("b", "adding")
	actor1 := w.join("b", id, w.hello("p"), actor.OutboxOptions{})
	var guests []*guest
	for i := range 8 {
		h := w.hello(fmt.Sprint("w", i))
		h.Spectate = true
		guests = append(guests, w.join("a", id, h, actor.OutboxOptions{}))
		guests[i].wait("the view", func(g *guest) bool { return g.view != nil })
	}
	said, addressed := c.said.Load(), c.addressed.Load()
	for range 50 {
		actor1.act(added{Add: 1})
	}
	for _, g := range guests {
		g.wait("the last turn", func(g *guest) bool { return g.sum() == 50 })
		g.check()
	}
	if n, m := c.said.Load()-said, c.addressed.Load()-addressed; n != 50 || m != 400 {
		t.Errorf("50 turns to 8 sessions crossed in %d frames for %d", n, m)
	}
}

func TestACrowdWatchesFromElsewhere(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.connect("a", "b")
	id := w.create("b", "adding")
	p := w.join("a", id, w.hello("p"), actor.OutboxOptions{})
	guests := make([]*guest, 500)
	for i := range guests {
		h := w.hello(fmt.Sprint("w", i))
		h.Spectate = true
		guests[i] = w.join("a", id, h, actor.OutboxOptions{})
	}
	for range 20 {
		p.act(added{Add: 1})
	}
	for _, g := range guests {
		g.wait("the last turn", func(g *guest) bool { return g.sum() == 20 })
		g.check()
	}
}

// TestASlowReaderElsewhere has a client lose turns at its edge, and get the whole view with the right number of them.
func TestASlowReaderElsewhere(t *testing.T) {
	for name, e := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a", "b")
			w.connect("a", "b")
			id := w.create("b", "adding")
			p := w.join("b", id, w.hello("p"), actor.OutboxOptions{Encoding: e})
			slow := w.join("a", id, w.hello("slow"), actor.OutboxOptions{Encoding: e, MaxBytes: 2000, StuckAfter: time.Hour})
			slow.wait("the view", func(g *guest) bool { return g.view != nil })
			slow.pause(true)
			for range 100 {
				p.act(added{Add: 1, Pad: strings.Repeat("x", 100)})
			}
			p.wait("all is said", func(g *guest) bool { return g.sum() == 100 && len(g.pending) == 0 })
			slow.pause(false)
			slow.wait("the view as it is", func(g *guest) bool { return g.sum() == 100 })
			slow.check()
			if lost, seen := slow.lost, uint64(len(slow.events)); lost == 0 || lost+seen != 100 {
				t.Errorf("told of %d lost events, having seen %d of 100", lost, seen)
			}
			if n := w.nodes["a"].edge.lostEvents.Load(); n != slow.lost {
				t.Errorf("%d lost events are counted, of %d", n, slow.lost)
			}
		})
	}
}

// TestACutLosesNothing breaks the link while people play, with the owner noticing early and late.
func TestACutLosesNothing(t *testing.T) {
	for _, late := range []time.Duration{0, 30 * time.Millisecond} {
		w := newWorld(t, "a", "b")
		c := w.connect("a", "b")
		id := w.create("b", "adding")
		var guests []*guest
		for i := range 4 {
			guests = append(guests, w.join("a", id, w.hello(fmt.Sprint("p", i)), actor.OutboxOptions{MaxBytes: 1 << 20}))
		}
		for i := range 4 {
			for range 20 {
				for _, g := range guests {
					g.act(added{Add: 1})
				}
			}
			c.cut(late)
			for _, g := range guests {
				g.act(added{Add: 1})
			}
			time.Sleep(time.Duration(i) * 5 * time.Millisecond)
			c = w.connect("a", "b")
		}
		for i, g := range guests {
			g.wait("everything added up and answered", func(g *guest) bool { return g.sum() == 4*4*21 && len(g.pending) == 0 })
			g.check()
			if g.recovered != g.welcomes-1 {
				t.Errorf("%d was welcomed %d times and recovered %d", i, g.welcomes, g.recovered)
			}
			if !slices.IsSorted(g.events) || len(slices.Compact(slices.Clone(g.events))) != len(g.events) || g.events[len(g.events)-1] != 4*4*21 {
				t.Errorf("%d heard events %v", i, g.events)
			}
			if n := g.events[0] + len(g.events) - 1; n != 4*4*21 {
				t.Errorf("%d missed events: it heard %d from the %dth on", i, len(g.events), g.events[0])
			}
		}
		testwait.Until(t, "it is counted that they were attached again", func() bool { return w.nodes["a"].edge.reattached.Load() >= uint64(len(guests)) })
	}
}

// TestARoomMoves ends the room's node; another goes on with the room. Clients at either and at a third see a second
// welcome and lose nothing.
func TestARoomMoves(t *testing.T) {
	w := newWorld(t, "a", "b", "c")
	w.connect("a", "b")
	id := w.create("b", "adding")
	guests := []*guest{w.join("a", id, w.hello("a"), actor.OutboxOptions{}), w.join("b", id, w.hello("b"), actor.OutboxOptions{})}
	for range 20 {
		for _, g := range guests {
			g.act(added{Add: 1})
		}
	}
	for _, g := range guests {
		g.wait("its acts are answered", func(g *guest) bool { return len(g.pending) == 0 && g.sum() == 40 })
	}
	w.put(id, "", actor.ErrUnreachable)
	ctx, cancel := context.WithTimeout(t.Context(), 30*time.Second)
	defer cancel()
	if err := w.nodes["b"].Shutdown(ctx); err != nil {
		t.Fatal(err)
	}
	for range 10 {
		for _, g := range guests {
			g.act(added{Add: 1}) // into nothing
		}
	}
	if _, err := w.nodes["c"].ownership.Restore(ctx); err != nil {
		t.Fatal(err)
	}
	w.put(id, "c", nil)
	w.connect("a", "c")
	w.connect("b", "c")
	for _, g := range guests {
		g.wait("everything added up and answered", func(g *guest) bool { return g.sum() == 60 && len(g.pending) == 0 })
		g.check()
		if g.welcomes < 2 || g.recovered != g.welcomes-1 || g.welcome.Node != "c" || g.welcome.Epoch < 2 {
			t.Errorf("%d welcomes, %d recovered, the last: %+v", g.welcomes, g.recovered, g.welcome)
		}
	}
}

func TestRefusals(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.connect("a", "b")
	id := w.create("b", "adding")
	code := func(err error) wire.CloseCode {
		if why, ok := errors.AsType[*actor.CloseError](err); ok {
			return why.Code
		}
		return 0
	}
	stranger := w.hello("")
	if _, err := w.try("a", id, stranger, actor.OutboxOptions{}); code(err) != wire.CloseUnauthorised {
		t.Errorf("a player without a name: %v", err)
	}
	if _, err := w.try("a", "nosuchroom", w.hello("p"), actor.OutboxOptions{}); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("no such room: %v", err)
	}
	w.nodes["a"].edge.o.Reattach = 50 * time.Millisecond
	w.put("elsewhere", "b", nil)
	if _, err := w.try("a", "elsewhere", w.hello("p"), actor.OutboxOptions{}); code(err) != wire.CloseUnreachable {
		t.Errorf("a room that is not where it should be: %v", err)
	}
	w.put("gone", "nobody", nil)
	if _, err := w.try("a", "gone", w.hello("p"), actor.OutboxOptions{}); code(err) != wire.CloseUnreachable || !strings.Contains(err.Error(), "connection") {
		t.Errorf("a room at a node without a link: %v", err)
	}
	w.put(id, "b", &actor.UnreachableError{Reason: "its node is down since noon: retry"})
	if _, err := w.try("a", id, w.hello("p"), actor.OutboxOptions{}); code(err) != wire.CloseUnreachable || !strings.Contains(err.Error(), "noon") {
		t.Errorf("a room that nobody reaches: %v", err)
	}
}

func TestEndsReachTheClientElsewhere(t *testing.T) {
	w := newWorld(t, "a", "b")
	c := w.connect("a", "b")
	id := w.create("b", "adding")
	g := w.join("a", id, w.hello("p"), actor.OutboxOptions{})
	h := w.hello("p")
	h.Client = "another"
	newer := w.join("b", id, h, actor.OutboxOptions{})
	g.wait("the older client is replaced", func(g *guest) bool { return g.code() == wire.CloseReplaced })

	// One that was replaced while its link was down does not come back before the newer one.
	older := w.join("a", id, w.hello("q"), actor.OutboxOptions{})
	older.wait("the view", func(g *guest) bool { return g.view != nil })
	c.cut(0)
	h = w.hello("q")
	h.Client = "another"
	newest := w.join("b", id, h, actor.OutboxOptions{})
	newest.wait("the view", func(g *guest) bool { return g.view != nil })
	c = w.connect("a", "b")
	older.wait("the older client hears that it is replaced", func(g *guest) bool { return g.code() == wire.CloseReplaced })
	if newest.see(func(g *guest) bool { return g.closed != nil }) {
		t.Error("the newer client was replaced by the older")
	}

	// Nor does one take a seat again that was given up meanwhile.
	left := w.join("a", id, w.hello("r"), actor.OutboxOptions{})
	left.wait("the view", func(g *guest) bool { return g.view != nil })
	c.cut(0)
	if err := left.session.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if err := w.nodes["b"].Kick(t.Context(), id, "p"); err != nil {
		t.Fatal(err)
	}
	w.connect("a", "b")
	left.wait("it has left", func(g *guest) bool { return g.code() == wire.CloseNormal })
	newer.wait("it was kicked", func(g *guest) bool { return g.code() == wire.CloseForbidden })

	if err := w.nodes["b"].Close(t.Context(), id, "enough"); err != nil {
		t.Fatal(err)
	}
	newest.wait("it hears the end", func(g *guest) bool { return g.over != nil })
}

func TestTooManyActsWithoutAnAnswer(t *testing.T) {
	w := newWorld(t, "a", "b")
	w.connect("a", "b")
	id := w.create("b", "adding")
	g := w.join("a", id, w.hello("p"), actor.OutboxOptions{})
	g.wait("the view", func(g *guest) bool { return g.view != nil })
	g.pause(true)
	for i := range uint64(100) {
		if err := g.session.Act(t.Context(), wire.Act{CSeq: i + 1, Data: []byte(`{"add":1}`)}); err != nil && err != actor.ErrEnded {
			t.Fatal(err)
		}
	}
	g.pause(false)
	g.wait("the close", func(g *guest) bool { return g.code() == wire.CloseTooMany })
	if err := g.session.Act(t.Context(), wire.Act{CSeq: 1}); err != actor.ErrEnded {
		t.Errorf("an act after the end: %v", err)
	}
}

// TestDetachWhileLooking lets sockets close while their rooms cannot be found; nothing is left of them.
func TestDetachWhileLooking(t *testing.T) {
	w := newWorld(t, "a", "b")
	c := w.connect("a", "b")
	id := w.create("b", "adding")
	g := w.join("a", id, w.hello("p"), actor.OutboxOptions{})
	g.wait("the view", func(g *guest) bool { return g.view != nil })
	c.cut(0)
	g.leaveQuietly()
	testwait.Until(t, "the outbox has ended", func() bool { _, over := g.box.End(); return over })
	c = w.connect("a", "b")
	w.mu.Lock()
	w.nodes["a"].edge.o.Reattach = 50 * time.Millisecond
	w.mu.Unlock()
	g = w.join("a", id, w.hello("q"), actor.OutboxOptions{})
	g.wait("the view", func(g *guest) bool { return g.view != nil })
	c.cut(0)
	g.wait("it gives up", func(g *guest) bool { return g.code() == wire.CloseUnreachable })
}

// TestWhateverHappens plays with random cuts, flaps, moves of the way and slow readers: every act has its effect and its
// answer once, and what a client sees is what the room holds.
func TestWhateverHappens(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		w := newWorld(t, "a", "b")
		defer w.close()
		e := rapid.SampledFrom([]wire.Encoding{wire.JSON, wire.CBOR}).Draw(rt, "encoding")
		game := rapid.SampledFrom([]string{"adding", "ticking"}).Draw(rt, "game")
		c := w.connect("a", "b")
		id := w.create("b", game)
		o := actor.OutboxOptions{Encoding: e, StuckAfter: time.Hour, MaxBytes: rapid.SampledFrom([]int{300, 1 << 20}).Draw(rt, "bytes")}
		guests := []*guest{w.join("a", id, w.hello("p"), o), w.join("a", id, w.hello("q"), o), w.join("b", id, w.hello("r"), o)}
		acts, up := 0, true
		for range rapid.IntRange(1, 30).Draw(rt, "steps") {
			g := rapid.SampledFrom(guests).Draw(rt, "guest")
			switch rapid.IntRange(0, 9).Draw(rt, "what") {
			case 0:
				if up {
					c.cut(time.Duration(rapid.IntRange(0, 5).Draw(rt, "late")) * time.Millisecond)
				}
				up = false
			case 1:
				g.pause(true)
			case 2:
				g.pause(false)
			case 3:
				time.Sleep(time.Duration(rapid.IntRange(0, 3000).Draw(rt, "wait")) * time.Microsecond)
			default:
				for range rapid.IntRange(1, 10).Draw(rt, "acts") {
					if g.see(func(g *guest) bool { return len(g.pending) < actor.MaxUnanswered }) {
						g.act(added{Add: 1, Pad: "xxxxxxxxxxxxxxxxxxxx"})
						acts++
					}
				}
			}
			if !up && rapid.Bool().Draw(rt, "back") {
				c, up = w.connect("a", "b"), true
			}
		}
		if !up {
			w.connect("a", "b")
		}
		for _, g := range guests {
			g.pause(false)
		}
		for _, g := range guests {
			g.wait("everything added up and answered", func(g *guest) bool {
				return g.closed != nil || g.sum() == acts && len(g.pending) == 0 || acts == 0 && g.view != nil
			})
			g.check()
			if g.closed != nil {
				t.Fatalf("closed: %d %s", g.closed.Code, g.closed.Reason)
			}
			g.leaveQuietly()
		}
	})
}

// TestManyLoseTheirWayAtOnce cuts a link under many sessions, more than may look at once.
func TestManyLoseTheirWayAtOnce(t *testing.T) {
	w := newWorld(t, "a", "b")
	c := w.connect("a", "b")
	id := w.create("b", "adding")
	p := w.join("b", id, w.hello("p"), actor.OutboxOptions{})
	w.nodes["a"].edge.turns = make(chan struct{}, 4)
	guests := make([]*guest, 300)
	for i := range guests {
		h := w.hello(fmt.Sprint("w", i))
		h.Spectate = true
		guests[i] = w.join("a", id, h, actor.OutboxOptions{})
		guests[i].wait("the view", func(g *guest) bool { return g.view != nil })
	}
	c.cut(0)
	p.act(added{Add: 7})
	w.connect("a", "b")
	for _, g := range guests {
		g.wait("the turn it missed", func(g *guest) bool { return g.sum() == 7 && len(g.events) == 1 })
		g.check()
	}
}

// sinkNode is a node whose frames go nowhere.
type nowhere struct{ ownerSide }

func (nowhere) Send(*linkpb.OwnerFrame)  {}
func (nowhere) Defer(*linkpb.OwnerFrame) {}

// BenchmarkRemotePush is one turn handed to sessions of one edge: the cost of each at the owner.
func BenchmarkRemotePush(b *testing.B) {
	const sessions = 50
	o := NewOwner(OwnerOptions{}).open(nowhere{})
	sinks := make([]actor.Sink, sessions)
	var later func()
	for i := range sinks {
		r := o.remote(uint64(i+1), &linkpb.Attach{Room: "r"}, func() {})
		r.Deliver(&actor.Bindings{Later: func(f func()) { later = f }})
		sinks[i] = r
	}
	frames := [2][]byte{make([]byte, 120), make([]byte, 120)}
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		said := &actor.Say{Frame: frames[n%2], Fate: actor.Drop, Seq: room.Index(n), Events: 1}
		for _, s := range sinks {
			s.Deliver(said)
		}
		later()
		n++
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sessions), "ns/session")
}

// BenchmarkEdgeFrame is one turn that came for sessions of this edge.
func BenchmarkEdgeFrame(b *testing.B) {
	const sessions = 50
	e := NewEdge(EdgeOptions{})
	s := e.open(edgeSide{&cable{owner: "b"}})
	f := &linkpb.OwnerFrame{What: &linkpb.OwnerFrame_Say{Say: &linkpb.Say{Frame: make([]byte, 120), Fate: linkpb.Fate_DROP, Seq: 5}}}
	boxes := make([]*actor.Outbox, sessions)
	for i := range sessions {
		boxes[i] = actor.NewOutbox(actor.OutboxOptions{})
		r := &remoteRoute{attempt: attempt{feed: actor.NewFeed(boxes[i])}, stream: s}
		s.add(r)
		f.Sessions = append(f.Sessions, r.session)
	}
	buf := make([]byte, 0, 64<<10)
	b.ReportAllocs()
	n := 0
	for b.Loop() {
		s.Frame(f)
		if n++; n%16 == 0 {
			b.StopTimer()
			for _, box := range boxes {
				buf, _ = box.Take(buf[:0], 64<<10)
			}
			b.StartTimer()
		}
	}
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(b.N*sessions), "ns/session")
}

// TestAnEpochThatRisesElsewhere raises a room's epoch between cuts of the link. Clients at both nodes are told, and those who are
// attached again by what they were told miss nothing.
func TestAnEpochThatRisesElsewhere(t *testing.T) {
	for name, e := range encodings {
		t.Run(name, func(t *testing.T) {
			w := newWorld(t, "a", "b")
			c := w.connect("a", "b")
			id := w.create("b", "adding")
			far := w.join("a", id, w.hello("far"), actor.OutboxOptions{Encoding: e})
			near := w.join("b", id, w.hello("near"), actor.OutboxOptions{Encoding: e})
			total := 0
			play := func(epoch uint64) {
				t.Helper()
				for _, g := range []*guest{far, near} {
					g.act(added{Add: 1})
					total++
					for _, g := range []*guest{far, near} {
						g.wait("what was added, and the epoch", func(g *guest) bool { return g.sum() == total && g.epoch == epoch && len(g.pending) == 0 })
					}
				}
			}
			play(1)
			for epoch := range uint64(3) {
				w.nodes["b"].EnterEpoch(id, record.Epoch(10+epoch))
				play(10 + epoch)
				c.cut(0)
				c = w.connect("a", "b")
				play(10 + epoch)
			}
			far.check()
			near.check()
			if far.welcomes != 4 || far.recovered != 3 || far.states != 1 || near.welcomes != 1 {
				t.Errorf("far: %d welcomes, %d recovered, %d views; near: %d welcomes", far.welcomes, far.recovered, far.states, near.welcomes)
			}
		})
	}
}
