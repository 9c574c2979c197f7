package members_test

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/clustertest"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// secret makes a key of 32 bytes.
func secret(b byte) []byte { return bytes.Repeat([]byte{b}, 32) }

// options are a node's at a free port of loopback.
func options(name string, join ...string) members.Options {
	return members.Options{
		Self:   members.Member{Name: name, Boot: record.BootID("01BOOT-" + name), Weight: 1, Zone: "z-" + name, Link: name + ":7779", Least: 1, Latest: 2, Games: 77},
		Bind:   "127.0.0.1:0",
		Join:   join,
		Label:  "test",
		Rejoin: 200 * time.Millisecond,
	}
}

func open(t *testing.T, o members.Options) *members.Members {
	t.Helper()
	m, err := members.Open(o)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := m.Close(); err != nil {
			t.Error(err)
		}
	})
	return m
}

func sees(m *members.Members, names ...string) bool {
	var got []string
	for _, n := range m.All() {
		got = append(got, n.Name)
	}
	return slices.Equal(got, names)
}

// three are nodes a, b and c that see each other and are active.
func three(t *testing.T, change func(i int, o *members.Options)) []*members.Members {
	t.Helper()
	var all []*members.Members
	for i, name := range []string{"a", "b", "c"} {
		o := options(name)
		if i > 0 {
			o.Join = []string{all[0].Self().Gossip}
		}
		if change != nil {
			change(i, &o)
		}
		m := open(t, o)
		if others, err := m.Join(t.Context()); i > 0 && (others != 1 || err != nil) {
			t.Fatalf("join: %d others, %v", others, err)
		}
		m.SetState(members.Active)
		all = append(all, m)
	}
	testwait.Until(t, "three active nodes everywhere", func() bool { return agree(all, 3) })
	return all
}

// agree says whether all see one ring of so many nodes.
func agree(all []*members.Members, n int) bool {
	for _, m := range all {
		r := m.Ring()
		if len(r.Nodes()) != n || !slices.Equal(r.Nodes(), all[0].Ring().Nodes()) || !slices.Equal(r.Arcs(), all[0].Ring().Arcs()) {
			return false
		}
	}
	return true
}

func TestThreeNodesFindEachOther(t *testing.T) {
	all := three(t, func(i int, o *members.Options) { o.Secrets = [][]byte{secret(1)} })
	for _, m := range all {
		if !sees(m, "a", "b", "c") {
			t.Errorf("%s sees %+v", m.Self().Name, m.All())
		}
		b, ok := m.Get("b")
		want := all[1].Self()
		if !ok || b != want {
			t.Errorf("%s has %+v, want %+v", m.Self().Name, b, want)
		}
	}
	if _, ok := all[0].Get("nobody"); ok {
		t.Error("nobody is there")
	}
	if s := all[1].Stats(); s.Members != 3 || s.Joined.IsZero() || s.JoinErr != "" || s.Strangers != 0 {
		t.Errorf("%+v", s)
	}
}

func TestStateAndLoadArrive(t *testing.T) {
	var mu sync.Mutex
	changes := 0
	all := three(t, func(i int, o *members.Options) {
		if i == 0 {
			o.Changed = func() { mu.Lock(); changes++; mu.Unlock() }
		}
	})
	for load := range 50 {
		all[1].SetLoad(float64(load))
	}
	testwait.Until(t, "a load of 49", func() bool { b, _ := all[0].Get("b"); return b.Load == 49 })
	testwait.Until(t, "changes told", func() bool { mu.Lock(); defer mu.Unlock(); return changes > 0 })
	before := all[0].Ring()
	all[1].SetState(members.Draining)
	if sees := all[1].Ring().Nodes(); len(sees) != 2 {
		t.Errorf("b is draining and has itself on its ring: %+v", sees)
	}
	testwait.Until(t, "b draining", func() bool { b, _ := all[0].Get("b"); return b.State == members.Draining })
	testwait.Until(t, "rings of two", func() bool { return agree(all, 2) })
	if len(before.Nodes()) != 3 {
		t.Error("a ring that was handed out has changed")
	}
}

func TestADeathIsNoticed(t *testing.T) {
	all := three(t, nil)
	if err := all[2].Close(); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "rings of two", func() bool { return agree(all[:2], 2) && sees(all[0], "a", "b") })
}

func TestALeaveIsNoticed(t *testing.T) {
	all := three(t, nil)
	if err := all[2].Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	if !sees(all[0], "a", "b") || !sees(all[1], "a", "b") {
		t.Error("Leave returned before the others had heard it")
	}
	if err := all[2].Close(); err != nil {
		t.Fatal(err)
	}
	if err := all[2].Leave(t.Context()); err != nil {
		t.Error("a second Leave: ", err)
	}
	if err := all[2].Close(); err != nil {
		t.Error("a second Close: ", err)
	}
}

func TestLeaveAfterCloseDoesNothing(t *testing.T) {
	m := open(t, options("a"))
	if err := m.Close(); err != nil {
		t.Fatal(err)
	}
	if err := m.Leave(t.Context()); err != nil {
		t.Error(err)
	}
	m.SetState(members.Active)
	m.SetLoad(3)
}

func TestTheNewerBootWins(t *testing.T) {
	heard := make(chan members.Member, 9)
	older := options("a")
	older.Self.Boot = "01A"
	older.Superseded = func(by members.Member) { heard <- by }
	old := open(t, older)
	witness := open(t, options("w", old.Self().Gossip))
	if _, err := witness.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	newer := options("a", witness.Self().Gossip)
	newer.Self.Boot = "01B"
	newer.Superseded = func(members.Member) { t.Error("the newer boot was told to stop") }
	now := open(t, newer)
	if _, err := now.Join(t.Context()); err != nil {
		t.Fatal(err)
	}
	select {
	case by := <-heard:
		if by.Boot != "01B" {
			t.Errorf("superseded by %+v", by)
		}
	case <-time.After(60 * time.Second):
		t.Fatal("the older boot was not told")
	}
	for _, m := range []*members.Members{old, witness, now} {
		testwait.Until(t, "boot 01B at all", func() bool { a, _ := m.Get("a"); return a.Boot == "01B" && sees(m, "a", "w") })
	}
	if err := now.Leave(t.Context()); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "the older boot again", func() bool { a, _ := witness.Get("a"); return a.Boot == "01A" })
	if len(heard) != 0 {
		t.Error("Superseded was called twice")
	}
}

func TestStrangersAreRefused(t *testing.T) {
	for name, test := range map[string]struct {
		label         string
		host, guest   [][]byte
		said, because string
	}{
		"label":            {"other", [][]byte{secret(1)}, [][]byte{secret(1)}, "its cluster label is another", `another label than \"other\"`},
		"secret":           {"test", [][]byte{secret(1)}, [][]byte{secret(2)}, "its cluster secret is another", "its cluster secret is another"},
		"guest has none":   {"test", [][]byte{secret(1)}, nil, "it has no cluster secret and this node has one", "it has a cluster secret and this node has none"},
		"host has none":    {"test", nil, [][]byte{secret(1)}, "it has a cluster secret and this node has none", "it has no cluster secret and this node has one"},
		"label, no secret": {"other", nil, nil, "its cluster label is another", `another label than \"other\"`},
	} {
		t.Run(name, func(t *testing.T) {
			var log testwait.Log
			ho := options("host")
			ho.Secrets, ho.Log = test.host, slog.New(slog.NewTextHandler(&log, nil))
			host := open(t, ho)
			g := options("guest", host.Self().Gossip)
			g.Label, g.Secrets = test.label, test.guest
			guest := open(t, g)
			others, err := guest.Join(t.Context())
			if others != 0 || err == nil || !strings.Contains(fmt.Sprintf("%q", err), test.because) {
				t.Errorf("%d others, %v; want %s", others, err, test.because)
			}
			testwait.Until(t, "three tries refused", func() bool { return host.Stats().Strangers >= 3 })
			if s := guest.Stats(); s.JoinErr == "" || !s.Joined.IsZero() {
				t.Errorf("%+v", s)
			}
			if !sees(host, "host") || !sees(guest, "guest") {
				t.Error("they see each other")
			}
			if text := log.String(); strings.Count(text, test.said) != 1 || !strings.Contains(text, "from=127.0.0.1:") {
				t.Errorf("the log says\n%swant once %q", text, test.said)
			}
		})
	}
}

// A probe of the port is not a stranger.
func TestAProbeOfThePortIsNoAlarm(t *testing.T) {
	var log testwait.Log
	o := options("host")
	o.Log = slog.New(slog.NewTextHandler(&log, &slog.HandlerOptions{Level: slog.LevelDebug}))
	host := open(t, o)
	conn, err := net.Dial("tcp", host.Self().Gossip)
	if err != nil {
		t.Fatal(err)
	}
	_ = conn.Close()
	testwait.Until(t, "it is in the log", func() bool { return strings.Contains(log.String(), "unacceptable label") })
	if text := log.String(); host.Stats().Strangers != 0 || strings.Contains(text, "level=WARN") {
		t.Errorf("%d strangers:\n%s", host.Stats().Strangers, text)
	}
}

// Strangers who never prove that they have the secret hold few streams, and none of them may say much.
func TestStrangersHoldLittle(t *testing.T) {
	var log testwait.Log
	ho := options("host")
	ho.Secrets, ho.Log = [][]byte{secret(1)}, slog.New(slog.NewTextHandler(&log, nil))
	ho.MaxStreams, ho.MaxStreamsPerAddress, ho.StreamBytes = 8, 4, 64<<10
	host := open(t, ho)
	dial := func() net.Conn { // nil: it is turned away at once
		conn, err := net.Dial("tcp", host.Self().Gossip)
		if errors.Is(err, syscall.ECONNRESET) {
			return nil
		}
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { _ = conn.Close() })
		return conn
	}
	var closed atomic.Int64
	for range 60 {
		conn := dial()
		if conn == nil {
			closed.Add(1)
			continue
		}
		go func() { // it says nothing, and waits until it is turned away
			_ = conn.SetReadDeadline(time.Now().Add(time.Second)) // gossip gives up on who is silent after 3
			if _, err := conn.Read(make([]byte, 1)); !errors.Is(err, os.ErrDeadlineExceeded) {
				closed.Add(1)
			}
		}()
	}
	testwait.Until(t, "all but four are turned away", func() bool { return closed.Load() == 56 })
	if text := log.String(); strings.Count(text, "streams of gossip are turned away") != 1 {
		t.Errorf("the log says\n%s", text)
	}

	var conn net.Conn
	testwait.Until(t, "there is room again", func() bool {
		if conn = dial(); conn == nil {
			return false
		}
		_ = conn.SetReadDeadline(time.Now().Add(50 * time.Millisecond))
		_, err := conn.Read(make([]byte, 1))
		return errors.Is(err, os.ErrDeadlineExceeded)
	})
	header := append([]byte{244, byte(len(ho.Label))}, ho.Label...) // memberlist's label
	header = append(header, 10, 0x01, 0x30, 0, 0)                   // what follows is encrypted, 19 MiB of it
	_ = conn.SetDeadline(time.Now().Add(30 * time.Second))
	for piece := range slices.Chunk(header, 5) { // nothing is waited for that is announced and too much
		if _, err := conn.Write(piece); err != nil {
			t.Fatal(err)
		}
		time.Sleep(10 * time.Millisecond)
	}
	if _, err := io.Copy(io.Discard, conn); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("a stranger who announces 19 MiB is waited for")
	}
	testwait.Until(t, "who comes again and again is turned away before anything is read", func() bool {
		if conn := dial(); conn != nil {
			_ = conn.Close()
			return false
		}
		return true
	})

	o := options("guest", host.Self().Gossip)
	o.Secrets = ho.Secrets
	guest := open(t, o)
	testwait.Until(t, "a node joins all the same", func() bool { _, _ = guest.Join(t.Context()); return sees(host, "guest", "host") })
}

func TestSecretsRotateUnderWay(t *testing.T) {
	old, young := secret(1), secret(2)
	fewer := false
	all := three(t, func(i int, o *members.Options) { o.Secrets = [][]byte{old} })
	rotate := func(secrets ...[]byte) {
		t.Helper()
		for i, m := range all {
			if err := m.Rotate(secrets); err != nil {
				t.Fatal(err)
			}
			m.SetState(members.State(1 + (int(m.Self().State)+i)%3))
			fewer = fewer || len(all[0].All()) != 3
		}
		for _, m := range all {
			m.SetState(members.Active)
		}
		// What was sent before has arrived when all have heard what was said after it.
		testwait.Until(t, "all agree", func() bool { return agree(all, 3) })
	}
	rotate(old, young)
	rotate(young, old)
	rotate(young)
	for _, m := range all {
		if n := m.Stats().Strangers; n != 0 || fewer {
			t.Errorf("%s refused %d packets of friends; lost one: %v", m.Self().Name, n, fewer)
		}
	}
	o := options("late", all[0].Self().Gossip)
	o.Secrets = [][]byte{old}
	if others, err := open(t, o).Join(t.Context()); others != 0 || err == nil {
		t.Error("the old secret still opens the door")
	}
	if err := all[0].Rotate(nil); err == nil {
		t.Error("no secret is a secret")
	}
	if err := all[0].Rotate([][]byte{young, []byte("short")}); err == nil {
		t.Error("5 bytes are a secret")
	}
	if err := open(t, options("plain")).Rotate([][]byte{young}); err == nil {
		t.Error("gossip without a secret became secret")
	}
}

func TestAPartitionHeals(t *testing.T) {
	network := clustertest.NewNetwork(clock.System())
	all := three(t, func(i int, o *members.Options) { o.Transport = network.Transport() })
	network.Split(all[0].Self().Gossip)
	testwait.Until(t, "a alone", func() bool { return sees(all[0], "a") && agree(all[:1], 1) })
	testwait.Until(t, "b and c alone", func() bool { return sees(all[1], "b", "c") && agree(all[1:], 2) })
	all[1].SetState(members.Draining) // told to nobody on the other side
	network.Heal()
	testwait.Until(t, "one ring again", func() bool { return agree(all, 2) && sees(all[0], "a", "b", "c") && sees(all[2], "a", "b", "c") })
}

func TestOneDirectionCutLosesNobody(t *testing.T) {
	network := clustertest.NewNetwork(clock.System())
	all := three(t, func(i int, o *members.Options) { o.Transport = network.Transport() })
	network.Cut(all[0].Self().Gossip, all[1].Self().Gossip)
	all[0].SetState(members.Draining)
	testwait.Until(t, "b hears of a by way of c", func() bool { a, _ := all[1].Get("a"); return a.State == members.Draining })
	network.Heal()
	testwait.Until(t, "all", func() bool { return sees(all[1], "a", "b", "c") && sees(all[0], "a", "b", "c") })
}

func TestJoinOfOnlyOneselfIsNoSuccess(t *testing.T) {
	port := "0"
	first := open(t, options("a"))
	_, port, _ = strings.Cut(first.Self().Gossip, ":")
	if err := first.Close(); err != nil {
		t.Fatal(err)
	}
	for _, bind := range []string{"127.0.0.1:", "0.0.0.0:"} {
		o := options("a", "127.0.0.1:"+port, "dns+localhost:"+port)
		o.Bind, o.Advertise = bind+port, "127.0.0.1"
		m := open(t, o)
		if others, err := m.Join(t.Context()); others != 0 || err == nil {
			t.Errorf("%s: %d others, %v", bind, others, err)
		}
		if m.Stats().JoinErr == "" {
			t.Error("no reason is given")
		}
		if err := m.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func TestJoinByNameAndInTheBackground(t *testing.T) {
	b := open(t, options("b"))
	_, port, _ := strings.Cut(b.Self().Gossip, ":")
	a := open(t, options("a", "dns+localhost:"+port, "no-such-host.invalid:1"))
	testwait.Until(t, "a sees b without having been told to join", func() bool { return sees(a, "a", "b") && sees(b, "a", "b") })
	if others, err := a.Join(t.Context()); others != 1 || err != nil {
		t.Errorf("%d others, %v", others, err)
	}
	if others, err := b.Join(t.Context()); others != 0 || err != nil {
		t.Errorf("nothing to join: %d others, %v", others, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if others, err := a.Join(ctx); others != 0 || err == nil {
		t.Errorf("ended: %d others, %v", others, err)
	}
}

func TestOpenSaysWhatToChange(t *testing.T) {
	taken := open(t, options("a"))
	for want, change := range map[string]func(*members.Options){
		"address already in use": func(o *members.Options) { o.Bind = taken.Self().Gossip },
		"missing port":           func(o *members.Options) { o.Bind = "127.0.0.1" },
		"up to 65535":            func(o *members.Options) { o.Bind = "127.0.0.1:x" },
		"advertised address":     func(o *members.Options) { o.Advertise = "no-such-host.invalid" },
		"give --advertise":       func(o *members.Options) { o.Bind = "[::]:0" },
		"must have 32":           func(o *members.Options) { o.Secrets = [][]byte{[]byte("short")} },
		"a name and a boot":      func(o *members.Options) { o.Self.Name = "" },
		"contains ~":             func(o *members.Options) { o.Self.Boot = "a~b" },
		"give at most":           func(o *members.Options) { o.Self.Link = strings.Repeat("x", 120) },
		"the cluster label":      func(o *members.Options) { o.Label = strings.Repeat("x", 256) },
	} {
		o := options("x")
		change(&o)
		if m, err := members.Open(o); err == nil {
			t.Errorf("no error; want %q", want)
			_ = m.Close()
		} else if !strings.Contains(err.Error(), want) {
			t.Errorf("%v; want %q", err, want)
		}
	}
}

func TestGoroutinesEnd(t *testing.T) {
	before := runtime.NumGoroutine()
	t.Run("cluster", func(t *testing.T) {
		all := three(t, nil)
		all[0].SetLoad(1)
		if err := all[1].Leave(t.Context()); err != nil {
			t.Error(err)
		}
	})
	testwait.Until(t, "as many goroutines as before", func() bool { return runtime.NumGoroutine() <= before })
}
