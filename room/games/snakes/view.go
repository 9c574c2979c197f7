package snakes

import "github.com/roomring/roomring/room"

// View is what everybody sees; the package comment says how to draw it.
type View struct {
	Phase   Phase `json:"phase"`
	Seconds int   `json:"left_s"` // whole seconds until the phase ends; 0 while waiting and when over
	Round   int   `json:"round"`
	Rounds  int   `json:"rounds"`
	Width   int   `json:"width"`
	Height  int   `json:"height"`
	Walls   bool  `json:"walls"`
	Tick    int   `json:"tick"` // ticks played in this round

	Players map[int]PlayerView `json:"players"` // by number
	Snakes  map[int]SnakeView  `json:"snakes"`  // the living, by their players' numbers
	Food    map[int]int        `json:"food"`    // value by cell
}

// PlayerView is what everybody sees of a contender.
type PlayerView struct {
	Player room.PlayerID `json:"player"`
	Name   string        `json:"name"`
	Seat   int           `json:"seat"`
	Online bool          `json:"online"`
	Bot    bool          `json:"bot,omitempty"`
	Gone   bool          `json:"gone,omitempty"` // has left the room
	Points int           `json:"points"`         // of all rounds
	Before int           `json:"before"`         // points of earlier rounds
	Kills  int           `json:"kills"`          // snakes that died on the body of this player's
	Rank   int           `json:"rank,omitempty"` // when the game is over
}

// SnakeView is a living snake: how many cells it has and the path it lies on, by sequence number.
type SnakeView struct {
	Cells int         `json:"n"`
	Path  map[int]Leg `json:"p"`
}

// View shows the game, which is the same for everybody.
func (g *Game) View(room.Viewer) View {
	v := View{
		Phase: g.Phase, Seconds: (g.Left + tickRate - 1) / tickRate,
		Round: g.Round, Rounds: g.Options.Rounds,
		Width: g.Options.Width, Height: g.Options.Height, Walls: g.Options.Walls,
		Tick: g.Clock, Players: g.playerViews(), Snakes: make(map[int]SnakeView, len(g.Snakes)), Food: g.Food,
	}
	for _, s := range g.Snakes {
		v.Snakes[s.Number] = SnakeView{len(s.Body), s.Legs}
	}
	return v
}

// playerViews are by number. Players who left without ever having a snake are left out.
func (g *Game) playerViews() map[int]PlayerView {
	ranks := make([]int, len(g.Roster))
	if g.Phase == Over {
		ranks = g.ranks()
	}
	views := make(map[int]PlayerView, len(g.Roster))
	for i := range g.Roster {
		if c := &g.Roster[i]; !c.Gone || c.Entered > 0 {
			views[i+1] = PlayerView{c.ID, c.Name, c.Seat, c.Online, c.Bot, c.Gone, c.Points, c.Before, c.Kills, ranks[i]}
		}
	}
	return views
}
