package roomtest_test

import (
	"encoding/json"
	"fmt"
	"math"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/roomtest"
)

// recorder is a TB that notes a failure.
type recorder struct{ failure, log string }

func (r *recorder) Helper()                           {}
func (r *recorder) Logf(format string, args ...any)   { r.log += fmt.Sprintf(format, args...) }
func (r *recorder) Fatalf(format string, args ...any) { r.failure = fmt.Sprintf(format, args...) }

func TestGoodGamesPass(t *testing.T) {
	roomtest.Prove(t, counterRules(), roomtest.Options{Act: proposeAdd, Games: 4})
	roomtest.Prove(t, handRules(""), handOptions())
	roomtest.Prove(t, snakeRules(), roomtest.Options{Act: proposeSteer, Games: 4})
	roomtest.Prove(t, handRules("big floats"), handOptions())
}

func counterRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "counter", Version: 1, MaxPlayers: 4, SharedView: true}, func() *counter { return &counter{} })
}

func TestFaultsAreNamed(t *testing.T) {
	for f, words := range map[fault][]string{
		"leak":               {"Hands.p1 is hidden from p2, but the view of p2 shows it: field peek.cards[0] is"},
		"leak to spectators": {"Deck is hidden from a spectator, but the view of a spectator shows it: field peek is"},
		"leak of order":      {"Deck is hidden from", "the view of", "field peek is"},
		"presence":           {"Deck is hidden from", "a message to", "events[0].data is"},
		"null":               {"cannot be opened", "view: peek[0]: is null"},
		"big":                {"peek.coins: is an integer beyond"},
		"big event":          {"): event played: data.coins[1] is 9007199254740992, an integer beyond ±(2^53-1)", `",string"`},
		"big secret":         {"): event drew: data is -9007199254740993, an integer beyond"},
		"big score":          {"): result.outcomes[1].score is 9007199254740992, an integer beyond"},
		"big data":           {"): result.data.pot is 18446744073709551615, an integer beyond"},
		"view mutates":       {"calling View for", "changes the game: field Shouts is"},
		"view panics":        {"cannot be opened", "View panics: runtime error: index out of range"},
		"panic":              {"after input ", "by p", ": Act panics: no action at ", "games_test.go:"},
		"late panic":         {"input ", `(act {"do":"play","card":`, "): Act panics: assignment to entry in nil map at ", "games_test.go:"},
		"nil card":           {`act {"card":null,"do":"play"} by p`, "Act panics: runtime error: invalid memory address"},
		"refusal":            {"Act refuses it (", "leaves different states: field Turn is"},
		"refused join":       {"the game refuses join by p", "leaves different states: field Shouts is"},
	} {
		t.Run(string(f), func(t *testing.T) {
			expect(t, handRules(f), handOptions(), words...)
		})
	}
}

func expect(t *testing.T, rules *room.Rules, o roomtest.Options, words ...string) {
	t.Helper()
	var r recorder
	roomtest.Prove(&r, rules, o)
	if r.failure == "" {
		t.Fatalf("the fault was not found: %s", r.log)
	}
	for _, w := range words {
		if !strings.Contains(r.failure, w) {
			t.Errorf("the failure does not say %q:\n%s", w, r.failure)
		}
	}
	if testing.Verbose() {
		t.Log(r.failure)
	}
}

// broken is a counter with a fault in how it counts.
type broken struct {
	Sum  int
	Seen map[int]bool
	Pile []int

	act func(g *broken, t *room.Turn, by room.Player, a add) error `roomring:"derived"`
}

type brokenView struct {
	Sum  int    `json:"sum"`
	Pile []int  `json:"pile"`
	Me   string `json:"me,omitempty"`
}

func (g *broken) Act(t *room.Turn, by room.Player, a add) error { return g.act(g, t, by, a) }
func (g *broken) View(room.Viewer) brokenView                   { return brokenView{Sum: g.Sum, Pile: g.Pile} }

func brokenRules(spec room.Spec, act func(g *broken, t *room.Turn, by room.Player, a add) error) *room.Rules {
	spec.Name, spec.Version, spec.MaxPlayers = "broken", 1, 3
	return room.MustDefine(spec, func() *broken { return &broken{Seen: map[int]bool{}, act: act} })
}

func TestChanceIsFound(t *testing.T) {
	found := []string{"(act {\"by\":", "different states: field ", " in two runs: look for a map's order, the wall clock, a global random source or a goroutine"}
	for name, act := range map[string]func(g *broken, t *room.Turn, by room.Player, a add) error{
		"map order": func(g *broken, _ *room.Turn, _ room.Player, a add) error {
			g.Seen[a.By] = true
			for n := range g.Seen {
				g.Pile = append(g.Pile, n)
				break
			}
			return nil
		},
		"wall clock":    func(g *broken, _ *room.Turn, _ room.Player, _ add) error { g.Sum = time.Now().Nanosecond(); return nil },
		"global random": func(g *broken, _ *room.Turn, _ room.Player, _ add) error { g.Sum = rand.IntN(1000); return nil },
	} {
		t.Run(name, func(t *testing.T) {
			expect(t, brokenRules(room.Spec{}, act), roomtest.Options{Act: proposeAdd}, found...)
		})
	}
	t.Run("timer", func(t *testing.T) {
		act := func(_ *broken, t *room.Turn, _ room.Player, _ add) error {
			t.StartTimer("x", time.Duration(rand.IntN(1e6))*time.Millisecond)
			return nil
		}
		expect(t, brokenRules(room.Spec{}, act), roomtest.Options{Act: proposeAdd}, "different timers")
	})
	t.Run("event", func(t *testing.T) {
		act := func(_ *broken, t *room.Turn, _ room.Player, _ add) error {
			t.Broadcast("x", map[string]int{"n": rand.IntN(1e6)})
			return nil
		}
		expect(t, brokenRules(room.Spec{}, act), roomtest.Options{Act: proposeAdd}, "different messages", "events[0].data.n is")
	})
}

// keeper writes its own snapshot and forgets a part.
type keeper struct {
	counter
	turns int
}

func (k *keeper) Act(t *room.Turn, by room.Player, a add) error {
	if k.turns++; k.turns > 5 {
		return room.Refuse("tired", "no more")
	}
	return k.counter.Act(t, by, a)
}

func (k *keeper) Snapshot() ([]byte, error) { return []byte{byte(k.Sum)}, nil }
func (k *keeper) Restore(b []byte) error    { k.Sum = int(b[0]); return nil }

func TestAnOwnSnapshotThatForgetsIsNamed(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "keeper", Version: 1}, func() *keeper { return &keeper{} })
	expect(t, rules, roomtest.Options{Act: proposeAdd}, "field `turns` comes back from Snapshot and Restore as")
}

// personal shows everybody their own name.
type personal struct{ broken }

func (g *personal) View(v room.Viewer) brokenView { return brokenView{Me: string(v.Player)} }

type classed struct{ personal }

func (g *classed) ViewClass(room.Viewer) string { return "one" }

func TestWrongClassesAreFound(t *testing.T) {
	act := func(g *broken, _ *room.Turn, _ room.Player, _ add) error { return nil }
	shared := room.MustDefine(room.Spec{Name: "personal", Version: 1, MaxPlayers: 2, SharedView: true}, func() *personal { return &personal{broken{act: act}} })
	expect(t, shared, roomtest.Options{Act: proposeAdd}, "Spec.SharedView says that all see the same, but View shows p1 and a spectator different things: field me is")
	one := room.MustDefine(room.Spec{Name: "classed", Version: 1, MaxPlayers: 2}, func() *classed { return &classed{personal{broken{act: act}}} })
	expect(t, one, roomtest.Options{Act: proposeAdd}, `ViewClass puts p1 and p2 into class "one"`, `field me is "p1" and "p2"`)
}

// again gives a rematch options that its Open refuses.
type again struct{ counter }

func (g *again) Rematch() any { return map[string]int{"deck": 3} }

func TestARematchThatCannotBeOpenedIsFound(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "again", Version: 1, SharedView: true}, func() *again { return &again{} })
	expect(t, rules, roomtest.Options{Act: proposeAdd}, `the options of a rematch, {"deck":3}, are refused by Open`)
}

func TestEmptyProofsAreRefused(t *testing.T) {
	expect(t, counterRules(), roomtest.Options{}, "Options.Act is needed")
	expect(t, counterRules(), roomtest.Options{Games: 2, Act: func(*rand.Rand, room.Player, json.RawMessage) any { return nil }}, "never proposed an action")
	expect(t, counterRules(), roomtest.Options{Games: 2, Act: func(*rand.Rand, room.Player, json.RawMessage) any { return add{} }}, "refused them all", "by must be from 1 to 9")
	expect(t, counterRules(), roomtest.Options{Games: 2, Act: proposeAdd, RoomOptions: json.RawMessage(`{"x":1}`)}, "cannot be opened", "no options")
	o := roomtest.Options{Games: 2, Act: proposeAdd, Hidden: func(map[string]any) []roomtest.Hidden { return nil }}
	expect(t, counterRules(), o, "Options.Hidden never named a fact")
	o.Hidden = func(map[string]any) []roomtest.Hidden { return []roomtest.Hidden{{Path: "Hands.p1"}} }
	expect(t, counterRules(), o, "there is no Hands.p1 in the game's state", `"Hands" is not among Sum`)
}

func TestTheSameSeedFindsTheSame(t *testing.T) {
	var a, b recorder
	roomtest.Prove(&a, handRules("panic"), handOptions())
	roomtest.Prove(&b, handRules("panic"), handOptions())
	if a.failure == "" || a.failure != b.failure {
		t.Errorf("two proofs of one seed say\n%s\n%s", a.failure, b.failure)
	}
}

func TestASnapshotOfNothingTakesNoGame(t *testing.T) {
	if _, err := core.WithGame(record.Snapshot{Data: []byte("x")}, nil); err == nil {
		t.Error("what is no snapshot was given a game")
	}
}

func TestPathsLeadIntoTheState(t *testing.T) {
	rules := handRules("")
	for path, words := range map[string]string{
		`Hands["p1"]`: "", "Deck[0]": "", "Deck[99]": `"99" is no index of an array of 52`, "Turn.x": `"x" is looked for in 0`,
		"Deck[1": "a bracket is not closed", `Hands["p1`: "a quote or a bracket is not closed", "Deck[0]x": "a dot or a bracket must follow",
	} {
		o := handOptions()
		o.Games = 1
		o.Hidden = func(state map[string]any) []roomtest.Hidden {
			if _, seated := state["Hands"].(map[string]any)["p1"]; seated != strings.Contains(path, "p1") {
				return nil
			}
			if strings.HasPrefix(path, "Hands") {
				return []roomtest.Hidden{{Path: path, For: []room.PlayerID{"p1"}}}
			}
			return []roomtest.Hidden{{Path: path}}
		}
		_, err := roomtest.Check(rules, o)
		if words == "" && err != nil || words != "" && (err == nil || !strings.Contains(err.Error(), words)) {
			t.Errorf("%s: %v, want %q", path, err, words)
		}
	}
}

// revenant fills its map when it is made, so entries that were removed come back.
type revenant struct{ Left map[string]bool }

func (g *revenant) Act(_ *room.Turn, _ room.Player, _ add) error { delete(g.Left, "a"); return nil }
func (g *revenant) View(room.Viewer) int                         { return len(g.Left) }

func TestAFieldThatComesBackDifferentlyIsNamed(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "revenant", Version: 1}, func() *revenant { return &revenant{map[string]bool{"a": true}} })
	expect(t, rules, roomtest.Options{Act: proposeAdd}, "field `Left` comes back from its JSON as map[a:true] and was map[]")
}

// flood sets timers that come due at once, for ever.
type flood struct{ counter }

func (g *flood) Open(t *room.Turn, _ json.RawMessage) error { t.StartTimer("x", 0); return nil }
func (g *flood) Timer(t *room.Turn, name string)            { t.StartTimer(name, 0) }

func TestAFloodOfTimersIsNoFault(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "flood", Version: 1}, func() *flood { return &flood{} })
	roomtest.Prove(t, rules, roomtest.Options{Act: proposeAdd, Games: 2, Inputs: 20})
}

// secrets holds a hidden fact of every kind and shows spectators one of them.
type secrets struct {
	Facts map[string]any
	Huge  int64
	shown string `roomring:"derived"`
}

func (g *secrets) Act(_ *room.Turn, _ room.Player, _ add) error {
	g.Huge = math.MaxInt64
	g.Facts = map[string]any{
		"text": "Az9", "flag": true, "real": 0.5, "object": map[string]any{"a": 1.0}, "none": nil,
	}
	return nil
}

func (g *secrets) View(v room.Viewer) map[string]any {
	if g.shown == "Huge" && v.Spectating() {
		return map[string]any{"it": fmt.Sprint(g.Huge)}
	}
	if fact, ok := g.Facts[g.shown]; ok && v.Spectating() {
		return map[string]any{"it": fmt.Sprint(fact)}
	}
	return map[string]any{}
}

func TestFactsOfEveryKindAreAltered(t *testing.T) {
	for shown, words := range map[string]string{
		"text": `"Az9" and "Ba0"`, "flag": `"true" and "false"`, "real": `"0.5" and "1.5"`, "object": `"map[a:1]" and "map[a:2]"`, "Huge": `"9223372036854775807" and "0"`,
	} {
		rules := room.MustDefine(room.Spec{Name: "secrets", Version: 1}, func() *secrets { return &secrets{shown: shown} })
		o := roomtest.Options{Act: proposeAdd, Hidden: func(state map[string]any) []roomtest.Hidden {
			facts, _ := state["Facts"].(map[string]any)
			if facts == nil {
				return nil
			}
			out := []roomtest.Hidden{{Path: "Huge", For: []room.PlayerID{"p1"}}}
			for name := range facts {
				out = append(out, roomtest.Hidden{Path: "Facts." + name, For: []room.PlayerID{"p1"}})
			}
			return out
		}}
		expect(t, rules, o, shown+" is hidden from a spectator", words)
	}
}

func TestTheAuthorsAlterIsUsed(t *testing.T) {
	o := handOptions()
	o.Hidden = func(map[string]any) []roomtest.Hidden {
		return []roomtest.Hidden{{Path: "Deck", Alter: func(any, *rand.Rand) any { return "no deck" }}}
	}
	expect(t, handRules(""), o, `with Deck altered from [`, `to "no deck": the game cannot be restored`, "let Hidden.Alter make a value it could")
}

// fragile fails when it is restored.
type fragile struct{ counter }

func (g *fragile) Snapshot() ([]byte, error) { return []byte(`{}`), nil }
func (g *fragile) Restore([]byte) error      { panic("cannot go back") }

func TestARestoreThatPanicsIsNamed(t *testing.T) {
	broken := room.MustDefine(room.Spec{Name: "fragile", Version: 1}, func() *fragile { return &fragile{} })
	expect(t, broken, roomtest.Options{Act: proposeAdd}, "cannot be restored from its snapshot there: ", "Restore panics: cannot go back at ", "prove_test.go:")
}

func TestSpectatorsMayBeAllowedToKnow(t *testing.T) {
	o := handOptions()
	o.Hidden = func(map[string]any) []roomtest.Hidden {
		return []roomtest.Hidden{{Path: "Deck", For: []room.PlayerID{""}}}
	}
	roomtest.Prove(t, handRules("leak to spectators"), o)
}
