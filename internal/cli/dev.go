package cli

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"math"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/web/httpd"
)

// devOptions are the flags of roomring dev.
type devOptions struct {
	Nodes       int
	Dir         string
	Listen      string
	AdminListen string
	Store       string
	Serve       []string // more flags for every node
}

// maxDevNodes bounds the nodes on one machine.
const maxDevNodes = 16

func newDev() *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev [-- FLAG…]",
		Short: "Run a cluster on this machine",
		Long: `Dev runs a whole cluster on this machine. Players connect to a front, which passes them on to nodes n1, n2, … on the next free
ports. The nodes are child processes and share one SQLite file. The admin page has buttons to kill, pause, drain, start and
add nodes. Every node gets the flags of roomring serve that come after --. There are no limits for each address, because all
players are on one machine, and guests are rated from their first game. Ctrl-C stops everything; live games are kept, and
continue at the next start.

One SQLite file serves nodes of one machine. Nodes on several machines need --store postgres://…`,
		Example: `  roomring dev
  roomring dev --nodes 5 --listen 0.0.0.0:7777
  roomring dev -- --log-level debug --max-rooms 100`,
		RunE: func(cmd *cobra.Command, args []string) error {
			o.Serve = args
			err := o.validate()
			if len(args) > 0 && cmd.ArgsLenAtDash() != 0 {
				err = fmt.Errorf("unknown argument %q: flags for the nodes come after --", args[0])
			}
			if err != nil {
				return &usageError{cmd.CommandPath(), err}
			}
			ctx, cancel := untilSignal(cmd.Context())
			defer cancel()
			return dev(ctx, &o, cmd.OutOrStdout(), cmd.ErrOrStderr())
		},
	}
	f := cmd.Flags()
	f.SortFlags = false
	f.IntVar(&o.Nodes, "nodes", 3, "`nodes` to start with")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:7777", "`address` that players connect to; passes each on to a node")
	f.StringVar(&o.AdminListen, "admin-listen", "127.0.0.1:7778", "loopback `address` of the admin page, which can kill nodes")
	f.StringVar(&o.Dir, "data-dir", "./roomring-data/dev", "`folder` of the nodes' folders and the store")
	f.StringVar(&o.Store, "store", "", "`URL` of the store (default: sqlite, in the data folder)")
	return cmd
}

func (o *devOptions) validate() error {
	if o.Nodes < 1 || o.Nodes > maxDevNodes {
		return fmt.Errorf("--nodes %d: give 1 to %d", o.Nodes, maxDevNodes)
	}
	if _, err := node.ParseAddress("listen", o.Listen); err != nil {
		return err
	}
	admin, err := node.ParseAddress("admin-listen", o.AdminListen)
	if err != nil {
		return err
	}
	if !admin.Loopback() {
		return fmt.Errorf("--admin-listen %s can be reached from other machines, and this page kills nodes: listen on 127.0.0.1", o.AdminListen)
	}
	return nil
}

// devCluster is the nodes of roomring dev and the state of the front.
type devCluster struct {
	o      *devOptions
	dir    string
	out    io.Writer // takes the logs of all nodes, a line at a time
	colour bool      // out is a terminal that shows colours
	secret string    // the path of the secret's file

	mu    sync.Mutex
	nodes []*devNode
	port  int // the last port that was given to a node
	next  int // counts requests, to take nodes in turn
	ended bool
}

// dev runs a cluster until ctx ends.
func dev(ctx context.Context, o *devOptions, stdout, stderr io.Writer) error {
	c := &devCluster{o: o, out: &lineWriter{w: stderr}, colour: showsColours(stderr)}
	if err := c.prepare(); err != nil {
		return err
	}
	front, err := node.Bind(ctx, "listen", o.Listen)
	if err != nil {
		return err
	}
	defer front.Close()
	admin, err := node.Bind(ctx, "admin-listen", o.AdminListen)
	if err != nil {
		return err
	}
	defer admin.Close()
	c.port = front.Addr().(*net.TCPAddr).Port
	defer c.stop()
	for range o.Nodes {
		if _, err := c.add(); err != nil {
			return err
		}
	}
	if err := c.ready(ctx); err != nil || ctx.Err() != nil {
		return err
	}
	c.printAddresses(stdout, front.Addr().String(), admin.Addr().String())
	return c.serve(ctx, front, admin)
}

// prepare makes the folder, and the secret by which the nodes trust each other.
func (c *devCluster) prepare() (err error) {
	if c.dir, err = filepath.Abs(c.o.Dir); err != nil {
		return err
	}
	if err := os.MkdirAll(c.dir, 0o700); err != nil {
		return fmt.Errorf("--data-dir: %w", err)
	}
	c.secret = filepath.Join(c.dir, "secret")
	if _, err := os.Stat(c.secret); err == nil {
		return nil
	}
	return os.WriteFile(c.secret, []byte(rand.Text()+rand.Text()+"\n"), 0o600)
}

func (c *devCluster) store() string {
	return cmp.Or(c.o.Store, "sqlite:"+filepath.Join(c.dir, "store.db"))
}

// add makes one more node and starts it.
func (c *devCluster) add() (*devNode, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.ended {
		return nil, errors.New("the cluster is stopping")
	}
	if len(c.nodes) == maxDevNodes {
		return nil, fmt.Errorf("there are %d nodes already, which is the most", maxDevNodes)
	}
	n := &devNode{c: c, name: "n" + strconv.Itoa(len(c.nodes)+1), number: len(c.nodes)}
	for _, addr := range []*string{&n.listen, &n.admin, &n.peer, &n.gossip} {
		var err error
		if *addr, err = c.nextAddress(); err != nil {
			return nil, fmt.Errorf("node %s: %w", n.name, err)
		}
	}
	c.nodes = append(c.nodes, n)
	return n, n.start(c.gossip())
}

// nextAddress returns the next address for a node: that of the next free port after the front's that no node was given. So
// nodes have the same ports at each start. A node keeps its port while it is down, if the front's port is below those that
// the system gives to outgoing connections. The caller holds mu.
func (c *devCluster) nextAddress() (string, error) {
	for c.port < math.MaxUint16 {
		c.port++
		if addr, err := node.FreeForBoth(context.Background(), "listen", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))); err == nil {
			return addr, nil
		}
	}
	return "", errors.New("no port after the front's is free: choose a lower --listen")
}

// gossip returns the addresses of all nodes for --join. The caller holds mu.
func (c *devCluster) gossip() string {
	var all []string
	for _, n := range c.nodes {
		all = append(all, n.gossip)
	}
	return strings.Join(all, ",")
}

func (c *devCluster) all() []*devNode {
	c.mu.Lock()
	defer c.mu.Unlock()
	return slices.Clone(c.nodes)
}

// ready waits until every node accepts players.
func (c *devCluster) ready(ctx context.Context) error {
	for _, n := range c.all() {
		for !n.answers(ctx) {
			if n.state() == devStopped {
				return fmt.Errorf("node %s ended: its log above says why", n.name)
			}
			select {
			case <-time.After(50 * time.Millisecond):
			case <-ctx.Done():
				return nil
			}
		}
	}
	return nil
}

// printAddresses prints where to reach the front, the admin page and each node.
func (c *devCluster) printAddresses(w io.Writer, front, admin string) {
	fmt.Fprintf(w, "\n  play    http://%s\n  admin   http://%s/admin/\n\n", node.Dialable(front), node.Dialable(admin))
	for _, n := range c.all() {
		fmt.Fprintf(w, "  %-7s players %s   admin %s   peers %s   gossip %s   pid %d\n", n.name, n.url(), n.adminURL(), n.peer, n.gossip, n.pid())
	}
	fmt.Fprintln(w)
}

// serve answers on both listeners until ctx ends.
func (c *devCluster) serve(ctx context.Context, front, admin net.Listener) error {
	quiet := newLogger(io.Discard, "text", "error")
	failed := make(chan error, 2)
	var wg sync.WaitGroup
	defer wg.Wait()
	for l, handler := range map[net.Listener]http.Handler{front: c.front(), admin: c.admin()} {
		server := httpd.NewServer(handler, 0, quiet)
		server.WriteTimeout = 0 // event streams have no end
		wg.Go(func() {
			if err := server.Serve(l); !errors.Is(err, http.ErrServerClosed) {
				failed <- err
			}
		})
		defer server.Close()
	}
	select {
	case <-ctx.Done():
		return nil
	case err := <-failed:
		return err
	}
}

// stop ends all nodes at the same time.
func (c *devCluster) stop() {
	c.mu.Lock()
	c.ended = true
	nodes := slices.Clone(c.nodes)
	c.mu.Unlock()
	var wg sync.WaitGroup
	for _, n := range nodes {
		wg.Go(n.stop)
	}
	wg.Wait()
}
