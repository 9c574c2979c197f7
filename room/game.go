package room

import (
	"encoding/json"
	"math"
	"time"
)

// Game is the least that a game must have: what an action does, and what a viewer may see. A is the action type and V
// the view type. Both are plain Go types that encoding/json understands.
//
// A game is a plain struct. One goroutine calls its methods, one at a time. The methods must be deterministic: the
// state after an input depends on the options, the seed and the inputs alone. So a game must not use the wall clock, a
// global random source, goroutines or the order of a map. Turn gives time, randomness and timers. Everything else is
// one of the optional interfaces below.
type Game[A, V any] interface {
	// Act applies one player's action. An error refuses the action, and the state must then be as it was.
	// Refuse makes an error with a code for programs and a reason for people.
	Act(t *Turn, by Player, action A) error
	// View returns what the viewer may see, and nothing else. It must not change the game.
	// The result may share memory with the game, because the runtime copies what it keeps.
	View(v Viewer) V
}

// Player holds a seat.
type Player struct {
	ID   PlayerID
	Name string
	Seat int // from 0
}

// Viewer is whom a view is made for: a player, or everybody who only watches.
type Viewer struct {
	Player PlayerID // empty for spectators
	Seat   int      // -1 for spectators
}

// Spectator is the viewer that stands for all spectators.
var Spectator = Viewer{Seat: -1}

// Spectating reports whether v watches without a seat.
func (v Viewer) Spectating() bool { return v.Seat < 0 }

// Opener is a game that has options or sets itself up. Open runs once, as the room's first input. Turn.Options decodes
// the options into a struct. An error refuses to create the room (HTTP 400) and should name the field.
type Opener interface {
	Open(t *Turn, options json.RawMessage) error
}

// Joiner is asked before a player takes a seat. An error refuses the seat, and its text is the reason.
type Joiner interface {
	Join(t *Turn, p Player) error
}

// Leaver is told that a player has given up a seat or lost it.
type Leaver interface {
	Leave(t *Turn, p Player, why LeaveReason)
}

// Presencer is told that a seated player's connection has come or gone. The player keeps the seat meanwhile.
type Presencer interface {
	Presence(t *Turn, p Player, online bool)
}

// Ticker is a game that moves by itself: Tick runs Spec.TickRate times a second while anybody is connected.
type Ticker interface {
	Tick(t *Turn)
}

// TimerHandler is told that a timer set by Turn.StartTimer is due.
type TimerHandler interface {
	Timer(t *Turn, name string)
}

// Signaler receives signals from the operator, or from another program of the operator's. An error refuses the signal.
type Signaler interface {
	Signal(t *Turn, name string, data json.RawMessage) error
}

// Classifier says which players see the same: two viewers with equal keys always have equal views. Without it each
// player has a class of their own and all spectators share one; with Spec.SharedView everybody shares one. ViewClass
// runs after every input, so it must be cheap.
type Classifier interface {
	ViewClass(v Viewer) string
}

// Advisor says what a viewer may do now. Legal returns actions that Act accepts at this moment, in an order that
// depends on the state alone. It may leave actions out where there are too many, but the game must be playable to its
// end by those it returns. An empty list means that the viewer has nothing to do now. Like View, it must not change the
// game or reveal anything hidden from the viewer. Programs play by it, and pages make buttons of it.
type Advisor[A any] interface {
	Legal(v Viewer) []A
}

// Snapshotter replaces the default snapshot, which is the struct's exported fields as JSON. Restore runs on a new
// value. Both must keep every fact that later inputs depend on.
//
// The default snapshot leaves out a field with the tags `json:"-" roomring:"derived"`: after a restart it has the value
// that a new game has, and the game computes it again. [Rules.Warnings] names the fields that a default snapshot loses.
type Snapshotter interface {
	Snapshot() ([]byte, error)
	Restore(snapshot []byte) error
}

// Upgrader takes over a room from an older version of the rules. Upgrade restores from that version's snapshot, or
// returns an error that says why it cannot.
type Upgrader interface {
	Upgrade(version int, snapshot []byte) error
}

// Rematcher returns the options of the next game when the players agree on a rematch. Without it the options stay the
// same.
type Rematcher interface {
	Rematch() (options any)
}

// Announcer names the events that the game sends: each with a value of the type of its data, which need not be filled in, and
// nil for an event without data. Clients get their types from it. Events must return the same for every value of the game,
// a new and unopened one too.
type Announcer interface {
	Events() map[string]any
}

// LeaveReason says why a player left a seat.
type LeaveReason string

const (
	Left     LeaveReason = "left"    // the player chose to
	TimedOut LeaveReason = "timeout" // the player did not come back within Spec.Grace, Spec.WaitingGrace or Turn.Grace
	Kicked   LeaveReason = "kicked"  // the operator removed the player
)

// Spec describes a game to the runtime and the lobby.
type Spec struct {
	Name    string // in URLs and tokens: [a-z][a-z0-9]{0,31}
	Version int    // of the rules, from 1; raise it when a change replays old inputs differently
	Title   string // for people
	About   string // one line for the lobby

	MinPlayers int // the room waits until so many players have come; 0 means 1
	MaxPlayers int // how many seats there are, at most MaxSeats; 0 means MinPlayers

	// SharedView says that everybody, spectators too, sees the same. The runtime then calls View with Spectator alone and
	// encodes the view once. It suits games without hidden information.
	SharedView bool

	TickRate int // ticks a second, 0 to MaxTickRate; 0 means that only inputs change the game

	// LogBytes bounds a room's log, in bytes before compression. When the log is longer, it starts anew from a snapshot and
	// the entries before that are dropped, so a world may go on without end. The least is MinLogBytes. 0 means
	// DefaultLogBytes, or DefaultTailLog with Log: TailLog.
	LogBytes int
	Log      LogKind // how much of the log is kept; "" is WholeLog

	// OptionBytes bounds the options of a new room, in bytes of JSON as sent, up to MaxOptionBytes. Every list of rooms carries
	// them, and every room keeps them for life. 0 means DefaultOptionBytes.
	OptionBytes int

	Rated bool // finished games change ratings, if enough was played and the server's settings allow it

	// RatedActs is how many accepted acts each player needs for a game to change ratings. Leave it 0, which asks for none, in
	// games where the worst player acts least: otherwise that player could keep the others from their points.
	RatedActs int

	Durability Durability    // what the room survives; "" is the node's default
	Grace      time.Duration // how long a disconnected player keeps the seat; 0 means 60 s; Turn.Grace overrides it for one room

	// WaitingGrace replaces Grace while the room waits for MinPlayers; 0 means 5 s. It is short because nobody is matched
	// with an absent player; a player who returns takes a seat again.
	WaitingGrace time.Duration

	NeverJoined time.Duration // a room that nobody ever joined is closed after this; 0 means 5 min
	Empty       time.Duration // a room with nobody connected is closed after this; 0 means 10 min; Turn.Empty overrides it for one room
	Linger      time.Duration // a finished room stays this long for people to look at; 0 means 60 s
}

// LogKind says how much of its log a room keeps.
type LogKind string

// The kinds of logs.
const (
	WholeLog LogKind = ""     // all of it, up to Spec.LogBytes
	TailLog  LogKind = "tail" // its end, which suits worlds that nobody replays from their beginning
)

// Bounds of Spec.LogBytes, in bytes.
const (
	DefaultLogBytes = 32 << 20 // with WholeLog
	DefaultTailLog  = 1 << 20  // with TailLog
	MinLogBytes     = 4 << 10  // the least that a Spec may ask for
)

// Forever is a duration without end, for Turn.Grace and Turn.Empty.
const Forever = time.Duration(math.MaxInt64)

// Result says how a game ended. It is a function of the log alone.
//
// The runtime aborts a game of two in which one player never acted. In a larger game it leaves out the players who
// never acted. See [Turn.Finish].
type Result struct {
	Outcomes []Outcome       `json:"outcomes"`       // one a player, by seat
	Reason   string          `json:"reason"`         // for programs: "checkmate"
	Summary  string          `json:"summary"`        // for people: "White wins by checkmate"
	Data     json.RawMessage `json:"data,omitempty"` // the game's own JSON, such as a PGN
	// Unrated keeps a rated game's result out of the ratings, as after a start that favours one side.
	Unrated bool `json:"unrated,omitempty"`
	// IdleCounts keeps players who never acted in the outcomes. Set it if the game itself decides who belongs there, or if
	// doing nothing is a way to play.
	IdleCounts bool `json:"-"`
}

// Outcome is one player's part in a result.
type Outcome struct {
	Player PlayerID `json:"player"`
	Name   string   `json:"name"`
	Seat   int      `json:"seat"`
	Rank   int      `json:"rank"`            // 1 is best; players with equal ranks drew
	Score  int64    `json:"score,omitempty"` // the game's own points
	Bot    bool     `json:"bot,omitempty"`   // a built-in opponent, which needs an id too; games with one are not rated
}

// Refusal is an error with a code for programs and a reason for people.
type Refusal struct {
	Code   string `cbor:"1,keyasint"`           // [a-z_]{1,32}
	Reason string `cbor:"2,keyasint,omitempty"` // the player reads it
}

func (r *Refusal) Error() string { return r.Reason }

// Refuse makes the error by which a game refuses an action. Code is [a-z_]{1,32}; the player reads the reason.
func Refuse(code, reason string) error { return &Refusal{Code: code, Reason: reason} }
