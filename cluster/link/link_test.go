package link_test

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"net"
	"strings"
	"testing"
	"time"

	"google.golang.org/grpc"
	"google.golang.org/grpc/credentials/insecure"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/internal/testwait"
)

func secret(t testing.TB) []byte {
	t.Helper()
	b := make([]byte, 32)
	_, _ = rand.Read(b)
	return b
}

func with(secrets ...[]byte) func(*link.Options) {
	return func(o *link.Options) { o.Security = link.Security{Secrets: secrets} }
}

func TestFramesBothWays(t *testing.T) {
	key := secret(t)
	for name, way := range map[string]func(*link.Options){"insecure": func(*link.Options) {}, "secrets": with(key)} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, "a", way), start(t, "b", way)
			edge, owner := connect(t, a, b)
			if got := owner.end.Peer(); got != a.target().Peer {
				t.Errorf("the owner takes the edge for %v", got)
			}
			if got := edge.end.Peer(); got != b.target().Peer {
				t.Errorf("the edge takes the owner for %v", got)
			}
			const n = 5000
			for i := range n {
				edge.end.Send(act(uint64(i), fmt.Sprint(i)))
				owner.end.Send(say(fmt.Sprint(i), uint64(i), 7))
			}
			for i := range n {
				in := take(t, "an act", owner.frames)
				if in.GetSession() != uint64(i) || string(in.GetAct().GetData()) != fmt.Sprint(i) {
					t.Fatalf("act %d came as %v", i, in)
				}
				out := take(t, "a message", edge.frames)
				if s := out.GetSessions(); len(s) != 2 || s[0] != uint64(i) || s[1] != 7 || string(out.GetSay().GetFrame()) != fmt.Sprint(i) {
					t.Fatalf("message %d came as %v", i, out)
				}
			}
			testwait.Until(t, "nothing waits", func() bool { return edge.end.Queued() == 0 && owner.end.Queued() == 0 })
			if st := a.state("b"); st.Version != link.Latest || st.RTT <= 0 || st.Since.IsZero() || st.Err != "" || st.Sent < n || st.Received < n || st.Overflows != 0 {
				t.Errorf("state %+v", st)
			}
		})
	}
}

func TestDeferredFramesArriveWithoutSend(t *testing.T) {
	a, b := start(t, "a"), start(t, "b")
	edge, owner := connect(t, a, b)
	for i := range 3 {
		owner.end.Defer(say("x", uint64(i)))
		take(t, "a deferred frame", edge.frames)
	}
	owner.end.Defer(say("first", 1))
	owner.end.Send(say("second", 1))
	for _, want := range []string{"first", "second"} {
		if got := string(take(t, want, edge.frames).GetSay().GetFrame()); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func answering(m *link.Mux) func(*link.Options) { return func(o *link.Options) { o.Calls = m } }

func TestCalls(t *testing.T) {
	m := link.NewMux()
	m.Handle("echo", func(_ context.Context, from link.Peer, body []byte) ([]byte, error) {
		return fmt.Appendf(nil, "%s:%s", from.Node, body), nil
	})
	m.Handle("fail", func(context.Context, link.Peer, []byte) ([]byte, error) { return nil, errTest })
	m.Handle("panic", func(context.Context, link.Peer, []byte) ([]byte, error) { panic("hidden") })
	m.Handle("wait", func(ctx context.Context, _ link.Peer, _ []byte) ([]byte, error) {
		<-ctx.Done()
		return nil, ctx.Err()
	})
	m.HandleWatch("count", func(_ context.Context, _ link.Peer, body []byte, send func([]byte) error) error {
		for i := range 3 {
			if err := send(fmt.Appendf(nil, "%s%d", body, i)); err != nil {
				return err
			}
		}
		if string(body) == "fail" {
			return errTest
		}
		return nil
	})
	m.EncodeError(func(err error) []byte { return fmt.Appendf(nil, "%q", err) })
	a, b := start(t, "a"), start(t, "b", answering(m))
	connect(t, a, b)
	ctx := t.Context()

	if got, err := a.Call(ctx, "b", "echo", []byte("hi")); err != nil || string(got) != "a:hi" {
		t.Errorf("echo: %s, %v", got, err)
	}
	if _, err := a.Call(ctx, "c", "echo", nil); !errors.Is(err, link.ErrNoPeer) {
		t.Errorf("a node that is not there: %v", err)
	}
	if _, err := a.Call(ctx, "b", "nothing", nil); !errors.Is(err, link.ErrNoMethod) {
		t.Errorf("a method that is not there: %v", err)
	}
	_, err := a.Call(ctx, "b", "fail", nil)
	if remote, ok := errors.AsType[*link.RemoteError](err); !ok || string(remote.Body) != `"test"` {
		t.Errorf("a failing handler: %v", err)
	}
	if _, err := a.Call(ctx, "b", "panic", nil); err == nil || strings.Contains(err.Error(), "hidden") {
		t.Errorf("a panicking handler: %v", err)
	}
	short, cancel := context.WithTimeout(ctx, 50*time.Millisecond)
	defer cancel()
	if _, err := a.Call(short, "b", "wait", nil); !errors.Is(err, context.DeadlineExceeded) {
		t.Errorf("a question without an answer: %v", err)
	}

	var got []string
	each := func(b []byte) error { got = append(got, string(b)); return nil }
	if err := a.Watch(ctx, "b", "count", []byte("n"), each); err != nil || strings.Join(got, " ") != "n0 n1 n2" {
		t.Errorf("watch: %v, %v", got, err)
	}
	if _, ok := errors.AsType[*link.RemoteError](a.Watch(ctx, "b", "count", []byte("fail"), each)); !ok {
		t.Errorf("a failing watch: %v", err)
	}
	if err := a.Watch(ctx, "b", "count", nil, func([]byte) error { return errTest }); !errors.Is(err, errTest) {
		t.Errorf("a watch that each ends: %v", err)
	}
	if err := a.Watch(ctx, "b", "echo", nil, each); !errors.Is(err, link.ErrNoMethod) {
		t.Errorf("a watch that is not there: %v", err)
	}
}

func TestStrangersAreRefused(t *testing.T) {
	ours := secret(t)
	b := start(t, "b", with(ours))

	t.Run("bytes", func(t *testing.T) {
		c, err := net.Dial("tcp", b.addr)
		if err != nil {
			t.Fatal(err)
		}
		defer c.Close()
		_, _ = c.Write([]byte("GET / HTTP/1.1\r\nHost: x\r\n\r\n"))
		_ = c.SetReadDeadline(time.Now().Add(ceiling))
		buf := make([]byte, 512)
		for {
			n, err := c.Read(buf)
			if ne, ok := errors.AsType[net.Error](err); ok && ne.Timeout() {
				t.Fatal("the connection stays open")
			}
			if strings.Contains(string(buf[:n]), "HTTP") {
				t.Fatalf("it answers %q", buf[:n])
			}
			if err != nil {
				break
			}
		}
		testwait.Until(t, "a line in the log", func() bool { return b.log.Has("does not speak TLS") })
	})
	t.Run("plaintext gRPC", func(t *testing.T) {
		cc, err := grpc.NewClient(b.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
		if err != nil {
			t.Fatal(err)
		}
		defer cc.Close()
		if _, err := linkpb.NewPeerClient(cc).Greet(t.Context(), &linkpb.Greeting{Node: "a", Boot: "1", Label: "test"}); err == nil {
			t.Error("it is greeted")
		}
	})
	t.Run("another secret", func(t *testing.T) {
		a := start(t, "a", with(secret(t)))
		a.Targets([]link.Target{b.target()})
		testwait.Until(t, "the state says so", func() bool { return strings.Contains(a.state("b").Err, "another cluster secret") })
		testwait.Until(t, "the log says so", func() bool { return a.log.Has("another cluster secret") })
	})
	t.Run("a secret that is only old here", func(t *testing.T) {
		// The dialler accepts the answerer's certificate, but the answerer does not accept the dialler's.
		a := start(t, "a", with(secret(t), ours))
		a.Targets([]link.Target{b.target()})
		testwait.Until(t, "the state says so", func() bool { return strings.Contains(a.state("b").Err, "another cluster secret") })
		testwait.Until(t, "the log there says so", func() bool { return b.log.Has("another cluster secret") })
	})
	t.Run("a node without any", func(t *testing.T) {
		a := start(t, "a")
		a.Targets([]link.Target{b.target()})
		testwait.Until(t, "the state says something", func() bool { return a.state("b").Err != "" })
		c := start(t, "c", with(ours))
		c.Targets([]link.Target{a.target()})
		testwait.Until(t, "the state says why", func() bool { return strings.Contains(c.state("a").Err, "does not speak TLS") })
	})
	if len(b.owners) > 0 {
		t.Error("somebody got in")
	}
}

func TestGreetComesFirst(t *testing.T) {
	b := start(t, "b")
	cc, err := grpc.NewClient(b.addr, grpc.WithTransportCredentials(insecure.NewCredentials()))
	if err != nil {
		t.Fatal(err)
	}
	defer cc.Close()
	c := linkpb.NewPeerClient(cc)
	if _, err := c.Call(t.Context(), &linkpb.Question{Method: "x"}); err == nil || !strings.Contains(err.Error(), "greet first") {
		t.Errorf("call: %v", err)
	}
	w, err := c.Watch(t.Context(), &linkpb.Question{Method: "x"})
	if err == nil {
		_, err = w.Recv()
	}
	if err == nil || !strings.Contains(err.Error(), "greet first") {
		t.Errorf("watch: %v", err)
	}
	l, err := c.Link(t.Context())
	if err == nil {
		_, err = l.Recv()
	}
	if err == nil || !strings.Contains(err.Error(), "greet first") {
		t.Errorf("link: %v", err)
	}
}

func TestGreetings(t *testing.T) {
	for name, c := range map[string]struct {
		change func(*linkpb.Greeting)
		want   string // in the state; "": they agree
	}{
		"alike":            {func(*linkpb.Greeting) {}, ""},
		"newer":            {func(g *linkpb.Greeting) { g.Least, g.Latest = 1, 9 }, ""},
		"too new":          {func(g *linkpb.Greeting) { g.Least, g.Latest = 8, 9 }, "no common version"},
		"label":            {func(g *linkpb.Greeting) { g.Label = "other" }, "label"},
		"another machine":  {func(g *linkpb.Greeting) { g.Machine = "n" }, "nodes on several machines need PostgreSQL"},
		"another store":    {func(g *linkpb.Greeting) { g.Store = "postgres" }, "one store"},
		"both are foreign": {func(g *linkpb.Greeting) { g.Store, g.Machine = "postgres", "n" }, "nodes on several machines need PostgreSQL"},
	} {
		t.Run(name, func(t *testing.T) {
			a, b := start(t, "a"), start(t, "b", func(o *link.Options) { c.change(o.Self) })
			a.Targets([]link.Target{b.target()})
			b.Targets([]link.Target{a.target()})
			if c.want == "" {
				testwait.Until(t, "the links stand", func() bool { return a.state("b").Up && b.state("a").Up })
				if v := a.state("b").Version; v != link.Latest {
					t.Errorf("version %d", v)
				}
				return
			}
			testwait.Until(t, "both say why not", func() bool {
				return strings.Contains(a.state("b").Err, c.want) && strings.Contains(b.state("a").Err, c.want) &&
					a.log.Has(c.want) && b.log.Has(c.want)
			})
			if _, err := a.Call(t.Context(), "b", "x", nil); !errors.Is(err, link.ErrNoPeer) {
				t.Errorf("call: %v", err)
			}
		})
	}
	t.Run("another boot", func(t *testing.T) {
		a, b := start(t, "a"), start(t, "b")
		stale := b.target()
		stale.Boot = "b-0"
		a.Targets([]link.Target{stale})
		testwait.Until(t, "it says so", func() bool { return strings.Contains(a.state("b").Err, "not up to date") })
		a.Targets([]link.Target{b.target()})
		testwait.Until(t, "the right one is taken", func() bool { return a.state("b").Up })
	})
}

func TestCloseSendsWhatIsQueued(t *testing.T) {
	a, b := start(t, "a"), start(t, "b")
	edge, owner := connect(t, a, b)
	const n = 10000
	for i := range n {
		owner.end.Send(say("x", uint64(i)))
	}
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	if err := b.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := take(t, "the owner's Down", owner.down); !errors.Is(err, link.ErrClosed) {
		t.Errorf("down: %v", err)
	}
	take(t, "the edge's Down", edge.down)
	if got := len(edge.frames); got != n {
		t.Errorf("%d of %d frames came", got, n)
	}

	c := start(t, "c")
	edge, owner = connect(t, a, c)
	for i := range n {
		edge.end.Send(act(uint64(i), "x"))
	}
	if err := a.Close(ctx); err != nil {
		t.Fatal(err)
	}
	if err := take(t, "the edge's Down", edge.down); !errors.Is(err, link.ErrClosed) {
		t.Errorf("down: %v", err)
	}
	take(t, "the owner's Down", owner.down)
	if got := len(owner.frames); got != n {
		t.Errorf("%d of %d frames came", got, n)
	}
	if _, err := a.Call(ctx, "c", "x", nil); !errors.Is(err, link.ErrClosed) {
		t.Errorf("call after Close: %v", err)
	}
}
