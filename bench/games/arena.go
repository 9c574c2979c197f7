package games

import (
	"strconv"
	"time"

	"github.com/roomring/roomring/room"
)

const (
	arenaSeats = 20
	arenaRate  = 20  // ticks a second
	arenaSide  = 1e3 // bodies that leave at one side come back at the other
)

// ArenaRoom moves twenty bodies 20 times a second; players steer them.
type ArenaRoom struct {
	Ticks  int
	Bodies [arenaSeats]body
}

type body struct {
	In     bool
	X, Y   float32
	VX, VY float32
	HP     int
}

// Steer is an action: a velocity in units a second.
type Steer struct {
	VX  float32 `json:"vx"`
	VY  float32 `json:"vy"`
	Seq uint32  `json:"seq"`
}

// ArenaView is what everybody sees, by seat.
type ArenaView struct {
	Players map[string]Seen `json:"players"`
}

// Seen is one body.
type Seen struct {
	X  float32 `json:"x"`
	Y  float32 `json:"y"`
	HP int     `json:"hp"`
}

// Arena is the game "arena".
func Arena() *room.Rules {
	spec := room.Spec{
		Name: "arena", Version: 1, Title: "Arena", About: "Twenty bodies, twenty ticks a second",
		MaxPlayers: arenaSeats, TickRate: arenaRate, SharedView: true,
		Grace: time.Second, Empty: time.Second, // an arena without players must not tick beside the measured ones
	}
	return room.MustDefine(spec, func() *ArenaRoom { return new(ArenaRoom) })
}

// Join implements room.Joiner.
func (g *ArenaRoom) Join(_ *room.Turn, p room.Player) error {
	g.Bodies[p.Seat] = body{In: true, X: float32(p.Seat * 10), HP: 100}
	return nil
}

// Leave implements room.Leaver.
func (g *ArenaRoom) Leave(_ *room.Turn, p room.Player, _ room.LeaveReason) {
	g.Bodies[p.Seat] = body{}
}

// Act implements room.Game.
func (g *ArenaRoom) Act(_ *room.Turn, by room.Player, s Steer) error {
	g.Bodies[by.Seat].VX, g.Bodies[by.Seat].VY = s.VX, s.VY
	return nil
}

// Tick implements room.Ticker. It converts each product before adding it, so that no processor fuses the two operations.
func (g *ArenaRoom) Tick(*room.Turn) {
	g.Ticks++
	for i := range g.Bodies {
		b := &g.Bodies[i]
		if !b.In {
			continue
		}
		b.X = wrap(b.X + float32(b.VX/arenaRate))
		b.Y = wrap(b.Y + float32(b.VY/arenaRate))
		if (g.Ticks+i)%20 == 0 {
			b.HP = 100 - (b.HP+7)%100
		}
	}
}

func wrap(v float32) float32 {
	switch {
	case v > arenaSide:
		return v - arenaSide
	case v < 0:
		return v + arenaSide
	}
	return v
}

// seatNames are the keys of the view.
var seatNames = func() (names [arenaSeats]string) {
	for i := range names {
		names[i] = strconv.Itoa(i)
	}
	return names
}()

// View implements room.Game.
func (g *ArenaRoom) View(room.Viewer) ArenaView {
	v := ArenaView{Players: make(map[string]Seen, arenaSeats)}
	for i, b := range g.Bodies {
		if b.In {
			v.Players[seatNames[i]] = Seen{b.X, b.Y, b.HP}
		}
	}
	return v
}
