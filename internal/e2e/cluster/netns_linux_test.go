package cluster_test

import (
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"golang.org/x/sys/unix"
)

// wires is a network of hosts: one network namespace per host, joined by a bridge in another namespace. The traffic between hosts can be
// cut and made lossy. The traffic within a host cannot.
type wires struct {
	t    *testing.T
	name string
}

var wiresMade atomic.Uint32

// newWires makes hosts 1 to n. It needs root.
func newWires(t *testing.T, hosts int) *wires {
	t.Helper()
	if os.Geteuid() != 0 {
		t.Fatal("this test makes network namespaces: run it as root")
	}
	w := &wires{t, fmt.Sprintf("rr%d-%d", os.Getpid(), wiresMade.Add(1))}
	w.ip("netns", "add", w.name)
	t.Cleanup(func() { w.ip("netns", "del", w.name) })
	w.ip("-n", w.name, "link", "add", "bridge", "type", "bridge")
	w.ip("-n", w.name, "link", "set", "bridge", "up")
	for i := range hosts {
		host, port := w.host(i+1), fmt.Sprintf("port%d", i+1)
		w.ip("netns", "add", host)
		t.Cleanup(func() { w.ip("netns", "del", host) })
		w.ip("-n", w.name, "link", "add", port, "type", "veth", "peer", "name", "eth0", "netns", host)
		w.ip("-n", w.name, "link", "set", port, "master", "bridge", "up")
		w.ip("-n", host, "addr", "add", w.addr(i+1)+"/24", "dev", "eth0")
		w.ip("-n", host, "link", "set", "eth0", "up")
		w.ip("-n", host, "link", "set", "lo", "up")
	}
	return w
}

func (w *wires) host(i int) string { return fmt.Sprintf("%s-%d", w.name, i) }

func (w *wires) addr(i int) string { return fmt.Sprintf("10.99.0.%d", i) }

func (w *wires) ip(args ...string) { w.t.Helper(); w.run("ip", args...) }

func (w *wires) run(name string, args ...string) {
	w.t.Helper()
	if out, err := exec.Command(name, args...).CombinedOutput(); err != nil {
		w.t.Fatalf("%s %s: %v: %s", name, strings.Join(args, " "), err, out)
	}
}

// rule adds nftables rules for everything that comes to a host from another host.
func (w *wires) rule(i int, rule string) {
	w.t.Helper()
	w.run("ip", "netns", "exec", w.host(i), "nft", "add table inet cut; add chain inet cut in { type filter hook input priority 0; }; "+
		"add rule inet cut in iifname eth0 "+rule)
}

// cut drops everything that comes to a host. What the host sends is of no use either, because no answer reaches it.
func (w *wires) cut(i int) { w.t.Helper(); w.rule(i, "drop") }

// lose drops a percentage of what comes to a host.
func (w *wires) lose(i, percent int) {
	w.t.Helper()
	w.rule(i, fmt.Sprintf("numgen random mod 100 < %d drop", percent))
}

// heal removes the rules of cut and lose.
func (w *wires) heal(i int) {
	w.t.Helper()
	w.run("ip", "netns", "exec", w.host(i), "nft", "delete", "table", "inet", "cut")
}

// enter puts the calling thread into a host's network, for good.
func (w *wires) enter(i int) error {
	fd, err := unix.Open(filepath.Join("/run/netns", w.host(i)), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	return unix.Setns(fd, unix.CLONE_NEWNET)
}

// inside runs f on a thread in a host's network. Sockets that f opens and processes that it starts stay there.
func (w *wires) inside(i int, f func() error) error {
	fd, err := unix.Open(filepath.Join("/run/netns", w.host(i)), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(fd)
	runtime.LockOSThread()
	own, err := unix.Open(fmt.Sprintf("/proc/self/task/%d/ns/net", unix.Gettid()), unix.O_RDONLY|unix.O_CLOEXEC, 0)
	if err != nil {
		return err
	}
	defer unix.Close(own)
	if err := unix.Setns(fd, unix.CLONE_NEWNET); err != nil {
		return err
	}
	err = f()
	if back := unix.Setns(own, unix.CLONE_NEWNET); back != nil {
		return back // the thread stays locked, and ends with its goroutine
	}
	runtime.UnlockOSThread()
	return err
}

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
		if w.inside(i, func() (err error) { onto, err = net.Dial("tcp", to); return err }) != nil {
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
			"--peer-listen", w.addr(host)+":7779", "--gossip-listen", w.addr(host)+":7946")
		n.JoinAddrs = w.addr(1) + "," + w.addr(2)
		n.Enter = func() error { return w.enter(host) }
		n.ProxyURL, n.ProxyAdminAt = "http://"+w.doorway(host, "127.0.0.1:7777"), "http://"+w.doorway(host, "127.0.0.1:7778")
	}
	return c, w
}
