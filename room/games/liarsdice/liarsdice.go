package liarsdice

import (
	"cmp"
	"encoding/json"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// Version is the version of the rules; it stands in every room's log.
const Version = 1

// fair is the edition of the rules in which nobody loses or wins by what an opponent who is not there lets happen. It holds
// in rooms that were made by the runtime of the same number or a later one; those before it, and their replays, go on as
// they were begun.
const fair = 2

const (
	minPlayers = 2
	maxPlayers = 6
)

// Rules are the game, ready to be run.
func Rules() *room.Rules {
	return room.MustDefine(room.Spec{
		Name: "liarsdice", Version: Version, Title: "Liar's dice",
		About:      "Bid on hidden dice and call bluffs: two to six players, or alone against simple opponents",
		MinPlayers: minPlayers, MaxPlayers: maxPlayers,
		Rated: true,
	}, func() *Game { return new(Game) })
}

// What a game is at, as [View.Status] has it.
const (
	Waiting  = "waiting" // for players
	Bidding  = "bidding" // somebody is to act
	Revealed = "reveal"  // all dice are shown
	Over     = "over"
)

// nobody stands where a seat could.
const nobody = -1

// alarm is the game's one timer: the countdown, a turn or a reveal is over.
const alarm = "alarm"

// Game is one game of liar's dice. Its exported fields are its snapshot, hidden dice included.
type Game struct {
	Options  Options
	Edition  int `json:",omitempty"` // fair, or 0
	Status   string
	Table    []Hand // by seat; complete from the start on
	Round    int
	Turn     int // the seat to act; in a reveal, to open the next round
	Bids     []Bid
	Deadline time.Duration // in room time, for players to see; 0 is none
	Reveal   *Reveal       // of the last call
	Begun    bool          // somebody has bid
	Ending   Ending
}

// Hand is who sits at the table and what they hold.
type Hand struct {
	room.Player
	Bot    bool
	Online bool
	Ready  bool
	Acted  bool  `json:",omitempty"` // has bid or called in person
	Left   bool  // gave up the seat after the start
	Count  int   // dice still in the game
	Dice   []int // as they were rolled; known to this player alone and empty outside the bidding
	Rank   int   // the final place, once there is one
	Missed int   // turns let run out in a row
}

func (h *Hand) in() bool { return h.Count > 0 }

// Open reads the options and seats the built-in opponents, at the far end of the table.
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

// Join seats a player. A full table starts.
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

// muster starts the game when everybody is ready, or the countdown when somebody is.
func (g *Game) muster(t *room.Turn) {
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
		g.wait(t, ms(g.Options.StartMS))
	}
}

func (g *Game) start(t *room.Turn) {
	t.Lock(true)
	t.Begin()
	if g.Edition >= fair { // a turn's time decides what absence costs, and all may be away for a turn of everybody's
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
	h := g.of(p.ID)
	switch {
	case h == nil:
		return
	case g.Status == Waiting:
		g.Table = slices.DeleteFunc(g.Table, func(h Hand) bool { return h.ID == p.ID })
		g.muster(t)
		return
	}
	h.Online, h.Ready, h.Left = false, false, true
	switch {
	case h.in():
		g.desert(t, h)
	case len(t.Players()) == 0:
		g.finish(t, Abandoned)
	}
}

// desert takes out a player who still had dice and lets the others go on.
func (g *Game) desert(t *room.Turn, h *Hand) {
	g.out(t, h)
	switch {
	case g.left() == 1 || len(t.Players()) == 0:
		g.finish(t, Abandoned)
		return
	case g.Turn == h.Seat:
		g.Turn = g.after(h.Seat)
	}
	if g.Status == Bidding {
		g.deal(t)
	} else {
		g.goOn(t)
	}
}

// Presence notes whether a player is connected, for the others to see.
func (g *Game) Presence(t *room.Turn, p room.Player, online bool) {
	h := g.of(p.ID)
	if h == nil {
		return
	}
	h.Online = online
	if g.Status == Revealed {
		g.goOn(t)
	}
}

// Timer hears that the present wait is over.
func (g *Game) Timer(t *room.Turn, _ string) {
	switch g.Status {
	case Waiting:
		g.start(t)
	case Bidding:
		if h := g.at(g.Turn); h.Bot {
			g.botTurn(t, h)
		} else {
			g.overdue(t, h)
		}
	case Revealed:
		g.deal(t)
	}
}

// wait lets the present part of the game last so long, for everybody to see.
func (g *Game) wait(t *room.Turn, d time.Duration) {
	g.Deadline = t.Now() + d
	t.StartTimer(alarm, d)
}

// of finds a player at the table.
func (g *Game) of(id room.PlayerID) *Hand {
	return g.find(func(h Hand) bool { return h.ID == id })
}

// at finds who has a seat.
func (g *Game) at(seat int) *Hand {
	return g.find(func(h Hand) bool { return h.Seat == seat })
}

func (g *Game) find(is func(Hand) bool) *Hand {
	if i := slices.IndexFunc(g.Table, is); i >= 0 {
		return &g.Table[i]
	}
	return nil
}

// after is the next seat whose player has dice.
func (g *Game) after(seat int) int {
	i := slices.IndexFunc(g.Table, func(h Hand) bool { return h.Seat == seat })
	for n := range len(g.Table) {
		if h := &g.Table[(i+1+n)%len(g.Table)]; h.in() {
			return h.Seat
		}
	}
	return nobody
}

// left counts the players who have dice.
func (g *Game) left() (n int) {
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
