package roomring

import (
	"cmp"
	"context"
	"errors"
	"io/fs"
	"log/slog"
	"maps"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/internal/cli"
	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
)

// None in place of an address opens no listener: the program mounts the handler itself.
const None = "none"

// Config says how a server runs. The zero value works: an embedded store in a data folder, the ports of the command, guests let in.
// No variables and no config file are read.
type Config struct {
	// DataDir is the folder of the journal, the guests' key and the embedded store. Empty means ./roomring-data. It belongs to one
	// server at a time.
	DataDir string
	// Store is the URL of results, replays and room rows: postgres://… or sqlite:PATH. Empty means SQLite in DataDir.
	Store string
	// Node is this server's name in answers, logs and its cluster, up to 64 bytes. Empty means the host's name.
	Node string

	// Listen is the address that players connect to. Empty means :7777, port 0 picks a free one, [None] opens none.
	Listen string
	// AdminListen is the address of the admin API, /metrics and /debug/pprof/. Empty means 127.0.0.1:7778, port 0 picks a free
	// one, [None] opens none. Any but a loopback address needs AdminTokenFile.
	AdminListen string
	// AdminTokenFile is a file whose first line is the admin API's bearer token. Empty means that nobody is asked for one, and that
	// [Server.AdminHandler] refuses everybody while AdminListen is [None].
	AdminTokenFile string
	// PublicURL is the address that players reach the server by, with the path that it is mounted at. Empty means the Host that they
	// ask for, and the path that [http.StripPrefix] takes off.
	PublicURL string

	// Settings are all others, by the names of the command's flags and with their values, as docs/CONFIG.md lists them:
	// {"max-rooms": "500", "join": "10.0.0.1:7946"}. A setting that has a field here is an error.
	Settings map[string]string

	// Log is told what happens. Nil means [slog.Default].
	Log *slog.Logger
	// Registerer takes the server's metrics until Run returns, and Gatherer is what /metrics serves. Nil means a registry of the
	// server's own, with the metrics of runtime and process beside. Two servers on one registry need labels of their own: see
	// [prometheus.WrapRegistererWith].
	Registerer prometheus.Registerer
	Gatherer   prometheus.Gatherer
	// TracerProvider makes the spans of acts and requests, as OpenTelemetry has them. Nil means none. The variables OTEL_… are for the program.
	TracerProvider trace.TracerProvider
	// Pages are files of the program's own that players reach under /, and that lie over the built-in pages: index.html in place of the
	// lobby, GAME.js with a game's table, and whatever they load ("Pages of your own" in docs/GAMES.md). They are read when they are
	// asked for, by many goroutines. Nil means that there are none. The setting "pages" names a folder instead.
	Pages fs.FS
	// Auth says who bears a token that the server did not make itself for a guest. It may block until ctx ends. Any error refuses the
	// token, and is shown to nobody; [ErrTryAgain] asks the client to come back. Nil means the keys of Settings, or guests alone.
	// With it guests are let in only by {"guests": "on"}.
	Auth func(ctx context.Context, token string) (Player, error)
	// Events is told events of EventKinds, each at least once, one at a time and in no certain order, while Run runs: what happens before, and while
	// it is away, it is told later. The store keeps them meanwhile, as --outbox-events allows. After an error, a panic, or webhook-timeout
	// without an answer, an event is told again, after 1 s at first and ever later, for webhook-give-up. In a cluster, any one of
	// the programs is told. No room waits for it, and no other event is told to this program until it returns: it
	// must return when ctx ends.
	Events func(ctx context.Context, e Event) error
	// EventKinds are the kinds that Events is told. Empty means GameResult. All programs of a cluster need the same.
	EventKinds []EventKind
}

// Player is who bears a token.
type Player struct {
	ID      room.PlayerID // 1 to 128 bytes
	Name    string        // for people; may be empty
	Room    room.ID       // not empty: the token is good for this room alone
	Game    string        // not empty: the token is good for this game alone
	Expires time.Time     // sockets are closed then; zero means never
}

// ErrTryAgain is for an Auth that cannot tell now.
var ErrTryAgain = node.ErrTryAgain

// options are what the node is told. The error names what is wrong.
func (c *Config) options() (node.Options, error) {
	own := []struct{ setting, value string }{
		{"data-dir", c.DataDir}, {"store", c.Store}, {"node", c.Node}, {"admin-token-file", c.AdminTokenFile}, {"public-url", c.PublicURL},
		{"listen", listenAt(c.Listen)}, {"admin-listen", listenAt(c.AdminListen)},
	}
	values := map[string]string{}
	maps.Copy(values, c.Settings)
	for _, o := range own {
		if _, twice := values[o.setting]; twice {
			return node.Options{}, errors.New("Settings[" + o.setting + "] has a field of Config: set that")
		}
		if o.value != "" {
			values[o.setting] = o.value
		}
	}
	if c.Pages != nil && values["pages"] != "" {
		return node.Options{}, errors.New("the setting pages and Config.Pages are both given: keep one of them")
	}
	cfg, err := cli.Defaults(values, func(n *node.Config) { n.OwnTokens = c.Auth != nil })
	if err != nil {
		return node.Options{}, err
	}
	kinds, err := c.eventKinds()
	if err != nil {
		return node.Options{}, err
	}
	opts := node.Options{
		Config: cfg, OnEvent: c.Events, EventKinds: kinds, Tracing: c.TracerProvider, Log: cmp.Or(c.Log, slog.Default()), Registry: c.Registerer, Gatherer: c.Gatherer, Pages: c.Pages,
		NoListener: c.Listen == None, NoAdminListener: c.AdminListen == None,
	}
	if c.Registerer != nil && c.Gatherer == nil {
		gatherer, ok := c.Registerer.(prometheus.Gatherer)
		if !ok {
			return node.Options{}, errors.New("Config.Registerer is no Gatherer too: set Config.Gatherer to what /metrics is to serve")
		}
		opts.Gatherer = gatherer
	}
	if c.Auth != nil {
		opts.Verify = func(ctx context.Context, token string) (node.Identity, error) {
			p, err := c.Auth(ctx, token)
			return node.Identity{Player: p.ID, Name: p.Name, Room: p.Room, Game: p.Game, Expires: p.Expires}, err
		}
	}
	return opts, nil
}

// listenAt is an address for the settings. Where no listener is opened, any free port passes their checks.
func listenAt(addr string) string {
	if addr == None {
		return "127.0.0.1:0"
	}
	return addr
}
