package room

import (
	"encoding/json"
	"math"
	"time"
)

// Game is the least a game's rules must say: what an action does and what a viewer may see.
// A is the action type and V the view type; both are plain Go types that encoding/json understands.
//
// A game is a plain struct. Its methods are called by one goroutine, one at a time, and must be
// deterministic: the state after an input depends on the options, the seed and the inputs alone.
// So no wall clock, global random source, goroutine or order of a map may decide anything; the
// Turn gives time, randomness and timers. Everything else is one of the optional interfaces below.
type Game[A, V any] interface {
	// Act applies one player's action, or refuses it with an error and leaves the state as it was.
	// Use Refuse to give the error a code for programs beside the reason for people.
	Act(t *Turn, by Player, action A) error
	// View returns what the viewer may see and nothing else. It must not change the game.
	// The result may share memory with the game: the runtime copies what it keeps.
	View(v Viewer) V
}

// Player is who holds a seat.
type Player struct {
	ID   PlayerID
	Name string
	Seat int
}

// Viewer is somebody a view is made for: a player, or everybody who only watches.
type Viewer struct {
	Player PlayerID // empty for spectators
	Seat   int      // -1 for spectators
}

// Spectator is the one viewer that stands for all spectators.
var Spectator = Viewer{Seat: -1}

// Spectating reports whether v watches without a seat.
func (v Viewer) Spectating() bool { return v.Seat < 0 }

// Opener is a game with options or a set-up of its own. It runs once, as the room's first input.
// Turn.Options decodes the options into a struct; an error refuses to create the room (HTTP 400) and should name the field.
type Opener interface {
	Open(t *Turn, options json.RawMessage) error
}

// Joiner is asked before a player takes a seat; an error refuses the seat with its reason.
type Joiner interface {
	Join(t *Turn, p Player) error
}

// Leaver hears that a player has given up the seat.
type Leaver interface {
	Leave(t *Turn, p Player, why LeaveReason)
}

// Presencer hears that a seated player's connection came or went. The seat is kept meanwhile.
type Presencer interface {
	Presence(t *Turn, p Player, online bool)
}

// Ticker is a game that moves by itself, Spec.TickRate times a second.
type Ticker interface {
	Tick(t *Turn)
}

// TimerHandler hears a timer that Turn.StartTimer set.
type TimerHandler interface {
	Timer(t *Turn, name string)
}

// Signaler hears a signal from the operator or another program of the owner's.
type Signaler interface {
	Signal(t *Turn, name string, data json.RawMessage) error
}

// Classifier tells which players may see the same: two viewers with equal keys always have equal views.
// Without it each player has a class of their own and all spectators share one, or, with Spec.SharedView, everybody shares one.
// It is called after every input, so it must be cheap.
type Classifier interface {
	ViewClass(v Viewer) string
}

// Advisor tells what a viewer may do now: actions that Act takes at this moment, in an order that follows from the state. It need not name
// every one, where there are too many, but a game can be played to its end by those that it names. Empty means that there is
// nothing to do for that viewer now. Like View it must not change the game, and it shows nothing that the viewer must not know.
// Programs play by it, and pages make buttons of it.
type Advisor[A any] interface {
	Legal(v Viewer) []A
}

// Snapshotter replaces the default snapshot, which is the struct's exported fields as JSON. See [Rules.Warnings] and [DerivedTag]
// for fields that are in neither.
// Restore is called on a new value; both must keep every fact that later inputs depend on.
type Snapshotter interface {
	Snapshot() ([]byte, error)
	Restore(snapshot []byte) error
}

// Upgrader takes over a room recorded by an older version of the rules: it restores from that version's
// snapshot, or refuses with an error that says why.
type Upgrader interface {
	Upgrade(version int, snapshot []byte) error
}

// Rematcher gives the options of the next game when the players agree on another; without it they are the same again.
type Rematcher interface {
	Rematch() (options any)
}

// LeaveReason says why a player left a seat.
type LeaveReason string

const (
	Left     LeaveReason = "left"    // by the player's own wish
	TimedOut LeaveReason = "timeout" // did not come back within Spec.Grace, Spec.WaitingGrace or Turn.Grace
	Kicked   LeaveReason = "kicked"  // removed by the operator
)

// Spec describes a game to the runtime and the lobby.
type Spec struct {
	Name    string // what URLs and tokens call it: [a-z][a-z0-9]{0,31}
	Version int    // of the rules, from 1; a change that replays old inputs differently needs a new one
	Title   string // for people
	About   string // one line for the lobby

	MinPlayers int // with fewer the room is still waiting; 0 means 1
	MaxPlayers int // seats; 0 means MinPlayers

	// SharedView says that everybody, spectators too, sees the same: View is called with Spectator alone
	// and its bytes are encoded once for all. Right for games without hidden information.
	SharedView bool

	TickRate int // ticks a second, 0 to 128; 0 is a game that only moves when an input comes

	// LogBytes bounds a room's log, before compression: beyond it the log begins anew with a snapshot, and what lies before
	// is forgotten, so that worlds which never end are possible. 0 means 32 MiB, or 1 MiB with Log: TailLog.
	LogBytes int
	Log      LogKind // TailLog keeps only the end of the log from the start

	// OptionBytes bounds the options of a new room, in bytes of JSON as they were sent: every list of rooms carries them, and
	// every room keeps them for life. 0 means DefaultOptionBytes.
	OptionBytes int

	Rated bool // finished games change the players' ratings, if enough was played and the server's settings have nothing against it

	// RatedActs is how many acts of each player a game must have had accepted to change ratings: with fewer it is over before it
	// was one. Give none where who plays worst acts least, or they could keep the others from their due. 0 asks for none.
	RatedActs int

	Durability Durability    // "" is the node's default
	Grace      time.Duration // how long a disconnected player's seat is kept; 0 means 60 s; Turn.Grace says another for one room

	// WaitingGrace is Grace for as long as the room still waits for MinPlayers; 0 means 5 s. Nobody is matched with a player
	// who is not there, so a seat that is only waited in goes back soon; who returns takes one again.
	WaitingGrace time.Duration

	NeverJoined time.Duration // a room nobody ever joined is closed after this; 0 means 5 min
	Empty       time.Duration // a room everybody left or lost is closed after this; 0 means 10 min; Turn.Empty says another for one room
	Linger      time.Duration // a finished room is kept this long for people to look at; 0 means 60 s
}

// LogKind says how much of its log a room keeps.
type LogKind string

// The kinds of logs.
const (
	WholeLog LogKind = ""     // all of it, as far as Spec.LogBytes allows
	TailLog  LogKind = "tail" // what goes back a while: for worlds that nobody replays from their beginning
)

// Defaults of Spec.LogBytes, by kind, and its least.
const (
	DefaultLogBytes = 32 << 20
	DefaultTailLog  = 1 << 20
	MinLogBytes     = 4 << 10
)

// Forever is a Turn.Grace or Turn.Empty that never ends.
const Forever = time.Duration(math.MaxInt64)

// Result is how a game ended. It is a function of the log alone.
//
// A game of two in which one has never acted is aborted, and of more, who has never acted is left out: see
// Turn.Finish.
type Result struct {
	Outcomes []Outcome       `json:"outcomes"`       // one a player, by seat
	Reason   string          `json:"reason"`         // for programs: "checkmate"
	Summary  string          `json:"summary"`        // for people: "White wins by checkmate"
	Data     json.RawMessage `json:"data,omitempty"` // the game's own, such as a PGN
	// Unrated keeps a rated game's result out of the ratings, as after a start that favours one side.
	Unrated bool `json:"unrated,omitempty"`
	// IdleCounts says that players who never acted have their part in the outcomes nevertheless: the game itself has
	// seen to it who belongs there, or doing nothing is a way to play it.
	IdleCounts bool `json:"-"`
}

// Outcome is one player's part in a result.
type Outcome struct {
	Player PlayerID `json:"player"`
	Name   string   `json:"name"`
	Seat   int      `json:"seat"`
	Rank   int      `json:"rank"`            // 1 is best; equal ranks drew
	Score  int64    `json:"score,omitempty"` // the game's own points
	Bot    bool     `json:"bot,omitempty"`   // a built-in opponent; games with one are not rated
}

// Refusal is an error with a code for programs beside the reason for people.
type Refusal struct {
	Code   string `cbor:"1,keyasint"` // [a-z_]{1,32}
	Reason string `cbor:"2,keyasint,omitempty"`
}

func (r *Refusal) Error() string { return r.Reason }

// Refuse makes the error that a game answers a wrong action with.
func Refuse(code, reason string) error { return &Refusal{Code: code, Reason: reason} }
