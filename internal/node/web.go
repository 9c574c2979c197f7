package node

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web"
	"github.com/roomring/roomring/web/admin"
	"github.com/roomring/roomring/web/api"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/httpd"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/ws"
)

// records is the store, with the queue of results that are not written yet.
type records struct {
	persist.Store
	waiting *persist.Flusher
}

func (r records) Pending(id room.ID) bool { return r.waiting.Pending(id) }
func (r records) NotFound(err error) bool { return errors.Is(err, record.ErrNotFound) }

// openWeb opens the servers for players and for the operator.
func (n *Node) openWeb(ctx context.Context) error {
	auth, err := n.newAuth(ctx)
	if err != nil {
		return err
	}
	if n.jwks != nil {
		run, cancel := context.WithCancel(context.WithoutCancel(ctx))
		done := make(chan struct{})
		go func() { defer close(done); n.jwks.Run(run) }()
		n.onClose("key set", func(context.Context) error { cancel(); <-done; return nil })
	}
	n.auth = auth
	token, err := n.adminToken()
	if err != nil {
		return err
	}
	timelines, err := n.timelines()
	if err != nil {
		return err
	}
	server, err := web.New(web.Options{
		Rooms: n.allRooms(), Records: records{n.store, n.results}, Auth: auth, Games: n.games, Pages: n.pages, Metrics: n.metrics, Log: n.log,
		Unready: n.unready, PublicURL: n.cfg.PublicURL, AllowedOrigins: n.cfg.AllowedOrigins, TrustedProxies: n.cfg.TrustedProxies,
		Codes: rateOf(n.cfg.CodesPerSecond, 20), Refusals: rateOf(n.cfg.RefusalsPerSecond, 10),
		Sockets: ws.Options{
			MaxMessage: n.cfg.MaxMessageBytes, Rate: limit.Rate{PerSecond: float64(n.cfg.MessagesPerSecond), Burst: 2 * n.cfg.MessagesPerSecond},
			Bytes: limit.Rate{PerSecond: float64(n.cfg.BytesPerSecond), Burst: 2 * n.cfg.BytesPerSecond},
			Floor: limit.Rate{PerSecond: float64(n.cfg.FloorBytesPerSecond)}, AddressBytes: rateOf(n.cfg.AddressBytesPerSecond, 2), RoomBytes: rateOf(n.cfg.RoomBytesPerSecond, 2),
			PerAddress: cmp.Or(n.cfg.MaxSocketsPerAddress, -1), Hello: n.cfg.HelloTimeout, Heartbeat: n.cfg.Heartbeat,
			WriteTimeout: n.cfg.WriteTimeout, Close: n.cfg.CloseTimeout, TokenGrace: cmp.Or(n.cfg.TokenGrace, -1), OutboxBytes: n.cfg.OutboxBytes,
			Clock: n.clock, Draining: n.draining.Load, Tracer: n.tracer(),
		},
		API: api.Options{
			Reruns:  blackBox{n.journal.BlackBox()},
			Creates: rateOf(n.cfg.RoomsPerSecond, 10), Guests: rateOf(n.cfg.GuestsPerSecond, 10), Requests: rateOf(n.cfg.RequestsPerSecond, 10),
			ListRate: rateOf(n.cfg.ListsPerSecond, 10), ReplayRate: rateOf(n.cfg.ReplaysPerSecond, 10), BoardRate: rateOf(n.cfg.LeaderboardsPerSecond, 10),
			BoardCache: cmp.Or(n.cfg.LeaderboardCache, -1), BoardOffset: cmp.Or(n.cfg.LeaderboardMaxOffset, -1),
			ReplayStall: n.cfg.ReplayStallTimeout, ReplayPace: n.cfg.ReplayPace,
			Ratings: api.Ratings{Guests: n.cfg.RateGuests, Time: n.cfg.RatedMinTime, PerOpponent: n.cfg.RatedPerOpponent, Games: n.cfg.LeaderboardMinGames},
		},
		Admin: admin.Options{
			Players: players{n}, Outbox: outbox{n.store, n}, Cluster: n.clusterAdmin(), Token: token, Named: n.adminCertCovers, Timelines: timelines, Forks: forks{n}, DevTools: n.cfg.DevTools,
		},
		Connections: httpd.ConnectionOptions{PerAddress: cmp.Or(n.cfg.MaxConnectionsPerAddress, -1), Most: cmp.Or(n.cfg.MaxConnections, -1)},
	})
	if err != nil {
		return err
	}
	server.Players, server.Admin = n.traced(server.Players), n.traced(server.Admin)
	n.web.Store(server)
	n.onClose("sockets", shortly(n.closeSockets))
	return nil
}

// adminToken reads the operator's token. It returns "" if none is configured.
func (n *Node) adminToken() (string, error) {
	if n.cfg.AdminTokenFile == "" {
		return "", nil
	}
	text, err := os.ReadFile(n.cfg.AdminTokenFile)
	if err != nil {
		return "", fmt.Errorf("--admin-token-file: %w", err)
	}
	token, _, _ := strings.Cut(string(text), "\n")
	if token = strings.TrimSpace(token); len(token) < 16 {
		return "", errors.New("--admin-token-file: its first line must be a token of at least 16 characters, such as from: openssl rand -hex 32")
	}
	return token, nil
}

// closeSockets tells the clients to reconnect, and cuts off those that do not answer in time.
func (n *Node) closeSockets(ctx context.Context) error {
	if err := n.web.Load().Sockets.Shutdown(ctx); !errors.Is(err, context.DeadlineExceeded) {
		return err
	}
	return nil
}

// newAuth makes the check of players' tokens that the flags ask for.
func (n *Node) newAuth(ctx context.Context) (*auth.Authenticator, error) {
	opts := auth.Options{Issuer: n.cfg.Issuer, Audience: n.cfg.Audience, Verify: n.verify}
	switch {
	case n.cfg.AuthKeyFile != "":
		keys, err := auth.ReadKeyFile(n.cfg.AuthKeyFile)
		if err != nil {
			return nil, fmt.Errorf("--auth-key-file: %w", err)
		}
		opts.Keys = keys
	case n.cfg.JWKSURL != "":
		jwks, err := auth.NewJWKS(auth.JWKSOptions{URL: n.cfg.JWKSURL, Log: n.log})
		if err != nil {
			return nil, fmt.Errorf("--jwks-url: %w", err)
		}
		n.jwks, opts.Keys = jwks, jwks
	}
	if n.cfg.GuestsAllowed() {
		if err := n.guestKeys(ctx, &opts); err != nil {
			return nil, err
		}
	}
	return auth.New(opts)
}

// guestKeys sets the keys of guests' tokens. Every node of a cluster must accept a guest of any other, so a cluster derives
// the keys from its secrets or, if it has none, takes them from the store. A node outside a cluster has its own in the data folder.
func (n *Node) guestKeys(ctx context.Context, opts *auth.Options) (err error) {
	if keys := n.secrets.keys("guests"); len(keys) > 0 {
		opts.GuestKey, opts.OtherGuestKeys = keys[0], keys[1:]
		return nil
	}
	own := n.folder.Path("guest.key")
	if !n.cfg.InsecureCluster {
		opts.GuestKey, err = auth.GuestKeyFile(own)
		return err
	}
	n.log.Warn("--insecure-cluster: nodes share the key of guests' tokens in the store: anybody who reads its table of keys can forge guests' tokens")
	shared, err := n.store.SharedKey(ctx, "guests")
	if err != nil {
		return fmt.Errorf("the key of guests' tokens: %w", err)
	}
	opts.GuestKey = shared[:]
	if _, err := os.Stat(own); err != nil {
		return nil // this folder has never served a node outside a cluster
	}
	former, err := auth.GuestKeyFile(own)
	opts.OtherGuestKeys = [][]byte{former}
	return err
}

// rateOf returns the limit of perSecond for each address, with burst times as much at once. If perSecond is 0 there is no limit.
func rateOf(perSecond, burst int) limit.Rate {
	if perSecond == 0 {
		return limit.Rate{PerSecond: -1}
	}
	return limit.Rate{PerSecond: float64(perSecond), Burst: burst * perSecond}
}

// registerGauges registers metrics that are read at each scrape.
func (n *Node) registerGauges() {
	m := n.metrics
	n.registerHookMetrics()
	m.Gauge("roomring_results_unflushed", "Finished rooms whose result is not yet in the store.", func() float64 { return float64(n.results.Stats().Waiting) })
	m.Gauge("roomring_results_oldest_seconds", "How long the oldest of these results has waited, in seconds.", func() float64 { return n.results.Stats().Oldest.Seconds() })
	m.Counter("roomring_results_retries_total", "Failed attempts to write results.", func() float64 { return float64(n.results.Stats().Retries) })
	m.Counter("roomring_results_mismatched_total", "Results refused because another with the same room and another hash is stored. Anything above 0 is an alarm.", func() float64 { return float64(n.results.Stats().Mismatched) })
	m.Counter("roomring_results_unwritable_total", "Results that no store can hold. Anything above 0 is an alarm.", func() float64 { return float64(n.results.Stats().Unwritable) })
	m.Gauge("roomring_rows_waiting", "New rooms whose row is not yet in the store.", func() float64 { return float64(n.owner.RowsWaiting()) })
	m.Gauge("roomring_journal_pending_bytes", "Bytes of log that wait for the disk.", func() float64 { return float64(n.journal.Stats().Pending) })
	m.Gauge("roomring_journal_bytes", "Bytes that live rooms, copies of other nodes' rooms, and rooms that were set aside take in the journal.", func() float64 { return float64(n.journal.Used()) })
	m.Counter("roomring_journal_commits_total", "Groups of changes that the journal has written.", func() float64 { return float64(n.journal.Stats().Commits) })
	m.Gauge("roomring_store_silent_seconds", "Seconds since the store last took this node's heartbeat.", func() float64 { return n.heartbeat.Age().Seconds() })
	m.Counter("roomring_pauses_total", "Gaps of more than 250 ms in which this process did not run, while any room's or client's time did.", func() float64 { gaps, _ := n.clock.LeftOut(); return float64(gaps) })
	m.Counter("roomring_paused_seconds_total", "Time of those gaps that rooms' time leaves out, in seconds.", func() float64 { _, out := n.clock.LeftOut(); return out.Seconds() })
	m.Gauge("roomring_rooms_held", "Rooms that are kept but cannot be served by this process: they need a version that it lacks, or their journal takes no more of them.", func() float64 { return float64(len(n.owner.Held())) })
}

// openSockets returns the number of open sockets.
func (n *Node) openSockets() int {
	if s := n.web.Load(); s != nil {
		return s.Sockets.Open()
	}
	return 0
}
