package torture

import (
	"bytes"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"time"

	"github.com/roomring/roomring/internal/child"
)

// cluster is the nodes that are tormented. They are child processes, or, where a running cluster was joined, other people's.
type cluster struct {
	o      *Options
	dir    string
	secret string // the path of the secret's file
	store  string // URL
	net    *network
	broken func(Violation) // called when a process ends unasked

	mu    sync.Mutex
	nodes []*server
}

// server is one node. Its process may end and start again; its name, addresses and folder stay.
type server struct {
	c                           *cluster
	name                        string
	listen, admin, peer, gossip string // addresses; listen and admin are all that is known of somebody else's node
	dir                         string
	log                         string // the path of its log
	host                        int    // in networks of the nodes' own; 0: there are none

	busy sync.Mutex // one fault of a node at a time

	mu      sync.Mutex
	process *child.Process // nil: it does not run, or is somebody else's
	asked   bool           // its end is wanted
}

// startCeiling bounds the wait for a node to start, or to stop, on a busy machine.
const startCeiling = 90 * time.Second

// generous are flags for nodes whose players all come from one address.
var generous = []string{
	"--requests-per-second", "0", "--refusals-per-second", "0", "--rooms-per-second", "0", "--guests-per-second", "0", "--codes-per-second", "0",
	"--lists-per-second", "0", "--unclaimed-seats", "0", "--room-share", "100", "--replays-per-second", "0", "--leaderboards-per-second", "0",
	"--max-sockets-per-address", "0", "--max-connections-per-address", "0", "--address-bytes-per-second", "0", "--admin-cert-file", "", "--admin-key-file", "",
}

// newCluster prepares a folder and nodes, and starts nothing.
func newCluster(o *Options, dir, store string, net *network, broken func(Violation)) (*cluster, error) {
	c := &cluster{o: o, dir: dir, store: store, net: net, broken: broken, secret: filepath.Join(dir, "secret")}
	if err := os.WriteFile(c.secret, []byte(rand.Text()+rand.Text()+"\n"), 0o600); err != nil {
		return nil, err
	}
	for range o.Nodes {
		if _, err := c.add(); err != nil {
			return nil, err
		}
	}
	return c, nil
}

// add prepares one more node.
func (c *cluster) add() (*server, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	s := &server{c: c, name: fmt.Sprintf("n%d", len(c.nodes)+1)}
	s.dir, s.log = filepath.Join(c.dir, s.name), filepath.Join(c.dir, s.name+".log")
	if err := c.net.place(s); err != nil {
		return nil, fmt.Errorf("node %s: %w", s.name, err)
	}
	c.nodes = append(c.nodes, s)
	return s, nil
}

func (c *cluster) all() []*server {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// find returns the node of a name; nil if there is none.
func (c *cluster) find(name string) *server {
	for _, s := range c.all() {
		if s.name == name {
			return s
		}
	}
	return nil
}

// start starts all nodes and waits until each is ready and knows all of them.
func (c *cluster) start(ctx context.Context) error {
	for _, s := range c.all() {
		if err := s.spawn(); err != nil {
			return err
		}
	}
	return c.whole(ctx)
}

// whole waits until all nodes are ready and know each other.
func (c *cluster) whole(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, startCeiling)
	defer cancel()
	for _, s := range c.all() {
		if err := s.ready(ctx); err != nil {
			return err
		}
		if err := until(ctx, func() bool { return s.knows(ctx) >= len(c.all()) }); err != nil {
			return fmt.Errorf("node %s does not see all %d nodes after %v: its log is %s", s.name, len(c.all()), startCeiling, s.log)
		}
	}
	return nil
}

// until waits until ok reports true. The error is ctx's.
func until(ctx context.Context, ok func() bool) error {
	for pause := 10 * time.Millisecond; !ok(); pause = min(2*pause, 250*time.Millisecond) {
		select {
		case <-ctx.Done():
			return ctx.Err()
		case <-time.After(pause):
		}
	}
	return nil
}

// knows returns how many active nodes the node knows; 0 while it does not answer.
func (s *server) knows(ctx context.Context) (active int) {
	var body struct{ Nodes []struct{ State string } }
	if code, err := s.c.net.ask(ctx, s, request{method: http.MethodGet, path: "/admin/v1/nodes", into: &body}); err != nil || code != http.StatusOK {
		return 0
	}
	for _, n := range body.Nodes {
		if n.State == "active" {
			active++
		}
	}
	return active
}

// ready waits until the node accepts players. The error says that its process has ended, or is ctx's.
func (s *server) ready(ctx context.Context) error {
	var ended error
	err := until(ctx, func() bool {
		if p := s.running(); p == nil && !s.c.o.joins() {
			ended = fmt.Errorf("node %s ended while it started: %s", s.name, s.lastLine())
			return true
		}
		code, err := s.c.net.ask(ctx, s, request{method: http.MethodGet, path: "/readyz"})
		return err == nil && code == http.StatusOK
	})
	if err != nil {
		return fmt.Errorf("node %s is not ready: %w: its log is %s", s.name, err, s.log)
	}
	return ended
}

// running returns the node's process; nil if there is none that runs.
func (s *server) running() *child.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil || !s.process.Running() {
		return nil
	}
	return s.process
}

// spawn starts the process, and does not wait until it is ready. It does nothing if the process runs.
func (s *server) spawn() error {
	if s.running() != nil {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	log, err := os.OpenFile(s.log, os.O_CREATE|os.O_APPEND|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	defer log.Close() // the child has its own
	var join []string
	for _, other := range s.c.all() {
		join = append(join, other.gossip)
	}
	cmd := exec.Command(exe, slices.Concat([]string{"serve", "--node", s.name, "--data-dir", s.dir, "--store", s.c.store,
		"--peer-listen", s.peer, "--gossip-listen", s.gossip, "--join", strings.Join(join, ","), "--cluster-secret-file", s.c.secret,
		"--ready-file", s.dir + ".ready"}, s.c.net.listens(s), generous, s.c.o.Serve)...)
	cmd.Args[0] = "roomring"
	cmd.Stdout, cmd.Stderr, cmd.Dir = log, log, s.c.dir
	p, err := child.Start(cmd, s.c.net.enter(s.host))
	if err != nil {
		return fmt.Errorf("node %s cannot be started: %w", s.name, err)
	}
	s.mu.Lock()
	s.process, s.asked = p, false
	s.mu.Unlock()
	go func() { // ends with the process
		<-p.Ended()
		s.mu.Lock()
		unasked := !s.asked
		s.mu.Unlock()
		if unasked {
			s.c.broken(Violation{Rule: RuleNodes, Text: fmt.Sprintf("%s ended by itself, %v: %s", s.name, p.State(), s.lastLine())})
		}
	}()
	return nil
}

// expectEnd says that the process is about to be ended. It returns nil if none runs.
func (s *server) expectEnd() *child.Process {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.process == nil || !s.process.Running() {
		return nil
	}
	s.asked = true
	return s.process
}

// kill ends the process by SIGKILL.
func (s *server) kill() {
	if p := s.expectEnd(); p != nil {
		p.Kill()
	}
}

// terminate ends the process by SIGTERM. The error says that it did not stop, or not with 0.
func (s *server) terminate() error {
	p := s.expectEnd()
	if p == nil {
		return nil
	}
	err := p.Terminate(startCeiling)
	if errors.Is(err, child.ErrStuck) {
		_ = p.Signal(syscall.SIGQUIT) // the log then says what it was at
		select {
		case <-p.Ended():
		case <-time.After(5 * time.Second):
			p.Kill()
		}
	}
	return err
}

// await starts the process again until it is ready: it may refuse to start while the store is away. The error is ctx's.
func (s *server) await(ctx context.Context) error {
	for {
		if err := s.restart(ctx); err == nil || ctx.Err() != nil {
			return err
		}
		select {
		case <-time.After(500 * time.Millisecond):
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

func (s *server) restart(ctx context.Context) error {
	if err := s.spawn(); err != nil {
		return err
	}
	s.mu.Lock()
	s.asked = true // a start may fail
	s.mu.Unlock()
	if err := s.ready(ctx); err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.asked = false
	return nil
}

// stop ends all nodes at the same time, and says of whom that did not end well.
func (c *cluster) stop() (errs []error) {
	var wg sync.WaitGroup
	all := c.all()
	errs = make([]error, len(all))
	for i, s := range all {
		wg.Go(func() {
			if err := s.terminate(); err != nil {
				errs[i] = fmt.Errorf("%s: %w", s.name, err)
			}
		})
	}
	wg.Wait()
	return slices.DeleteFunc(errs, func(err error) bool { return err == nil })
}

// lastLine is the last line of the node's log.
func (s *server) lastLine() string {
	f, err := os.Open(s.log)
	if err != nil {
		return err.Error()
	}
	defer f.Close()
	if end, err := f.Seek(0, io.SeekEnd); err == nil && end > 4096 {
		_, _ = f.Seek(-4096, io.SeekEnd) // on failure the whole log is read
	}
	text, err := io.ReadAll(f)
	if err != nil {
		return err.Error()
	}
	lines := bytes.Split(bytes.TrimSpace(text), []byte("\n"))
	return string(lines[len(lines)-1])
}
