package roomtest_test

import (
	"encoding/json"
	"math/big"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// patient ends when its timer has come three times in a row without an action.
type patient struct {
	Sum   int
	tired int
}

func (g *patient) Open(t *room.Turn, _ json.RawMessage) error {
	t.StartTimer("idle", 20*time.Second)
	return nil
}

func (g *patient) Timer(t *room.Turn, name string) {
	if g.tired++; g.tired < 3 {
		t.StartTimer(name, 20*time.Second)
		return
	}
	t.Finish(room.Result{Reason: "idle"})
}

func (g *patient) Act(_ *room.Turn, _ room.Player, a add) error {
	g.tired, g.Sum = 0, g.Sum+a.By
	return nil
}
func (g *patient) View(room.Viewer) sum { return sum{g.Sum} }

// The kit finds a field that rarely matters by its declaration, whatever the random games do.
func TestAFieldThatTheSnapshotForgetsIsRefused(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "patient", Version: 1}, func() *patient { return new(patient) })
	if w := rules.Warnings(); len(w) != 1 {
		t.Errorf("the rules warn of %q", w)
	}
	expect(t, rules, roomtest.Options{Act: proposeAdd, Games: 1, Inputs: 1}, "field `tired` is not exported", "export it, write Snapshot and Restore, or tag it `roomring:\"derived\"`")
}

// hasty has a wrong tag: its count does not follow from what is kept.
type hasty struct {
	Sum   int
	tired int `roomring:"derived"`
}

func (g *hasty) Act(_ *room.Turn, _ room.Player, a add) error {
	if g.tired++; g.tired == 1000 {
		g.Sum = 0
	}
	return nil
}
func (g *hasty) View(room.Viewer) sum { return sum{g.Sum} }

// The kit clears and compares derived fields, even if they never matter in the random games.
func TestAFieldThatIsNotDerivedIsFound(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "hasty", Version: 1}, func() *hasty { return new(hasty) })
	expect(t, rules, roomtest.Options{Act: proposeAdd, Games: 1}, "field `tired` is tagged as derived and cannot be computed again: it comes to 1 when it is cleared after every input, and to 2 otherwise")
}

// indexed holds derived fields in every place, and computes them when they are missing.
type indexed struct {
	Piles  map[string]pile
	Any    any
	Spots  []*spot
	Goal   big.Int
	Until  time.Time
	Prices map[string]*big.Int
	total  int            `roomring:"derived"`
	byName map[string]int `roomring:"derived"`
	wrong  string         `roomring:"derived"` // which fault it has
}

type pile struct {
	Coins []int
	sum   int `roomring:"derived"`
}

type spot struct {
	N    int
	next *spot `roomring:"derived"`
}

func (g *indexed) Act(_ *room.Turn, by room.Player, a add) error {
	if a.By < 0 || a.By > 9 {
		return room.Refuse("out_of_range", "by must be from 0 to 9")
	}
	g.Goal.Add(&g.Goal, big.NewInt(int64(a.By)))
	g.Until = time.Unix(int64(a.By), 0).UTC()
	g.Prices[by.Name] = new(big.Int).Lsh(big.NewInt(-1), uint(a.By))
	p := g.Piles[string(by.ID)]
	p.Coins = append(p.Coins, a.By)
	p.sum = 0
	for _, c := range p.Coins {
		p.sum += c
	}
	g.Piles[string(by.ID)] = p
	g.Any = float64(p.sum)
	if g.wrong == "pile" {
		g.Piles["last"] = pile{Coins: []int{p.sum}, sum: g.Piles["last"].sum + 1}
	}
	g.Spots = append(g.Spots, &spot{N: a.By})
	if n := len(g.Spots); n > 1 {
		g.Spots[n-2].next = g.Spots[n-1]
	}
	g.byName = nil
	if g.total++; g.wrong != "total" {
		g.total = len(g.Spots)
	}
	return nil
}

func (g *indexed) View(v room.Viewer) sum {
	if g.byName == nil {
		g.byName = map[string]int{}
		for id, p := range g.Piles {
			for _, c := range p.Coins {
				g.byName[id] += c
			}
		}
	}
	return sum{g.byName[string(v.Player)]}
}

func indexedRules(wrong string) *room.Rules {
	return room.MustDefine(room.Spec{Name: "indexed", Version: 1, MaxPlayers: 3}, func() *indexed {
		return &indexed{Piles: map[string]pile{}, Prices: map[string]*big.Int{}, wrong: wrong}
	})
}

func TestFieldsThatCanBeComputedAgainAreNoFault(t *testing.T) {
	roomtest.Prove(t, indexedRules(""), roomtest.Options{Act: proposeAdd, Games: 4})
	expect(t, indexedRules("total"), roomtest.Options{Act: proposeAdd}, "field `total` is tagged as derived and cannot be computed again")
	expect(t, indexedRules("pile"), roomtest.Options{Act: proposeAdd}, "field `Piles[last].sum` is tagged as derived and cannot be computed again")
}

// loose holds a number in an interface, which JSON reads back as another type.
type loose struct {
	counter
	Any any
}

func (g *loose) Act(t *room.Turn, by room.Player, a add) error {
	g.Any = a.By
	return g.counter.Act(t, by, a)
}

func TestAValueThatComesBackAsAnotherTypeIsFound(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "loose", Version: 1, SharedView: true}, func() *loose { return new(loose) })
	expect(t, rules, roomtest.Options{Act: proposeAdd}, "field `Any` comes back from its JSON as float64 ", "and was int ")
}

// slow keeps all of its state but one field, which shows only after more turns than any random game has.
type slow struct {
	counter
	Calls int
	memo  int `roomring:"derived"`
}

func (k *slow) Act(t *room.Turn, by room.Player, a add) error {
	k.Calls++
	k.memo = 2 * k.Sum
	return k.counter.Act(t, by, a)
}

func (k *slow) Snapshot() ([]byte, error) { return json.Marshal(k.counter) }
func (k *slow) Restore(b []byte) error    { return json.Unmarshal(b, &k.counter) }

func TestAFieldThatASnapshotterForgetsIsFoundAtOnce(t *testing.T) {
	rules := room.MustDefine(room.Spec{Name: "slow", Version: 1, SharedView: true}, func() *slow { return new(slow) })
	if w := rules.Warnings(); len(w) > 0 {
		t.Errorf("rules with a Snapshot of their own warn of %q", w)
	}
	act := func(*rand.Rand, room.Player, json.RawMessage) any { return add{1} }
	expect(t, rules, roomtest.Options{Act: act}, "field `Calls` comes back from Snapshot and Restore as 0 and was 1")
}
