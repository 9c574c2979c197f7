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

// settings holds a Config and the flags that fill it. Every flag is also a ROOMRING_… variable and
// a key of the config file.
type settings struct {
	node.Config
	file   string // --config
	all    *pflag.FlagSet
	groups []*group
}

// group is a heading in the help and in docs/CONFIG.md.
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
	g.StringVar(&s.Listen, "listen", ":7777", "`address` players connect to; port 0 picks a free one, which the first log line and --ready-file tell")
	g.StringVar(&s.AdminListen, "admin-listen", "127.0.0.1:7778", "`address` of the admin API, /metrics and /debug/pprof/")
	g.StringVar(&s.AdminTokenFile, "admin-token-file", "", "`file` whose first line is the admin API's bearer token; needed unless --admin-listen is loopback")
	g.StringVar(&s.AdminCertFile, "admin-cert-file", "", "`file` with the certificate of the admin listener in PEM, which then speaks TLS alone; read again when it changes")
	g.StringVar(&s.AdminKeyFile, "admin-key-file", "", "`file` with its private key")
	g.StringVar(&s.PublicURL, "public-url", "", "`URL` players reach this node by, if not the one they asked for, with the path that a proxy puts it under: https://play.example.com, https://example.com/games/ring")
	g.StringSliceVar(&s.AllowedOrigins, "allowed-origins", nil, "`origins` whose pages may connect beside the server's own: https://example.com,https://*.example.org,capacitor://localhost; * is any (docs/OPERATIONS.md says what each lets in)")
	g.StringSliceVar(&s.TrustedProxies, "trusted-proxies", nil, "`networks` whose X-Forwarded-For, or else Forwarded, names the client: 10.0.0.0/8,192.0.2.7")
	g.StringVar(&s.Node, "node", "", "`name` of this node in answers and logs (default: the host's name)")
}

func (s *settings) dataFlags(g *group) {
	g.StringVar(&s.DataDir, "data-dir", "./roomring-data", "`folder` of the journal, the guest key and the default store; one process at a time")
	g.BoolVar(&s.AdoptDataDir, "adopt-data-dir", false, "take over a data folder that was copied or moved from another machine; the one it came from must never run again")
	g.BoolVar(&s.JournalSync, "journal-sync", false, "acknowledge an act only when it would outlive a loss of power: each waits for the disk, those at the same time for one turn of it")
	g.Int64Var(&s.MaxJournalBytes, "max-journal-bytes", 8<<30, "`bytes` that the rooms in the journal should take; beyond them the node is not ready and takes no new rooms that are to survive anything; 0 is no limit")
	g.StringVar(&s.Store, "store", "", "`URL` of results, replays and room rows: postgres://… or sqlite:PATH (default: sqlite, in the data folder)")
	g.StringVar(&s.StoreFile, "store-file", "", "`file` whose first line is that URL: a command line can be read by everybody on the machine, so a password belongs here, or into PGPASSFILE")
	g.IntVar(&s.StoreConns, "store-conns", 8, "`connections` to PostgreSQL for what games need: rooms' rows, heartbeats, results to be written (pool_max_conns in the URL of --store goes before it)")
	g.IntVar(&s.StoreReaders, "store-readers", 4, "`connections` to the store for what anybody may ask for: results, replays, players, leaderboards; games wait for none of these")
	g.Var(oneOf(&s.Durability, "local", "memory", "local"), "durability", "what rooms survive unless their game says otherwise: memory (nothing) or local (the end of this process)")
	g.DurationVar(&s.KeepResults, "keep-results", 0, "`time` after which results are deleted from the store; 0 keeps them for ever")
	g.DurationVar(&s.KeepReplays, "keep-replays", 0, "`time` after which replays are deleted from the store; 0 keeps them as long as their results")
	g.DurationVar(&s.KeepGuests, "keep-guests", 0, "`time` after their last result in the store after which guests are forgotten: profile, ratings, and their names in results and replays; their tokens are good for 720h; 0 keeps them for ever")
	g.DurationVar(&s.KeepSetAside, "keep-set-aside", 30*24*time.Hour, "`time` after which journals of rooms that were set aside are deleted; 0 keeps them for ever")
}

func (s *settings) playerFlags(g *group) {
	g.StringVar(&s.AuthKeyFile, "auth-key-file", "", "`file` with the key that players' tokens are signed with; roomring token --help tells its forms")
	g.StringVar(&s.JWKSURL, "jwks-url", "", "`URL` of the JSON Web Key Set that players' tokens are signed with, fetched again as keys change")
	g.StringVar(&s.Issuer, "token-issuer", "", "the only `iss` taken in players' tokens; empty takes any")
	g.StringVar(&s.Audience, "token-audience", "", "`aud` that players' tokens must name; empty asks for none")
	g.DurationVar(&s.TokenGrace, "token-grace", time.Minute, "`time` for which a socket goes on when the token it came with has expired; then it closes with 4401; 0 is none")
	g.Var(oneOf(&s.Guests, "auto", "auto", "on", "off"), "guests", "let players in without a token: on, off, or auto (on while there is neither key file nor JWKS)")
}

func (s *settings) ratingFlags(g *group) {
	g.BoolVar(&s.RateGuests, "rate-guests", false, "have games with guests change ratings, and list guests on leaderboards: for servers where everybody is a guest and nobody minds, as anybody can be any number of guests (roomring dev does; these four are the same at every node of a store)")
	g.DurationVar(&s.RatedMinTime, "rated-min-time", 10*time.Second, "`time` from the first act on that a game must have lasted to change ratings; 0 asks for none")
	g.IntVar(&s.RatedPerOpponent, "rated-per-opponent", 3, "`games` of any two players with each other, of one kind, that change ratings in 24 hours; 0 is no limit")
	g.IntVar(&s.LeaderboardMinGames, "leaderboard-min-games", 5, "`games` that must have changed a player's rating before the leaderboard shows it")
}

func (s *settings) clusterFlags(g *group) {
	g.StringSliceVar(&s.Join, "join", nil, "`addresses` of other nodes' gossip, this node's own among them or not: 10.0.0.1:7946,node2 or dns+peers.example.com:7946")
	g.StringVar(&s.ClusterSecretFile, "cluster-secret-file", "", "`file` with the secrets that nodes know each other by, one a line: the first is used, all are accepted; read again on SIGHUP")
	g.BoolVar(&s.InsecureCluster, "insecure-cluster", false, "let nodes join without a secret: whoever reaches the peer and gossip ports is one of them")
	g.StringVar(&s.PeerListen, "peer-listen", ":7779", "`address` other nodes connect to; opened in a cluster only")
	g.StringVar(&s.GossipListen, "gossip-listen", ":7946", "`address`, TCP and UDP, of gossip about who is there; opened in a cluster only")
	g.StringVar(&s.Advertise, "advertise", "", "`host` that other nodes reach this one by, if it is not an address of the listeners")
	g.StringVar(&s.ClusterLabel, "cluster-label", "roomring", "`name` of the cluster: nodes of another one are turned away")
	g.StringVar(&s.PeerCertFile, "peer-cert-file", "", "`file` with this node's certificate in PEM, for mutual TLS between nodes; read again when it changes")
	g.StringVar(&s.PeerKeyFile, "peer-key-file", "", "`file` with its private key")
	g.StringVar(&s.PeerCAFile, "peer-ca-file", "", "`file` with the authorities that peers' certificates must come from")
	g.StringVar(&s.Zone, "zone", "", "`name` of the zone this node is in")
	g.Float64Var(&s.Weight, "weight", 1, "`share` of the rooms this node takes beside one of weight 1")
	g.DurationVar(&s.PeerSilence, "peer-silence", 1500*time.Millisecond, "`time` without a sign of life after which another node is taken for unreachable")
	g.DurationVar(&s.ReattachTimeout, "reattach-timeout", 2*time.Second, "`time` this node looks for a player's room that has moved or is out of reach; then it closes with 4103")
	g.DurationVar(&s.DrainTimeout, "drain-timeout", 30*time.Second, "`time` after SIGTERM to give rooms away to other nodes; what is left comes back with this node's next start")
}

func (s *settings) limitFlags(g *group) {
	g.IntVar(&s.MaxRooms, "max-rooms", 10_000, "`rooms` on this node; one more costs the oldest that nobody ever joined, or is refused with 503")
	g.IntVar(&s.RoomShare, "room-share", 10, "`percent` of --max-rooms that one address (an IPv6 /64 counts as one), and one player with a token, may have on this node at a time, and an IPv6 /48 twice as much; more are refused with 429; 100 is no limit")
	g.IntVar(&s.MaxSpectators, "max-spectators", 1000, "`spectators` in one room; more are turned away with 4403")
	g.IntVar(&s.MaxSocketsPerAddress, "max-sockets-per-address", 1000, "`sockets` open from one address (an IPv6 /64 counts as one); more are closed with 4429; 0 is no limit")
	g.IntVar(&s.MaxConnectionsPerAddress, "max-connections-per-address", 1000, "`connections` of one address (an IPv6 /64 counts as one) that are no sockets; one more costs the one that has waited longest for a request; --trusted-proxies have no limit; 0 is none")
	g.IntVar(&s.MaxConnections, "max-connections", 4096, "`connections` to the public listener that are no sockets, in all; one more costs the one that has waited longest for a request; 0 is no limit")
	g.DurationVar(&s.RequestTimeout, "request-timeout", 10*time.Second, "`time` in which an HTTP request must arrive, head and body")
	g.IntVar(&s.RequestsPerSecond, "requests-per-second", 100, "`requests` of one address (an IPv6 /64 counts as one), upgrades to sockets among them, sustained, and ten times as many at once; four times as many of an IPv6 /48; more are refused with 429; --trusted-proxies' own have no limit; 0 is none")
	g.IntVar(&s.RefusalsPerSecond, "refusals-per-second", 5, "`refusals` that one address hears of, 429 and 4429, sustained, and ten times as many at once; beyond them its connections, but for sockets that are open, are closed before anything is read of them; 0 answers always")
	g.IntVar(&s.RoomsPerSecond, "rooms-per-second", 10, "`rooms` one address may create or match, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.UnclaimedSeats, "unclaimed-seats", 8, "`seats` of this node that matchmaking keeps at a time for players of one address who have not come, and four times as many of an IPv6 /48; more are refused with 429; 0 is no limit")
	g.DurationVar(&s.UnclaimedTimeout, "unclaimed-timeout", 5*time.Second, "`time` for which matchmaking keeps a seat for a player who has not come")
	g.IntVar(&s.GuestsPerSecond, "guests-per-second", 5, "`guests` one address may make, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.CodesPerSecond, "codes-per-second", 1, "`searches` by join code of one address, sustained, and twenty times as many at once, wrong codes of sockets among them; more are refused with 429 or closed with 4429; 0 is no limit, and lets codes be guessed")
	g.IntVar(&s.ListsPerSecond, "lists-per-second", 20, "`lists` of rooms one address may ask for, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.MaxMessageBytes, "max-message-bytes", 16<<10, "`bytes` in one message from a client; a larger one closes with 4413")
	g.IntVar(&s.MessagesPerSecond, "messages-per-second", 60, "`messages` a second from one client, sustained; more close with 4429")
	g.IntVar(&s.BytesPerSecond, "bytes-per-second", 64<<10, "`bytes` of messages a second from one client, sustained, and twice as many at once; more close with 4429")
	g.IntVar(&s.FloorBytesPerSecond, "floor-bytes-per-second", 4<<10, "`bytes` of messages a second that one client may always send; what goes beyond counts for the two that follow")
	g.IntVar(&s.AddressBytesPerSecond, "address-bytes-per-second", 1<<20, "`bytes` of messages a second that all clients of one address may send beyond their floors, sustained, and twice as many at once; more close with 4429; 0 is no limit")
	g.IntVar(&s.RoomBytesPerSecond, "room-bytes-per-second", 512<<10, "`bytes` of messages a second that all clients of one room may send through this node beyond their floors, sustained, and twice as many at once; more close with 4429; 0 is no limit")
	g.IntVar(&s.ReplaysPerSecond, "replays-per-second", 2, "`replays` one address may ask for, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.LeaderboardsPerSecond, "leaderboards-per-second", 10, "`pages` of leaderboards one address may ask for, sustained, and ten times as many at once; more are refused with 429; 0 is no limit")
	g.IntVar(&s.LeaderboardMaxOffset, "leaderboard-max-offset", 1000, "`players` that offset may leave out at the top of a leaderboard; further down pages are asked for by after=")
	g.DurationVar(&s.LeaderboardCache, "leaderboard-cache", 2*time.Second, "`time` for which the first pages of a leaderboard are kept; 0 asks the store each time")
	g.DurationVar(&s.ReplayStallTimeout, "replay-stall-timeout", 5*time.Second, "`time` in which a reader of a replay must take some of it; then it is cut off")
	g.IntVar(&s.ReplayPace, "replay-min-bytes-per-second", 16<<10, "`bytes` a second that a reader of a replay must take on the whole, or it is cut off")
	g.IntVar(&s.OutboxBytes, "outbox-bytes", 64<<10, "`bytes` waiting for one slow client before patches give way to a later whole view")
	g.DurationVar(&s.Heartbeat, "heartbeat", 10*time.Second, "longest `time` that client and server are silent; two and a half times as long closes with 4102")
	g.DurationVar(&s.HelloTimeout, "hello-timeout", 10*time.Second, "`time` a new socket has to send its hello; then it closes with 4408")
	g.DurationVar(&s.WriteTimeout, "write-timeout", 10*time.Second, "`time` one write to a client may take; then it closes with 4101")
	g.DurationVar(&s.CloseTimeout, "close-timeout", 5*time.Second, "`time` a client has to answer a close; then its connection is cut")
}

func (s *settings) processFlags(g *group) {
	g.StringVar(&s.file, "config", "", "`file` in YAML, JSON or TOML whose keys are these flags' names")
	g.StringVar(&s.ReadyFile, "ready-file", "", "`file` written as JSON once the server answers, removed when it stops")
	g.Var(oneOf(&s.LogFormat, "text", "text", "json"), "log-format", "how the log on standard error is written: text or json")
	g.BoolVar(&s.ShowPanics, "show-panics", false, "log what a game says when it panics, which may tell what is hidden from players: for machines where games are written, as roomring dev does")
	g.Var(oneOf(&s.LogLevel, "info", "debug", "info", "warn", "error"), "log-level", "the least that is logged: debug, info, warn or error")
}

// addTo gives cmd the named flags, or all of them when none is named.
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

// choice is a flag that takes one of a few words.
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
