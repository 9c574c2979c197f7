package liarsdice

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// Version is the version of the rules, which every room's log names.
const Version = 1

// fair is the edition of the rules in which nobody wins or loses because an opponent is absent. It applies to rooms made by
// the runtime of this number or a later one. Rooms of earlier runtimes, and their replays, keep the rules they began with.
const fair = 2

const (
	minPlayers = 2
	maxPlayers = 6
)

// Rules define the game for a server.
func Rules() *room.Rules {
	return room.MustDefine(room.Spec{
		Name: "liarsdice", Version: Version, Title: "Liar's dice",
		About:      "Bid on hidden dice and call bluffs: two to six players, or alone against simple opponents",
		MinPlayers: minPlayers, MaxPlayers: maxPlayers,
		Rated: true,
	}, func() *Game { return new(Game) })
}

// The values of [View.Status].
const (
	Waiting  = "waiting" // for players
	Bidding  = "bidding" // somebody is to act
	Revealed = "reveal"  // all dice are shown
	Over     = "over"
)

// nobody is no seat.
const nobody = -1

// alarm is the game's one timer. It ends the countdown, a turn or a reveal.
const alarm = "alarm"

// Game is one game of liar's dice. Its exported fields are its snapshot, hidden dice included.
type Game struct {
	Options  Options
	Edition  int `json:",omitempty"` // fair, or 0
	Status   string
	Table    []Hand // ordered by seat; complete once the game has started
	Round    int
	Turn     int // the seat to act; during a reveal, the seat that opens the next round
	Bids     []Bid
	Deadline time.Duration // shown to players, in room time; 0 is none
	Reveal   *Reveal       // of the last call
	Begun    bool          // somebody has bid
	Ending   Ending
}

// Hand is a player at the table and the player's dice.
type Hand struct {
	room.Player
	Bot    bool
	Online bool
	Ready  bool
	Acted  bool  `json:",omitempty"` // has bid or called in person
	Left   bool  // gave up the seat after the start
	Count  int   // dice still in the game
	Dice   []int // in order; known to this player alone, and empty except during the bidding
	Rank   int   // the final place, once there is one
	Missed int   // turns let run out in a row
}

func (h *Hand) in() bool { return h.Count > 0 }

// Open reads the options and gives the built-in opponents the last seats.
func (g *Game) Open(t *room.Turn, _ json.RawMessage) error {
	o, err := decodeOptions(t)
	if err != nil {
		return err
	}
	g.Options, g.Status, g.Turn = o, Waiting, nobody
	if t.Runtime() >= fair {
		g.Edition = fair
		t.Wait()
	}
	t.Seats(o.Players - o.Bots)
	for seat := o.Players - o.Bots; seat < o.Players; seat++ {
		g.Table = append(g.Table, newBot(seat))
	}
	if o.Bots > 0 {
		t.Begin() // one player is enough
	}
	return nil
}

// Join seats a player, and starts the game when the table is full.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	switch {
	case g.Status != Waiting:
		return room.Refuse("started", "the game has started")
	case strings.HasPrefix(string(p.ID), botPrefix):
		return room.Refuse("reserved", "this id is a built-in opponent's")
	}
	g.Table = append(g.Table, Hand{Player: p, Online: t.Online(p.ID)})
	slices.SortFunc(g.Table, func(a, b Hand) int { return cmp.Compare(a.Seat, b.Seat) })
	if len(g.Table) == g.Options.Players {
		g.start(t)
	}
	return nil
}

// startWhenReady starts the game when everybody is ready, and the countdown when somebody is.
func (g *Game) startWhenReady(t *room.Turn) {
	people, ready := 0, 0
	for i := range g.Table {
		if h := &g.Table[i]; !h.Bot {
			people++
			if h.Ready {
				ready++
			}
		}
	}
	switch {
	case len(g.Table) < minPlayers || ready == 0:
		g.Deadline = 0
		t.StopTimer(alarm)
	case ready == people:
		g.start(t)
	case g.Deadline == 0:
		g.setDeadline(t, ms(g.Options.StartMS))
	}
}

func (g *Game) start(t *room.Turn) {
	t.Lock(true)
	t.Begin()
	if g.Edition >= fair { // absence costs turns, not the seat
		t.Grace(room.Forever)
		t.Empty(10*time.Minute + time.Duration(len(g.Table))*ms(g.Options.TurnMS))
	}
	for i := range g.Table {
		g.Table[i].Count = g.Options.Dice
	}
	g.Turn = g.Table[t.Rand().IntN(len(g.Table))].Seat
	g.deal(t)
}

// Leave takes a player out of the game, with all dice.
func (g *Game) Leave(t *room.Turn, p room.Player, _ room.LeaveReason) {
	h := g.hand(p.ID)
	switch {
	case h == nil:
		return
	case g.Status == Waiting:
		g.Table = slices.DeleteFunc(g.Table, func(h Hand) bool { return h.ID == p.ID })
		g.startWhenReady(t)
		return
	}
	h.Online, h.Ready, h.Left = false, false, true
	switch {
	case h.in():
		g.forfeit(t, h)
	case len(t.Players()) == 0:
		g.finish(t, Abandoned)
	}
}

// forfeit takes out a player who leaves with dice, and lets the others go on.
func (g *Game) forfeit(t *room.Turn, h *Hand) {
	g.eliminate(t, h)
	switch {
	case g.playersIn() == 1 || len(t.Players()) == 0:
		g.finish(t, Abandoned)
		return
	case g.Turn == h.Seat:
		g.Turn = g.after(h.Seat)
	}
	if g.Status == Bidding {
		g.deal(t)
	} else {
		g.dealWhenReady(t)
	}
}

// Presence notes whether a player is connected, for the others to see.
func (g *Game) Presence(t *room.Turn, p room.Player, online bool) {
	h := g.hand(p.ID)
	if h == nil {
		return
	}
	h.Online = online
	if g.Status == Revealed {
		g.dealWhenReady(t)
	}
}

// Timer ends the present countdown, turn or reveal.
func (g *Game) Timer(t *room.Turn, _ string) {
	switch g.Status {
	case Waiting:
		g.start(t)
	case Bidding:
		if h := g.handAt(g.Turn); h.Bot {
			g.botTurn(t, h)
		} else {
			g.missTurn(t, h)
		}
	case Revealed:
		g.deal(t)
	}
}

// setDeadline ends the present countdown, turn or reveal after d, and shows everybody when.
func (g *Game) setDeadline(t *room.Turn, d time.Duration) {
	g.Deadline = t.Now() + d
	t.StartTimer(alarm, d)
}

// hand is a player's hand, or nil.
func (g *Game) hand(id room.PlayerID) *Hand {
	return g.find(func(h Hand) bool { return h.ID == id })
}

// handAt is the hand of a seat, or nil.
func (g *Game) handAt(seat int) *Hand {
	return g.find(func(h Hand) bool { return h.Seat == seat })
}

func (g *Game) find(is func(Hand) bool) *Hand {
	if i := slices.IndexFunc(g.Table, is); i >= 0 {
		return &g.Table[i]
	}
	return nil
}

// after is the next seat with dice, or nobody.
func (g *Game) after(seat int) int {
	i := slices.IndexFunc(g.Table, func(h Hand) bool { return h.Seat == seat })
	for n := range len(g.Table) {
		if h := &g.Table[(i+1+n)%len(g.Table)]; h.in() {
			return h.Seat
		}
	}
	return nobody
}

// playersIn counts the players who have dice left.
func (g *Game) playersIn() (n int) {
	for i := range g.Table {
		if g.Table[i].in() {
			n++
		}
	}
	return n
}

// total counts the dice on the table.
func (g *Game) total() (n int) {
	for i := range g.Table {
		n += g.Table[i].Count
	}
	return n
}
