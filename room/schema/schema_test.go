package schema_test

import (
	"bytes"
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/santhosh-tekuri/jsonschema/v6"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/schema"
	"github.com/roomring/roomring/room/view"
)

// These types use the rules of encoding/json, nested in each other.

type suit uint8

func (s suit) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "suit-%d", s), nil }

func (s *suit) UnmarshalText(b []byte) error {
	_, err := fmt.Sscanf(string(b), "suit-%d", s)
	return err
}

// coin writes itself, but only where it is addressable.
type coin struct{ Side int }

func (c *coin) MarshalJSON() ([]byte, error) { return fmt.Appendf(nil, `["coin",%d]`, c.Side), nil }

func (c *coin) UnmarshalJSON(b []byte) error { return nil }

type rank string

func (r *rank) MarshalText() ([]byte, error) { return []byte("rank " + *r), nil }

func (r *rank) UnmarshalText(b []byte) error { *r = rank(b); return nil }

// span is zero if both ends are equal.
type span struct{ From, To int }

func (s span) IsZero() bool { return s.From == s.To }

// few is never zero, so it is null where it is nil.
type few []int

func (f few) IsZero() bool { return false }

type Cell struct {
	X int     `json:"x"`
	Y float32 `json:"y"`
}

type Base struct {
	ID   int `json:"id,string"`
	Same string
}

type Extra struct {
	Note string `json:"note,omitempty"`
	Coin coin
}

type Tree struct {
	Name string           `json:"name"`
	Kids []*Tree          `json:"kids"`
	Next *Tree            `json:"next,omitempty"`
	By   map[string]Tree  `json:"by,omitempty"`
	Any  map[int][]Tree   `json:"any,omitzero"`
	Far  **Tree           `json:"far,omitempty"`
	List Forest           `json:"list"`
	Grid [2][3]int8       `json:"grid"`
	Twin Twin[int, *Cell] `json:"twin,omitzero"`
}

type Forest []Forest

type Twin[A, B any] struct {
	A A
	B B
}

type Odd struct {
	Cell
	Base
	*Extra
	Same   int
	Hidden string              `json:"-"`
	Emoji  bool                `json:"é<&>😀"`
	Health uint16              `json:"health,omitempty"`
	Quoted string              `json:",string"`
	QBool  bool                `json:",string"`
	QFloat float32             `json:"qf,string"`
	QBig   *uint64             `json:"qbig,string"`
	Number json.Number         `json:"number"`
	Raw    json.RawMessage     `json:"raw,omitempty"`
	Blob   []byte              `json:"blob"`
	Bytes  [3]byte             `json:"bytes"`
	Items  []string            `json:"items"`
	Rare   []string            `json:"rare,omitempty"`
	Few    few                 `json:"few,omitzero"`
	Coins  []coin              `json:"coins"`
	Purse  map[int16]coin      `json:"purse"`
	Count  map[uint8]int       `json:"count"`
	Suits  map[suit][]Cell     `json:"suits"`
	Suit   suit                `json:"suit"`
	SuitP  *suit               `json:"suit_p"`
	Rank   rank                `json:"rank"`
	Ranks  map[string]rank     `json:"ranks"`
	Span   span                `json:"span,omitzero"`
	SpanP  *span               `json:"span_p,omitzero"`
	At     time.Time           `json:"at"`
	For    time.Duration       `json:"for"`
	Last   *Cell               `json:"last"`
	Free   any                 `json:"free"`
	Full   [2]int              `json:"full,omitempty"`
	None   [0]int              `json:"none,omitempty"`
	Inner  struct{ A, B *int } `json:"inner"`
	Big    *big.Int            `json:"big"`
	Tree   Tree                `json:"tree"`
}

// game makes rules of these types.
type game[A, V any] struct{ events map[string]any }

func (g *game[A, V]) Act(*room.Turn, room.Player, A) error { return nil }
func (g *game[A, V]) View(room.Viewer) (v V)               { return v }
func (g *game[A, V]) Events() map[string]any               { return g.events }

func rulesOf[A, V any](events map[string]any) *room.Rules {
	return room.MustDefine(room.Spec{Name: "odd", Version: 1}, func() *game[A, V] { return &game[A, V]{events} })
}

// parts are the compiled schemas of a game: view, action, options, and events by their names.
func parts(tb testing.TB, rules *room.Rules) map[string]*jsonschema.Schema {
	tb.Helper()
	g, err := schema.Of(rules)
	if err != nil {
		tb.Fatal(err)
	}
	raw, err := json.Marshal(g)
	if err != nil {
		tb.Fatal(err)
	}
	var answer struct {
		View, Action, Options json.RawMessage
		Events                map[string]json.RawMessage
	}
	if err := json.Unmarshal(raw, &answer); err != nil {
		tb.Fatal(err)
	}
	all := map[string]*jsonschema.Schema{"view": compile(tb, answer.View), "action": compile(tb, answer.Action)}
	if g.Options != nil {
		all["options"] = compile(tb, answer.Options)
	}
	for name, s := range answer.Events {
		all["event "+name] = compile(tb, s)
	}
	return all
}

func compile(tb testing.TB, raw []byte) *jsonschema.Schema {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err != nil {
		tb.Fatal(err)
	}
	c := jsonschema.NewCompiler()
	c.AssertFormat()
	c.AssertContent()
	if err := c.AddResource("schema.json", doc); err != nil {
		tb.Fatal(err)
	}
	s, err := c.Compile("schema.json")
	if err != nil {
		tb.Fatalf("%v\n%s", err, raw)
	}
	return s
}

func validate(tb testing.TB, s *jsonschema.Schema, raw []byte) {
	tb.Helper()
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(raw))
	if err == nil {
		err = s.Validate(doc)
	}
	if err != nil {
		tb.Fatalf("%v\n%s", err, raw)
	}
}

func TestWhatJSONWritesKeepsToTheSchema(t *testing.T) {
	s := parts(t, rulesOf[Odd, Odd](map[string]any{"odd": Odd{}, "pointer": &Odd{}, "none": nil}))
	for seed := range uint64(300) {
		checkOdd(t, s, seed)
	}
}

func FuzzWhatJSONWritesKeepsToTheSchema(f *testing.F) {
	s := parts(f, rulesOf[Odd, Odd](map[string]any{"odd": Odd{}, "pointer": &Odd{}, "none": nil}))
	f.Add(uint64(1))
	f.Fuzz(func(t *testing.T, seed uint64) { checkOdd(t, s, seed) })
}

func checkOdd(t *testing.T, s map[string]*jsonschema.Schema, seed uint64) {
	var v Odd
	r := rand.New(rand.NewPCG(seed, 1))
	fill(r, reflect.ValueOf(&v).Elem(), 0, true)
	validate(t, s["event odd"], encode(t, v))
	validate(t, s["event pointer"], encode(t, &v))
	validate(t, s["action"], encode(t, &v))
	fill(r, reflect.ValueOf(&v).Elem(), 0, false)
	differ, err := view.Compile(reflect.TypeFor[Odd]())
	if err != nil {
		t.Fatal(err)
	}
	shadow := differ.New()
	if _, _, _, err := shadow.Update(v, nil, nil); err != nil {
		t.Fatal(err)
	}
	validate(t, s["view"], shadow.AppendJSON(nil))
}

func encode(t *testing.T, v any) []byte {
	t.Helper()
	raw, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return raw
}

// fill draws a value. With nils it may hold some that are written as null.
func fill(r *rand.Rand, v reflect.Value, depth int, nils bool) {
	some := r.IntN(2) == 0 && depth < 8
	switch p := v.Addr().Interface().(type) {
	case *json.Number:
		*p = json.Number([]string{"1", "-2.5", "1e3"}[r.IntN(3)])
		return
	case *json.RawMessage:
		*p = json.RawMessage([]string{`{"a":[1]}`, `"x"`, `true`}[r.IntN(3)])
		return
	case *any:
		*p = []any{1, "x", map[string]int{"a": 1}, []Cell{{}}}[r.IntN(4)]
		return
	case *time.Time:
		*p = time.Unix(r.Int64N(1e10), r.Int64N(1e9))
		return
	case *big.Int:
		p.SetInt64(r.Int64N(1 << 40))
		return
	}
	switch v.Kind() {
	case reflect.Pointer:
		v.SetZero()
		if deep := depth > 5 && strings.Contains(v.Type().String(), "Tree"); deep || nils && !some {
			return
		}
		v.Set(reflect.New(v.Type().Elem()))
		if depth++; v.Type().Elem().Kind() == reflect.Pointer {
			depth = min(depth, 5) // a view has no pointer to nil
		}
		fill(r, v.Elem(), depth, nils)
	case reflect.Struct:
		for _, f := range v.Fields() {
			if f.CanSet() {
				fill(r, f, depth+1, nils)
			}
		}
	case reflect.Slice:
		v.SetZero()
		if some || !nils && r.IntN(2) == 0 {
			n := r.IntN(3)
			if depth > 4 {
				n = 0
			}
			v.Set(reflect.MakeSlice(v.Type(), n, n))
		}
		fallthrough
	case reflect.Array:
		for i := range v.Len() {
			fill(r, v.Index(i), depth+1, nils)
		}
	case reflect.Map:
		v.SetZero()
		if some {
			v.Set(reflect.MakeMap(v.Type()))
			for range r.IntN(3) {
				k, e := reflect.New(v.Type().Key()).Elem(), reflect.New(v.Type().Elem()).Elem()
				fill(r, k, depth+1, nils)
				fill(r, e, depth+1, nils)
				v.SetMapIndex(k, e)
			}
		}
	default:
		fillScalar(r, v)
	}
}

func fillScalar(r *rand.Rand, v reflect.Value) {
	switch {
	case v.Kind() == reflect.Bool:
		v.SetBool(r.IntN(2) == 0)
	case v.Kind() == reflect.String:
		v.SetString([]string{"", "a", "\"\\\n", "😀<&>\u2028"}[r.IntN(4)])
	case v.CanInt():
		v.SetInt(r.Int64N(256) - 128)
	case v.CanUint():
		v.SetUint(r.Uint64N(256))
	case v.CanFloat():
		v.SetFloat([]float64{0, -1.5, 1e21, 1e-9, 42}[r.IntN(5)])
	}
}

// TestTheSchemaRefuses keeps the schema from allowing everything.
func TestTheSchemaRefuses(t *testing.T) {
	type small struct {
		N    int8            `json:"n"`
		Name string          `json:"name,omitempty"`
		By   map[int]Cell    `json:"by,omitempty"`
		At   *Cell           `json:"at,omitempty"`
		Pair [2]int          `json:"pair,omitzero"`
		Text map[string]bool `json:"text,omitempty"`
	}
	s := parts(t, rulesOf[small, small](nil))
	for _, raw := range []string{
		`null`, `[]`, `{}`, `{"n":"1"}`, `{"n":1.5}`, `{"n":128}`, `{"n":1,"N":1}`, `{"n":1,"name":null}`, `{"n":1,"by":{"a":{"x":1,"y":1}}}`,
		`{"n":1,"by":{"1":{"x":1}}}`, `{"n":1,"at":null}`, `{"n":1,"pair":[1]}`, `{"n":1,"text":{"a":1}}`,
	} {
		doc, err := jsonschema.UnmarshalJSON(strings.NewReader(raw))
		if err != nil {
			t.Fatal(err)
		}
		for _, part := range []string{"view", "action"} {
			if s[part].Validate(doc) == nil {
				t.Errorf("the schema of the %s allows %s", part, raw)
			}
		}
	}
	validate(t, s["action"], []byte(`{"n":-128,"by":{"-1":{"x":1,"y":0.5}},"pair":[1,2],"text":{"":true}}`))
}

type point struct{ X, Y int }

type shape interface{ Area() int }

type endless *endless

func TestATypeThatCannotBeJSONIsNamed(t *testing.T) {
	type inner struct{ Map map[point]int }
	for want, rules := range map[string]*room.Rules{
		"game odd: its action: field Targets: a map with keys of type schema_test.point cannot be JSON: give schema_test.point a MarshalText method": rulesOf[struct {
			Targets map[point]int
		}, int](nil),
		"game odd: its action: field List[].Map: a map with keys of type":                       rulesOf[struct{ List []inner }, int](nil),
		"game odd: its view: field Shape: what JSON the interface schema_test.shape holds":      rulesOf[int, struct{ Shape shape }](nil),
		"game odd: its action: field Text: what JSON the interface encoding.TextMarshaler":      rulesOf[struct{ Text encoding.TextMarshaler }, int](nil),
		"game odd: its action: field F: a func() cannot be JSON: leave it out by the tag":       rulesOf[struct{ F func() }, int](nil),
		"game odd: its action: a chan int cannot be JSON":                                       rulesOf[chan int, int](nil),
		"game odd: its action: schema_test.endless is a pointer to pointers without end":        rulesOf[endless, int](nil),
		"game odd: its event boom: field C: a complex128 cannot be JSON":                        rulesOf[int, int](map[string]any{"boom": struct{ C complex128 }{}}),
		"game odd: its action: a map with keys of type schema_test.onlyOut cannot be read from": rulesOf[map[onlyOut]int, int](nil),
	} {
		if _, err := schema.Of(rules); err == nil || !strings.HasPrefix(err.Error(), want) || strings.Contains(err.Error(), "\n") {
			t.Errorf("got  %v\nwant %s", err, want)
		}
	}
}

type onlyOut struct{ X int }

func (onlyOut) MarshalText() ([]byte, error) { return nil, nil }
