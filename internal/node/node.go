// Package node joins stores, journal, rooms, cluster and web into one server.
package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"github.com/oklog/ulid/v2"
	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replica"
	"github.com/roomring/roomring/internal/certs"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/match"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/metrics"
)

// Options are what a node is opened with. Config, Games and Log are needed.
type Options struct {
	Config *Config      // valid: see [Config.Validate]
	Games  *core.Games  // the games that rooms can play
	Log    *slog.Logger // receives every log record

	Registry prometheus.Registerer // takes the metrics; nil: the node's own, which has Go's runtime metrics too
	Gatherer prometheus.Gatherer   // what /metrics serves if Registry is set
	Pages    fs.FS                 // lie over the built-in pages and beside them; nil: none, and Config.Pages goes before them
	// Verify identifies the bearer of one of the owner's tokens. Nil: the keys in Config check tokens. See [auth.Options].
	Verify func(ctx context.Context, token string) (Identity, error)

	// NoListener and NoAdminListener keep the node from listening at Config.Listen and Config.AdminListen. The program around
	// the node then mounts [Node.Handler] and [Node.AdminHandler] itself.
	NoListener, NoAdminListener bool

	// OnEvent, if not nil, is told events of the kinds EventKinds, each at least once, one at a time, while the node runs. In a cluster
	// one of the nodes that have it is told. An event is told again after an error.
	OnEvent    func(ctx context.Context, e record.Event) error
	EventKinds []record.EventKind

	Tracing trace.TracerProvider // makes the spans of acts and requests; nil: there are none
}

// Identity is the bearer of a token.
type Identity = auth.Identity

// ErrTryAgain is what Verify returns when it cannot check a token now.
var ErrTryAgain = auth.ErrNoKeys

// Node is one whole server. This file joins its parts. Each part declares small interfaces for what it needs, and knows
// the others only by them.
//
//	sockets, server, admin (web) → [ all rooms (cluster) → ] rooms (room/actor) → journal, results, rows (persist)
type Node struct {
	cfg       *Config
	log       *slog.Logger
	name      string
	boot      record.BootID
	started   time.Time
	games     *core.Games
	metrics   *metrics.Metrics
	clock     *clock.Awake // times rooms, the journal's marks of their time, and the timeouts of clients
	listeners *listeners
	ready     Ready
	secrets   secrets
	adminCert *certs.Files // the admin listener's; nil: it speaks plain HTTP

	folder    *journal.Folder
	journal   *journal.Journal
	store     persist.Store
	results   *persist.Flusher
	owner     *lifecycle.Owner
	copies    atomic.Pointer[replica.Replicas] // nil: this node is alone, or openRooms has yet to run
	reopening chan struct{}                    // holds one element while a copy that was set aside is restored
	heartbeat *persist.Heartbeat
	rooms     *actor.Directory
	matches   *match.Maker     // matchmaking for this node's rooms
	cluster   *cluster.Cluster // nil outside a cluster
	jwks      *auth.JWKS
	auth      *auth.Authenticator
	web       atomic.Pointer[web.Server] // nil until openWeb

	hooks      hooks
	targets    []target // of events
	onEvent    func(ctx context.Context, e record.Event) error
	eventKinds []record.EventKind
	tracing    trace.TracerProvider // nil: nothing is traced

	pages  fs.FS
	verify func(ctx context.Context, token string) (auth.Identity, error) // nil: keys check tokens

	draining atomic.Bool
	life     context.Context         // ends when the node must stop
	fail     context.CancelCauseFunc // ends life; with an error if the node can no longer serve
	closers  []closer                // ends the parts; in the order in which they were opened
}

type closer struct {
	what string
	end  func(ctx context.Context) error
}

// Open binds the listeners and starts everything behind them, with every room that the journal holds. It may block until ctx
// ends: while the store does not answer, or while the data folder's former process counts as alive. An error is one line
// that says what to do; [context.Canceled] means that ctx ended first. After an error nothing is left running. After success
// the caller must call [Node.Run], which closes the node.
func Open(ctx context.Context, opts Options) (*Node, error) {
	listeners, err := listen(ctx, opts)
	if err != nil {
		return nil, err
	}
	ready := newReady(opts.Config, listeners)
	announce := sync.OnceFunc(func() { ready.log(opts.Log) })
	n := &Node{
		cfg: opts.Config, listeners: listeners, ready: ready, games: opts.Games, log: slog.New(announcing{opts.Log.Handler(), announce}),
		metrics: metricsOn(opts), pages: opts.Pages, verify: opts.Verify, onEvent: opts.OnEvent, eventKinds: opts.EventKinds, tracing: opts.Tracing, clock: clock.System(), started: time.Now(),
		name: opts.Config.Name(), boot: record.BootID(ulid.Make().String()), reopening: make(chan struct{}, 1),
	}
	n.life, n.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { n.fail(nil) })()
	for _, part := range []func(context.Context) error{
		n.openPages, n.readSecrets, n.readCertificate, n.openFolder, n.openStore, n.startBoot, n.openJournal, n.openEvents, n.openRooms, n.openCluster, n.restoreRooms, n.openWeb, n.openRetention, n.checkMetrics,
	} {
		if err := part(n.life); err != nil {
			if n.life.Err() != nil {
				n.log.Info("told to stop while starting", "at", err)
				err = context.Cause(n.life)
			}
			n.close(context.WithoutCancel(ctx))
			n.metrics.Close()
			listeners.Close()
			n.fail(nil)
			return nil, err
		}
	}
	announce()
	n.warn()
	return n, nil
}

// metricsOn registers the metrics with the program's registry, if it has one.
func metricsOn(opts Options) *metrics.Metrics {
	if opts.Registry == nil {
		return metrics.New()
	}
	return metrics.NewOn(opts.Registry, opts.Gatherer)
}

// checkMetrics returns an error that names a metric which the program's registry already has.
func (n *Node) checkMetrics(context.Context) error { return n.metrics.Err() }

// warn logs what the operator should change.
func (n *Node) warn() {
	for r := range n.games.All() {
		for _, w := range r.Warnings() {
			n.log.Warn("a part of a game's state is lost at a restart: the next version of Roomring refuses to start with this game", "game", r.Spec().Name, "problem", w)
		}
	}
	if n.cfg.StoreExposed {
		n.log.Warn("everybody on this machine can read the store's password on the command line: give --store-file, or PGPASSFILE")
	}
	if n.listeners.admin != nil && !loopback(n.listeners.admin.Addr()) && n.adminCert == nil {
		n.log.Warn("the admin listener can be reached from other machines and speaks plain HTTP, so others on the network can read its token and hidden state: give --admin-cert-file and --admin-key-file, or listen on 127.0.0.1", "admin_listen", n.ready.Admin)
	}
}

// onClose registers end to be called when the node closes. The part that was registered last ends first.
func (n *Node) onClose(what string, end func(context.Context) error) {
	n.closers = append(n.closers, closer{what, end})
}

// shortWait bounds each wait for others during a stop: for clients that are told to go, and for a store that may be away.
const shortWait = 200 * time.Millisecond

// shortly bounds an end that may be cut short without loss, so that the ends after it have time.
func shortly(end func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, shortWait)
		defer cancel()
		return end(ctx)
	}
}

// close ends the parts, the last one first. All of them share ctx's time. Closing again does nothing.
func (n *Node) close(ctx context.Context) {
	for _, c := range slices.Backward(n.closers) {
		if err := c.end(ctx); err != nil {
			n.log.Warn("stopping", "part", c.what, "err", err)
		}
	}
	n.closers = nil
}

// openFolder locks the data folder.
func (n *Node) openFolder(context.Context) (err error) {
	n.folder, err = journal.OpenFolder(n.cfg.DataDir, journal.FolderOptions{
		Boot: n.boot, Start: n.started, AdoptCopied: n.cfg.AdoptDataDir,
	})
	if err != nil {
		return err
	}
	n.onClose("data folder", func(context.Context) error { return n.folder.Close() })
	return nil
}

func (n *Node) openJournal(ctx context.Context) (err error) {
	keep := n.cfg.KeepSetAside
	if keep == 0 {
		keep = -1 // 0 means for ever in the flag, and the default in the journal
	}
	n.journal, err = journal.Open(ctx, n.folder, journal.Options{Elapsed: n.clock.Now, KeepAside: keep, MaxBytes: n.cfg.MaxJournalBytes, Sync: n.cfg.JournalSync, Log: n.log})
	if err != nil {
		return err
	}
	n.onClose("journal", n.journal.Close)
	return nil
}

// openStore connects to the store of results and room rows.
func (n *Node) openStore(ctx context.Context) (err error) {
	if err := n.readHooks(); err != nil {
		return err
	}
	if n.store, err = OpenStore(ctx, n.cfg, n.ratings(), n.subscribers()); err != nil {
		return err
	}
	n.onClose("store", func(context.Context) error { return n.store.Close() })
	if p, ok := n.store.(interface{ Pooled() bool }); ok && p.Pooled() {
		n.log.Info("a connection pooler is in front of PostgreSQL: no statement is prepared by name, and settings are made for each transaction")
	}
	return nil
}

// startBoot registers this process with the store and starts its heartbeat.
func (n *Node) startBoot(ctx context.Context) error {
	host, _ := os.Hostname()
	boot := persist.Boot{
		ID: n.boot, Node: n.name, Folder: n.folder.ID(), Former: n.folder.Adopted(), Host: host, PID: os.Getpid(), Path: n.folder.Path("."), Locked: true,
	}
	err := n.store.StartBoot(ctx, boot)
	if held, ok := errors.AsType[*persist.FolderInUseError](err); ok {
		// A container that was recreated on its old volume has another host name. Its former process soon counts as gone.
		n.log.Warn("waiting until the data folder's former process counts as gone", "wait", held.RetryAfter(), "err", err)
		select {
		case <-time.After(held.RetryAfter() + time.Second):
		case <-ctx.Done():
		}
		if held.Holder.Unknown() {
			boot.Doubted = held.Holder.ID
		}
		err = n.store.StartBoot(ctx, boot)
	}
	if err != nil {
		return fmt.Errorf("the store refuses this process: %w", err)
	}
	n.onClose("boot", n.endBoot)
	n.heartbeat = persist.NewHeartbeat(n.store, n.boot, persist.HeartbeatOptions{Log: n.log, Dead: func() {
		n.fail(errors.New("the store declared this process dead, so another may have taken over its rooms: it stops; start it again"))
	}, NewTimeline: func() {
		if copies := n.copies.Load(); copies != nil {
			copies.LookAtAll()
		}
	}})
	n.onClose("heartbeat", func(context.Context) error { n.heartbeat.Close(); return nil })
	return nil
}

// endBootTimeout is how long a node of a cluster tries to tell the store that it has ended, however long the rest of the stop
// took. Until the store knows, the other nodes expect that it may come back with rooms.
const endBootTimeout = 3 * time.Second

// endBoot tells the store that this process has ended.
func (n *Node) endBoot(ctx context.Context) error {
	limit := shortWait
	if n.cfg.Clustered() {
		limit, ctx = endBootTimeout, context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return n.store.EndBoot(ctx, n.boot)
}

// openRooms opens the directory of rooms, with the owner and the flusher of results behind it.
func (n *Node) openRooms(ctx context.Context) error {
	n.results = persist.NewFlusher(n.store, persist.FlusherOptions{Log: n.log, Reload: n.reload})
	n.onClose("results", shortly(n.results.Close))
	n.owner = lifecycle.NewOwner(lifecycle.OwnerOptions{
		Self:    ownership.Self{Boot: n.boot, Folder: n.folder.ID(), Former: n.folder.Adopted(), DoubtWait: n.cfg.DoubtWait},
		Journal: ownerJournal{n.journal}, Store: n.store, StoreEnd: n.storeEnd, Black: n.journal.BlackBox(), Clock: n.clock, Log: n.log, Fail: n.fail,
	})
	n.onClose("owner", func(context.Context) error { n.owner.Close(); return nil })
	logs := actor.NewJournalLogs(n.journal, actor.JournalOptions{Clock: n.clock})
	n.onClose("logs", func(context.Context) error { logs.Close(); return nil })
	var err error
	n.rooms, err = actor.NewDirectory(actor.Options{
		Games: n.games, Owner: n.owner, Logs: n.copied(logs), Black: blackBox{n.journal.BlackBox()},
		Node: n.name, Clock: n.clock, Log: n.log, Metrics: n.metrics.Actor(),
		NewID: n.newRoomID(), Durability: n.cfg.durability(), MaxRooms: n.cfg.MaxRooms, RoomShare: n.cfg.roomShare(), Unclaimed: cmp.Or(n.cfg.UnclaimedSeats, -1), Reserve: n.cfg.UnclaimedTimeout, MaxSpectators: n.cfg.MaxSpectators,
		ShowPanics: n.cfg.ShowPanics, Core: core.Config{KeepState: n.cfg.KeepState}, ActFor: n.cfg.DevTools, Full: func() bool { return n.journal.OverBudget() != nil },
		Events: n.events(), Tracer: n.tracer(),
	})
	if err != nil {
		return err
	}
	n.owner.Serve(n.rooms)
	n.matches = match.New(match.Options{Pool: n.rooms.Pool, Clock: n.clock}, match.Local(n.rooms))
	n.onClose("rooms", n.rooms.Shutdown)
	n.registerGauges()
	for r := range n.games.All() {
		n.metrics.Game(r.Spec().Name)
	}
	return nil
}

// restoreRooms restores the rooms that the journal holds.
func (n *Node) restoreRooms(ctx context.Context) error {
	back, err := n.owner.Restore(ctx)
	if err != nil {
		return err
	}
	if back != (lifecycle.Restored{}) {
		n.log.Info("rooms brought back", "rooms", back.Rooms, "copies", back.Copies, "held", back.Held, "set_aside", back.Aside, "over", back.Over, "cut", back.Cut)
	}
	return nil
}

// unready lists the reasons why this node should get no traffic.
func (n *Node) unready() []string {
	why := n.troubles()
	if n.cluster != nil {
		why = append(why, n.cluster.Nodes.Unready()...)
	}
	return why
}

// troubles lists this node's own reasons, without those of the cluster.
func (n *Node) troubles() []string {
	var why []string
	if n.draining.Load() {
		why = append(why, "the node is stopping")
	}
	if err := n.journal.Failing(); err != nil {
		why = append(why, err.Error())
	}
	if err := n.journal.OverBudget(); err != nil {
		why = append(why, err.Error())
	}
	return why
}

// clients counts who is in a room of this node.
func (n *Node) clients(id room.ID) (count int, lives bool) {
	info, err := n.rooms.Info(id)
	if err != nil || info.Final != nil {
		return 0, false
	}
	for _, s := range info.Seats {
		if s.Online {
			count++
		}
	}
	return count + info.Spectators, true
}

// copied puts what copies rooms to other nodes between the rooms and this node's journal. A node alone copies nothing.
func (n *Node) copied(logs actor.Logs) actor.Logs {
	if !n.cfg.Clustered() {
		return logs
	}
	copies := replica.New(replica.Options{
		Node: n.name, Folder: n.folder.ID(), Journal: n.journal, Logs: logs, Deliver: n.owner.Deliver, Black: n.journal.BlackBox(), Clock: n.clock, Log: n.log,
		Clients: n.clients,
	})
	n.copies.Store(copies)
	n.journal.BlackBox().Watch(copies)
	n.onClose("copies", func(context.Context) error { copies.Close(); return nil })
	n.owner.Replicate(copies)
	return copies
}
