package snakes

import (
	"encoding/json"
	"strings"

	"github.com/roomring/roomring/room"
)

// Version is the version of the rules; it stands in every room's log.
const Version = 1

// fair is the edition of the rules in which nobody loses or wins by what an opponent who is not there lets happen. It holds
// in rooms that were made by the runtime of the same number or a later one; those before it, and their replays, go on as
// they were begun.
const fair = 2

// MaxPlayers is how many may play at a time, built-in opponents not counted.
const MaxPlayers = 30

const tickRate = 15 // a second

// maxRoster bounds those who take part in one game, counting who left again.
const maxRoster = 200

// Rules are the game, ready to be run.
func Rules() *room.Rules {
	return room.MustDefine(room.Spec{
		Name: "snakes", Version: Version, Title: "Snakes",
		About:      "Eat, grow and outlive the others, in rounds, for two to thirty; or alone against built-in snakes",
		MinPlayers: 2, MaxPlayers: MaxPlayers,
		SharedView: true, Rated: true, TickRate: tickRate,
	}, func() *Game { return new(Game) })
}

// Phase is what the game is doing.
type Phase string

// The phases. After the countdown of the first round the game only waits again between rounds.
const (
	Waiting Phase = "waiting" // for players
	Ready   Phase = "ready"   // a countdown: the snakes stand at their start
	Playing Phase = "playing"
	Pause   Phase = "pause" // between two rounds
	Over    Phase = "over"
)

// Game is one game of snakes. The zero value waits for Open; its exported fields are its snapshot.
type Game struct {
	Options Options
	Edition int `json:",omitempty"` // fair, or 0
	Phase   Phase
	Left    int // ticks until the phase ends
	Round   int // from 1; 0 before the first
	Clock   int // ticks played in the round
	Born    int // snakes that the round has seen

	Roster []Contender // a contender's number is the index + 1, for the whole game
	Snakes []*Snake    // the living, by number
	Food   map[int]int // value by cell

	land *field `roomring:"derived"` // follows from Options and Snakes
}

// Contender is somebody who takes part, with what the rounds have brought.
type Contender struct {
	room.Player
	Bot     bool `json:",omitempty"`
	Gone    bool `json:",omitempty"` // has left the room
	Cut     bool `json:",omitempty"` // is gone for having been away, which forfeits nothing
	Acted   bool `json:",omitempty"` // has steered a snake
	Online  bool `json:",omitempty"`
	Points  int
	Before  int // Points when the round began
	Kills   int
	Entered int // the last round with a snake of theirs; 0 is none
}

// Open reads the options and enlists the built-in opponents.
func (g *Game) Open(t *room.Turn, _ json.RawMessage) error {
	o, err := decodeOptions(t)
	if err != nil {
		return err
	}
	g.Options, g.Phase, g.Food = o, Waiting, map[int]int{}
	if t.Runtime() >= fair {
		g.Edition = fair
	}
	for i := range o.Bots {
		g.Roster = append(g.Roster, newBot(i))
	}
	if o.Bots > 0 {
		t.Begin() // one player is enough
	}
	return nil
}

// Join enlists a player, or takes back one who had left. The snake comes with the next tick.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	i := g.place(p.ID)
	switch {
	case strings.HasPrefix(string(p.ID), botPrefix):
		return room.Refuse("reserved", "this id is a built-in opponent's")
	case i == maxRoster:
		return room.Refuse("too_many", "too many have come and gone in this game: start another")
	case i == len(g.Roster):
		g.Roster = append(g.Roster, Contender{})
	}
	p.Name = strings.ToValidUTF8(p.Name, "�")
	c := &g.Roster[i]
	if c.ID != p.ID {
		*c = Contender{}
	}
	c.Player, c.Gone, c.Cut, c.Online = p, false, false, t.Online(p.ID)
	if g.Phase == Waiting && g.enough() {
		if g.Options.Bots > 0 {
			t.Begin()
		}
		g.startRound(t)
	}
	return nil
}

// place is where in the roster a player belongs: the place held before, that of somebody who left before
// ever having a snake, or a new one.
func (g *Game) place(id room.PlayerID) int {
	free := len(g.Roster)
	for i := range g.Roster {
		c := &g.Roster[i]
		if c.ID == id {
			return i
		}
		if c.Gone && c.Entered == 0 {
			free = min(free, i)
		}
	}
	return free
}

// Leave takes the player's snake away. A game that nobody is left to play is over.
func (g *Game) Leave(t *room.Turn, p room.Player, why room.LeaveReason) {
	i := g.indexOf(p.ID)
	if i < 0 {
		return
	}
	c := &g.Roster[i]
	c.Gone, c.Online = true, false
	c.Cut = g.Edition >= fair && why == room.TimedOut
	if s := g.snake(i + 1); s != nil {
		g.ground()
		g.bury(t, []crash{{snake: s, cause: ByLeaving}})
	}
	switch {
	case g.Round == 0:
	case g.Round == 1 && g.Phase == Ready && !g.enough():
		g.standDown()
	case g.people() == 0:
		g.finish(t, Abandoned)
	}
}

// Presence notes who is connected. A snake without its player keeps going straight, and does not boost.
func (g *Game) Presence(_ *room.Turn, p room.Player, online bool) {
	i := g.indexOf(p.ID)
	if i < 0 {
		return
	}
	g.Roster[i].Online = online
	if s := g.snake(i + 1); s != nil && !online {
		s.Boost = false
	}
}

// indexOf is the place of a player in the roster, or -1.
func (g *Game) indexOf(id room.PlayerID) int {
	for i := range g.Roster {
		if g.Roster[i].ID == id {
			return i
		}
	}
	return -1
}

// snake is a contender's living snake, or nil.
func (g *Game) snake(number int) *Snake {
	for _, s := range g.Snakes {
		if s.Number == number {
			return s
		}
	}
	return nil
}

// people counts the players who hold seats.
func (g *Game) people() (n int) {
	for i := range g.Roster {
		if c := &g.Roster[i]; !c.Bot && !c.Gone {
			n++
		}
	}
	return n
}

// enough reports whether a round can begin.
func (g *Game) enough() bool {
	if g.Options.Bots > 0 {
		return g.people() >= 1
	}
	return g.people() >= 2
}
