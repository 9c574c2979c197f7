// Package node joins stores, journal, rooms, cluster and web to one server.
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

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
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

// Options say what a node serves and whom it tells.
type Options struct {
	Config *Config      // valid: see [Config.Validate]
	Games  *core.Games  // that rooms can be of
	Log    *slog.Logger // of everything that happens

	Registry prometheus.Registerer // of the metrics; nil: one of the node's own, with the runtime's
	Gatherer prometheus.Gatherer   // what /metrics serves, where Registry is set
	Pages    fs.FS                 // of players and operator; nil: the built-in ones
	// Verify says who bears a token of the owner's; nil: keys do, as Config says. See [auth.Options].
	Verify func(ctx context.Context, token string) (Identity, error)

	// NoListener and NoAdminListener open none at Config.Listen and Config.AdminListen: the program that the node is part of
	// mounts [Node.Handler] and [Node.AdminHandler] itself.
	NoListener, NoAdminListener bool
}

// Identity is who bears a token.
type Identity = auth.Identity

// ErrTryAgain is for a Verify that cannot tell now.
var ErrTryAgain = auth.ErrNoKeys

// Node is one whole server. This file is where its parts are joined. They know each other only through
// the small interfaces that each declares for what it needs.
//
//	sockets, server, admin (web) → [ all rooms (cluster) → ] rooms (room/actor) → journal, results, rows (persist)
type Node struct {
	cfg     *Config
	log     *slog.Logger
	name    string
	boot    record.BootID
	started time.Time
	games   *core.Games
	metrics *metrics.Metrics
	clock   *clock.Awake // of the rooms, the journal's marks of their time, and the patience with clients
	ends    *endpoints
	at      Ready
	secrets secrets
	admins  *certs.Files // of the admin listener; nil: it speaks plain HTTP

	folder    *journal.Folder
	journal   *journal.Journal
	store     persist.Store
	results   *persist.Flusher
	owner     *lifecycle.Owner
	reopening chan struct{} // holds one while a copy that was set aside is let go on
	heartbeat *persist.Heartbeat
	rooms     *actor.Directory
	matches   *match.Maker     // of this node alone
	cluster   *cluster.Cluster // nil: this node is all there is
	jwks      *auth.JWKS
	door      *auth.Authenticator
	web       atomic.Pointer[web.Server] // nil while there is none yet

	pages  fs.FS
	verify func(ctx context.Context, token string) (auth.Identity, error) // nil: keys do

	draining atomic.Bool
	life     context.Context         // ends when the node is to stop
	fail     context.CancelCauseFunc // ends life, with an error when the node may serve no longer
	closers  []closer                // what close undoes, in the order it was made
}

// closer ends one part of the node.
type closer struct {
	what string
	end  func(ctx context.Context) error
}

// Open binds the listeners and brings up everything behind them, with every room that the journal holds. It may block while
// the store, or the former process of the data folder, keeps it waiting, until ctx ends. Its errors are one line each that
// says what to do; [context.Canceled] says that ctx ended first. After an error nothing is left running. Without one the
// node must be run, for it is [Node.Run] that closes it.
func Open(ctx context.Context, opts Options) (*Node, error) {
	if err := checkGames(opts.Games); err != nil {
		return nil, err
	}
	ends, err := listen(ctx, opts)
	if err != nil {
		return nil, err
	}
	at := newReady(opts.Config, ends)
	announce := sync.OnceFunc(func() { at.log(opts.Log) })
	n := &Node{
		cfg: opts.Config, ends: ends, at: at, games: opts.Games, log: slog.New(preceded{opts.Log.Handler(), announce}),
		metrics: metricsOn(opts), pages: opts.Pages, verify: opts.Verify, clock: clock.System(), started: time.Now(),
		name: opts.Config.nodeName(), boot: record.BootID(ulid.Make().String()), reopening: make(chan struct{}, 1),
	}
	n.life, n.fail = context.WithCancelCause(context.WithoutCancel(ctx))
	defer context.AfterFunc(ctx, func() { n.fail(nil) })()
	for _, part := range []func(context.Context) error{
		n.readSecrets, n.readCertificate, n.openFolder, n.openStore, n.startBoot, n.openJournal, n.openRooms, n.openCluster, n.restoreRooms, n.openWeb, n.openRetention, n.checkMetrics,
	} {
		if err := part(n.life); err != nil {
			if n.life.Err() != nil {
				n.log.Info("stopped before everything was up", "at", err)
				err = context.Cause(n.life)
			}
			n.close(context.WithoutCancel(ctx))
			n.metrics.Close()
			ends.Close()
			n.fail(nil)
			return nil, err
		}
	}
	announce()
	n.warn()
	return n, nil
}

// metricsOn are on the program's registry, if it has one.
func metricsOn(opts Options) *metrics.Metrics {
	if opts.Registry == nil {
		return metrics.New()
	}
	return metrics.NewOn(opts.Registry, opts.Gatherer)
}

// checkMetrics names a metric that the program's registry has from another.
func (n *Node) checkMetrics(context.Context) error { return n.metrics.Err() }

// warn says what the operator should change.
func (n *Node) warn() {
	for r := range n.games.All() {
		for _, w := range r.Warnings() {
			n.log.Warn("a game's state is not kept whole: the next version refuses to start with it", "game", r.Spec().Name, "problem", w)
		}
	}
	if n.cfg.StoreExposed {
		n.log.Warn("the store's password stands on the command line, which everybody on this machine can read: give --store-file, or PGPASSFILE")
	}
	if n.ends.admin != nil && !loopback(n.ends.admin.Addr()) && n.admins == nil {
		n.log.Warn("the admin listener can be reached from other machines and speaks plain HTTP, in which its token and hidden state can be read on the way: give --admin-cert-file and --admin-key-file, or listen on 127.0.0.1", "admin_listen", n.at.Admin)
	}
}

// owns notes how to end a part.
func (n *Node) owns(what string, end func(context.Context) error) {
	n.closers = append(n.closers, closer{what, end})
}

// brief is how long a stop waits for what others must do: clients that hear they are to go, a store that may be away.
const brief = 200 * time.Millisecond

// briefly bounds an end whose work is not lost when it is cut short, so that what comes after has its time.
func briefly(end func(context.Context) error) func(context.Context) error {
	return func(ctx context.Context) error {
		ctx, cancel := context.WithTimeout(ctx, brief)
		defer cancel()
		return end(ctx)
	}
}

// close ends the parts, the last one made first. What is left of the time is shared by all. Closing again does nothing.
func (n *Node) close(ctx context.Context) {
	for _, c := range slices.Backward(n.closers) {
		if err := c.end(ctx); err != nil {
			n.log.Warn("stopping", "part", c.what, "err", err)
		}
	}
	n.closers = nil
}

// openFolder takes the data folder.
func (n *Node) openFolder(context.Context) (err error) {
	n.folder, err = journal.OpenFolder(n.cfg.DataDir, journal.FolderOptions{
		Boot: n.boot, Start: n.started, AdoptCopied: n.cfg.AdoptDataDir,
	})
	if err != nil {
		return err
	}
	n.owns("data folder", func(context.Context) error { return n.folder.Close() })
	return nil
}

// openJournal opens the journal in the folder.
func (n *Node) openJournal(ctx context.Context) (err error) {
	keep := n.cfg.KeepSetAside
	if keep == 0 {
		keep = -1 // the flag's zero is for ever, the journal's is its default
	}
	n.journal, err = journal.Open(ctx, n.folder, journal.Options{Elapsed: n.clock.Now, KeepAside: keep, MaxBytes: n.cfg.MaxJournalBytes, Sync: n.cfg.JournalSync, Log: n.log})
	if err != nil {
		return err
	}
	n.owns("journal", n.journal.Close)
	return nil
}

// openStore connects to the store that results and room rows go to.
func (n *Node) openStore(ctx context.Context) (err error) {
	if n.store, err = OpenStore(ctx, n.cfg, n.ratings()); err != nil {
		return err
	}
	n.owns("store", func(context.Context) error { return n.store.Close() })
	if p, ok := n.store.(interface{ Pooled() bool }); ok && p.Pooled() {
		n.log.Info("a connection pooler answers for PostgreSQL: no statement is prepared by name, and settings are made for each transaction")
	}
	return nil
}

// startBoot tells the store of this process, and from then on that it lives.
func (n *Node) startBoot(ctx context.Context) error {
	host, _ := os.Hostname()
	boot := persist.Boot{
		ID: n.boot, Node: n.name, Folder: n.folder.ID(), Former: n.folder.Adopted(), Host: host, PID: os.Getpid(), Path: n.folder.Path("."), Locked: true,
	}
	err := n.store.StartBoot(ctx, boot)
	if held, ok := errors.AsType[*persist.FolderInUseError](err); ok {
		// A container that was made anew on its old volume has another host name: its former self is soon forgotten.
		n.log.Warn("waiting for the data folder's former process to count as gone", "wait", held.RetryAfter(), "err", err)
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
		return fmt.Errorf("the store does not take this process: %w", err)
	}
	n.owns("boot", n.endBoot)
	n.heartbeat = persist.NewHeartbeat(n.store, n.boot, persist.HeartbeatOptions{Log: n.log, Dead: func() {
		n.fail(errors.New("the store says that this process is dead and another may act for it: it stops; start it again"))
	}})
	n.owns("heartbeat", func(context.Context) error { n.heartbeat.Close(); return nil })
	return nil
}

// goodbye is how long a node of a cluster tries to tell the store that it has ended, whatever the rest of the stop has
// taken: the others count a node that has not said so among those that may come back with rooms.
const goodbye = 3 * time.Second

// endBoot tells the store that this process has ended.
func (n *Node) endBoot(ctx context.Context) error {
	limit := brief
	if n.cfg.Clustered() {
		limit, ctx = goodbye, context.WithoutCancel(ctx)
	}
	ctx, cancel := context.WithTimeout(ctx, limit)
	defer cancel()
	return n.store.EndBoot(ctx, n.boot)
}

// openRooms makes the directory.
func (n *Node) openRooms(ctx context.Context) error {
	n.results = persist.NewFlusher(n.store, persist.FlusherOptions{Log: n.log, Reload: n.reload})
	n.owns("results", briefly(n.results.Close))
	n.owner = lifecycle.NewOwner(lifecycle.OwnerOptions{
		Self:    ownership.Self{Boot: n.boot, Folder: n.folder.ID(), Former: n.folder.Adopted()},
		Journal: logs{n.journal}, Store: n.store, StoreEnd: n.storeEnd, Clock: n.clock, Log: n.log, Fail: n.fail,
	})
	n.owns("owner", func(context.Context) error { n.owner.Close(); return nil })
	logs := actor.NewJournalLogs(n.journal, actor.JournalOptions{Clock: n.clock})
	n.owns("logs", func(context.Context) error { logs.Close(); return nil })
	var err error
	n.rooms, err = actor.NewDirectory(actor.Options{
		Games: n.games, Owner: n.owner, Logs: logs, Black: blackBox{n.journal.BlackBox()},
		Node: n.name, Clock: n.clock, Log: n.log, Metrics: n.metrics.Actor(),
		NewID: n.place(), Durability: room.Durability(n.cfg.Durability), MaxRooms: n.cfg.MaxRooms, RoomShare: n.cfg.roomShare(), Unclaimed: cmp.Or(n.cfg.UnclaimedSeats, -1), Reserve: n.cfg.UnclaimedTimeout, MaxSpectators: n.cfg.MaxSpectators,
		ShowPanics: n.cfg.ShowPanics, Full: func() bool { return n.journal.OverBudget() != nil },
	})
	if err != nil {
		return err
	}
	n.owner.Serve(n.rooms)
	n.matches = match.New(match.Options{Pool: n.rooms.Pool, Clock: n.clock}, match.Local(n.rooms))
	n.owns("rooms", n.rooms.Shutdown)
	n.gauges()
	for r := range n.games.All() {
		n.metrics.Game(r.Spec().Name)
	}
	return nil
}

// restoreRooms brings back what the journal holds.
func (n *Node) restoreRooms(ctx context.Context) error {
	back, err := n.owner.Restore(ctx)
	if err != nil {
		return err
	}
	if back != (lifecycle.Restored{}) {
		n.log.Info("rooms brought back", "rooms", back.Rooms, "held", back.Held, "set_aside", back.Aside, "over", back.Over, "cut", back.Cut)
	}
	return nil
}

// unready says why this node should get no traffic.
func (n *Node) unready() []string {
	why := n.troubles()
	if n.cluster != nil {
		why = append(why, n.cluster.Nodes.Unready()...)
	}
	return why
}

// troubles are this node's own reasons.
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

// checkGames names a game that this node cannot keep as its rules demand.
func checkGames(games *core.Games) error {
	for r := range games.All() {
		if spec := r.Spec(); spec.Durability == room.Standby {
			return fmt.Errorf("game %s wants durability standby, which is not built yet: choose local or memory", spec.Name)
		}
	}
	return nil
}
