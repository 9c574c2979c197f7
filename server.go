package roomring

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync/atomic"
	"time"
	"unicode/utf8"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// Errors of a server's methods.
var (
	ErrNotFound    = actor.ErrNotFound    // there is no such room, for certain
	ErrUnreachable = actor.ErrUnreachable // the room may exist, and its node or the store does not answer: retry
	ErrUnknownGame = actor.ErrUnknownGame // the server has no such game
	ErrFull        = actor.ErrTooMany     // the server has as many rooms as it may
	ErrStopping    = actor.ErrDraining    // the server has been told to stop
)

// Server is one server in a process. Its methods may be called by any goroutine.
type Server struct {
	node    *node.Node
	guarded bool // the admin handler asks for a token, or has a listener for this machine alone
	ran     atomic.Bool
}

// New opens a server with these games: its listeners, its store, and every room that its data folder holds. It blocks while the
// store or the data folder's former process keeps it waiting. The error is one line that says what to do; then nothing is left
// behind.
//
// A server that was opened must be run, as it is [Server.Run] that closes it: with a context that has ended, at once. Its handlers
// and methods may be used before; its listeners answer once it runs.
func New(cfg Config, games ...*room.Rules) (*Server, error) {
	all, err := core.NewGames(games...)
	if err != nil {
		return nil, err
	}
	opts, err := cfg.options()
	if err != nil {
		return nil, err
	}
	opts.Games = all
	n, err := node.Open(context.Background(), opts)
	if err != nil {
		return nil, err
	}
	return &Server{node: n, guarded: cfg.AdminListen != None || cfg.AdminTokenFile != ""}, nil
}

// Run serves until ctx ends, and returns nil, or until the server may serve no longer, and returns why. Before it returns it gives
// the rooms to the other nodes of its cluster, or keeps them for the next server with its data folder, and closes everything. It
// takes no signals: those are the program's. A second call is an error.
func (s *Server) Run(ctx context.Context) error {
	if s.ran.Swap(true) {
		return errors.New("the server has been run: make another one by New")
	}
	return s.node.Run(ctx)
}

// Handler is everything that players reach: API, sockets, SDK and pages. It may be mounted under a prefix by
// [http.StripPrefix]. Its server must not bound the time of connections that are taken over, and should bound that of reading a
// request; the settings max-connections, max-connections-per-address and request-timeout are those of the server's own listener.
func (s *Server) Handler() http.Handler { return s.node.Handler() }

// AdminHandler is everything that the operator reaches: the admin API and its page, /metrics, /debug/pprof/ and /readyz with
// reasons. It takes the paths from / on, so it belongs on a listener of its own. See [Config.AdminTokenFile].
func (s *Server) AdminHandler() http.Handler {
	if s.guarded {
		return s.node.AdminHandler()
	}
	return http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) {
		http.Error(w, "the admin API is closed: set AdminTokenFile", http.StatusForbidden)
	})
}

// Addr is where players connect to the server's own listener; nil: it has none.
func (s *Server) Addr() net.Addr { return s.node.Addr() }

// AdminAddr is where the operator connects to the server's own admin listener; nil: it has none.
func (s *Server) AdminAddr() net.Addr { return s.node.AdminAddr() }

// NewRoom is a room that the program wants. When the server is full, one that nobody has ever joined may give way to another.
type NewRoom struct {
	Game     string          // one of the server's
	Name     string          // for people, at most 64 bytes; may be empty
	Options  any             // of the game, encoded as JSON; nil: its defaults
	Private  bool            // found by its join code alone
	Seats    []room.PlayerID // are kept for these players
	SeatsFor time.Duration   // and for so long; 0 means the setting unclaimed-timeout
}

// Room is a room that was made.
type Room struct {
	ID   room.ID
	Code string // by which a private room is found; empty: it is public
}

// Create makes a room, here or at the node of the cluster where it belongs. It blocks until the room is there, or until ctx ends.
// Errors are ErrUnknownGame, ErrFull, ErrStopping, ErrUnreachable, and a [*room.Refusal] of the options.
func (s *Server) Create(ctx context.Context, r NewRoom) (Room, error) {
	c := actor.Create{Game: r.Game, Name: r.Name, Private: r.Private, Reserve: r.Seats, ReserveFor: r.SeatsFor}
	if len(r.Name) > maxName || !utf8.ValidString(r.Name) {
		return Room{}, fmt.Errorf("a room's name is at most %d bytes of UTF-8", maxName)
	}
	if r.Options != nil {
		options, err := json.Marshal(r.Options)
		if err != nil {
			return Room{}, fmt.Errorf("the options of a room: %w", err)
		}
		c.Options = options
	}
	info, err := s.node.Create(ctx, c)
	return Room{info.ID, info.Code}, err
}

const maxName = 64 // bytes of the names of rooms and signals

// Signal hands a game what its players cannot say: see [room.Signaler]. The name has 1 to 64 bytes; data is encoded as JSON, nil
// as null. It blocks until the game has taken or refused it, or until ctx ends. Errors are ErrNotFound, ErrUnreachable and a
// [*room.Refusal].
func (s *Server) Signal(ctx context.Context, id room.ID, name string, data any) error {
	if name == "" || len(name) > maxName || !utf8.ValidString(name) {
		return fmt.Errorf("a signal's name is 1 to %d bytes of UTF-8", maxName)
	}
	raw, err := json.Marshal(data)
	if err != nil {
		return fmt.Errorf("the data of signal %s: %w", name, err)
	}
	return s.node.Signal(ctx, id, name, raw)
}

// Close ends a room for good: its players are told the reason, of which 123 bytes fit, and its result is that it was aborted. It
// blocks until the room is over, or until ctx ends. Errors are ErrNotFound and ErrUnreachable.
func (s *Server) Close(ctx context.Context, id room.ID, reason string) error {
	return s.node.CloseRoom(ctx, id, wire.CloseReason(reason))
}
