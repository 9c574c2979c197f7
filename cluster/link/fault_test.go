package link_test

import (
	"context"
	"net"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/internal/testwait"
)

// proxy sits between two nodes and disturbs their connections as networks do.
type proxy struct {
	net.Listener
	hole atomic.Bool // bytes are dropped silently
	wg   sync.WaitGroup

	mu     sync.Mutex
	to     string
	conns  []*net.TCPConn
	jammed chan struct{} // closed by reset; connections that jam has chosen are not read until then
	made   int           // connections so far
	jam    int           // the connection, from 1, that is not read; 0: none
	closed bool
}

func newProxy(t testing.TB, to string) *proxy {
	t.Helper()
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	p := &proxy{Listener: ln, to: to, jammed: make(chan struct{})}
	p.wg.Go(p.serve)
	t.Cleanup(func() {
		_ = ln.Close()
		p.mu.Lock()
		p.closed = true // a connection may have been accepted just now
		p.mu.Unlock()
		p.reset()
		p.wg.Wait()
	})
	return p
}

func (p *proxy) serve() {
	for {
		in, err := p.Accept()
		if err != nil {
			return
		}
		p.mu.Lock()
		to := p.to
		p.mu.Unlock()
		out, err := net.Dial("tcp", to)
		if err != nil {
			_ = in.Close()
			continue
		}
		p.mu.Lock()
		p.conns = append(p.conns, in.(*net.TCPConn), out.(*net.TCPConn))
		p.made++
		number, closed := p.made, p.closed
		p.mu.Unlock()
		if closed {
			_, _ = in.Close(), out.Close()
			return
		}
		p.wg.Go(func() { p.copy(in, out, number) })
		p.wg.Go(func() { p.copy(out, in, number) })
	}
}

// lead leads new connections elsewhere.
func (p *proxy) lead(to string) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.to = to
}

// stop stops reading a connection, from 1, both ways: TCP's buffers fill.
func (p *proxy) stop(number int) {
	p.mu.Lock()
	defer p.mu.Unlock()
	p.jam = number
}

func (p *proxy) copy(to, from net.Conn, number int) {
	buf := make([]byte, 32<<10)
	for {
		p.mu.Lock()
		jam, jammed := p.jam == number, p.jammed
		p.mu.Unlock()
		if jam {
			<-jammed
			_ = to.Close()
			return
		}
		n, err := from.Read(buf)
		if err != nil {
			if !p.hole.Load() {
				_ = to.Close()
			}
			return
		}
		if !p.hole.Load() {
			_, _ = to.Write(buf[:n])
		}
	}
}

// reset breaks all connections so that both sides know.
func (p *proxy) reset() {
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, c := range p.conns {
		_ = c.SetLinger(0)
		_ = c.Close()
	}
	p.conns = nil
	close(p.jammed)
	p.jammed, p.jam = make(chan struct{}), 0
}

func silence(d time.Duration) func(*link.Options) {
	return func(o *link.Options) { o.Silence, o.Timeout = d, 5*time.Second }
}

// through is connect with a proxy in between.
func through(t testing.TB, edge, owner *node) (*proxy, *edgeSide, *ownerSide) {
	t.Helper()
	p := newProxy(t, owner.addr)
	by := owner.target()
	by.Addr = p.Addr().String()
	edge.Targets([]link.Target{by})
	e, o := take(t, "the edge's end", edge.edges), take(t, "the owner's end", owner.owners)
	return p, e, o
}

func TestSilenceIsNoticedAndHeals(t *testing.T) {
	a, b := start(t, "a", silence(2*time.Second)), start(t, "b", silence(2*time.Second))
	p, edge, owner := through(t, a, b)
	testwait.Until(t, "it stands", func() bool { return a.state("b").Up })
	p.hole.Store(true)
	if err := take(t, "the edge's Down", edge.down); !strings.Contains(err.Error(), "silent") {
		t.Errorf("edge: %v", err)
	}
	if err := take(t, "the owner's Down", owner.down); !strings.Contains(err.Error(), "silent") {
		t.Errorf("owner: %v", err)
	}
	testwait.Until(t, "it is down", func() bool { return !a.state("b").Up })
	edge.end.Send(act(1, "into the void"))
	if edge.end.Queued() < 0 {
		t.Error("queued below zero")
	}
	p.hole.Store(false)
	p.reset()
	edge, owner = take(t, "a new end", a.edges), take(t, "a new end", b.owners)
	edge.end.Send(act(2, "again"))
	if f := take(t, "an act", owner.frames); f.GetSession() != 2 {
		t.Errorf("got %v", f)
	}
	if n := a.state("b").Reconnects; n != 1 {
		t.Errorf("%d reconnections", n)
	}
}

func TestResetIsKnownAtOnce(t *testing.T) {
	a, b := start(t, "a"), start(t, "b") // both tolerate 20 s of silence
	p, edge, owner := through(t, a, b)
	begun := time.Now()
	p.reset()
	take(t, "the edge's Down", edge.down)
	take(t, "the owner's Down", owner.down)
	if took := time.Since(begun); took > 15*time.Second {
		t.Errorf("noticed after %v, as silence", took)
	}
	take(t, "a new end", a.edges)
	take(t, "a new end", b.owners)
	if len(edge.down)+len(owner.down) > 0 {
		t.Error("Down twice")
	}
}

func TestRefusedConnectionIsReported(t *testing.T) {
	a := start(t, "a")
	ln, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	nobody := link.Target{Peer: link.Peer{Node: "b", Boot: "b-1"}, Addr: ln.Addr().String()}
	_ = ln.Close()
	a.Targets([]link.Target{nobody})
	testwait.Until(t, "it says so", func() bool { return strings.Contains(a.state("b").Err, "refused") })
	b := start(t, "b")
	a.Targets([]link.Target{b.target()})
	take(t, "the right address is tried", a.edges)
}

func TestQueueIsBounded(t *testing.T) {
	a, b := start(t, "a"), start(t, "b", func(o *link.Options) { o.Queue = 256 << 10 })
	p, edge, owner := through(t, a, b)
	p.hole.Store(true)
	big := strings.Repeat("x", 10<<10)
	most := 0
	testwait.Until(t, "the stream has ended", func() bool {
		owner.end.Send(say(big, 1))
		most = max(most, owner.end.Queued())
		return len(owner.down) > 0
	})
	if most > 256<<10+11<<10 {
		t.Errorf("%d bytes were queued", most)
	}
	if err := take(t, "the owner's Down", owner.down); !strings.Contains(err.Error(), "too slowly") {
		t.Errorf("down: %v", err)
	}
	p.hole.Store(false)
	p.reset()
	take(t, "the edge's Down", edge.down)
	if len(owner.down)+len(edge.down) > 0 {
		t.Error("Down twice")
	}
	b.Targets([]link.Target{a.target()})
	if st := b.state("a"); st.Overflows != 1 || st.Sent == 0 {
		t.Errorf("state %+v", st)
	}
}

func TestNewStreamReplacesTheOld(t *testing.T) {
	a, b := start(t, "a"), start(t, "b")
	p, _, owner := through(t, a, b)
	p.hole.Store(true)
	a.Targets([]link.Target{b.target()}) // another way to the same node
	next := take(t, "the new stream", b.owners)
	if len(owner.down) != 1 {
		t.Error("the new stream came before the old one's Down")
	}
	if next.end.Peer() != owner.end.Peer() {
		t.Errorf("from %v", next.end.Peer())
	}
}

// A link to a node that gossip has given up stays until it breaks. The node is not dialled again.
func TestLinkToFormerTargetStaysUntilItBreaks(t *testing.T) {
	a, b := start(t, "a"), start(t, "b")
	p, edge, owner := through(t, a, b)
	testwait.Until(t, "the link is up", func() bool { return a.state("b").Up }) // its ends are told before
	a.Targets(nil)
	edge.end.Send(act(1, "still there"))
	take(t, "a frame over the link", owner.frames)
	by := b.target()
	by.Addr = p.Addr().String()
	a.Targets([]link.Target{by}) // it was a mistake
	a.Targets(nil)
	if len(edge.down)+len(owner.down) > 0 {
		t.Fatal("the link broke")
	}
	p.reset()
	take(t, "the edge's Down", edge.down)
	take(t, "the owner's Down", owner.down)
	testwait.Until(t, "no link is left", func() bool { return len(a.States()) == 0 })
}

func TestQuestionsAreBounded(t *testing.T) {
	m := link.NewMux()
	inside, leave := make(chan struct{}, 8), make(chan struct{})
	m.Handle("wait", func(context.Context, link.Peer, []byte) ([]byte, error) {
		inside <- struct{}{}
		<-leave
		return nil, nil
	})
	a, b := start(t, "a"), start(t, "b", answering(m), func(o *link.Options) { o.Inflight = 2 })
	connect(t, a, b)
	var wg sync.WaitGroup
	for range 2 {
		wg.Go(func() {
			if _, err := a.Call(t.Context(), "b", "wait", nil); err != nil {
				t.Error(err)
			}
		})
		take(t, "a question", inside)
	}
	if _, err := a.Call(t.Context(), "b", "wait", nil); err == nil || !strings.Contains(err.Error(), "2 questions") {
		t.Errorf("the third: %v", err)
	}
	close(leave)
	wg.Wait()
}

func TestBrokenConnectionFailsCallsUnderWay(t *testing.T) {
	m := link.NewMux()
	inside := make(chan struct{}, 1)
	m.HandleWatch("watch", func(ctx context.Context, _ link.Peer, _ []byte, _ func([]byte) error) error {
		inside <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	a, b := start(t, "a"), start(t, "b", answering(m))
	p, _, _ := through(t, a, b)
	testwait.Until(t, "it stands", func() bool { return a.state("b").Up })
	failed := make(chan error, 1)
	go func() { failed <- a.Watch(t.Context(), "b", "watch", nil, func([]byte) error { return nil }) }()
	take(t, "the watch", inside)
	p.reset()
	if err := take(t, "the watch's end", failed); err == nil {
		t.Error("no error")
	}
}

func TestCloseEndsWatchesAndLeavesNothing(t *testing.T) {
	before := runtime.NumGoroutine()
	m := link.NewMux()
	inside := make(chan struct{}, 1)
	m.HandleWatch("watch", func(ctx context.Context, _ link.Peer, _ []byte, _ func([]byte) error) error {
		inside <- struct{}{}
		<-ctx.Done()
		return ctx.Err()
	})
	key := secret(t)
	a, b := start(t, "a", with(key)), start(t, "b", with(key), answering(m))
	connect(t, a, b)
	connect(t, b, a)
	failed := make(chan error, 1)
	go func() { failed <- a.Watch(t.Context(), "b", "watch", nil, func([]byte) error { return nil }) }()
	take(t, "the watch", inside)
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	for _, n := range []*node{b, a, a} {
		if err := n.Close(ctx); err != nil {
			t.Fatal(err)
		}
	}
	if err := take(t, "the watch's end", failed); err == nil {
		t.Error("no error")
	}
	testwait.Until(t, "all goroutines have ended", func() bool { return runtime.NumGoroutine() <= before })
}

// A process that is stopped while it starts closes its links right after Serve.
func TestCloseRightAfterServe(t *testing.T) {
	for range 200 {
		n := start(t, "a")
		if err := n.Close(t.Context()); err != nil {
			t.Error(err)
		}
		if n.log.Has("no longer serves") {
			t.Fatal("the log calls Close an error")
		}
	}
}

func TestCloseCutsConnectionsOffWhenContextEnds(t *testing.T) {
	a, b := start(t, "a"), start(t, "b")
	p, edge, owner := through(t, a, b)
	testwait.Until(t, "both streams stand", func() bool { st := a.state("b"); return st.Up && st.Replication.Up })
	p.hole.Store(true)
	edge.end.Send(act(1, "x"))
	owner.end.Send(say("x", 1))
	ctx, cancel := context.WithTimeout(t.Context(), 100*time.Millisecond)
	defer cancel()
	if err := a.Close(ctx); err == nil {
		t.Error("nothing was cut off")
	}
	if err := b.Close(ctx); err == nil {
		t.Error("nothing was cut off")
	}
	take(t, "the edge's Down", edge.down)
	take(t, "the owner's Down", owner.down)
}
