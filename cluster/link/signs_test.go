package link_test

import (
	"bufio"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/record"
)

// signs records what a node is told of its peers.
type signs struct {
	silent, heard, gone chan link.Peer
}

func watching(o *link.Options) *signs {
	s := &signs{make(chan link.Peer, 64), make(chan link.Peer, 64), make(chan link.Peer, 64)}
	o.Silent = func(p link.Peer) { s.silent <- p }
	o.Heard = func(p link.Peer) { s.heard <- p }
	o.Gone = func(p link.Peer) { s.gone <- p }
	return s
}

// watcher starts a node and records what it is told.
func watcher(t testing.TB, name string, change ...func(*link.Options)) (n *node, s *signs) {
	t.Helper()
	return start(t, name, append(change, func(o *link.Options) { s = watching(o) })...), s
}

// none fails if a channel has something.
func none(t testing.TB, what string, in chan link.Peer) {
	t.Helper()
	if len(in) > 0 {
		t.Errorf("%s: %v", what, <-in)
	}
}

// TestMain runs this binary as a node of its own when a test has started it as one.
func TestMain(m *testing.M) {
	if name := os.Getenv("LINK_TEST_CHILD"); name != "" {
		runChild(name)
		return
	}
	os.Exit(m.Run())
}

// runChild is a node in a process of its own. It prints its address, then what it is told of its peers, then "pong" for
// each line "ping". Its other lines are the targets, as "name boot address". It ends with its input.
func runChild(name string) {
	o := options(name)
	o.Silence, _ = time.ParseDuration(os.Getenv("LINK_TEST_SILENCE"))
	tell := func(what string) func(link.Peer) { return func(p link.Peer) { fmt.Println(what, p.Node) } }
	o.Silent, o.Heard, o.Gone = tell("silent"), tell("heard"), tell("gone")
	n := new(node)
	n.leaders, n.followers = make(chan *leaderSide, 1<<10), make(chan *followerSide, 1<<10)
	n.replicating(&o)
	l, err := link.New(o)
	if err == nil {
		var ln net.Listener
		if ln, err = net.Listen("tcp", "127.0.0.1:0"); err == nil {
			l.Serve(ln)
			fmt.Println(ln.Addr())
		}
	}
	if err != nil {
		fmt.Println(err)
		return
	}
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		if words := strings.Fields(in.Text()); len(words) == 3 {
			l.Targets([]link.Target{{Peer: link.Peer{Node: words[0], Boot: boot(words[1])}, Addr: words[2]}})
		} else {
			fmt.Println("pong")
		}
	}
}

// child is a node in a process of its own.
type child struct {
	*node
	process *os.Process
	lines   chan string
	in      io.Writer
}

func startChild(t testing.TB, name string, silence time.Duration) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "LINK_TEST_CHILD="+name, "LINK_TEST_SILENCE="+silence.String())
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	c := &child{process: cmd.Process, lines: make(chan string, 1<<10), in: in}
	read := make(chan struct{})
	go func() {
		defer close(read)
		for s := bufio.NewScanner(out); s.Scan(); {
			c.lines <- s.Text()
		}
	}()
	t.Cleanup(func() {
		_ = cmd.Process.Kill()
		<-read
		_ = cmd.Wait()
	})
	c.node = &node{name: name, boot: boot(name + "-1"), addr: take(t, "the child's address", c.lines)}
	return c
}

func (c *child) targets(to *node) {
	_, _ = fmt.Fprintln(c.in, to.name, to.boot, to.addr)
}

func (c *child) signal(t testing.TB, s syscall.Signal) {
	t.Helper()
	if err := c.process.Signal(s); err != nil {
		t.Fatal(err)
	}
}

// linked waits until a and the child have both streams, in both directions if back.
func linked(t testing.TB, a *node, c *child, back bool) {
	t.Helper()
	a.Targets([]link.Target{c.target()})
	testwait.Until(t, "both streams stand", func() bool { st := a.state(c.name); return st.Up && st.Replication.Up })
	if back {
		c.targets(a)
		take(t, "the child's sessions", a.owners)
		take(t, "the child's replication", a.followers)
	}
}

// Silence and the kernel's own timeouts are so long here that only the kernel's word can tell in time: Gone comes within
// the test's ceiling, a minute, and silence would take an hour.
func TestKilledProcessIsGoneBeforeAnySilence(t *testing.T) {
	for name, back := range map[string]bool{"one direction": false, "both directions": true} {
		t.Run(name, func(t *testing.T) {
			a, told := watcher(t, "a", silence(time.Hour))
			for i := range 3 {
				c := startChild(t, fmt.Sprint("child", i), time.Hour)
				linked(t, a, c, back)
				none(t, "gone while it lives", told.gone)
				began := time.Now()
				c.signal(t, syscall.SIGKILL)
				if p := take(t, "that it is gone", told.gone); p != c.target().Peer {
					t.Errorf("gone is %v", p)
				}
				t.Logf("gone after %v", time.Since(began))
				if st := a.state(c.name); !st.Gone || st.Up || st.Replication.Up {
					t.Errorf("state %+v", st)
				}
			}
			none(t, "gone twice", told.gone)
			none(t, "silent", told.silent)
			none(t, "heard", told.heard)
		})
	}
}

// A stopped process is silent, and heard when it goes on. It is never gone: its kernel still accepts connections.
func TestStoppedProcessIsSilentUntilItGoesOn(t *testing.T) {
	a, told := watcher(t, "a", silence(2*time.Second))
	c := startChild(t, "child", 2*time.Second)
	linked(t, a, c, true)
	c.signal(t, syscall.SIGSTOP)
	for range 2 {
		if p := take(t, "that it is silent", told.silent); p != c.target().Peer {
			t.Errorf("silent is %v", p)
		}
		testwait.Until(t, "its streams have ended", func() bool { st := a.state("child"); return st.Silent && !st.Up && !st.Replication.Up })
		none(t, "heard while it stands", told.heard)
		c.signal(t, syscall.SIGCONT)
		take(t, "that it is heard", told.heard)
		testwait.Until(t, "its streams are back", func() bool { st := a.state("child"); return !st.Silent && st.Up && st.Replication.Up })
		none(t, "silent twice", told.silent)
		c.signal(t, syscall.SIGSTOP)
	}
	c.signal(t, syscall.SIGKILL)
	take(t, "that it is gone", told.gone)
	none(t, "gone twice", told.gone)
}

// A process that was stopped for longer than Silence does not call its peers silent when it goes on, although it has
// heard nothing of them: it was not there.
func TestStoppedProcessCallsNobodySilent(t *testing.T) {
	const quiet = time.Second
	a, told := watcher(t, "a", silence(quiet))
	c := startChild(t, "child", quiet)
	linked(t, a, c, true)
	for range 2 {
		c.signal(t, syscall.SIGSTOP)
		take(t, "that it is silent", told.silent)
		time.Sleep(quiet) // it is silent for long
		c.signal(t, syscall.SIGCONT)
		take(t, "that it is heard", told.heard)
		testwait.Until(t, "its streams are back", func() bool { st := a.state("child"); return st.Up && st.Replication.Up })
	}
	_, _ = fmt.Fprintln(c.in, "ping")
	if line := take(t, "an answer", c.lines); line != "pong" {
		t.Errorf("it said %q of its peer", line)
	}
}

type boot = record.BootID

// A process whose listener is closed lives: as long as one of its own streams to this node stands and speaks, it is not
// gone. When that ends too, it is.
func TestClosedListenerIsNotGone(t *testing.T) {
	a, told := watcher(t, "a")
	b := start(t, "b")
	p, _, _, leader, _ := all(t, a, b)
	b.Targets([]link.Target{a.target()})
	back, to := take(t, "b's edge", b.edges), take(t, "b's owner", a.owners)
	take(t, "b's leader", b.leaders)
	_ = p.Close()
	p.reset()
	take(t, "the leader's Down", leader.down)
	testwait.Until(t, "dials are refused", func() bool {
		st := a.state("b")
		return !st.Up && strings.Contains(st.Err, "refused") && strings.Contains(st.Replication.Err, "refused")
	})
	for range 3 {
		echo(t, back, to)
		none(t, "gone", told.gone)
	}
	if st := a.state("b"); st.Gone || st.Silent {
		t.Errorf("state %+v", st)
	}
	b.stop(t)
	take(t, "that it is gone", told.gone)
	none(t, "gone twice", told.gone)
	none(t, "silent", told.silent)
}

// A process that another of its node has taken the place of is gone, although somebody answers at its address.
func TestReplacedProcessIsGone(t *testing.T) {
	a, told := watcher(t, "a")
	b, next := start(t, "b"), start(t, "b", func(o *link.Options) { o.Self.Boot = "b-2" })
	p, _, _, _, _ := all(t, a, b)
	p.lead(next.addr)
	p.reset()
	if gone := take(t, "that it is gone", told.gone); gone != b.target().Peer {
		t.Errorf("gone is %v", gone)
	}
	by := next.target()
	by.Addr = p.Addr().String()
	a.Targets([]link.Target{by})
	testwait.Until(t, "the next one is linked", func() bool { return a.state("b").Up })
	none(t, "gone twice", told.gone)
	if st := a.state("b"); st.Gone || st.Silent {
		t.Errorf("state %+v", st)
	}
}

// A connection that is lost and made again says nothing of its process, however often.
func TestResetAloneIsNotGone(t *testing.T) {
	a, told := watcher(t, "a")
	b := start(t, "b")
	p, _, _, _, _ := all(t, a, b)
	for range 5 {
		p.reset()
		take(t, "a new edge", a.edges)
		take(t, "a new leader", a.leaders)
		testwait.Until(t, "both stand", func() bool { st := a.state("b"); return st.Up && st.Replication.Up })
	}
	none(t, "gone", told.gone)
	none(t, "silent", told.silent)
	none(t, "heard", told.heard)
}

// A target that never answers is silent, and heard with its first word.
func TestUnreachableTargetIsSilent(t *testing.T) {
	a, told := watcher(t, "a", silence(2*time.Second))
	b := start(t, "b", silence(2*time.Second))
	p := newProxy(t, b.addr)
	p.hole.Store(true)
	by := b.target()
	by.Addr = p.Addr().String()
	a.Targets([]link.Target{by})
	take(t, "that it is silent", told.silent)
	p.hole.Store(false)
	p.reset()
	take(t, "that it is heard", told.heard)
	none(t, "silent twice", told.silent)
	none(t, "gone", told.gone)
}

// Gossip may drop a process before it has been silent for long enough. When its connection breaks then, it is called silent at once, for
// nobody would look again.
func TestWhoIsNoTargetAnyMoreIsSilent(t *testing.T) {
	a, told := watcher(t, "a", silence(time.Hour))
	b := start(t, "b", silence(time.Hour))
	p := newProxy(t, b.addr)
	by := b.target()
	by.Addr = p.Addr().String()
	a.Targets([]link.Target{by})
	testwait.Until(t, "a is linked to b", func() bool { return a.state("b").Up })
	a.Targets([]link.Target{b.target()}) // another address of the same process
	testwait.Until(t, "a is linked to b again", func() bool { st := a.state("b"); return st.Up && st.Addr == b.addr })
	a.Targets([]link.Target{by})
	testwait.Until(t, "and over there again", func() bool { st := a.state("b"); return st.Up && st.Addr == by.Addr })
	a.Targets(nil)
	none(t, "silent while its connection stands, or moves", told.silent)
	p.reset()
	if who := take(t, "that it is silent", told.silent); who != b.target().Peer {
		t.Errorf("silent is %v", who)
	}
	none(t, "silent twice", told.silent)
	none(t, "gone", told.gone)
}

// One stream that speaks is enough to be heard.
func TestOneStreamIsEnoughToBeHeard(t *testing.T) {
	a, told := watcher(t, "a", silence(2*time.Second))
	b := start(t, "b", silence(2*time.Second))
	p, _, _, leader, _ := all(t, a, b)
	p.stop(ofReplication)
	if err := take(t, "the leader's Down", leader.down); !strings.Contains(err.Error(), "silent") {
		t.Errorf("down: %v", err)
	}
	none(t, "silent", told.silent)
	none(t, "gone", told.gone)
	if st := a.state("b"); !st.Up || st.Silent {
		t.Errorf("state %+v", st)
	}
}
