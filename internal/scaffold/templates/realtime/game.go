package main

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"

	"github.com/roomring/roomring/room"
)

var rules = room.MustDefine(room.Spec{
	Name: "splatter", Version: 1, Title: "Splatter", About: "Paint more of the field than the others, and mind where they have laid their mines.",
	MinPlayers: 2, MaxPlayers: maxSeats, TickRate: tickRate, Rated: true, RatedActs: 3,
}, func() *Game { return &Game{Cells: map[Cell]int{}} })

const (
	maxSeats = 4
	tickRate = 10 // a second; everybody takes a step at each tick
	width    = 24 // of the field, in cells
	height   = 14
	pause    = 3 * tickRate // ticks before a round, so that all can look at the field
	mines    = 3            // that a player may have lying
)

// Options are what whoever makes a room may choose.
type Options struct {
	Computers int `json:"computers"` // built-in opponents, 0 to 3
	Seconds   int `json:"seconds"`   // a round, 10 to 300
}

// Status says how far a game is.
type Status string

// The states of a game, in order.
const (
	Waiting  Status = "waiting" // for a second player
	Starting Status = "starting"
	Playing  Status = "playing"
	Over     Status = "over"
)

// Game is a field that runners paint as they go. All of it is exported, so all of it survives a crash and a deploy.
type Game struct {
	Options Options
	Status  Status
	Left    int // ticks until the round begins or ends
	Runners [maxSeats]Runner
	Cells   map[Cell]int // the seat that painted a cell
	Winner  int
}

// Runner is one player on the field.
type Runner struct {
	Player  room.Player
	Here    bool // a seat that nobody has taken has no runner
	Bot     bool
	At      Cell
	Facing  Heading
	Stunned int    // ticks until it may go on
	Mines   []Cell // laid and not yet stepped on
}

// Heading is where a runner goes.
type Heading string

// The headings. A runner without one stands still.
const (
	Up    Heading = "up"
	Down  Heading = "down"
	Left  Heading = "left"
	Right Heading = "right"
)

var headings = []Heading{Up, Down, Left, Right}

// Cell is a place on the field.
type Cell struct{ X, Y int }

// MarshalText writes a cell as "x,y", so that cells can be keys of JSON objects.
func (c Cell) MarshalText() ([]byte, error) {
	return []byte(strconv.Itoa(c.X) + "," + strconv.Itoa(c.Y)), nil
}

// UnmarshalText reads what MarshalText writes.
func (c *Cell) UnmarshalText(text []byte) (err error) {
	x, y, _ := strings.Cut(string(text), ",")
	if c.X, err = strconv.Atoi(x); err == nil {
		c.Y, err = strconv.Atoi(y)
	}
	return err
}

// step is the next cell in a direction. The field has no edge: who leaves it comes back on the other side.
func (c Cell) step(h Heading) Cell {
	switch h {
	case Up:
		c.Y--
	case Down:
		c.Y++
	case Left:
		c.X--
	case Right:
		c.X++
	}
	return Cell{(c.X + width) % width, (c.Y + height) % height}
}

// Action is what a player can do. Exactly one field is set.
type Action struct {
	Turn Heading `json:"turn,omitempty"`
	Mine bool    `json:"mine,omitempty"` // lay a mine at the present cell; only its owner sees it
}

// Open sets up a room.
func (g *Game) Open(t *room.Turn, _ json.RawMessage) error {
	g.Options = Options{Seconds: 60}
	if err := t.Options(&g.Options); err != nil {
		return err
	}
	o := g.Options
	switch {
	case o.Computers < 0 || o.Computers >= maxSeats:
		return room.Refuse("bad_options", "computers must be 0 to 3")
	case o.Seconds < 10 || o.Seconds > 300:
		return room.Refuse("bad_options", "seconds must be 10 to 300")
	}
	g.Status = Waiting
	for n := range o.Computers {
		g.enter(computer(maxSeats-1-n), true)
	}
	if o.Computers > 0 {
		t.Seats(maxSeats - o.Computers)
		t.Begin() // one player is enough
	}
	return nil
}

// Join puts a runner on the field. Players may come while a round is on.
func (g *Game) Join(t *room.Turn, p room.Player) error {
	if p.ID == computer(p.Seat).ID {
		return room.Refuse("reserved", "this id is a computer's")
	}
	g.enter(p, false)
	if g.Status == Waiting && (g.Options.Computers > 0 || len(t.Players()) == 2) {
		g.Status, g.Left = Starting, pause
	}
	return nil
}

func (g *Game) enter(p room.Player, bot bool) {
	at := Cell{width / 4 * (1 + 2*(p.Seat%2)), height / 4 * (1 + 2*(p.Seat/2%2))}
	g.Runners[p.Seat] = Runner{Player: p, Here: true, Bot: bot, At: at}
	g.Cells[at] = p.Seat
}

// Leave takes a runner off the field. What it painted stays.
func (g *Game) Leave(t *room.Turn, p room.Player, _ room.LeaveReason) {
	if g.Status == Waiting {
		g.Runners[p.Seat] = Runner{}
		return
	}
	r := &g.Runners[p.Seat]
	r.Facing, r.Mines = "", nil
	if g.Status != Over && len(t.Players()) == 0 {
		g.finish(t, "left")
	}
}

// Act applies a player's action.
func (g *Game) Act(_ *room.Turn, by room.Player, a Action) error {
	r := &g.Runners[by.Seat]
	switch {
	case g.Status != Playing:
		return room.Refuse("not_now", "no round is on")
	case a == Action{Mine: true}:
		if len(r.Mines) == mines {
			return room.Refuse("no_mine", "you have no mine left to lay")
		}
		if slices.Contains(r.Mines, r.At) {
			return room.Refuse("mined", "you have laid one here already")
		}
		r.Mines = append(r.Mines, r.At)
	case a == Action{Turn: a.Turn} && slices.Contains(headings, a.Turn):
		r.Facing = a.Turn
	default:
		return room.Refuse("bad_action", `send {"turn":"up"}, "down", "left" or "right", or {"mine":true}`)
	}
	return nil
}

// Tick moves everybody by a step, in order of seats.
func (g *Game) Tick(t *room.Turn) {
	switch g.Status {
	case Starting:
		if g.Left--; g.Left == 0 {
			g.Status, g.Left = Playing, g.Options.Seconds*tickRate
		}
	case Playing:
		for seat := range g.Runners {
			g.run(t, seat)
		}
		if g.Left--; g.Left == 0 {
			g.finish(t, "time")
		}
	}
}

// run moves one runner, who paints the cell that it comes to.
func (g *Game) run(t *room.Turn, seat int) {
	r := &g.Runners[seat]
	switch {
	case !r.Here:
		return
	case r.Stunned > 0:
		r.Stunned--
		return
	case r.Bot:
		r.Facing = wander(g.View(room.Viewer{Player: r.Player.ID, Seat: seat}), seat, t.Rand())
	}
	if r.Facing == "" {
		return
	}
	r.At = r.At.step(r.Facing)
	g.Cells[r.At] = seat
	for owner := range g.Runners {
		if i := slices.Index(g.Runners[owner].Mines, r.At); i >= 0 && owner != seat {
			g.Runners[owner].Mines = slices.Delete(g.Runners[owner].Mines, i, i+1)
			g.explode(t, r.At, owner)
			r.Stunned = tickRate
		}
	}
}

// explode paints the cells around a mine in its owner's colour.
func (g *Game) explode(t *room.Turn, at Cell, owner int) {
	for dy := -2; dy <= 2; dy++ {
		for dx := -2; dx <= 2; dx++ {
			if dx*dx+dy*dy <= 5 {
				g.Cells[Cell{(at.X + dx + width) % width, (at.Y + dy + height) % height}] = owner
			}
		}
	}
	t.Broadcast("boom", Boom{At: at, By: owner})
}

// painted counts each seat's cells.
func (g *Game) painted() (n [maxSeats]int) {
	for _, seat := range g.Cells { // counting does not depend on the order
		n[seat]++
	}
	return n
}

func (g *Game) finish(t *room.Turn, reason string) {
	g.Status, g.Left = Over, 0
	painted := g.painted()
	r := room.Result{Reason: reason}
	for seat, runner := range g.Runners {
		if !runner.Here {
			continue
		}
		rank := 1
		for other := range g.Runners {
			if painted[other] > painted[seat] {
				rank++
			}
		}
		if rank == 1 {
			g.Winner, r.Summary = seat, runner.Player.Name+" painted the most"
		}
		r.Outcomes = append(r.Outcomes, room.Outcome{
			Player: runner.Player.ID, Name: runner.Player.Name, Seat: seat, Rank: rank, Score: int64(painted[seat]), Bot: runner.Bot,
		})
	}
	t.Finish(r)
}

// Legal names what a viewer may do now. Load tests, proofs and the default table play by it.
func (g *Game) Legal(v room.Viewer) (actions []Action) {
	if v.Spectating() || g.Status != Playing {
		return nil
	}
	for _, h := range headings {
		actions = append(actions, Action{Turn: h})
	}
	if r := g.Runners[v.Seat]; len(r.Mines) < mines && !slices.Contains(r.Mines, r.At) {
		actions = append(actions, Action{Mine: true})
	}
	return actions
}
