// Package members knows by gossip (hashicorp/memberlist) which nodes are there. It keeps its own table of nodes, made from copies of what
// gossip tells, and the ring that follows from the table.
package members

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log"
	"log/slog"
	"net"
	"net/netip"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/hashicorp/memberlist"
	"golang.org/x/time/rate"

	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// State is how far a node takes part.
type State uint8

// The states of a node.
const (
	Joining  State = iota + 1 // it is there, but not on the ring yet
	Active                    // it is on the ring
	Draining                  // it has left the ring but still answers
)

// Member is one node as it last described itself.
type Member struct {
	Name   string
	Boot   record.BootID
	State  State
	Zone   string
	Weight float64
	Link   string // the address that other nodes dial
	Gossip string // the address it gossips at
	Least  uint32 // the versions of the link's schema it speaks; for people only, because links negotiate by themselves
	Latest uint32
	Games  uint64  // hash of the versions of its games, for people
	Load   float64 // in the unit of SetLoad's caller
}

// Options make a Members.
type Options struct {
	Self Member // Name and Boot are needed

	Bind      string   // address and port to gossip at, TCP and UDP; port 0 means a free one, which Members.Self tells
	Advertise string   // HOST or HOST:PORT by which others reach Bind; "" finds it out, which needs one private address that is not loopback, or an address in Bind
	Join      []string // HOST, HOST:PORT or dns+NAME:PORT, with or without the node's own; the default port is 7946
	Label     string   // of the cluster
	// Secrets are the keys for gossip, 32 bytes each. The first encrypts, all are accepted. Without any, gossip is not encrypted.
	Secrets [][]byte

	// Rejoin is the time between tries to heal a partition. A try contacts the addresses of Join that no member has, and those of nodes
	// that have left or died; every sixth try contacts all of Join. 0 means 10 s.
	Rejoin time.Duration

	// Nodes exchange all they know over streams, at a join and every 10 s. A stream lasts milliseconds. MaxStreams is how many incoming
	// streams may be open at once; 0 means 64. MaxStreamsPerAddress is how many from one address or IPv6 /64; 0 means 16. More are closed.
	MaxStreams, MaxStreamsPerAddress int
	// StreamsPerSecond is how many streams one address may begin a second, with bursts of eight times as many. More are closed before
	// anything is read from them. 0 means 8, negative means no limit.
	StreamsPerSecond int
	// StreamBytes is how many bytes one stream may send or announce; 0 means 1 MiB, which is enough for a thousand nodes.
	StreamBytes int64

	// Changed is called after anything but loads has changed in the table. It is called by one goroutine and without locks. It must not
	// call Close.
	Changed func()
	// Superseded is called once when gossip tells of another process with this node's name and a newer boot. It must not
	// call Close.
	Superseded func(by Member)

	// Transport carries gossip instead of sockets at Bind, for tests. Close ends it.
	Transport memberlist.Transport

	// Clock measures this package's waits. Memberlist uses its own timers. Nil means a new one.
	Clock clock.Clock

	Log *slog.Logger // nil discards
}

// Members is the table of nodes. Its methods may be called from any goroutine. Those that only read never block.
type Members struct {
	o     Options
	list  *memberlist.Memberlist
	keys  *memberlist.Keyring // nil without encryption
	bound netip.AddrPort      // invalid with Options.Transport
	lines *logLines
	heard *events
	seen  atomic.Pointer[view]

	mu        sync.Mutex
	table     table
	changed   bool // Changed is due
	lastJoin  time.Time
	joinErr   string
	announces []chan struct{} // closed when the state is being sent
	load      float64         // as last announced

	announce chan struct{} // wakes the announcer: the state has changed
	reload   chan struct{} // … the load has changed

	lifecycle sync.Mutex // serializes Leave, Close and Rotate
	left      bool
	closed    bool
	leaving   context.CancelFunc // ends rejoining
	end       context.CancelFunc
	ended     <-chan struct{}
	wg        sync.WaitGroup
}

// Open begins to gossip, alone and in state Joining. Call Join to join a cluster. Errors say what to change.
func Open(o Options) (*Members, error) {
	o.Rejoin = cmp.Or(o.Rejoin, 10*time.Second)
	o.MaxStreams, o.MaxStreamsPerAddress = cmp.Or(o.MaxStreams, 64), cmp.Or(o.MaxStreamsPerAddress, 16)
	o.StreamsPerSecond, o.StreamBytes = cmp.Or(o.StreamsPerSecond, 8), cmp.Or(o.StreamBytes, 1<<20)
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	o.Log = cmp.Or(o.Log, slog.New(slog.DiscardHandler))
	if err := checkSelf(o.Self); err != nil {
		return nil, err
	}
	if len(o.Label) > memberlist.LabelMaxSize {
		return nil, fmt.Errorf("the cluster label has %d bytes: give it at most %d", len(o.Label), memberlist.LabelMaxSize)
	}
	ctx, cancel := context.WithCancel(context.Background())
	rejoining, leaving := context.WithCancel(ctx)
	m := &Members{
		o:        o,
		lines:    &logLines{log: o.Log, clock: o.Clock},
		heard:    &events{wake: make(chan struct{}, 1)},
		announce: make(chan struct{}, 1),
		reload:   make(chan struct{}, 1),
		leaving:  leaving,
		end:      cancel,
		ended:    ctx.Done(),
		table:    table{self: o.Self, here: map[string]Member{}, lost: map[string]lost{}},
	}
	m.table.self.State = Joining
	if err := m.start(ctx); err != nil {
		cancel()
		return nil, err
	}
	m.seen.Store(m.table.look(nil))
	m.wg.Go(func() { m.keepTable(ctx) })
	m.wg.Go(func() { m.announceChanges(ctx) })
	m.wg.Go(func() { m.rejoin(rejoining) })
	return m, nil
}

func (m *Members) start(ctx context.Context) (err error) {
	if len(m.o.Secrets) > 0 {
		if err := checkSecrets(m.o.Secrets); err != nil {
			return err
		}
		if m.keys, err = memberlist.NewKeyring(m.o.Secrets, m.o.Secrets[0]); err != nil {
			return fmt.Errorf("cluster secrets: %w", err)
		}
	}
	conf := config()
	conf.Name = gossipName(m.o.Self.Name, m.o.Self.Boot)
	conf.Label = m.o.Label
	conf.Keyring = m.keys
	conf.Delegate = describer{m}
	conf.Events = m.heard
	conf.Logger = log.New(m.lines, "", 0)
	conf.Transport = m.o.Transport
	if conf.Transport == nil {
		if conf.AdvertiseAddr, conf.AdvertisePort, err = advertised(ctx, m.o.Clock, m.o.Advertise); err != nil {
			return err
		}
		sockets, err := bind(ctx, m.o.Clock, m.o.Bind, &streams{
			most: m.o.MaxStreams, each: m.o.MaxStreamsPerAddress, rate: m.o.StreamsPerSecond, bytes: m.o.StreamBytes,
			clock: m.o.Clock, log: m.o.Log, handed: make(chan net.Conn), by: map[netip.Prefix]int{}, begun: map[netip.Prefix]*rate.Limiter{},
		}, conf.Logger)
		if err != nil {
			return err
		}
		m.wg.Go(func() { sockets.streams.admit(ctx, sockets.NetTransport.StreamCh()) })
		m.bound = sockets.bound
		conf.AdvertisePort = cmp.Or(conf.AdvertisePort, int(m.bound.Port()))
		conf.Transport = sockets
	}
	ip, port, err := conf.Transport.FinalAdvertiseAddr(conf.AdvertiseAddr, conf.AdvertisePort)
	if err == nil && ip.IsUnspecified() {
		err = errors.New("others cannot reach that address")
	}
	if err != nil {
		_ = conf.Transport.Shutdown()
		return fmt.Errorf("gossip at %s: no address to tell others: %w; give --advertise", m.o.Bind, err)
	}
	m.table.self.Gossip = hostPort(ip, port)
	if m.list, err = memberlist.Create(conf); err != nil {
		_ = conf.Transport.Shutdown()
		return fmt.Errorf("gossip at %s: %w", m.o.Bind, err)
	}
	return nil
}

// config makes memberlist's configuration. With it a node's death is noticed in about a second.
func config() *memberlist.Config {
	conf := memberlist.DefaultLANConfig()
	conf.ProbeInterval = 200 * time.Millisecond
	conf.ProbeTimeout = 80 * time.Millisecond
	conf.SuspicionMult = 4
	conf.SuspicionMaxTimeoutMult = 3
	conf.GossipInterval = 100 * time.Millisecond
	conf.RetransmitMult = 8
	conf.PushPullInterval = 10 * time.Second
	conf.TCPTimeout = 3 * time.Second
	return conf
}

// keepTable is the only goroutine that applies gossip's events to the table.
func (m *Members) keepTable(ctx context.Context) {
	const compareEvery = 5 * time.Second
	compare := clock.NewTicker(m.o.Clock, compareEvery)
	defer compare.Stop()
	superseded := false
	for {
		select {
		case <-ctx.Done():
			return
		case <-m.heard.wake:
			m.applyEvents()
		case <-compare.C:
			m.compare()
		}
		m.mu.Lock()
		changed := m.changed
		m.changed = false
		by, newer := m.table.newer()
		m.mu.Unlock()
		if changed && m.o.Changed != nil {
			m.o.Changed()
		}
		if newer && !superseded {
			superseded = true
			m.o.Log.Error("another process has this node's name and a newer boot", "node", by.Name, "boot", by.Boot, "gossip", by.Gossip)
			if m.o.Superseded != nil {
				m.o.Superseded(by)
			}
		}
	}
}

// applyEvents applies the queued events to the table and returns the number of events ever.
func (m *Members) applyEvents() (told uint64) {
	list, told := m.heard.drain()
	if len(list) == 0 {
		return told
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	for _, e := range list {
		m.changed = m.table.apply(e, m.o.Clock.Wall()) || m.changed
	}
	m.seen.Store(m.table.look(m.seen.Load()))
	return told
}

// compare makes the table agree with memberlist's nodes, in case these ever change without an event. It reads only the names of live
// nodes, because nothing else of them may be read without memberlist's lock. If an event comes meanwhile, it does nothing.
func (m *Members) compare() {
	told := m.applyEvents()
	var names []string
	for _, n := range m.list.Members() {
		names = append(names, n.Name)
	}
	m.heard.mu.Lock()
	quiet := m.heard.told == told
	m.heard.mu.Unlock()
	if !quiet {
		return
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.table.reconcile(names, m.o.Clock.Wall()) {
		m.changed = true
		m.seen.Store(m.table.look(m.seen.Load()))
	}
}

// Self returns this node.
func (m *Members) Self() Member {
	m.mu.Lock()
	defer m.mu.Unlock()
	return m.table.self
}

// All returns the nodes that are there, including this one, sorted by name. Of several with one name it returns the newest boot.
func (m *Members) All() []Member { return slices.Clone(m.seen.Load().members) }

// Get returns the node with a name.
func (m *Members) Get(name string) (Member, bool) { return m.seen.Load().get(name) }

// Ring returns the ring of the active nodes. The ring is made when the table changes, so the call is cheap.
func (m *Members) Ring() *ring.Ring { return m.seen.Load().ring }

// Rotate replaces the secrets of Options.Secrets. So that no node refuses another, first give every node the old secret
// and the new one, then the new one and the old, and finally only the new one.
func (m *Members) Rotate(secrets [][]byte) error {
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	if m.keys == nil {
		return errors.New("gossip began without a cluster secret: restart the node to encrypt it")
	}
	if len(secrets) == 0 {
		return errors.New("no cluster secret is given: restart the node to end encryption")
	}
	if err := checkSecrets(secrets); err != nil {
		return err
	}
	for _, s := range secrets {
		if err := m.keys.AddKey(s); err != nil {
			return fmt.Errorf("cluster secrets: %w", err)
		}
	}
	if err := m.keys.UseKey(secrets[0]); err != nil {
		return fmt.Errorf("cluster secrets: %w", err)
	}
	for _, key := range slices.Clone(m.keys.GetKeys()) {
		if !slices.ContainsFunc(secrets, func(s []byte) bool { return slices.Equal(s, key) }) {
			if err := m.keys.RemoveKey(key); err != nil {
				return fmt.Errorf("cluster secrets: %w", err)
			}
		}
	}
	return nil
}

func checkSecrets(secrets [][]byte) error {
	for i, s := range secrets {
		if len(s) != 32 {
			return fmt.Errorf("cluster secret %d has %d bytes for gossip: it must have 32", i+1, len(s))
		}
	}
	return nil
}

// Stats are counters for metrics and the admin page.
type Stats struct {
	Members   int
	Health    int       // memberlist's score: 0 is healthy, more is worse
	Joined    time.Time // when another node last answered a join; zero: never
	JoinErr   string    // why the last try reached nobody; "" when it reached another node, or others are there
	Strangers uint64    // packets and streams refused: another label or secret
}

// Stats reads the counters.
func (m *Members) Stats() Stats {
	m.mu.Lock()
	defer m.mu.Unlock()
	return Stats{
		Members:   len(m.seen.Load().members),
		Health:    m.list.GetHealthScore(),
		Joined:    m.lastJoin,
		JoinErr:   m.joinErr,
		Strangers: m.lines.strangers.Load(),
	}
}

// Leave tells the others that this node leaves. It blocks for a second more, in which the node still answers, so that all
// learn of it. A second call and a call after Close do nothing. The error is gossip's, or ctx's when it ended first.
func (m *Members) Leave(ctx context.Context) error {
	const (
		tellIn   = time.Second
		answerOn = time.Second
	)
	m.lifecycle.Lock()
	if m.left || m.closed {
		m.lifecycle.Unlock()
		return nil
	}
	m.left = true
	m.leaving()
	err := m.list.Leave(tellIn)
	m.lifecycle.Unlock()
	if err != nil {
		err = fmt.Errorf("leave gossip: %w", err)
	}
	m.mu.Lock()
	alone := len(m.table.here) == 0
	m.mu.Unlock()
	if alone {
		return err
	}
	over, stop := clock.After(m.o.Clock, answerOn)
	defer stop()
	select {
	case <-over:
	case <-m.ended:
	case <-ctx.Done():
		err = errors.Join(err, ctx.Err())
	}
	return err
}

// Close ends gossip and waits for all goroutines. To nodes that did not learn of a Leave this one is dead.
func (m *Members) Close() error {
	m.lifecycle.Lock()
	defer m.lifecycle.Unlock()
	if m.closed {
		return nil
	}
	m.closed = true
	m.end()
	err := m.list.Shutdown()
	m.wg.Wait()
	return err
}
