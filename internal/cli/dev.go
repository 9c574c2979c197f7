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
	"sync/atomic"
	"time"

	"github.com/spf13/cobra"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/internal/slownet"
	"github.com/roomring/roomring/web/httpd"
)

// devOptions are the flags of roomring dev.
type devOptions struct {
	Nodes       int
	Dir         string
	Listen      string
	AdminListen string
	Store       string
	Watch       bool
	Pages       string
	Lag         string
	Loss        string
	Slow        string
	Serve       []string // more flags for every node

	network slownet.Network
}

// maxDevNodes bounds the nodes on one machine.
const maxDevNodes = 16

func newDev() *cobra.Command {
	var o devOptions
	cmd := &cobra.Command{
		Use:   "dev [-- FLAG…]",
		Short: "Run a server, or a cluster, for a developer",
		Long: `Dev runs the program of this folder for whoever writes it. When a file of its module changes, dev builds the program and starts it
again, and every table goes on. Where the new rules would play a room differently than it was played, dev says at which input, and
asks: keep the state as it is, start the room over, or mend the rules. While a change does not compile, the program before runs on.
Pages in the folder pages are served as they are written.

--lag, --loss and --slow make the network of all players slow, and the admin page that of one of them. TCP loses nothing: a lost
segment is sent again after 200 ms, and what follows waits.

--nodes runs a whole cluster. Players connect to a front, which passes them on to nodes n1, n2, … on the next free ports. The nodes
are child processes and share one SQLite file. The admin page has buttons to kill, pause, drain, start and add nodes. Every node gets
the flags of roomring serve that come after --. There are no limits for each address, because all players are on one machine, pages of
this machine may connect whatever their port, and guests are rated from their first game. Ctrl-C stops everything; live games are
kept, and continue at the next start.

One SQLite file serves nodes of one machine. Nodes on several machines need --store postgres://…`,
		Example: `  go run . dev
  go run . dev --lag 120ms±40 --loss 2% --slow 256kbit
  roomring dev --nodes 3 --listen 0.0.0.0:7777
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
	f.IntVar(&o.Nodes, "nodes", 1, "`nodes` to start with")
	f.StringVar(&o.Listen, "listen", "127.0.0.1:7777", "`address` that players connect to; passes each on to a node")
	f.StringVar(&o.AdminListen, "admin-listen", "127.0.0.1:7778", "loopback `address` of the admin page, which can kill nodes")
	f.StringVar(&o.Dir, "data-dir", "./roomring-data/dev", "`folder` of the nodes' folders and the store")
	f.StringVar(&o.Store, "store", "", "`URL` of the store (default: sqlite, in the data folder)")
	f.BoolVar(&o.Watch, "watch", true, "build the program and start it again when its source changes, where the source is")
	f.StringVar(&o.Pages, "pages", "", "`folder` of pages to serve as they are written (default: pages, beside the program's source)")
	f.StringVar(&o.Lag, "lag", "", "`time` by which every round trip is longer, and how much that varies: 120ms±40")
	f.StringVar(&o.Loss, "loss", "", "`share` of segments that are lost and sent again: 2%")
	f.StringVar(&o.Slow, "slow", "", "`rate` in bits a second each way: 256kbit")
	return cmd
}

func (o *devOptions) validate() error {
	if o.Nodes < 1 || o.Nodes > maxDevNodes {
		return fmt.Errorf("--nodes %d: give 1 to %d", o.Nodes, maxDevNodes)
	}
	if _, err := node.ParseAddress("listen", o.Listen); err != nil {
		return err
	}
	var err error
	if o.network, err = slownet.Parse(o.Lag, o.Loss, o.Slow); err != nil {
		return fmt.Errorf("--%w", err)
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
	up     *gate     // open while the nodes are not being restarted

	source *program                  // nil: nothing is rebuilt
	reload *reloader                 // nil without source
	runs   atomic.Pointer[devBinary] // nil: the program that this process runs
	slow   *slowClients

	mu    sync.Mutex
	nodes []*devNode
	port  int // the last port that was given to a node
	next  int // counts requests, to take nodes in turn
	ended bool
}

// dev runs a cluster until ctx ends.
func dev(ctx context.Context, o *devOptions, stdout, stderr io.Writer) error {
	c := &devCluster{o: o, out: &lineWriter{w: stderr}, colour: showsColours(stderr), up: newGate()}
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
	slow := slownet.Listen(front)
	slow.Set(o.network)
	c.slow = newSlowClients(slow)
	c.port = front.Addr().(*net.TCPAddr).Port
	c.findSource(ctx)
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
	ctx, cancel := context.WithCancel(ctx)
	var watching sync.WaitGroup
	defer watching.Wait()
	defer cancel()
	if err := c.watch(ctx, &watching); err != nil {
		return err
	}
	return c.serve(ctx, slow, admin)
}

// findSource looks for the program's source, if it is to be watched.
func (c *devCluster) findSource(ctx context.Context) {
	if !c.o.Watch {
		return
	}
	var err error
	if c.source, err = findProgram(ctx); err != nil {
		c.say("Changes are not looked for: %v.", err)
	}
}

// pages are the flags of the folder of pages, if there is one.
func (c *devCluster) pages() []string {
	dir := c.o.Pages
	if dir == "" && c.source != nil {
		dir = c.source.pages()
	}
	if dir == "" {
		return nil
	}
	return []string{"--pages", dir}
}

// watch has the source's changes rebuilt until ctx ends.
func (c *devCluster) watch(ctx context.Context, wg *sync.WaitGroup) error {
	if c.source == nil {
		return nil
	}
	skip := []string{c.dir}
	if pages := c.pages(); pages != nil {
		skip = append(skip, pages[1])
	}
	changes, err := watch(ctx, c.source.Module, skip...)
	if err != nil {
		return fmt.Errorf("--watch: %w", err)
	}
	c.reload = newReloader(c, c.source)
	wg.Go(func() { c.reload.run(ctx, changes) })
	if info, err := os.Stdin.Stat(); err == nil && info.Mode()&os.ModeCharDevice != 0 {
		go c.reload.listen(ctx, os.Stdin)
	}
	return nil
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
	fmt.Fprintf(w, "\n  play    http://%[1]s\n  admin   http://%[2]s/admin/\n  docs    http://%[1]s/docs/\n\n", node.Dialable(front), node.Dialable(admin))
	if c.source != nil {
		fmt.Fprintf(w, "  source  %s is built and started again when it changes\n\n", c.source.Module)
	}
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
	for l, handler := range map[net.Listener]http.Handler{front: c.slow.note(withDocs(c.front())), admin: c.admin()} {
		server := httpd.NewServer(handler, 0, quiet)
		server.ConnContext = withConn
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
