package roomtest_test

import (
	"encoding/json"
	"errors"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// counter is the least game.
type counter struct{ Sum int }

type add struct {
	By int `json:"by"`
}

type sum struct {
	Sum int `json:"sum"`
}

func (c *counter) Act(t *room.Turn, by room.Player, a add) error {
	if a.By < 1 || a.By > 9 {
		return room.Refuse("out_of_range", "by must be from 1 to 9")
	}
	if c.Sum += a.By; c.Sum >= 100 {
		t.Finish(room.Result{Reason: "full", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Seat: by.Seat, Rank: 1}}})
	}
	return nil
}

func (c *counter) View(room.Viewer) sum { return sum{c.Sum} }

func proposeAdd(r *rand.Rand, _ room.Player, _ json.RawMessage) any { return add{r.IntN(10)} }

// hands is a game of hidden cards. The player to move plays one or draws one. A fault may be switched on.
type hands struct {
	Hands  map[room.PlayerID][]int
	Deck   []int
	Pile   []int
	Turn   int // seat
	Secret int
	Shouts int
	Clock  int

	fault fault `roomring:"derived"`
}

// fault is what a broken game does wrong.
type fault string

type play struct {
	Do   string `json:"do"`
	Card *int   `json:"card,omitempty"`
}

type table struct {
	Hand   []int          `json:"hand"`
	Counts map[string]int `json:"counts"`
	Pile   []int          `json:"pile"`
	Turn   int            `json:"turn"`
	Clock  int            `json:"clock"`
	Deck   int            `json:"deck"`
	Peek   any            `json:"peek,omitempty"`
}

func (g *hands) Open(t *room.Turn, options json.RawMessage) error {
	g.Deck = t.Rand().Perm(52)
	t.StartTimer("clock", 5*time.Second)
	return nil
}

func (g *hands) Join(t *room.Turn, p room.Player) error {
	if g.fault == "refused join" && len(g.Pile) > 0 {
		g.Shouts++
		return errors.New("too late")
	}
	if len(g.Deck) < 3 {
		return errors.New("the deck is empty")
	}
	g.Hands[p.ID], g.Deck = slices.Clone(g.Deck[:3]), g.Deck[3:]
	return nil
}

func (g *hands) Leave(_ *room.Turn, p room.Player, _ room.LeaveReason) { delete(g.Hands, p.ID) }

func (g *hands) Presence(t *room.Turn, p room.Player, online bool) {
	if g.fault == "presence" && len(g.Deck) > 0 {
		t.Broadcast("presence", g.Deck[0])
	}
}

func (g *hands) Timer(t *room.Turn, name string) {
	g.Clock++
	t.StartTimer(name, 5*time.Second)
}

func (g *hands) Signal(_ *room.Turn, name string, _ json.RawMessage) error {
	if name != "shout" {
		return errors.New("only shout")
	}
	g.Shouts++
	return nil
}

func (g *hands) Act(t *room.Turn, by room.Player, a play) error {
	if g.fault == "panic" && a.Do == "" {
		panic("no action")
	}
	if g.fault == "refusal" {
		g.Turn++
	}
	if by.Seat != g.Turn%2 {
		return room.Refuse("not_your_turn", "wait for your turn")
	}
	switch hand := g.Hands[by.ID]; a.Do {
	case "draw":
		if len(g.Deck) == 0 {
			return room.Refuse("empty", "the deck is empty")
		}
		card := g.Deck[0]
		g.Hands[by.ID], g.Deck = append(hand, card), g.Deck[1:]
		if g.fault == "big secret" {
			t.Send(by.ID, "drew", -1<<53-1)
		}
		t.Send(by.ID, "drew", card)
	case "play":
		if g.fault == "nil card" {
			g.Secret = *a.Card
		}
		if a.Card == nil || !slices.Contains(hand, *a.Card) {
			return room.Refuse("no_card", "not in your hand")
		}
		g.Hands[by.ID] = slices.DeleteFunc(hand, func(c int) bool { return c == *a.Card })
		g.Pile = append(g.Pile, *a.Card)
		switch g.fault {
		case "big event":
			t.Broadcast("played", map[string]any{"coins": []int64{1<<53 - 1, 1 << 53}})
		case "big floats":
			t.Broadcast("played", []any{1e300, -1.5e-7, "9007199254740993", 1<<53 - 1, 0.1234567890123456789})
		}
		if g.fault == "late panic" && len(g.Pile) == 5 {
			g.Hands = nil
			g.Hands["x"] = nil
		}
		if len(g.Pile) > 20 {
			g.finish(t)
		}
	default:
		return room.Refuse("unknown", "draw or play")
	}
	g.Turn++
	return nil
}

func (g *hands) finish(t *room.Turn) {
	var out []room.Outcome
	for i, p := range t.Players() {
		out = append(out, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: i + 1})
	}
	result := room.Result{Reason: "pile", Outcomes: out}
	switch g.fault {
	case "big score":
		out[1].Score = 1 << 53
	case "big data":
		result.Data = json.RawMessage(`{"pot":18446744073709551615}`)
	}
	t.Finish(result)
}

func (g *hands) View(v room.Viewer) table {
	out := table{Counts: map[string]int{}, Pile: g.Pile, Turn: g.Turn % 2, Clock: g.Clock, Deck: len(g.Deck), Hand: g.Hands[v.Player]}
	for p, h := range g.Hands {
		out.Counts[string(p)] = len(h)
	}
	switch {
	case g.fault == "leak" && v.Player == "p2":
		out.Peek = map[string]any{"cards": g.Hands["p1"]}
	case g.fault == "leak of order" && len(g.Deck) > 1:
		out.Peek = g.Deck[0] < g.Deck[1]
	case g.fault == "leak to spectators" && v.Spectating() && len(g.Deck) > 0:
		out.Peek = g.Deck[len(g.Deck)-1]
	case g.fault == "null":
		out.Peek = []any{nil}
	case g.fault == "big":
		out.Peek = map[string]int64{"coins": 1 << 53}
	case g.fault == "view mutates":
		g.Shouts++
	case g.fault == "view panics" && v.Spectating():
		out.Peek = g.Hands["nobody"][0]
	}
	return out
}

func newHands(f fault) func() *hands {
	return func() *hands { return &hands{Hands: map[room.PlayerID][]int{}, fault: f} }
}

func handRules(f fault) *room.Rules {
	return room.MustDefine(room.Spec{Name: "hands", Version: 1, MinPlayers: 2, MaxPlayers: 2, Grace: time.Minute}, newHands(f))
}

func proposePlay(r *rand.Rand, p room.Player, view json.RawMessage) any {
	var seen table
	if err := json.Unmarshal(view, &seen); err != nil {
		panic(err)
	}
	if seen.Turn != p.Seat {
		return nil
	}
	if n := len(seen.Hand); n > 0 && r.IntN(3) > 0 {
		return play{Do: "play", Card: &seen.Hand[r.IntN(n)]}
	}
	return play{Do: "draw"}
}

// hiddenHands are the deck, and each hand, which only its holder may learn.
func hiddenHands(state map[string]any) []roomtest.Hidden {
	out := []roomtest.Hidden{{Path: "Deck"}}
	for p := range state["Hands"].(map[string]any) {
		out = append(out, roomtest.Hidden{Path: "Hands." + p, For: []room.PlayerID{room.PlayerID(p)}})
	}
	return out
}

func handOptions() roomtest.Options {
	return roomtest.Options{
		Act: proposePlay, Hidden: hiddenHands, Games: 6,
		Signals: func(r *rand.Rand) (string, any) { return []string{"shout", "whisper"}[r.IntN(2)], nil },
	}
}

// snakes moves by itself.
type snakes struct {
	Heads map[room.PlayerID]int
	Steps int
}

type steer struct {
	By int `json:"by"`
}

func (g *snakes) Join(t *room.Turn, p room.Player) error {
	g.Heads[p.ID] = t.Rand().IntN(100)
	return nil
}

func (g *snakes) Leave(_ *room.Turn, p room.Player, _ room.LeaveReason) { delete(g.Heads, p.ID) }

func (g *snakes) Act(t *room.Turn, by room.Player, a steer) error {
	if a.By != 1 && a.By != -1 {
		return errors.New("by 1 or -1")
	}
	g.Heads[by.ID] += a.By
	t.Broadcast("steered", by.ID)
	return nil
}

func (g *snakes) Tick(t *room.Turn) { g.Steps += t.Rand().IntN(3) }

func (g *snakes) View(room.Viewer) snakes { return *g }

func snakeRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "snakes", Version: 1, MaxPlayers: 20, TickRate: 15, SharedView: true},
		func() *snakes { return &snakes{Heads: map[room.PlayerID]int{}} })
}

func proposeSteer(r *rand.Rand, _ room.Player, _ json.RawMessage) any { return steer{1 - 2*r.IntN(2)} }
