package view_test

import (
	"encoding/json"
	"errors"
	"math"
	"reflect"
	"runtime"
	"strings"
	"testing"
	"weak"

	"github.com/roomring/roomring/room/view"
)

type hand struct {
	Cards []string       `json:"cards"`
	Bids  map[string]int `json:"bids"`
	Blob  []byte         `json:"blob"`
	Top   *int           `json:"top,omitempty"`
	Free  any            `json:"free,omitempty"`
}

func TestPatches(t *testing.T) {
	w := newViewer(t, new(hand))
	h := hand{Cards: []string{"♠A"}, Bids: map[string]int{"ann": 1, "bob": 2}}
	var before hand
	for _, c := range []struct {
		what, want string
		change     func()
	}{
		{"first view", `{"bids":{"ann":1,"bob":2},"blob":"","cards":["♠A"]}`, func() {}},
		{"nothing", "", func() {}},
		{"element", `{"cards":["♥2"]}`, func() { h.Cards[0] = "♥2" }},
		{"longer array", `{"cards":["♥2","♥3"]}`, func() { h.Cards = append(h.Cards, "♥3") }},
		{"nil slice is empty", `{"cards":[]}`, func() { h.Cards = nil }},
		{"empty slice is empty", "", func() { h.Cards = []string{} }},
		{"map value", `{"bids":{"bob":3}}`, func() { h.Bids["bob"] = 3 }},
		{"map keys come and go", `{"bids":{"ann":null,"cid":0}}`, func() { delete(h.Bids, "ann"); h.Bids["cid"] = 0 }},
		{"a key comes back", `{"bids":{"ann":7}}`, func() { h.Bids["ann"] = 7 }},
		{"nil map is empty", `{"bids":{"ann":null,"bob":null,"cid":null}}`, func() { h.Bids = nil }},
		{"map from empty", `{"bids":{"ann":1}}`, func() { h.Bids = map[string]int{"ann": 1} }},
		{"bytes", `{"blob":"AQI="}`, func() { h.Blob = []byte{1, 2} }},
		{"zero by pointer shows", `{"top":0}`, func() { h.Top = new(int) }},
		{"omitted", `{"top":null}`, func() { h.Top = nil }},
		{"any appears", `{"free":{"a":1,"b":{"c":[]}}}`, func() {
			h.Free = map[string]any{"a": 1, "b": map[string]any{"c": []any{}}}
		}},
		{"any changes inside", `{"free":{"b":{"c":null,"d":1.5}}}`, func() {
			h.Free = map[string]any{"a": 1.0, "b": map[string]float64{"d": 1.5}}
		}},
		{"any becomes a struct", `{"free":{"a":null,"b":null,"bids":{},"blob":"","cards":["x"]}}`, func() {
			h.Free = hand{Cards: []string{"x"}}
		}},
		{"struct becomes an equal map", "", func() {
			h.Free = map[string]any{"cards": []string{"x"}, "bids": map[int]int{}, "blob": ""}
		}},
		{"a map loses a member to a struct", `{"free":{"bids":null,"blob":null}}`, func() {
			h.Free = struct {
				Cards []string `json:"cards"`
			}{[]string{"x"}}
		}},
		{"float64", `{"free":0.1}`, func() { h.Free = 0.1 }},
		{"the same as float32", "", func() { h.Free = float32(0.1) }},
		{"another float32", `{"free":0.2}`, func() { h.Free = float32(0.2) }},
		{"the same as float64", "", func() { h.Free = 0.2 }},
		{"a string", `{"free":""}`, func() { h.Free = "" }},
		{"a fresh float32", `{"free":0.2}`, func() { h.Free = float32(0.2) }},
		{"the same as float64 again", "", func() { h.Free = 0.2 }},
		{"a float64 that no float32 is", `{"free":0.20000000000000004}`, func() { h.Free = 0.20000000000000004 }},
		{"any becomes an array", `{"free":[{"a":1}]}`, func() { h.Free = []map[string]int{{"a": 1}} }},
		{"an array is replaced whole", `{"free":[{"b":1}]}`, func() { h.Free = []map[string]int{{"b": 1}} }},
		{"an array becomes an object", `{"free":{}}`, func() { h.Free = struct{}{} }},
		{"an object becomes a scalar", `{"free":"s"}`, func() { h.Free = "s" }},
	} {
		before = h
		c.change()
		json, _, changed, err := w.shadow.Update(h, nil, nil)
		if string(json) != c.want || changed != (c.want != "") || err != nil {
			t.Errorf("%s: got %s (%v, %v), want %s; was %v", c.what, json, changed, err, c.want, before)
		}
	}
}

func TestPatchOfOtherRoots(t *testing.T) {
	var root any
	w := newViewer(t, &root)
	for _, step := range []struct {
		view any
		want string
	}{
		{3, `3`},
		{3.0, ``},
		{[]int{1}, `[1]`},
		{map[string]int{}, `{}`},
		{map[string]int{"a": 1}, `{"a":1}`},
		{"end", `"end"`},
	} {
		if json, _, _, err := w.shadow.Update(step.view, nil, nil); string(json) != step.want || err != nil {
			t.Errorf("view %v: patch %s (%v), want %s", step.view, json, err, step.want)
		}
		root = step.view
		w.last, w.received = "", false
	}
}

// TestKeepsNoReference changes memory of the game between updates and checks that the shadow
// does not change with it.
func TestKeepsNoReference(t *testing.T) {
	h := hand{
		Cards: []string{"a", "b"}, Bids: map[string]int{"x": 1}, Blob: []byte("abc"), Top: new(7),
		Free: map[string]any{"list": []any{1, map[string]any{"k": "v"}}, "raw": json.RawMessage(`{"r":1}`)},
	}
	w := newViewer(t, &h)
	w.see(t, &h)
	want := string(w.shadow.AppendJSON(nil))
	h.Cards[0], h.Bids["x"], h.Bids["y"], h.Blob[0], *h.Top = "z", 9, 9, 'z', 9
	list := h.Free.(map[string]any)["list"].([]any)
	list[0] = 2
	list[1].(map[string]any)["k"] = "w"
	copy(h.Free.(map[string]any)["raw"].(json.RawMessage), `{"s":2}`)
	if got := string(w.shadow.AppendJSON(nil)); got != want {
		t.Errorf("the shadow became %s, was %s", got, want)
	}
	w.see(t, &h)
}

// TestHoldsNoMemoryOfTheGame drops the game's values and checks that they are collected.
func TestHoldsNoMemoryOfTheGame(t *testing.T) {
	type own struct {
		Map   map[string]*[64]int
		Slice []*[64]int
		Any   any
	}
	s := shadowOf(t, new(own))
	weaks := func() (w [3]weak.Pointer[[64]int]) {
		big := [3]*[64]int{{1}, {2}, {3}}
		for i := range big {
			w[i] = weak.Make(big[i])
		}
		v := own{map[string]*[64]int{"a": big[0]}, big[1:2], map[string]any{"b": big[2]}}
		if _, _, _, err := s.Update(v, nil, nil); err != nil {
			t.Fatal(err)
		}
		return w
	}()
	runtime.GC()
	for i, w := range weaks {
		if w.Value() != nil {
			t.Errorf("the shadow holds pointer %d of the game's", i)
		}
	}
	runtime.KeepAlive(s)
}

// TestDepthIsNotBreadth shows more siblings of each kind than there may be levels.
func TestDepthIsNotBreadth(t *testing.T) {
	const n = 2 * view.MaxDepth
	places := make([]*Place, n)
	for i := range places {
		places[i] = new(Place)
	}
	v := []any{make([][]int, n), make([]map[string]int, n), places}
	if err := view.Check(v); err != nil {
		t.Error(err)
	}
}

type failing struct{ err error }

func (f failing) MarshalJSON() ([]byte, error) { return []byte("{} {}"), f.err }

type sick struct{ text string }

func (s sick) MarshalText() ([]byte, error) {
	if s.text == "" {
		return nil, errors.New("empty")
	}
	return []byte(s.text[:1]), nil
}

type player struct {
	Hand *hand `json:"hand"`
}

func TestErrorsNameTheField(t *testing.T) {
	type m = map[string]any
	loop := m{}
	loop["again"] = []any{&loop}
	type ring *ring
	var self ring
	self = &self
	for _, c := range []struct {
		view any
		want string
	}{
		{nil, "view: is null"},
		{(*hand)(nil), "view: is null"},
		{m{"players": []player{{&hand{}}, {}}}, "view: players[1].hand: is null"},
		{struct{ A any }{}, "view: A: is null"},
		{m{"raw": json.RawMessage(`[1,{"x":null}]`)}, "view: raw[1].x: is null"},
		{m{"raw": json.RawMessage(nil)}, "view: raw: is null"},
		{m{"a b": []any{int64(1 << 53)}}, `view: ["a b"][0]: is an integer beyond ±(2^53-1)`},
		{m{"": -(1 << 53)}, `view: [""]: is an integer beyond`},
		{[]uint64{1<<53 - 1, math.MaxUint64}, "view: [1]: is an integer beyond"},
		{m{"n": json.Number("9007199254740992")}, "view: n: is an integer beyond"},
		{m{"n": json.RawMessage("123456789012345678901234567890")}, "view: n: is an integer beyond"},
		{m{"n": json.Number("1e999")}, "view: n: is not a finite number"},
		{m{"n": json.Number("0x1")}, "view: n: is no valid JSON number"},
		{m{"n": json.Number(" 1")}, "view: n: is no valid JSON number"},
		{[1]float64{math.NaN()}, "view: [0]: is not a finite number"},
		{[]float32{float32(math.Inf(-1))}, "view: [0]: is not a finite number"},
		{[]float32{float32(math.NaN())}, "view: [0]: is not a finite number"},
		{struct {
			F float64 `json:"f,string"`
		}{math.Inf(1)}, "view: f: is not a finite number"},
		{struct {
			S string `json:",string"`
		}{"\xff"}, "view: S: is not valid UTF-8"},
		{m{"s": "a\xffb"}, "view: s: is not valid UTF-8"},
		{m{"sub": m{"a\xff": 1}}, "view: sub: has a key that is not valid UTF-8"},
		{m{"t": sick{"é"}}, "view: t: is not valid UTF-8"},
		{m{"t": sick{}}, "view: t: has a MarshalText that failed: empty"},
		{m{"t": map[sick]int{{}: 1}}, "view: t: has a key whose MarshalText failed: empty"},
		{m{"t": map[sick]int{{"ab"}: 1, {"ac"}: 2}}, `view: t: has two keys that are both written "a"`},
		{m{"j": failing{}}, "view: j: has a MarshalJSON that gave no valid JSON"},
		{m{"j": failing{errors.New("no")}}, "view: j: has a MarshalJSON that failed: no"},
		{m{"c": []any{make(chan int)}}, "view: c[0]: is of type chan int"},
		{loop, "is nested too deep"},
		{self, "is nested too deep"},
	} {
		err := view.Check(c.view)
		if err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

// TestDuplicateOfKnownKey checks two keys with the same text when the last view already had one.
func TestDuplicateOfKnownKey(t *testing.T) {
	d, err := view.Compile(reflect.TypeFor[map[sick]int]())
	if err != nil {
		t.Fatal(err)
	}
	s := d.New()
	if _, _, _, err := s.Update(map[sick]int{{"a"}: 1}, nil, nil); err != nil {
		t.Fatal(err)
	}
	_, _, _, err = s.Update(map[sick]int{{"ab"}: 1, {"ac"}: 1}, nil, nil)
	if fault, ok := errors.AsType[*view.Error](err); !ok || !strings.Contains(fault.Reason, "two keys") {
		t.Errorf("error %v, want one about two keys", err)
	}
	if _, _, _, again := s.Update(map[sick]int{}, nil, nil); again != err {
		t.Errorf("after an error an update gives %v, want %v again", again, err)
	}
	if got := s.AppendJSON(nil); len(got) != 0 {
		t.Errorf("after an error the shadow holds %s", got)
	}
}

func TestCompileErrorsNameTheField(t *testing.T) {
	type inner struct {
		Hook func() `json:"hook"`
	}
	type outer struct {
		Players []map[string]*inner `json:"players"`
	}
	for _, c := range []struct {
		typ  reflect.Type
		want string
	}{
		{nil, "view: has no type"},
		{reflect.TypeFor[outer](), "view: players[][].hook: is of type func()"},
		{reflect.TypeFor[chan int](), "view: is of type chan int"},
		{reflect.TypeFor[[]complex128](), "view: []: is of type complex128"},
		{reflect.TypeFor[struct{ M map[float64]int }](), "view: M: is a map with keys of type float64"},
	} {
		_, err := view.Compile(c.typ)
		if err == nil || !strings.HasPrefix(err.Error(), c.want) {
			t.Errorf("%v: error %v, want %q", c.typ, err, c.want)
		}
		if _, again := view.Compile(c.typ); again == nil {
			t.Errorf("%v: compiles at the second attempt", c.typ)
		}
	}
}

func TestUpdateTakesAssignableValues(t *testing.T) {
	type named map[string]int
	d, err := view.Compile(reflect.TypeFor[map[string]int]())
	if err != nil {
		t.Fatal(err)
	}
	s := d.New()
	for _, v := range []any{named{"a": 1}, &map[string]int{"a": 1}, reflect.ValueOf(named{"a": 1})} {
		if _, _, _, err := s.Update(v, nil, nil); err != nil || string(s.AppendJSON(nil)) != `{"a":1}` {
			t.Errorf("%T: view %s, error %v", v, s.AppendJSON(nil), err)
		}
	}
	if _, _, _, err := s.Update([]int{}, nil, nil); err == nil || !strings.Contains(err.Error(), "is of type []int") {
		t.Errorf("a value of another type gives %v", err)
	}
}

type bomb struct{ armed bool }

func (b bomb) MarshalText() ([]byte, error) {
	if b.armed {
		panic("boom")
	}
	return []byte("quiet"), nil
}

func TestPanicLeavesTheShadowUseless(t *testing.T) {
	d, err := view.Compile(reflect.TypeFor[[]bomb]())
	if err != nil {
		t.Fatal(err)
	}
	s := d.New()
	func() {
		defer func() {
			if recover() == nil {
				t.Error("the game's panic was swallowed")
			}
		}()
		_, _, _, _ = s.Update([]bomb{{}, {armed: true}}, nil, nil)
	}()
	if _, _, _, err := s.Update([]bomb{}, nil, nil); err == nil {
		t.Error("the shadow works on after a panic")
	}
}

func TestNothingBeforeTheFirstView(t *testing.T) {
	d, err := view.Compile(reflect.TypeFor[hand]())
	if err != nil {
		t.Fatal(err)
	}
	s := d.New()
	out := s.AppendPatchCBOR(s.AppendPatchJSON(s.AppendCBOR(s.AppendJSON(nil))))
	if len(out) != 0 || s.Checksum() != 0 {
		t.Errorf("a new shadow writes %q, checksum %d", out, s.Checksum())
	}
}

// TestFirstRuntimeShowsOneMoreInteger checks that rooms of the first runtime may still show ±2⁵³.
func TestFirstRuntimeShowsOneMoreInteger(t *testing.T) {
	d, err := view.Compile(reflect.TypeFor[map[string]int64]())
	if err != nil {
		t.Fatal(err)
	}
	for n, want := range map[int64][2]bool{1<<53 - 1: {true, true}, 1 << 53: {false, true}, -1 << 53: {false, true}, 1<<53 + 1: {false, false}} {
		for i, s := range []*view.Shadow{d.New(), d.NewFirst()} {
			if _, err := s.Compare(reflect.ValueOf(map[string]int64{"n": n})); (err == nil) != want[i] {
				t.Errorf("%d: %v", n, err)
			}
		}
	}
}
