package e2e

import (
	"context"
	"errors"
	"fmt"
	"io"
	"math/rand/v2"
	"net/http"
	"os"
	"slices"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/web/client"
)

// Variables of TestChaos: how long each run lasts, and the seed of its faults and games, which a failed run logs.
const (
	chaosTime = "ROOMRING_CHAOS"
	chaosSeed = "ROOMRING_CHAOS_SEED"
)

// TestChaos plays games of every kind on three nodes that stop, die, freeze and come back at random, for players whose
// sockets break and who come back to any node. Afterwards every acknowledged act has had its effect once, every finished
// game is in the store with its right result, and the nodes are as well as they were before.
func TestChaos(t *testing.T) {
	t.Parallel()
	t.Run("sqlite", func(t *testing.T) { t.Parallel(); newTeam(t, 3, chaosArgs...).chaos(nil) })
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		pg := pgtest.New(t) // it is no steadier than the nodes
		newTeamOn(t, pg.URL(t), 3, chaosArgs...).chaos(pg)
	})
}

var chaosArgs = append(asShipped, "--drain-timeout", "10s")

// chaos is a team under faults and play.
type chaos struct {
	*team
	seed  uint64
	began time.Time
	front *server         // leads to any node
	ctx   context.Context // a ceiling for everything
	calm  chan struct{}   // closed when nothing breaks any more

	mu      sync.Mutex
	clients []*client.Client
	played  map[string]int // games to their ends, by kind
}

func (c *team) chaos(pg *pgtest.Server) {
	t := c.t
	c.start()
	length := 8 * time.Second
	if testing.Short() {
		length = 4 * time.Second
	}
	if text, ok := os.LookupEnv(chaosTime); ok {
		var err error
		if length, err = time.ParseDuration(text); err != nil {
			t.Fatal(err)
		}
	}
	x := &chaos{team: c, seed: rand.Uint64(), began: time.Now(), calm: make(chan struct{}), played: map[string]int{}}
	if text, ok := os.LookupEnv(chaosSeed); ok {
		var err error
		if x.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("run this again with %s=%d %s=%v", chaosSeed, x.seed, chaosTime, length)
	x.front = &server{t: t, log: &logBuffer{}, ready: ready{URL: "http://any.invalid", AdminAt: "http://any.invalid"}, by: newAnyNode(c)}
	ctx, cancel := context.WithTimeout(t.Context(), length+3*time.Minute)
	defer cancel()
	x.ctx = ctx
	before := make([]float64, len(c.nodes))
	for i, n := range c.nodes {
		before[i] = n.metric("go_goroutines")
	}

	var players, faults sync.WaitGroup
	x.play(&players)
	stop := time.AfterFunc(length, func() { close(x.calm) })
	defer stop.Stop()
	for i, n := range c.nodes {
		faults.Go(func() { x.torment(n, x.rand(uint64(i))) })
	}
	faults.Go(func() { x.cut(x.rand(99)) })
	if pg != nil {
		faults.Go(func() { x.shake(pg, x.rand(98)) })
	}
	faults.Wait()
	if t.Failed() {
		return
	}
	c.whole(len(c.nodes))
	x.note("all nodes are there again")
	players.Wait()
	t.Logf("played to the end: %v", x.played)
	x.leaveNothing(before)
	for _, n := range c.nodes {
		n.complainsOfNothing("not every room could be given away") // a frozen node may hold the lock of a SQLite file
	}
}

// rand is a source of its own for each part, so that parts do not change each other's course.
func (x *chaos) rand(part uint64) *rand.Rand { return rand.New(rand.NewPCG(x.seed, part)) }

func (x *chaos) note(format string, args ...any) {
	x.t.Logf("%7.3fs %s", time.Since(x.began).Seconds(), fmt.Sprintf(format, args...))
}

// quiet waits for a while, and reports whether it is calm now.
func (x *chaos) quiet(wait time.Duration) bool {
	select {
	case <-x.calm:
		return true
	case <-time.After(wait):
		return false
	}
}

// torment does one thing after another to a node, which runs when it returns.
func (x *chaos) torment(n *server, rng *rand.Rand) {
	for !x.quiet(between(rng, 200*time.Millisecond, 3*time.Second)) {
		var err error
		switch rng.IntN(7) {
		case 0, 1:
			err = x.term(n, 0)
		case 2:
			err = x.term(n, between(rng, 50*time.Millisecond, 4*time.Second))
		case 3:
			wait := between(rng, 0, 600*time.Millisecond)
			x.note("%s: SIGTERM, SIGKILL after %v", n.Node, wait)
			n.signal(syscall.SIGTERM)
			time.Sleep(wait)
			n.kill()
		case 4:
			x.note("%s: SIGKILL", n.Node)
			n.kill()
		case 5:
			x.note("%s: SIGTERM, and another at once", n.Node)
			n.signal(syscall.SIGTERM)
			n.signal(syscall.SIGTERM)
			err = n.ends()
		case 6:
			x.freeze(n, between(rng, 100*time.Millisecond, 8*time.Second))
			continue
		}
		if err == nil {
			time.Sleep(between(rng, 0, 500*time.Millisecond))
			err = x.rise(n, rng)
		}
		if err != nil {
			x.t.Errorf("%s: %v", n.Node, err)
			return
		}
	}
}

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// term stops a node politely, and freezes it for a while while it gives its rooms away.
func (x *chaos) term(n *server, frozen time.Duration) error {
	x.note("%s: SIGTERM", n.Node)
	n.signal(syscall.SIGTERM)
	if frozen > 0 {
		time.Sleep(20 * time.Millisecond)
		x.freeze(n, frozen)
	}
	if err := n.ends(); err != nil {
		return err
	}
	if code := n.cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("SIGTERM ended it with %v", n.cmd.ProcessState)
	}
	x.note("%s: gone", n.Node)
	return nil
}

func (x *chaos) freeze(n *server, wait time.Duration) {
	x.note("%s: SIGSTOP for %v", n.Node, wait.Round(time.Millisecond))
	n.signal(syscall.SIGSTOP)
	time.Sleep(wait)
	n.signal(syscall.SIGCONT)
}

// rise starts a node, sometimes at the second try.
func (x *chaos) rise(n *server, rng *rand.Rand) error {
	for rng.IntN(4) == 0 {
		signal := []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[rng.IntN(2)]
		wait := between(rng, 0, 800*time.Millisecond)
		n.spawn()
		time.Sleep(wait)
		n.signal(signal)
		x.note("%s: %v %v after its start", n.Node, signal, wait.Round(time.Millisecond))
		if err := n.ends(); err != nil {
			return err
		}
	}
	for {
		n.spawn()
		if n.isBack() {
			x.note("%s: back", n.Node)
			return nil
		}
		// PostgreSQL may be away; a frozen process may hold the lock of the SQLite file. Whoever looks after processes tries again.
		last := lastLine(n.log.String())
		if x.ctx.Err() != nil || !strings.Contains(last, "the store") && !strings.Contains(last, "frozen (SIGSTOP)") {
			return fmt.Errorf("it does not start: %s", last)
		}
		x.note("%s: %s", n.Node, last)
	}
}

// isBack waits until the process is ready, or has ended.
func (s *server) isBack() bool {
	for end := time.Now().Add(startCeiling); time.Now().Before(end) && s.runs(); time.Sleep(5 * time.Millisecond) {
		if s.readIn() {
			return true
		}
	}
	return false
}

func (s *server) signal(sig syscall.Signal) { _ = s.cmd.Process.Signal(sig) } // an error: it has ended

// ends waits for the process to end.
func (s *server) ends() error {
	select {
	case <-s.ended:
		return nil
	case <-time.After(startCeiling):
		return errors.New("it does not end")
	}
}

// shake stops and kills PostgreSQL, which is up when it returns.
func (x *chaos) shake(pg *pgtest.Server, rng *rand.Rand) {
	for !x.quiet(between(rng, time.Second, 6*time.Second)) {
		away := between(rng, 0, 3*time.Second)
		if rng.IntN(2) == 0 {
			pg.Stop(x.t)
		} else {
			pg.Kill(x.t)
		}
		x.note("the store is away for %v", away.Round(time.Millisecond))
		time.Sleep(away)
		pg.Start(x.t)
	}
}

// cut breaks sockets.
func (x *chaos) cut(rng *rand.Rand) {
	for !x.quiet(between(rng, 10*time.Millisecond, 200*time.Millisecond)) {
		x.mu.Lock()
		var c *client.Client
		if n := len(x.clients); n > 0 {
			c = x.clients[rng.IntN(n)]
		}
		x.mu.Unlock()
		if c != nil {
			c.Drop()
		}
	}
}

// leaveNothing waits until the nodes run no more goroutines than before anybody played.
func (x *chaos) leaveNothing(before []float64) {
	x.t.Helper()
	for _, c := range x.clients {
		c.Close()
	}
	const slack = 15 // of links, pools and idle connections
	for i, n := range x.nodes {
		var now, rooms float64
		n.until(x.ctx, fmt.Sprintf("%s runs no more goroutines than before", n.Node), func() bool {
			now, rooms = n.metric("go_goroutines"), n.metric("roomring_rooms")
			return now-rooms <= before[i]+slack
		})
		x.t.Logf("%s: %v goroutines before, now %v with %v rooms", n.Node, before[i], now, rooms)
		if rss := n.metric("process_resident_memory_bytes"); rss > 512<<20 {
			x.t.Errorf("%s has %v MiB of memory", n.Node, rss/(1<<20))
		}
	}
}

// complainsOfNothing looks through a process's log for what may never be there; lines with one of these words may.
func (s *server) complainsOfNothing(but ...string) {
	s.t.Helper()
	for line := range strings.Lines(s.log.String()) {
		if slices.ContainsFunc(but, func(words string) bool { return strings.Contains(line, words) }) {
			continue
		}
		for _, word := range []string{"level=ERROR", "panic", "DATA RACE", "fatal error", "goroutine "} {
			if strings.Contains(line, word) {
				s.t.Errorf("%s says: %s", s.Node, line)
			}
		}
	}
}

// anyNode takes each request to a node drawn at random, and to another when that one is away or stops.
type anyNode struct {
	c   *team
	way http.RoundTripper
}

func newAnyNode(c *team) anyNode {
	way := http.DefaultTransport.(*http.Transport).Clone()
	way.ResponseHeaderTimeout = 2 * time.Second // a frozen node takes connections
	way.DisableKeepAlives = true
	return anyNode{c, way}
}

func (a anyNode) RoundTrip(r *http.Request) (*http.Response, error) {
	var body []byte
	if r.Body != nil {
		var err error
		if body, err = io.ReadAll(r.Body); err != nil {
			return nil, err
		}
	}
	order := rand.Perm(len(a.c.nodes))
	for i, at := range order {
		try := r.Clone(r.Context())
		if strings.HasPrefix(r.URL.Path, "/admin/") {
			try.URL.Host = a.c.nodes[at].adminListen()
			try.Host = try.URL.Host // the admin API answers to no other name
		} else {
			try.URL.Host, try.Host = a.c.nodes[at].listen(), r.URL.Host
		}
		if body != nil {
			try.Body = io.NopCloser(strings.NewReader(string(body)))
		}
		res, err := a.way.RoundTrip(try)
		last := i == len(order)-1
		switch {
		case err != nil && last:
			return nil, err
		case err != nil:
		case last || res.StatusCode != http.StatusServiceUnavailable:
			return res, nil
		default:
			_ = res.Body.Close()
		}
	}
	return nil, errors.New("no nodes")
}

// listen is the address that players reach the node at, over all its restarts.
func (s *server) listen() string { return s.args[1] }

// adminListen is the address of its admin API.
func (s *server) adminListen() string { return s.args[3] }
