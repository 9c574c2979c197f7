package core_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
)

// counter is the smallest game: every player adds, and everybody sees the sum.
type counter struct{ Sum int }

type add struct {
	By int `json:"by"`
}

type sum struct {
	Sum int `json:"sum"`
}

func (c *counter) Act(t *room.Turn, by room.Player, a add) error {
	if a.By <= 0 {
		return room.Refuse("not_positive", "by must be above zero")
	}
	c.Sum += a.By
	if c.Sum >= 1000 {
		t.Finish(room.Result{Reason: "full", Summary: "a thousand", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Seat: by.Seat, Rank: 1}}})
	}
	return nil
}

func (c *counter) View(room.Viewer) sum { return sum{c.Sum} }

func counterRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "counter", Version: 1, MaxPlayers: 4, SharedView: true}, func() *counter { return &counter{} })
}

// cards deals hidden hands. The dealer sees all of them, and the dealer changes. The game uses every optional interface.
type cards struct {
	Hands   map[room.PlayerID][]int
	Dealer  room.PlayerID
	Pile    []int
	Offline map[room.PlayerID]bool
	Beeps   int
	Ticks   int
	Options cardOptions
	Log     []string
}

type cardOptions struct {
	Deck int `json:"deck"`
}

type cardAct struct {
	Do   string `json:"do"`
	Card int    `json:"card,omitempty"`
}

type cardView struct {
	Me      []int          `json:"me"`
	Counts  map[string]int `json:"counts"`
	All     map[string]any `json:"all,omitempty"`
	Pile    []int          `json:"pile"`
	Beeps   int            `json:"beeps"`
	Ticks   int            `json:"ticks"`
	Dealer  string         `json:"dealer,omitempty"`
	Offline int            `json:"offline"`
}

func newCards() *cards {
	return &cards{Hands: map[room.PlayerID][]int{}, Offline: map[room.PlayerID]bool{}}
}

func (g *cards) Open(t *room.Turn, _ json.RawMessage) error {
	g.Options = cardOptions{Deck: 100}
	if err := t.Options(&g.Options); err != nil {
		return err
	}
	if g.Options.Deck < 1 {
		return errors.New("deck: must be 1 or more")
	}
	t.StartTimer("beep", 10*time.Second)
	return nil
}

func (g *cards) Join(t *room.Turn, p room.Player) error {
	if p.Name == "refused" {
		return errors.New("not you")
	}
	g.Hands[p.ID] = []int{t.Rand().IntN(g.Options.Deck)}
	if g.Dealer == "" {
		g.Dealer = p.ID
	}
	t.Broadcast("joined", map[string]string{"name": p.Name})
	return nil
}

func (g *cards) Leave(t *room.Turn, p room.Player, why room.LeaveReason) {
	delete(g.Hands, p.ID)
	delete(g.Offline, p.ID)
	if g.Dealer == p.ID {
		g.Dealer = ""
	}
	g.Log = append(g.Log, string(why))
}

func (g *cards) Presence(t *room.Turn, p room.Player, online bool) {
	if g.Offline[p.ID] = !online; online {
		delete(g.Offline, p.ID)
	}
}

func (g *cards) Timer(t *room.Turn, name string) {
	g.Beeps++
	t.StartTimer(name, 10*time.Second)
}

func (g *cards) Signal(t *room.Turn, name string, data json.RawMessage) error {
	if name != "deal" {
		return fmt.Errorf("no signal %s", name)
	}
	for _, p := range t.Players() {
		g.Hands[p.ID] = append(g.Hands[p.ID], t.Rand().IntN(g.Options.Deck))
	}
	return nil
}

func (g *cards) Act(t *room.Turn, by room.Player, a cardAct) error {
	switch a.Do {
	case "draw":
		c := t.Rand().IntN(g.Options.Deck)
		g.Hands[by.ID] = append(g.Hands[by.ID], c)
		t.Send(by.ID, "drew", c)
	case "play":
		h := g.Hands[by.ID]
		if len(h) == 0 {
			return room.Refuse("no_cards", "the hand is empty")
		}
		g.Pile = append(g.Pile, h[0])
		g.Hands[by.ID] = h[1:]
		t.Broadcast("played", h[0])
	case "deal":
		g.Dealer = by.ID
	case "boom":
		panic("boom")
	case "cheat":
		t.Broadcast("cheated", nil)
		t.StartTimer("never", time.Second)
		return errors.New("no cheating")
	case "nothing":
	default:
		return room.Refuse("unknown", "do is draw, play or deal")
	}
	return nil
}

func (g *cards) View(v room.Viewer) cardView {
	out := cardView{Counts: map[string]int{}, Pile: g.Pile, Beeps: g.Beeps, Ticks: g.Ticks, Dealer: string(g.Dealer), Offline: len(g.Offline)}
	for p, h := range g.Hands {
		out.Counts[string(p)] = len(h)
	}
	if v.Spectating() {
		return out
	}
	if v.Player == g.Dealer {
		out.All = map[string]any{}
		for p, h := range g.Hands {
			out.All[string(p)] = h
		}
	}
	out.Me = g.Hands[v.Player]
	return out
}

func (g *cards) ViewClass(v room.Viewer) string {
	if v.Player == g.Dealer {
		return "dealer"
	}
	return "hand of " + string(v.Player)
}

func cardRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "cards", Version: 1, MinPlayers: 2, MaxPlayers: 4, Grace: 5 * time.Second}, newCards)
}

// tickingCards is the same game with ticks.
type tickingCards struct{ cards }

func (g *tickingCards) Tick(t *room.Turn) {
	if g.Ticks++; g.Ticks%7 == 0 {
		t.Broadcast("seventh", g.Ticks)
	}
}

func tickingRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "tickingcards", Version: 1, MinPlayers: 2, MaxPlayers: 4, TickRate: 15, Grace: 5 * time.Second},
		func() *tickingCards { return &tickingCards{*newCards()} })
}
