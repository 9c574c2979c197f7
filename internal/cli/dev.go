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
	Serve       []string // further flags of every node
}

// maxDevNodes bounds what one laptop is asked to run.
const maxDevNodes = 16

func newDev() *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev [-- FLAG…]",
		Short: "Run a cluster on this machine",
		Long: `Dev runs a whole cluster as child processes: a front that players connect to, nodes n1, n2, … that share one
SQLite file, at the next free ports, and one admin page with buttons to kill, pause, drain, start and add nodes. What comes after -- goes to
every node as flags of roomring serve. Nothing is limited for each address, as all players are on one machine, and guests are rated from their first game on. Ctrl-C stops all of it; live games are kept and go on with the next start.

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
	f.IntVar(&o.Nodes, "nodes", 3, "`nodes` to begin with")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:7777", "`address` players connect to: a front that leads each to a node")
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

// devCluster is the nodes of roomring dev and what leads to them.
type devCluster struct {
	o      *devOptions
	dir    string
	out    io.Writer // of all nodes, a line at a time
	colour bool      // out is a terminal that shows colours
	secret string    // file

	mu    sync.Mutex
	nodes []*devNode
	port  int // the last one that was given to a node
	next  int // turn of the front
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

// prepare makes the folder and the secret that the nodes know each other by.
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
		return nil, fmt.Errorf("there are %d nodes already: that is all one machine is asked to run", maxDevNodes)
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

// nextAddress is a node's next address: that of the next port after the front's that nobody has and no node was given. So
// nodes are found where they were the last time, and where the front's port is below those that the system gives to
// outgoing connections, a port stays a node's own while it is down. The caller holds mu.
func (c *devCluster) nextAddress() (string, error) {
	for c.port < math.MaxUint16 {
		c.port++
		if addr, err := node.FreeForBoth(context.Background(), "listen", net.JoinHostPort("127.0.0.1", strconv.Itoa(c.port))); err == nil {
			return addr, nil
		}
	}
	return "", errors.New("no port after the front's is free: choose a lower --listen")
}

// gossip are the addresses that nodes find each other by. The caller holds mu.
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

// ready waits until every node takes players.
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

// printAddresses says where everything is.
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
		server.WriteTimeout = 0 // event streams go on
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

// stop ends all nodes at once, as a deploy would.
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
