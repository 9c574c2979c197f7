package roomtest_test

import (
	"encoding/json"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// duel is for two, or for one against a built-in opponent. Whoever has counted to ten first wins.
type duel struct {
	Bot    bool
	Counts [2]int

	wrong string `roomring:"derived"`
}

func (g *duel) Open(t *room.Turn, options json.RawMessage) error {
	o := struct {
		Goal int  `json:"goal"`
		Bot  bool `json:"computer"`
	}{Goal: 10}
	if g.wrong == "careless" {
		_ = json.Unmarshal(options, &struct {
			Bot *bool `json:"bot"`
		}{&o.Bot})
	} else if err := t.Options(&o); err != nil {
		return err
	}
	if g.Bot = o.Bot; !g.Bot {
		return nil
	}
	if g.wrong != "seats" && g.wrong != "refuses" {
		t.Seats(1)
	}
	if g.wrong != "waiting" && g.wrong != "careless" && g.wrong != "seats" && g.wrong != "refuses" {
		t.Begin()
	}
	return nil
}

func (g *duel) Join(t *room.Turn, p room.Player) error {
	if g.Bot && g.wrong == "refuses" && len(t.Players()) > 1 {
		return room.Refuse("started", "the game has started")
	}
	return nil
}

func (g *duel) Act(t *room.Turn, by room.Player, _ struct{}) error {
	if !g.Bot && len(t.Players()) < 2 {
		return room.Refuse("waiting", "nobody else is here yet")
	}
	g.Counts[by.Seat]++
	if g.Counts[by.Seat] == 10 {
		g.finish(t)
	}
	return nil
}

func (g *duel) finish(t *room.Turn) {
	var out []room.Outcome
	for _, p := range t.Players() {
		out = append(out, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 1})
	}
	if g.Bot && len(out) == 1 {
		bot := room.Outcome{Player: "duel:bot", Name: "Bot", Seat: 1 - out[0].Seat, Rank: 2, Bot: true}
		switch g.wrong {
		case "no id":
			bot.Player = ""
		case "no mark":
			bot.Bot = false
		case "the player's mark":
			out[0].Bot = true
		}
		out = append(out, bot)
	}
	t.Finish(room.Result{Reason: "ten", Outcomes: out})
}

func (g *duel) View(room.Viewer) [2]int { return g.Counts }

func duelRules(wrong string) *room.Rules {
	return room.MustDefine(room.Spec{Name: "duel", Version: 1, MinPlayers: 2, SharedView: true}, func() *duel { return &duel{wrong: wrong} })
}

func justAct(*rand.Rand, room.Player, json.RawMessage) any { return struct{}{} }

// The kit finds faults of built-in opponents although the author does not name the option for them.
func TestFaultsOfBotsAreFoundWithoutTheirOption(t *testing.T) {
	o := roomtest.Options{Act: justAct, Games: 2, Inputs: 60}
	roomtest.Prove(t, duelRules(""), o)
	for wrong, words := range map[string][]string{
		"no id":             {`{"computer":true}`, "Act panics: result: the outcome of seat 1 names no player: a built-in opponent needs an id of its own"},
		"no mark":           {`{"computer":true}`, `the result names "duel:bot" of seat 1, who never had a seat: set Bot`},
		"the player's mark": {`{"computer":true}`, "the result calls the player p1 of seat 0 a bot"},
		"waiting":           {`{"computer":true}`, "still waits for players", "call t.Begin()"},
		"seats":             {`{"computer":true}`, "the game ends with a result while its room still waits for players", "call t.Begin()"},
		"careless":          {`{"bot":true}`, "call t.Begin()"},
	} {
		t.Run(wrong, func(t *testing.T) { expect(t, duelRules(wrong), o, words...) })
	}
	o.Inputs = 5 // too few to come to an end
	expect(t, duelRules("waiting"), o, "the room waits for 2 players for ever: there are 1, and no seat is free", "call t.Begin()")
	expect(t, duelRules("refuses"), o, "the room waits for 2 players, and the game refuses the next one (the game has started)", "call t.Begin()")
}

func TestUnknownOptionNamesTheOptions(t *testing.T) {
	_, err := roomtest.Check(duelRules(""), roomtest.Options{Act: justAct, RoomOptions: json.RawMessage(`{"bots":1}`)})
	if want := `unknown field "bots": the options are "goal", "computer"`; err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}
