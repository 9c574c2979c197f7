package cluster_test

import (
	"io"
	"net"
	"sync"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/netns"
)

// wires is a network of hosts whose cables can be cut.
type wires struct {
	t *testing.T
	*netns.Net
}

// newWires makes hosts 1 to n. It needs root.
func newWires(t *testing.T, hosts int) *wires {
	t.Helper()
	n, err := netns.New(hosts)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(n.Close)
	return &wires{t, n}
}

func (w *wires) must(err error) {
	w.t.Helper()
	if err != nil {
		w.t.Fatal(err)
	}
}

// cut drops everything between a host and all others.
func (w *wires) cut(i int) { w.t.Helper(); w.must(w.Cut(0, i)); w.must(w.Cut(i, 0)) }

// lose drops a percentage of what comes to a host.
func (w *wires) lose(i, percent int) { w.t.Helper(); w.must(w.Lose(i, percent)) }

// heal ends a cut.
func (w *wires) heal(i int) { w.t.Helper(); w.must(w.Heal(0, i)); w.must(w.Heal(i, 0)) }

// doorway forwards from this process's loopback to an address on a host's own loopback, and returns the address to connect to.
func (w *wires) doorway(i int, to string) (addr string) {
	w.t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		w.t.Fatal(err)
	}
	var wg sync.WaitGroup
	var mu sync.Mutex
	open := map[net.Conn]struct{}{}
	w.t.Cleanup(func() {
		_ = l.Close()
		mu.Lock()
		for c := range open {
			_ = c.Close()
		}
		mu.Unlock()
		wg.Wait()
	})
	pipe := func(from net.Conn) {
		defer from.Close()
		var onto net.Conn
		if w.Inside(i, func() (err error) { onto, err = net.Dial("tcp", to); return err }) != nil {
			return
		}
		defer onto.Close()
		mu.Lock()
		open[from], open[onto] = struct{}{}, struct{}{}
		mu.Unlock()
		wg.Go(func() { _, _ = io.Copy(onto, from); _ = onto.Close() })
		_, _ = io.Copy(from, onto)
	}
	wg.Go(func() {
		for {
			c, err := l.Accept()
			if err != nil {
				return
			}
			wg.Go(func() { pipe(c) })
		}
	})
	return l.Addr().String()
}

// newWiredTeam is a team with a host for each node.
func newWiredTeam(t *testing.T, nodes int) (*e2e.Team, *wires) {
	t.Helper()
	w := newWires(t, nodes)
	c := e2e.NewTeam(t, 0, e2e.DefaultTimeouts...)
	for i := range nodes {
		n := c.Add()
		host := i + 1
		n.Args = append(n.Args, "--listen", "127.0.0.1:7777", "--admin-listen", "127.0.0.1:7778",
			"--peer-listen", netns.Addr(host)+":7779", "--gossip-listen", netns.Addr(host)+":7946")
		n.JoinAddrs = netns.Addr(1) + "," + netns.Addr(2)
		n.Enter = func() error { return w.Enter(host) }
		n.ProxyURL, n.ProxyAdminAt = "http://"+w.doorway(host, "127.0.0.1:7777"), "http://"+w.doorway(host, "127.0.0.1:7778")
	}
	return c, w
}
