package chess

import (
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// Version is the version of the rules, which every room's log names.
const Version = 1

// Rules define the game for a server.
func Rules() *room.Rules {
	return room.MustDefine(room.Spec{
		Name: "chess", Version: Version, Title: "Chess",
		About:      "Standard chess for two, or alone against a simple opponent",
		MinPlayers: 2, MaxPlayers: 2,
		SharedView: true, Rated: true, RatedActs: 3,
	}, func() *Game { return new(Game) })
}

// The game's timers.
const (
	flagTimer = "flag" // the side to move runs out of time
	botTimer  = "bot"  // the built-in opponent moves
	awayTimer = "away" // the side to move has been away for too long
)

// fair is the edition of the rules in which nobody wins or loses because an opponent is absent. It applies to rooms made by
// the runtime of this number or a later one. Rooms of earlier runtimes, and their replays, keep the rules they began with.
const fair = 2

// Game is one game of chess. The zero value waits for Open or Restore.
type Game struct {
	options Options
	edition int // fair, or 0
	line    *line
	clock   clock
	seated  []room.Player // the players who wait for the start, ordered by seat
	players [2]contender  // by side, once it has started
	started bool
	acted   [2]bool       // which sides have acted in their turn
	away    time.Duration // when the side to move loses by absence; 0: it is connected, or a clock decides
	draw    offer
	undo    offer
	undoTo  int // half-moves left if undo is accepted
	over    *ending
	sheet   sheet
}

// contender is the player of a side.
type contender struct {
	room.Player
	Bot    bool `json:"bot,omitempty"`
	Online bool `json:"online,omitempty"`
}

// Open reads the options.
func (g *Game) Open(t *room.Turn, _ json.RawMessage) error {
	o, l, err := decodeOptions(t)
	if err != nil {
		return err
	}
	g.set(o, l)
	if t.Runtime() >= fair {
		g.edition = fair
	}
	if o.Bot > 0 {
		t.Seats(1)
	}
	return nil
}

func (g *Game) set(o Options, l *line) {
	g.options, g.line, g.clock = o, l, newClock(o.Clock)
	g.draw, g.undo = noOffer, noOffer
	g.sheet.write(g.line)
}

// Join seats a player, and starts the game when nobody is missing.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	switch {
	case g.started:
		return room.Refuse("started", "the game has started")
	case p.ID == botID:
		return room.Refuse("reserved", "this id is the built-in opponent's")
	}
	g.seated = append(g.seated, p)
	slices.SortFunc(g.seated, func(a, b room.Player) int { return a.Seat - b.Seat })
	if g.options.Bot > 0 {
		t.Lock(true)
		t.Begin()
		g.seated = append(g.seated, room.Player{ID: botID, Name: botName, Seat: 1 - p.Seat})
	}
	if len(g.seated) == 2 {
		g.start(t)
	}
	return nil
}

// start assigns the colours and starts White's clock.
func (g *Game) start(t *room.Turn) {
	w := g.chooseWhite(t)
	for s, p := range []room.Player{g.seated[w], g.seated[1-w]} {
		g.players[s] = contender{p, p.ID == botID, p.ID == botID || t.Online(p.ID)}
	}
	g.seated, g.started = nil, true
	if g.clock.on {
		g.clock.Since = t.Now()
	}
	if g.edition >= fair { // the game's own timers end it, whoever is connected
		t.Grace(room.Forever)
		t.Empty(room.Forever)
	}
	g.startTimers(t)
}

// chooseWhite is the index of White in g.seated. The built-in opponent is the second.
func (g *Game) chooseWhite(t *room.Turn) int {
	switch g.options.White {
	case byFirst:
		return 0
	case bySecond:
		return 1
	}
	if id, ok := strings.CutPrefix(g.options.White, byID); ok {
		i := slices.IndexFunc(g.seated, func(p room.Player) bool { return string(p.ID) == id })
		if i >= 0 {
			return i
		}
	}
	return t.Rand().IntN(2)
}

// Leave ends a game that has begun. The player who leaves or loses the seat loses, unless too little has been played.
func (g *Game) Leave(t *room.Turn, p room.Player, _ room.LeaveReason) {
	s := g.sideOf(p.ID)
	switch {
	case !g.started:
		g.seated = slices.DeleteFunc(g.seated, func(x room.Player) bool { return x.ID == p.ID })
	case s == nobody || g.over != nil:
	default:
		g.players[s].Online = false
		g.forfeit(t, Abandoned, s.other())
	}
}

// Presence notes whether a player is connected.
func (g *Game) Presence(t *room.Turn, p room.Player, online bool) {
	if s := g.sideOf(p.ID); s != nobody {
		g.players[s].Online = online
		g.timeAbsence(t)
	}
}

// timeAbsence starts and stops the time that the options give a side to move to come back. In a game with a clock the clock
// alone decides.
func (g *Game) timeAbsence(t *room.Turn) {
	if g.edition < fair || g.clock.on || !g.playing() {
		return
	}
	switch p := &g.players[g.line.turn()]; {
	case p.Bot || p.Online:
		g.away = 0
		t.StopTimer(awayTimer)
	case g.away == 0:
		g.away = t.Now() + g.options.grace()
		t.StartTimer(awayTimer, g.options.grace())
	}
}

// Timer ends the game when a flag falls or an absence lasts too long, and makes the built-in opponent's moves.
func (g *Game) Timer(t *room.Turn, name string) {
	switch {
	case !g.playing():
	case name == flagTimer && !g.flagged(t):
		g.startTimers(t) // the clock has been set back
	case name == flagTimer:
		g.flagFell(t)
	case name == awayTimer && g.away > 0 && t.Now() >= g.away:
		g.forfeit(t, Abandoned, g.line.turn().other())
	case name == botTimer && g.players[g.line.turn()].Bot:
		g.botMove(t)
	}
}

// Rematch is the options of another game with the colours swapped.
func (g *Game) Rematch() any {
	o := g.options
	switch next := g.players[black]; {
	case next.Bot:
		o.White = bySecond
	case g.options.Bot > 0:
		o.White = byFirst
	default:
		o.White = byID + string(next.ID)
	}
	if o.FEN == startFEN {
		o.FEN = ""
	}
	if o.grace() == defaultGrace {
		o.GraceMS = 0
	}
	return o
}

func (g *Game) playing() bool { return g.started && g.over == nil }

func (g *Game) sideOf(id room.PlayerID) side {
	for s, p := range g.players {
		if g.started && p.ID == id {
			return side(s)
		}
	}
	return nobody
}

// flagged reports whether the side to move has run out of time.
func (g *Game) flagged(t *room.Turn) bool {
	return g.clock.on && g.clock.remaining(g.line.turn(), t.Now()) <= 0
}

// startTimers sets the timers for the side to move.
func (g *Game) startTimers(t *room.Turn) {
	s := g.line.turn()
	if g.clock.on {
		t.StartTimer(flagTimer, g.clock.remaining(s, t.Now()))
	}
	if g.players[s].Bot {
		t.StartTimer(botTimer, g.botPause(t, s))
	} else {
		t.StopTimer(botTimer)
	}
	g.away = 0
	g.timeAbsence(t)
}

// botPause is how long the built-in opponent seems to think: shortly, and for less when its time is short.
func (g *Game) botPause(t *room.Turn, s side) time.Duration {
	pause := ms(250 + t.Rand().Int64N(350))
	if g.clock.on {
		pause = min(pause, g.clock.remaining(s, t.Now())/20)
	}
	return pause
}
