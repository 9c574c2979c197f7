package cluster_test

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

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/web/client"
)

// Environment variables of TestChaos: how long each run lasts, and the seed of its faults and games. A failed run logs its seed.
const (
	chaosTime = "ROOMRING_CHAOS"
	chaosSeed = "ROOMRING_CHAOS_SEED"
)

// TestChaos plays games of every kind on three nodes that stop, die, freeze and come back at random. The players' sockets break, and the
// players come back to any node. Afterwards every acknowledged act has taken effect once, every finished game is in the store with its
// right result, and the nodes are as healthy as before.
func TestChaos(t *testing.T) {
	t.Parallel()
	if !testing.Short() { // the cheaper form has the store that most clusters have
		t.Run("sqlite", func(t *testing.T) { t.Parallel(); runChaos(e2e.NewTeam(t, 3, chaosArgs...), nil) })
	}
	t.Run("postgres", func(t *testing.T) {
		t.Parallel()
		pg := pgtest.New(t) // it is stopped and killed too
		runChaos(e2e.NewTeamOn(t, pg.URL(t), 3, chaosArgs...), pg)
	})
}

var chaosArgs = append(e2e.DefaultTimeouts, "--drain-timeout", "10s")

// chaos is a team with its faults and its players.
type chaos struct {
	*e2e.Team
	seed  uint64
	began time.Time
	front *e2e.Server     // leads to any node
	ctx   context.Context // a ceiling for everything
	calm  chan struct{}   // closed when nothing breaks any more

	mu      sync.Mutex
	clients []*client.Client
	played  map[string]int // number of games played to their ends, by kind
}

func runChaos(c *e2e.Team, pg *pgtest.Server) {
	t := c.T
	c.Start()
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
	x := &chaos{Team: c, seed: rand.Uint64(), began: time.Now(), calm: make(chan struct{}), played: map[string]int{}}
	if text, ok := os.LookupEnv(chaosSeed); ok {
		var err error
		if x.seed, err = strconv.ParseUint(text, 10, 64); err != nil {
			t.Fatal(err)
		}
	}
	t.Logf("run this again with %s=%d %s=%v", chaosSeed, x.seed, chaosTime, length)
	x.front = &e2e.Server{T: t, Log: &e2e.LogBuffer{}, Ready: e2e.Ready{URL: "http://any.invalid", AdminAt: "http://any.invalid"}, Transport: newAnyNode(c)}
	ctx, cancel := context.WithTimeout(t.Context(), length+3*time.Minute)
	defer cancel()
	x.ctx = ctx
	before := make([]float64, len(c.Nodes))
	for i, n := range c.Nodes {
		before[i] = n.Metric("go_goroutines")
	}

	var players, faults sync.WaitGroup
	x.play(&players)
	stop := time.AfterFunc(length, func() { close(x.calm) })
	defer stop.Stop()
	for i, n := range c.Nodes {
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
	c.WaitWhole(len(c.Nodes))
	x.note("all nodes are there again")
	players.Wait()
	t.Logf("played to the end: %v", x.played)
	x.leaveNothing(before)
	for _, n := range c.Nodes {
		complainsOfNothing(n, "not every room could be given away") // a frozen node may hold the lock of a SQLite file
	}
}

// rand returns a random source for one part, so that the parts do not influence each other.
func (x *chaos) rand(part uint64) *rand.Rand { return rand.New(rand.NewPCG(x.seed, part)) }

func (x *chaos) note(format string, args ...any) {
	x.T.Logf("%7.3fs %s", time.Since(x.began).Seconds(), fmt.Sprintf(format, args...))
}

// quiet waits for a while and reports whether it is calm now.
func (x *chaos) quiet(wait time.Duration) bool {
	select {
	case <-x.calm:
		return true
	case <-time.After(wait):
		return false
	}
}

// torment breaks a node in one way after another. The node is running when it returns.
func (x *chaos) torment(n *e2e.Server, rng *rand.Rand) {
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
			n.Signal(syscall.SIGTERM)
			time.Sleep(wait)
			n.Kill()
		case 4:
			x.note("%s: SIGKILL", n.Node)
			n.Kill()
		case 5:
			x.note("%s: SIGTERM, and another at once", n.Node)
			n.Signal(syscall.SIGTERM)
			n.Signal(syscall.SIGTERM)
			err = ends(n)
		case 6:
			x.freeze(n, between(rng, 100*time.Millisecond, 8*time.Second))
			continue
		}
		if err == nil {
			time.Sleep(between(rng, 0, 500*time.Millisecond))
			err = x.rise(n, rng)
		}
		if err != nil {
			x.T.Errorf("%s: %v", n.Node, err)
			return
		}
	}
}

func between(rng *rand.Rand, least, most time.Duration) time.Duration {
	return least + time.Duration(rng.Int64N(int64(most-least)))
}

// term stops a node by SIGTERM, and freezes it for a while as it gives its rooms away.
func (x *chaos) term(n *e2e.Server, frozen time.Duration) error {
	x.note("%s: SIGTERM", n.Node)
	n.Signal(syscall.SIGTERM)
	if frozen > 0 {
		time.Sleep(20 * time.Millisecond)
		x.freeze(n, frozen)
	}
	if err := ends(n); err != nil {
		return err
	}
	if code := n.Cmd.ProcessState.ExitCode(); code != 0 {
		return fmt.Errorf("SIGTERM ended it with %v", n.Cmd.ProcessState)
	}
	x.note("%s: gone", n.Node)
	return nil
}

func (x *chaos) freeze(n *e2e.Server, wait time.Duration) {
	x.note("%s: SIGSTOP for %v", n.Node, wait.Round(time.Millisecond))
	n.Signal(syscall.SIGSTOP)
	time.Sleep(wait)
	n.Signal(syscall.SIGCONT)
}

// rise starts a node. Sometimes that takes a second try.
func (x *chaos) rise(n *e2e.Server, rng *rand.Rand) error {
	for rng.IntN(4) == 0 {
		signal := []syscall.Signal{syscall.SIGTERM, syscall.SIGKILL}[rng.IntN(2)]
		wait := between(rng, 0, 800*time.Millisecond)
		n.Spawn()
		time.Sleep(wait)
		n.Signal(signal)
		x.note("%s: %v %v after its start", n.Node, signal, wait.Round(time.Millisecond))
		if err := ends(n); err != nil {
			return err
		}
	}
	for {
		n.Spawn()
		if isBack(n) {
			x.note("%s: back", n.Node)
			return nil
		}
		// PostgreSQL may be away, and a frozen process may hold the lock of the SQLite file. A process supervisor would try again.
		last := lastLine(n.Log.String())
		if x.ctx.Err() != nil || !strings.Contains(last, "the store") && !strings.Contains(last, "frozen (SIGSTOP)") {
			return fmt.Errorf("it does not start: %s", last)
		}
		x.note("%s: %s", n.Node, last)
	}
}

// isBack waits until the process is ready, or has ended.
func isBack(s *e2e.Server) bool {
	for end := time.Now().Add(e2e.StartCeiling); time.Now().Before(end) && s.IsRunning(); time.Sleep(5 * time.Millisecond) {
		if s.ReadReadyFile() {
			return true
		}
	}
	return false
}

// ends waits until the process ends.
func ends(s *e2e.Server) error {
	select {
	case <-s.Ended:
		return nil
	case <-time.After(e2e.StartCeiling):
		return errors.New("it does not end")
	}
}

// shake stops and kills PostgreSQL. PostgreSQL is up when it returns.
func (x *chaos) shake(pg *pgtest.Server, rng *rand.Rand) {
	for !x.quiet(between(rng, time.Second, 6*time.Second)) {
		away := between(rng, 0, 3*time.Second)
		if rng.IntN(2) == 0 {
			pg.Stop(x.T)
		} else {
			pg.Kill(x.T)
		}
		x.note("the store is away for %v", away.Round(time.Millisecond))
		time.Sleep(away)
		pg.Start(x.T)
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

// leaveNothing waits until the nodes run no more goroutines than before the games.
func (x *chaos) leaveNothing(before []float64) {
	x.T.Helper()
	for _, c := range x.clients {
		c.Close()
	}
	const slack = 15 // for links, pools and idle connections
	for i, n := range x.Nodes {
		var now, rooms float64
		n.Until(x.ctx, fmt.Sprintf("%s runs no more goroutines than before", n.Node), func() bool {
			now, rooms = n.Metric("go_goroutines"), n.Metric("roomring_rooms")
			return now-rooms <= before[i]+slack
		})
		x.T.Logf("%s: %v goroutines before, now %v with %v rooms", n.Node, before[i], now, rooms)
		if rss := n.Metric("process_resident_memory_bytes"); rss > 512<<20 {
			x.T.Errorf("%s has %v MiB of memory", n.Node, rss/(1<<20))
		}
	}
}

// complainsOfNothing checks that a process's log has no line that must never be there. Lines with one of the words are allowed.
func complainsOfNothing(s *e2e.Server, but ...string) {
	s.T.Helper()
	for line := range strings.Lines(s.Log.String()) {
		if slices.ContainsFunc(but, func(words string) bool { return strings.Contains(line, words) }) {
			continue
		}
		for _, word := range []string{"level=ERROR", "panic", "DATA RACE", "fatal error", "goroutine "} {
			if strings.Contains(line, word) {
				s.T.Errorf("%s says: %s", s.Node, line)
			}
		}
	}
}

// anyNode sends each request to a random node, and to another if that node is away or is stopping.
type anyNode struct {
	c   *e2e.Team
	way http.RoundTripper
}

func newAnyNode(c *e2e.Team) anyNode {
	way := http.DefaultTransport.(*http.Transport).Clone()
	way.ResponseHeaderTimeout = 2 * time.Second // a frozen node accepts connections and does not answer
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
	order := rand.Perm(len(a.c.Nodes))
	for i, at := range order {
		try := r.Clone(r.Context())
		if strings.HasPrefix(r.URL.Path, "/admin/") {
			try.URL.Host = adminListen(a.c.Nodes[at])
			try.Host = try.URL.Host // the admin API accepts no other host name
		} else {
			try.URL.Host, try.Host = listen(a.c.Nodes[at]), r.URL.Host
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

// listen returns the address at which players reach the node. It stays the same when the node restarts.
func listen(s *e2e.Server) string { return s.Args[1] }

// adminListen returns the address of the node's admin API.
func adminListen(s *e2e.Server) string { return s.Args[3] }
