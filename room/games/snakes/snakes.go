package snakes

import (
	"encoding/json"
	"strings"

	"github.com/roomring/roomring/room"
)

// Version is the version of the rules, which every room's log names.
const Version = 1

// fair is the edition of the rules in which nobody wins or loses because an opponent is absent. It applies to rooms made by
// the runtime of this number or a later one. Rooms of earlier runtimes, and their replays, keep the rules they began with.
const fair = 2

// MaxPlayers is how many may play at a time, built-in opponents not counted.
const MaxPlayers = 30

const tickRate = 15 // a second

// maxRoster bounds the players who take part in one game, those who left included.
const maxRoster = 200

// Rules define the game for a server.
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

// The phases. After the first countdown the game no longer waits for players: too few of them end it after the round.
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
	Round   int // counted from 1; 0 before the first
	Clock   int // ticks played in the round
	Born    int // snakes that were put on the grid in the round

	Roster []Contender // a contender's number is the index + 1 for the whole game
	Snakes []*Snake    // the living, by number
	Food   map[int]int // value by cell

	grid *grid `roomring:"derived"` // follows from Options and Snakes
}

// Contender is a player or built-in opponent with the score so far.
type Contender struct {
	room.Player
	Bot     bool `json:",omitempty"`
	Gone    bool `json:",omitempty"` // has left the room
	Cut     bool `json:",omitempty"` // lost the seat by being away, which keeps the rank
	Acted   bool `json:",omitempty"` // has steered a snake
	Online  bool `json:",omitempty"`
	Points  int
	Before  int // Points when the round began
	Kills   int
	Entered int // the last round in which they had a snake; 0 is none
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

// Join enlists a player, or takes back one who had left. The next tick brings the snake.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	i := g.rosterIndex(p.ID)
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

// rosterIndex is where in the roster a player belongs: at the player's index of before, at that of somebody who left
// without ever having a snake, or at a new one.
func (g *Game) rosterIndex(id room.PlayerID) int {
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

// Leave removes the player's snake. The game is over when nobody is left to play it.
func (g *Game) Leave(t *room.Turn, p room.Player, why room.LeaveReason) {
	i := g.indexOf(p.ID)
	if i < 0 {
		return
	}
	c := &g.Roster[i]
	c.Gone, c.Online = true, false
	c.Cut = g.Edition >= fair && why == room.TimedOut
	if s := g.snake(i + 1); s != nil {
		g.makeGrid()
		g.removeDead(t, []crash{{snake: s, cause: ByLeaving}})
	}
	switch {
	case g.Round == 0:
	case g.Round == 1 && g.Phase == Ready && !g.enough():
		g.waitAgain()
	case g.people() == 0:
		g.finish(t, Abandoned)
	}
}

// Presence notes whether a player is connected. The snake of a player who is not goes straight on and does not boost.
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

// indexOf is the index of a player in the roster, or -1.
func (g *Game) indexOf(id room.PlayerID) int {
	for i := range g.Roster {
		if g.Roster[i].ID == id {
			return i
		}
	}
	return -1
}

// snake is the living snake of a number, or nil.
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
