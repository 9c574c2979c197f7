package view_test

import (
	"encoding/json"
	"fmt"
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

// These types use the features of encoding/json, nested in each other.

type suit uint8

func (s suit) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "suit-%d", s), nil }

// coin has its marshaler on the pointer, so the result depends on whether the value is addressable.
type coin struct{ Side int }

func (c *coin) MarshalJSON() ([]byte, error) {
	return fmt.Appendf(nil, `{"side":%d,"flip":[%d]}`, c.Side, -c.Side), nil
}

type rank string

func (r *rank) MarshalText() ([]byte, error) { return []byte("rank " + *r), nil }

// span has an IsZero method: it is zero if both ends are equal.
type span struct{ From, To int }

func (s span) IsZero() bool { return s.From == s.To }

type dial struct{ N int }

func (d *dial) IsZero() bool { return d.N < 0 }

type Place struct {
	X    int     `json:"x"`
	Y    float32 `json:"y"`
	Same int
}

type base struct {
	ID    int `json:"id,string"`
	Same  string
	inner int
}

type Extra struct {
	Note string `json:"note,omitempty"`
	Coin coin
}

type tree struct {
	Name string            `json:"name"`
	Kids []*tree           `json:"kids"`
	Next *tree             `json:"next,omitempty"`
	By   map[string]tree   `json:"by,omitempty"`
	Any  map[string][]tree `json:"any,omitzero"`
}

type entity struct {
	Place
	base
	*Extra
	Hidden  string `json:"-"`
	Emoji   bool   `json:"é<&>😀"`
	Alive   bool   `json:"alive"`
	Health  uint16 `json:"health,omitempty"`
	Name    string
	Quoted  string             `json:",string"`
	QBool   bool               `json:",string"`
	QFloat  float32            `json:"qf,string"`
	QBig    *uint64            `json:"qbig,string,omitempty"`
	QNumber json.Number        `json:",string"`
	Number  json.Number        `json:"number"`
	Ratio   float64            `json:"ratio"`
	Cells   [3]int8            `json:"cells"`
	Runs    [2]uint8           `json:"runs"`
	Raw     json.RawMessage    `json:"raw"`
	Blob    []byte             `json:"blob"`
	Items   []string           `json:"items"`
	Coins   []coin             `json:"coins"`
	Purse   map[int16]coin     `json:"purse"`
	Suits   map[suit][]Place   `json:"suits"`
	Suit    suit               `json:"suit"`
	Rank    rank               `json:"rank"`
	Ranks   map[string]rank    `json:"ranks"`
	Span    span               `json:"span,omitzero"`
	Dial    dial               `json:"dial,omitzero"`
	Dials   map[string]hasDial `json:"dials"`
	At      time.Time          `json:"at"`
	Last    *Place             `json:"last,omitempty"`
	Free    any                `json:"free"`
	Tree    tree               `json:"tree"`
	Speaker fmt.Stringer       `json:"speaker,omitempty"`
	unshown chan int
}

type hasDial struct {
	Dial dial  `json:"dial,omitzero"`
	Far  *dial `json:"far,omitzero"`
	Zero *int  `json:"zero,omitempty"`
}

var (
	words   = rapid.SampledFrom([]string{"", "a", "b", "é", "\uffee", "😀", "\"\\\n", "<&>\u2028", "longer than that"})
	small   = rapid.IntRange(-2, 3)
	doubles = rapid.OneOf(rapid.Float64Range(-1e6, 1e6), rapid.SampledFrom([]float64{
		0, 1, math.Copysign(0, -1), 0.5, -0.1, 1e21, 1e-7, 5e-324, 1 << 53, 1 << 60, 65504, 6.103515625e-05, 5.960464477539063e-08}))
	raws = rapid.SampledFrom([]string{`{}`, `[]`, `{"a":1}`, `{"a":{"b":[true]},"c":"x"}`, `1.50`, `"s"`, `{"a":1.0}`, `9007199254740991`})
)

func genPlace(t *rapid.T) Place {
	return Place{small.Draw(t, "x"), float32(doubles.Draw(t, "y")), small.Draw(t, "z")}
}

func genTree(depth int) func(*rapid.T) tree {
	return func(t *rapid.T) tree {
		out := tree{Name: words.Draw(t, "name"), Kids: []*tree{}}
		if depth == 0 {
			return out
		}
		sub := rapid.Custom(genTree(depth - 1))
		out.Kids = rapid.SliceOfN(rapid.Ptr(sub, false), 0, 2).Draw(t, "kids")
		out.Next = rapid.Ptr(sub, true).Draw(t, "next")
		out.By = rapid.MapOfN(words, sub, 0, 2).Draw(t, "by")
		out.Any = rapid.MapOfN(words, rapid.SliceOfN(sub, 0, 1), 0, 1).Draw(t, "any")
		return out
	}
}

// genAny makes generic documents, and sometimes a Go type inside an interface.
func genAny(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		small.AsAny(), words.AsAny(), rapid.Bool().AsAny(), doubles.AsAny(),
		rapid.Custom(func(t *rapid.T) float32 { return float32(doubles.Draw(t, "f")) }).AsAny(),
		rapid.Custom(genPlace).AsAny(), rapid.Ptr(rapid.Custom(genPlace), false).AsAny(),
		rapid.Custom(func(t *rapid.T) base { return base{ID: small.Draw(t, "id")} }).AsAny(),
		rapid.Custom(func(t *rapid.T) map[suit]int {
			return rapid.MapOfN(rapid.Map(small, func(i int) suit { return suit(i) }), small, 0, 2).Draw(t, "m")
		}).AsAny(),
		rapid.Custom(func(t *rapid.T) map[string]int { return map[string]int{"x": small.Draw(t, "x"), "id": 1} }).AsAny(),
	}
	if depth > 0 {
		sub := genAny(depth - 1)
		leaves = append(leaves, rapid.SliceOfN(sub, 0, 3).AsAny(), rapid.MapOfN(words, sub, 0, 3).AsAny())
	}
	return rapid.OneOf(leaves...)
}

func genEntity(t *rapid.T) entity {
	i16 := rapid.Map(small, func(i int) int16 { return int16(i) })
	suits := rapid.Map(small, func(i int) suit { return suit(i) })
	ranks := rapid.Map(words, func(s string) rank { return rank(s) })
	coins := rapid.Map(small, func(i int) coin { return coin{i} })
	dials := rapid.Map(small, func(i int) dial { return dial{i} })
	numbers := rapid.SampledFrom([]json.Number{"", "1", "1.0", "-0", "1e3", "-2.5"})
	places := rapid.Custom(genPlace)
	e := entity{
		Place: genPlace(t), base: base{ID: small.Draw(t, "id"), Same: "s", inner: 1},
		Hidden: words.Draw(t, "hidden"), Emoji: rapid.Bool().Draw(t, "emoji"),
		Alive: rapid.Bool().Draw(t, "alive"), Health: uint16(small.Draw(t, "health")), Name: words.Draw(t, "name"),
		Quoted: words.Draw(t, "quoted"), QBool: rapid.Bool().Draw(t, "qb"), QFloat: float32(doubles.Draw(t, "qf")),
		QBig: rapid.Ptr(rapid.Uint64(), true).Draw(t, "qbig"), QNumber: numbers.Draw(t, "qnumber"), Number: numbers.Draw(t, "number"),
		Ratio: doubles.Draw(t, "ratio"), Cells: [3]int8{int8(small.Draw(t, "cell"))}, Runs: [2]uint8{1, uint8(small.Draw(t, "run"))},
		Raw: json.RawMessage(raws.Draw(t, "raw")), Blob: rapid.SliceOfN(rapid.Byte(), 0, 4).Draw(t, "blob"),
		Items: rapid.SliceOfN(words, 0, 3).Draw(t, "items"), Coins: rapid.SliceOfN(coins, 0, 2).Draw(t, "coins"),
		Purse: rapid.MapOfN(i16, coins, 0, 4).Draw(t, "purse"),
		Suits: rapid.MapOfN(suits, rapid.SliceOfN(places, 0, 2), 0, 2).Draw(t, "suits"),
		Suit:  suits.Draw(t, "suit"), Rank: ranks.Draw(t, "rank"), Ranks: rapid.MapOfN(words, ranks, 0, 2).Draw(t, "ranks"),
		Span: span{small.Draw(t, "from"), small.Draw(t, "to")}, Dial: dials.Draw(t, "dial"),
		At:   time.Unix(int64(small.Draw(t, "at")), 5).UTC(),
		Last: rapid.Ptr(places, true).Draw(t, "last"), Free: genAny(2).Draw(t, "free"), Tree: genTree(2)(t),
		unshown: make(chan int),
	}
	e.Dials = rapid.MapOfN(words, rapid.Custom(func(t *rapid.T) hasDial {
		return hasDial{dials.Draw(t, "dial"), rapid.Ptr(dials, true).Draw(t, "far"), rapid.Ptr(small, true).Draw(t, "zero")}
	}), 0, 2).Draw(t, "dials")
	if rapid.Bool().Draw(t, "extra") {
		e.Extra = &Extra{Note: words.Draw(t, "note"), Coin: coins.Draw(t, "coin")}
	}
	if rapid.Bool().Draw(t, "speaker") {
		e.Speaker = time.Duration(small.Draw(t, "speaks"))
	}
	return e
}

// checkViews shows one viewer a series of views of type V.
func checkViews[V any](gen *rapid.Generator[V]) func(*testing.T) {
	return rapid.MakeCheck(func(t *rapid.T) {
		v := newViewer(t, new(V))
		for range rapid.IntRange(2, 6).Draw(t, "views") {
			next := gen.Draw(t, "view")
			v.see(t, &next)
			v.see(t, &next)
		}
	})
}

func TestFollowsEveryChange(t *testing.T) {
	entities := rapid.Custom(genEntity)
	t.Run("struct", checkViews(entities))
	t.Run("pointer", checkViews(rapid.Ptr(entities, false)))
	t.Run("map", checkViews(rapid.MapOfN(words, rapid.Custom(genPlace), 0, 6)))
	t.Run("map of integers", checkViews(rapid.MapOfN(rapid.IntRange(-30, 30), words, 0, 40)))
	t.Run("slice", checkViews(rapid.SliceOfN(rapid.Custom(genPlace), 0, 4)))
	t.Run("tree", checkViews(rapid.Custom(genTree(3))))
	t.Run("any", checkViews(genAny(3)))
	t.Run("string", checkViews(words))
	t.Run("number", checkViews(rapid.Float32Range(-math.MaxFloat32, math.MaxFloat32)))
	t.Run("doubles", checkViews(rapid.SliceOf(rapid.Float64Range(-math.MaxFloat64, math.MaxFloat64))))
}

// TestFollowsSmallChanges changes one view in place, as games do. It does not draw a new view
// for each step.
func TestFollowsSmallChanges(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		e := genEntity(t)
		v := newViewer(t, new(entity))
		v.see(t, &e)
		for range rapid.IntRange(1, 10).Draw(t, "changes") {
			mutate(t, &e)
			v.see(t, &e)
		}
	})
}

func mutate(t *rapid.T, e *entity) {
	other := genEntity(t)
	key := words.Draw(t, "key")
	switch rapid.IntRange(0, 11).Draw(t, "what") {
	case 0:
		e.X++
	case 1:
		e.Alive, e.Name = !e.Alive, key
	case 2:
		e.Items = append(e.Items, key)
	case 3:
		for i := range e.Items {
			e.Items[i] += key
		}
	case 4:
		delete(e.Ranks, key)
	case 5:
		e.Ranks[key] = rank(strings.Repeat("x", e.X&3))
	case 6:
		delete(e.Purse, int16(e.X))
		e.Purse[int16(other.X)] = coin{e.X}
	case 7:
		e.Free = other.Free
	case 8:
		e.Tree.Next, e.Tree.By = other.Tree.Next, other.Tree.By
	case 9:
		e.Extra, e.Last = other.Extra, other.Last
	case 10:
		for i := range e.Blob {
			e.Blob[i]++
		}
	case 11:
		if m, ok := e.Free.(map[string]any); ok {
			m[key] = other.Free
		}
	}
}
