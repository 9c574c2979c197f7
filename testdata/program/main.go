// Command countdown is a server of one game of its own.
package main

import (
	"embed"
	"encoding/json"
	"io/fs"
	"math/rand/v2"

	"github.com/roomring/roomring"
	"github.com/roomring/roomring/room"
)

// countdown is won by whoever says zero.
type countdown struct{ Left int }

//go:generate go run . types --out web

// say is what a player does.
type say struct {
	Take int `json:"take"` // of what is left, 1 at least
}

func (g *countdown) Open(*room.Turn, json.RawMessage) error { g.Left = 10; return nil }

func (g *countdown) Act(t *room.Turn, by room.Player, a say) error {
	if a.Take < 1 || a.Take > g.Left {
		return room.Refuse("bad_take", "take 1 to what is left")
	}
	if g.Left -= a.Take; g.Left == 0 {
		t.Finish(room.Result{Reason: "zero", Summary: by.Name + " said zero", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Rank: 1}}})
	}
	return nil
}

func (g *countdown) View(room.Viewer) map[string]int { return map[string]int{"left": g.Left} }

var rules = room.MustDefine(
	room.Spec{Name: "countdown", Version: 1, Title: "Countdown", SharedView: true, MaxPlayers: 2},
	func() *countdown { return new(countdown) },
)

// play says how to play the game in a load test, for it does not say itself what is legal.
func play(r *rand.Rand, _ room.Player, view json.RawMessage) any {
	var v struct{ Left int }
	if json.Unmarshal(view, &v) != nil || v.Left == 0 {
		return nil
	}
	return say{1 + r.IntN(v.Left)}
}

type driver = func(*rand.Rand, room.Player, json.RawMessage) any

//go:embed pages
var folder embed.FS

func main() {
	pages, err := fs.Sub(folder, "pages")
	if err != nil {
		panic(err)
	}
	roomring.Program{Pages: pages, Drivers: map[string]driver{"countdown": play}}.Main(rules)
}
