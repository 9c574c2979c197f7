package actor

import (
	"context"
	"encoding/json"
	"errors"
	"net/netip"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Create asks for a new room.
type Create struct {
	Game       string
	Name       string          // for people, at most 64 bytes
	Options    json.RawMessage `json:",omitempty"`
	Private    bool
	Public     bool            // a private room's result and replay are for everybody too
	Durability room.Durability // "" is the game's, else the node's default
	By         room.PlayerID   // the player who asks; empty when anonymous
	From       netip.Addr      `json:",omitzero"`  // the address of who asks; zero when unknown
	Keep       bool            `json:",omitempty"` // on a full node: answer ErrTooMany, and close no room that nobody ever joined
	Reserve    []room.PlayerID // seats are kept for these players
	ReserveFor time.Duration   // how long; 0 means Options.Reserve
}

// Match asks for a seat in the fullest open public room of equal game and options, else in a new one: see package match.
// Asking again with the same Ticket answers the same room.
type Match struct {
	Game    string
	Options json.RawMessage `json:",omitempty"`
	Player  room.PlayerID
	From    netip.Addr `json:",omitzero"` // the player's address; zero when unknown
	Ticket  string     // drawn by the client, at most 128 bytes; empty: the answer is not remembered
}

// Filter narrows a list of rooms. Zero values do not narrow.
type Filter struct {
	Game    string
	Phase   core.Phase
	Open    bool          // only rooms with a free seat that take new players
	Private bool          // also private rooms (admin)
	Hidden  bool          // only private rooms; needs Private
	Node    string        // only rooms of this node
	Search  string        // only rooms whose id begins with it, or whose name or a player's id or name contains it; case is ignored
	Named   room.PlayerID // only rooms in which this player has a seat, has given one up, or had one kept
	After   room.ID       // page: ids after this one
	Limit   int           // 0 means 100, at most 1000
}

// Info is what anybody may know of a room.
type Info struct {
	ID         room.ID
	Game       string
	Version    int
	Name       string
	Options    json.RawMessage `json:",omitempty"`
	Private    bool
	Public     bool   // see Create
	Code       string // filled only in the answer to Create and for the admin
	Phase      core.Phase
	Open       bool
	Seats      []core.SeatInfo
	MaxPlayers int // the room's own seats, which may be fewer than the game's
	Spectators int
	Epoch      record.Epoch
	Index      room.Index      // the last committed
	Node       string          // the owner's name
	Standby    string          `json:",omitempty"` // the node of its standby, for the admin; the cluster fills it in
	Durability room.Durability `json:",omitempty"`
	Created    time.Time
	Final      *record.Final // of a room that is over

	named []room.PlayerID // see core.Core.Named
}

// Hello is a client at the door, its token already checked.
type Hello struct {
	Player   room.PlayerID // may be empty for spectators
	Name     string
	Client   record.ClientID
	Attempt  uint64
	Spectate bool
	Code     string
	Resume   *record.Point
	Edge     string // the node that has the client's socket; empty: this one

	// Again says that this session was welcomed before, and that its client does not know that the route to the room was
	// lost since. It gets no new seat, and does not replace a client that came after it.
	Again bool

	// Coming says that the room is known to be on its way to this node: the attach waits for it a moment.
	Coming bool

	// What the welcome says for the edge.
	Heartbeat time.Duration // the longest silence the edge allows
	Limits    wire.Limits
	Token     string // of a guest that the edge has just made up
}

// Session is one client's presence in a room, as the edge holds it that has the client's socket.
// One goroutine at a time may call its methods. What the room answers comes through
// the Outbox given to Attach. After the outbox has ended, calls do nothing and return ErrEnded.
type Session interface {
	// Act hands over an action. It waits while the room's mailbox is full, until ctx ends.
	Act(ctx context.Context, act wire.Act) error
	// Resync asks for the whole view.
	Resync(ctx context.Context) error
	// Leave gives up the seat; the outbox ends with 1000. It waits as Act does.
	Leave(ctx context.Context) error
	// Detach says that the socket is gone. It never blocks and may be called again.
	Detach()
}

// Remote is a Session for a caller that must not wait: the link from the node that has the client's socket.
type Remote interface {
	Session
	// Post hands over an action without waiting while the mailbox is full. The sink's Credit bounds how many are under way.
	Post(act wire.Act) error
	// PostLeave is Leave without waiting.
	PostLeave() error
}

// Errors of the directory. Each answers what the caller may do.
var (
	ErrNotFound    = errors.New("no such room")                                                              // for certain: do not retry
	ErrUnreachable = errors.New("the room is not reachable yet: retry")                                      // it exists, or may
	ErrUnknownGame = errors.New("no such game")                                                              // GET /v1/games lists them
	ErrTooMany     = errors.New("too many rooms on this node: retry elsewhere")                              // Options.MaxRooms
	ErrShare       = errors.New("that address, network or player has as many rooms on this node as one may") // Options.RoomShare
	ErrUnclaimed   = errors.New("too many seats are kept for players of that address who have not come")     // Options.Unclaimed
	ErrDraining    = errors.New("the node is draining: retry elsewhere")
	ErrEnded       = errors.New("the session has ended")
	ErrNotSeated   = errors.New("that player holds no seat in the room")

	// ErrLeaving and ErrComing are an ErrUnreachable.
	ErrLeaving error = &UnreachableError{Reason: "the room is on its way to another node: retry"}
	ErrComing  error = &UnreachableError{Reason: "the room is on its way to this node: retry"}
)

// OptionsError says that a game refused the options or name of a new room; Field may be empty.
type OptionsError struct {
	Field  string
	Reason string
}

func (e *OptionsError) Error() string { return e.Reason }

// Listing is a page of rooms.
type Listing struct {
	Rooms   []Info
	Partial bool // some node did not answer in time, so rooms may be missing
}

// UnreachableError is an ErrUnreachable that tells players why.
type UnreachableError struct {
	Reason string
	Next   string // the node to which the room may be on its way; empty: that is not known
}

func (e *UnreachableError) Error() string { return e.Reason }

// Is makes errors.Is(err, ErrUnreachable) true.
func (e *UnreachableError) Is(target error) bool { return target == ErrUnreachable }
