package cli

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"github.com/roomring/roomring/internal/node"
)

// settings holds a Config and the flags that set it. Every flag is also a ROOMRING_… variable and a key of the config file.
type settings struct {
	node.Config
	file   string // --config
	all    *pflag.FlagSet
	groups []*group
}

// group is the flags under one heading of the help and of docs/CONFIG.md.
type group struct {
	title string
	*pflag.FlagSet
}

func newSettings() *settings {
	s := &settings{all: pflag.NewFlagSet("", pflag.ContinueOnError)}
	s.addressFlags(s.group("Addresses"))
	s.dataFlags(s.group("Data"))
	s.playerFlags(s.group("Who may play"))
	s.ratingFlags(s.group("Ratings"))
	s.hookFlags(s.group("Webhooks"))
	s.clusterFlags(s.group("Cluster"))
	s.limitFlags(s.group("Limits"))
	s.processFlags(s.group("Process"))
	for _, g := range s.groups {
		s.all.AddFlagSet(g.FlagSet)
	}
	return s
}

func (s *settings) group(title string) *group {
	g := &group{title, pflag.NewFlagSet(title, pflag.ContinueOnError)}
	g.SortFlags = false
	s.groups = append(s.groups, g)
	return g
}

func (s *settings) addressFlags(g *group) {
	g.StringVar(&s.Listen, "listen", ":7777", "`address` players connect to; port 0 picks a free one, which the first log line and --ready-file name")
	g.StringVar(&s.AdminListen, "admin-listen", "127.0.0.1:7778", "`address` of the admin API, /metrics and /debug/pprof/")
	g.StringVar(&s.AdminTokenFile, "admin-token-file", "", "`file` whose first line is the admin API's bearer token; needed unless --admin-listen is loopback")
	g.StringVar(&s.AdminCertFile, "admin-cert-file", "", "`file` with the admin listener's certificate in PEM: it then speaks TLS only; read again when it changes")
	g.StringVar(&s.AdminKeyFile, "admin-key-file", "", "`file` with the private key of --admin-cert-file")
	g.StringVar(&s.PublicURL, "public-url", "", "`URL` by which players reach this node, if it differs from the one they asked for; with the path under which a proxy serves it: https://play.example.com, https://example.com/games/ring")
	g.StringSliceVar(&s.AllowedOrigins, "allowed-origins", nil, "`origins` whose pages may connect, besides the server's own: https://example.com,https://*.example.org,capacitor://localhost; * is any (docs/OPERATIONS.md says what each allows)")
	g.StringSliceVar(&s.TrustedProxies, "trusted-proxies", nil, "`networks` of proxies whose X-Forwarded-For header, or else Forwarded, names the client: 10.0.0.0/8,192.0.2.7")
	g.StringVar(&s.Pages, "pages", "", "`folder` of pages of one's own, which lie over the built-in ones and beside them: index.html in place of the lobby, GAME.js with a game's table; files are read when they are asked for (docs/GAMES.md)")
	g.StringVar(&s.Node, "node", "", "`name` of this node in answers and logs (default: the host's name)")
}

func (s *settings) dataFlags(g *group) {
	g.StringVar(&s.DataDir, "data-dir", "./roomring-data", "`folder` of the journal, the guest key and the default store; one process at a time")
	g.BoolVar(&s.AdoptDataDir, "adopt-data-dir", false, "use a data folder that was copied or moved from another machine; never run the original again")
	g.BoolVar(&s.JournalSync, "journal-sync", false, "acknowledge an act only when it would survive a loss of power: acts wait for the disk; acts at the same time share one sync")
	g.Int64Var(&s.MaxJournalBytes, "max-journal-bytes", 8<<30, "`bytes` that the rooms in the journal may take; above that the node is not ready and takes no new durable rooms; 0 is no limit")
	g.StringVar(&s.Store, "store", "", "`URL` of results, replays and room rows: postgres://… or sqlite:PATH (default: sqlite, in the data folder)")
	g.StringVar(&s.StoreFile, "store-file", "", "`file` whose first line is the URL for --store: everybody on the machine can read a command line, so put a password here or into PGPASSFILE")
	g.IntVar(&s.StoreConns, "store-conns", 8, "`connections` to PostgreSQL for what games need: rooms' rows, heartbeats, new results (pool_max_conns in the URL of --store overrides it)")
	g.IntVar(&s.StoreReaders, "store-readers", 4, "`connections` to the store for what anybody may read: results, replays, players, leaderboards; games never wait for these")
	g.Var(oneOf(&s.Durability, "auto", "auto", "memory", "local", "standby"), "durability", "what rooms survive, unless their game says otherwise: nothing (memory), the end of this process (local), or the loss of this machine (standby); auto is standby in a cluster and local on one node")
	g.DurationVar(&s.KeepResults, "keep-results", 0, "`time` after which results are deleted from the store; 0 keeps them for ever")
	g.DurationVar(&s.KeepReplays, "keep-replays", 0, "`time` after which replays are deleted from the store; 0 keeps them as long as their results")
	g.DurationVar(&s.KeepGuests, "keep-guests", 0, "`time` since a guest's last stored result after which the guest is forgotten: profile, ratings, and the name in results and replays; guests' tokens are valid for 720h; 0 keeps guests for ever")
	g.DurationVar(&s.KeepSetAside, "keep-set-aside", 30*24*time.Hour, "`time` after which rooms that were set aside are deleted; 0 keeps them for ever")
}

func (s *settings) playerFlags(g *group) {
	g.StringVar(&s.AuthKeyFile, "auth-key-file", "", "`file` with the key that signs players' tokens; roomring token --help describes its forms")
	g.StringVar(&s.JWKSURL, "jwks-url", "", "`URL` of the JSON Web Key Set that signs players' tokens; fetched again when keys change")
	g.StringVar(&s.Issuer, "token-issuer", "", "the only `iss` accepted in players' tokens; empty accepts any")
	g.StringVar(&s.Audience, "token-audience", "", "`aud` that players' tokens must name; empty requires none")
	g.DurationVar(&s.TokenGrace, "token-grace", time.Minute, "`time` for which a socket stays open after its token has expired; then it closes with 4401; 0 closes it at once")
	g.Var(oneOf(&s.Guests, "auto", "auto", "on", "off"), "guests", "let players in without a token: on, off, or auto (on if there is neither --auth-key-file nor --jwks-url)")
}

func (s *settings) ratingFlags(g *group) {
	g.BoolVar(&s.RateGuests, "rate-guests", false, "let games with guests change ratings, and list guests on leaderboards; one person can be many guests, so this is for servers where that does not matter (roomring dev sets it); the four settings of ratings must be the same on every node of a store")
	g.DurationVar(&s.RatedMinTime, "rated-min-time", 10*time.Second, "least `time` from the first act to the end of a game that changes ratings; 0 requires none")
	g.IntVar(&s.RatedPerOpponent, "rated-per-opponent", 3, "most `games` of one kind between the same two players that change ratings in 24 hours; 0 is no limit")
	g.IntVar(&s.LeaderboardMinGames, "leaderboard-min-games", 5, "rated `games` that a player needs to appear on the leaderboard")
}

func (s *settings) hookFlags(g *group) {
	g.StringVar(&s.Webhook, "webhook", "", "`URL` that is sent events by POST, signed by Standard Webhooks; docs/OPERATIONS.md says what they hold; settings of webhooks must be the same on every node of a store")
	g.StringVar(&s.WebhookSecretFile, "webhook-secret-file", "", "`file` with the secret that signs events for --webhook: whsec_ and 24 to 64 random bytes in base64; several, one on each line, all sign")
	g.StringSliceVar(&s.WebhookEvents, "webhook-events", []string{"result"}, "`kinds` of events for --webhook: room.created, player.joined, room.over, result")
	g.StringVar(&s.WebhooksFile, "webhooks", "", "`file` in YAML with further webhooks: a list of name, url, secret-file and events")
	g.BoolVar(&s.WebhookAllowPrivate, "webhook-allow-private", false, "let webhooks be at addresses that are not of the public internet, such as 127.0.0.1, 10.0.0.1 and 169.254.169.254; otherwise these are refused, whatever name leads to them")
	g.DurationVar(&s.WebhookTimeout, "webhook-timeout", 10*time.Second, "`time` within which a webhook must have answered")
	g.DurationVar(&s.WebhookGiveUp, "webhook-give-up", 72*time.Hour, "`time` for which an event is tried, after 1s at first and then ever longer up to 1h; then it is kept as failed for an operator to replay")
	g.IntVar(&s.WebhookParallel, "webhook-parallel", 16, "most `events` that this node sends to one webhook at a time")
	g.IntVar(&s.OutboxEvents, "outbox-events", 100_000, "most `events` that wait in the store, and likewise in this node's memory while the store is away; beyond that the oldest player.joined are dropped and counted, then room.created; result and room.over are never dropped")
	g.DurationVar(&s.KeepEvents, "keep-events", 30*24*time.Hour, "`time` after which events that were delivered or have failed are deleted from the store")
}

func (s *settings) clusterFlags(g *group) {
	g.StringSliceVar(&s.Join, "join", nil, "gossip `addresses` of other nodes; may include this node's own: 10.0.0.1:7946,node2 or dns+peers.example.com:7946")
	g.StringVar(&s.ClusterSecretFile, "cluster-secret-file", "", "`file` with the secrets by which nodes trust each other, one on each line: the first is used, all are accepted; read again on SIGHUP")
	g.BoolVar(&s.InsecureCluster, "insecure-cluster", false, "let nodes join without a secret: anybody who reaches the peer and gossip ports can act as a node")
	g.StringVar(&s.PeerListen, "peer-listen", ":7779", "`address` that other nodes connect to; opened only in a cluster")
	g.StringVar(&s.GossipListen, "gossip-listen", ":7946", "`address`, TCP and UDP, for gossip about which nodes are there; opened only in a cluster")
	g.StringVar(&s.Advertise, "advertise", "", "`host` at which other nodes reach this one, if it differs from the listeners' addresses")
	g.StringVar(&s.ClusterLabel, "cluster-label", "roomring", "`name` of the cluster: nodes of another cluster are refused")
	g.StringVar(&s.PeerCertFile, "peer-cert-file", "", "`file` with this node's certificate in PEM, for mutual TLS between nodes; read again when it changes")
	g.StringVar(&s.PeerKeyFile, "peer-key-file", "", "`file` with the private key of --peer-cert-file")
	g.StringVar(&s.PeerCAFile, "peer-ca-file", "", "`file` with the authorities that must have issued peers' certificates")
	g.StringVar(&s.Zone, "zone", "", "`name` of the zone this node is in")
	g.Float64Var(&s.Weight, "weight", 1, "`share` of the rooms that this node takes, compared with a node of weight 1")
	g.DurationVar(&s.PeerSilence, "peer-silence", 1500*time.Millisecond, "`time` of silence after which a node counts as unreachable")
	g.DurationVar(&s.DoubtWait, "doubt-wait", 5*time.Minute, "`time` for which a copy of a room that may have lost its last moments with its machine's power waits for the other one; then the room goes on without them")
	g.DurationVar(&s.ReattachTimeout, "reattach-timeout", 2*time.Second, "`time` for which this node looks for a player's room that has moved or is unreachable; then the socket closes with 4103")
	g.DurationVar(&s.DrainTimeout, "drain-timeout", 30*time.Second, "`time` after SIGTERM to give rooms to other nodes; the remaining rooms go on at their standbys, or else come back with this node's next start")
}

func (s *settings) limitFlags(g *group) {
	g.IntVar(&s.MaxRooms, "max-rooms", 10_000, "most `rooms` on this node; one more replaces the oldest room that nobody ever joined, or is refused with 503")
	g.IntVar(&s.RoomShare, "room-share", 10, "`percent` of --max-rooms that one address (an IPv6 /64 counts as one) or one player with a token may have on this node at a time; an IPv6 /48 may have twice as much; more are refused with 429; 100 is no limit")
	g.IntVar(&s.MaxSpectators, "max-spectators", 1000, "most `spectators` in one room; more are refused with 4403")
	g.IntVar(&s.MaxSocketsPerAddress, "max-sockets-per-address", 1000, "most open `sockets` of one address (an IPv6 /64 counts as one); more are closed with 4429; 0 is no limit")
	g.IntVar(&s.MaxConnectionsPerAddress, "max-connections-per-address", 1000, "most `connections` of one address (an IPv6 /64 counts as one), without sockets; one more closes the one that has waited longest for a request; --trusted-proxies have no limit; 0 is no limit")
	g.IntVar(&s.MaxConnections, "max-connections", 4096, "most `connections` to the public listener in all, without sockets; one more closes the one that has waited longest for a request; 0 is no limit")
	g.DurationVar(&s.RequestTimeout, "request-timeout", 10*time.Second, "`time` within which an HTTP request must arrive, head and body")
	g.IntVar(&s.RequestsPerSecond, "requests-per-second", 100, "`requests` of one address (an IPv6 /64 counts as one), including upgrades to sockets, sustained, and ten times as many at once; four times as many of an IPv6 /48; more are refused with 429; --trusted-proxies' own requests have no limit; 0 is no limit")
	g.IntVar(&s.RefusalsPerSecond, "refusals-per-second", 5, "`refusals` (429 and 4429) sent to one address, sustained, and ten times as many at once; above that its connections, except open sockets, are closed before anything is read from them; 0 always answers")
	g.IntVar(&s.RoomsPerSecond, "rooms-per-second", 10, "`rooms` one address may create or match, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.UnclaimedSeats, "unclaimed-seats", 8, "most `seats` that matchmaking reserves at a time on this node for players of one address who have not joined yet; four times as many for an IPv6 /48; more are refused with 429; 0 is no limit")
	g.DurationVar(&s.UnclaimedTimeout, "unclaimed-timeout", 5*time.Second, "`time` for which matchmaking reserves a seat for a player who has not joined yet")
	g.IntVar(&s.GuestsPerSecond, "guests-per-second", 5, "`guests` one address may create, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.CodesPerSecond, "codes-per-second", 1, "`searches` by join code from one address, including wrong codes sent over sockets, sustained, and twenty times as many at once; more are refused with 429 or closed with 4429; 0 is no limit, so codes can be guessed")
	g.IntVar(&s.ListsPerSecond, "lists-per-second", 20, "`lists` of rooms, and of what is legal in one, that one address may ask for, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.MaxMessageBytes, "max-message-bytes", 16<<10, "most `bytes` in one message from a client; a larger one closes the socket with 4413")
	g.IntVar(&s.MessagesPerSecond, "messages-per-second", 60, "`messages` a second from one client, sustained; more close the socket with 4429")
	g.IntVar(&s.BytesPerSecond, "bytes-per-second", 64<<10, "`bytes` of messages a second from one client, sustained, and twice as many at once; more close the socket with 4429")
	g.IntVar(&s.FloorBytesPerSecond, "floor-bytes-per-second", 4<<10, "`bytes` of messages a second that one client may always send; what exceeds this floor counts towards --address-bytes-per-second and --room-bytes-per-second")
	g.IntVar(&s.AddressBytesPerSecond, "address-bytes-per-second", 1<<20, "`bytes` of messages a second that all clients of one address may send beyond their floors, sustained, and twice as many at once; more close with 4429; 0 is no limit")
	g.IntVar(&s.RoomBytesPerSecond, "room-bytes-per-second", 512<<10, "`bytes` of messages a second that all clients of one room may send through this node beyond their floors, sustained, and twice as many at once; more close with 4429; 0 is no limit")
	g.IntVar(&s.ReplaysPerSecond, "replays-per-second", 2, "`replays` one address may ask for, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.LeaderboardsPerSecond, "leaderboards-per-second", 10, "`pages` of leaderboards one address may ask for, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.LeaderboardMaxOffset, "leaderboard-max-offset", 1000, "`players` that offset may skip at the top of a leaderboard; use after= to read further down")
	g.DurationVar(&s.LeaderboardCache, "leaderboard-cache", 2*time.Second, "`time` for which the first pages of a leaderboard are cached; 0 asks the store each time")
	g.DurationVar(&s.ReplayStallTimeout, "replay-stall-timeout", 5*time.Second, "`time` within which a reader of a replay must read some of it, or it is cut off")
	g.IntVar(&s.ReplayPace, "replay-min-bytes-per-second", 16<<10, "average `bytes` a second that a reader of a replay must read, or it is cut off")
	g.IntVar(&s.OutboxBytes, "outbox-bytes", 64<<10, "`bytes` that may wait for one slow client; above that a later whole view replaces the patches")
	g.DurationVar(&s.Heartbeat, "heartbeat", 10*time.Second, "longest `time` for which client and server are silent; two and a half times as long closes the socket with 4102")
	g.DurationVar(&s.HelloTimeout, "hello-timeout", 10*time.Second, "`time` within which a new socket must send its hello, or it closes with 4408")
	g.DurationVar(&s.WriteTimeout, "write-timeout", 10*time.Second, "`time` that one write to a client may take; then the socket closes with 4101")
	g.DurationVar(&s.CloseTimeout, "close-timeout", 5*time.Second, "`time` within which a client must answer a close, or its connection is cut")
}

func (s *settings) processFlags(g *group) {
	g.StringVar(&s.file, "config", "", "`file` in YAML, JSON or TOML; its keys are the names of these flags")
	g.StringVar(&s.ReadyFile, "ready-file", "", "`file` that is written as JSON once the server answers, and removed when it stops")
	g.Var(oneOf(&s.LogFormat, "text", "text", "json", "short"), "log-format", "format of the log on standard error: text, json, or short for people (as roomring dev has it)")
	g.BoolVar(&s.ShowPanics, "show-panics", false, "log the message of a game's panic, which may contain what is hidden from players: for machines on which games are developed (roomring dev sets it)")
	g.BoolVar(&s.KeepState, "keep-state", false, "let a room whose log these rules play differently go on from its last snapshot, with its log begun anew there: for machines on which games are developed (roomring dev sets it when asked to)")
	g.BoolVar(&s.DevTools, "dev-tools", false, "let the operator act for players, by the inspector and the admin API (roomring dev sets it)")
	_ = g.MarkHidden("dev-tools") // it exists; nobody should come across it who serves players
	g.Var(oneOf(&s.LogLevel, "info", "debug", "info", "warn", "error"), "log-level", "lowest level that is logged: debug, info, warn or error")
}

// addTo adds the named flags to cmd, or all flags if none is named.
func (s *settings) addTo(cmd *cobra.Command, names ...string) {
	cmd.Flags().SortFlags = false
	s.all.VisitAll(func(f *pflag.Flag) {
		if len(names) == 0 || slices.Contains(names, f.Name) {
			cmd.Flags().AddFlag(f)
		}
		if c, ok := f.Value.(*choice); ok && cmd.Flags().Lookup(f.Name) != nil {
			_ = cmd.RegisterFlagCompletionFunc(f.Name, cobra.FixedCompletions(c.of, cobra.ShellCompDirectiveNoFileComp))
		}
	})
}

// choice is the value of a flag that takes one of a few words.
type choice struct {
	value *string
	of    []string
}

func oneOf(value *string, preset string, of ...string) *choice {
	*value = preset
	return &choice{value, of}
}

func (c *choice) String() string { return *c.value }
func (c *choice) Type() string   { return strings.Join(c.of, "|") }

func (c *choice) Set(s string) error {
	if !slices.Contains(c.of, s) {
		return fmt.Errorf("choose one of %s", strings.Join(c.of, ", "))
	}
	*c.value = s
	return nil
}
