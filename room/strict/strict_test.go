package strict_test

import (
	"encoding/json"
	"errors"
	"math/big"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room/strict"
)

type base struct {
	Shared int `json:"shared"`
	Hidden int `json:"own"` // by Own
}

type action struct {
	base
	Own    int               `json:"own"`
	Plain  string            // its name is its Go name
	Maybe  *int64            `json:"maybe"`
	Small  int8              `json:"small"`
	Half   float64           `json:"half"`
	Quoted int               `json:"quoted,string"`
	Inner  struct{ X int }   `json:"inner"`
	List   []struct{ Y int } `json:"list"`
	ByName map[string]base   `json:"by_name"`
	Again  *action           `json:"again"`
	Free   any               `json:"free"`
	Raw    json.RawMessage   `json:"raw"`
	When   time.Time         `json:"when"`
	Large  big.Int           `json:"large"`
	Never  int               `json:"-"`
	inside int
}

func TestDecode(t *testing.T) {
	_ = action{inside: 0}
	for raw, want := range map[string]action{
		`{}`:                                     {},
		` {"own":1.0,"shared":2e0} `:             {Own: 1, base: base{Shared: 2}},
		`{"Plain":"x","maybe":-30e-1}`:           {Plain: "x", Maybe: new(int64(-3))},
		`{"half":1.0,"quoted":"7"}`:              {Half: 1, Quoted: 7},
		`{"half":0.5,"maybe":null}`:              {Half: 0.5},
		`{"inner":{"X":1},"list":[{"Y":2.0}]}`:   {Inner: struct{ X int }{1}, List: []struct{ Y int }{{2}}},
		`{"by_name":{"OWN":{"own":1}}}`:          {ByName: map[string]base{"OWN": {Hidden: 1}}},
		`{"again":{"again":{"own":4}}}`:          {Again: &action{Again: &action{Own: 4}}},
		`{"free":{"ANY":[1.0]},"raw":{"ANY":1}}`: {Free: map[string]any{"ANY": []any{1.0}}, Raw: json.RawMessage(`{"ANY":1}`)},
		`{"when":"2026-01-02T03:04:05Z"}`:        {When: time.Date(2026, 1, 2, 3, 4, 5, 0, time.UTC)},
		`{"maybe":9007199254740993}`:             {Maybe: new(int64(9007199254740993))},
	} {
		var got action
		if err := strict.Decode([]byte(raw), &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s: %+v, %v; want %+v", raw, got, err, want)
		}
	}
}

func TestDecodeRefuses(t *testing.T) {
	for raw, want := range map[string]string{
		``:                              "value should stand",
		`{"own":1}{"own":2}`:            "one value alone",
		`{"OWN":1}`:                     `unknown field "OWN": it is spelt "own"`,
		`{"plain":"x"}`:                 `unknown field "plain": it is spelt "Plain"`,
		`{"Never":1}`:                   `unknown field "Never"`,
		`{"inside":1}`:                  `unknown field "inside"`,
		`{"inner":{"x":1}}`:             `unknown field "x": it is spelt "X"`,
		`{"list":[{"Y":1},{"y":1}]}`:    `unknown field "y"`,
		`{"by_name":{"a":{"Own":1}}}`:   `unknown field "Own"`,
		`{"again":{"again":{"OWN":4}}}`: `unknown field "OWN"`,
		`{"own":1,"own":1}`:             `"own" stands twice`,
		`{"free":{"a":{"b":1,"b":2}}}`:  `"b" stands twice`,
		`{"free":"\ud83c"}`:             "half a surrogate pair",
		`{"free":1e999}`:                "too large",
		`{"own":1.5}`:                   `field "own": cannot be a number 1.5`,
		`{"own":9007199254740992.0}`:    `field "own": cannot be a number`,
		`{"maybe":9223372036854775808}`: `field "maybe": cannot be a number`,
		`{"small":128.0}`:               `field "small": cannot be a number 128`,
		`{"own":"1"}`:                   `field "own": cannot be a string`,
		`{"inner":7}`:                   `field "inner": cannot be a number`,
		`{"inner":[]}`:                  `field "inner": cannot be an array`,
		"{\"Plain\":\"\xff\"}":          "UTF-8",
		strings.Repeat("[", 33) + strings.Repeat("]", 33): "nested",
		`{"` + strings.Repeat("x", 500) + `":1}`:          "…",
	} {
		var got action
		err := strict.Decode([]byte(raw), &got)
		if err == nil || !strings.Contains(err.Error(), want) || len(err.Error()) > 200 {
			t.Errorf("%.60s: %v, want %q", raw, err, want)
		}
		wrong, _ := errors.AsType[*strict.Error](err)
		if syntax := wrong != nil && wrong.Syntax(); syntax != (!strings.Contains(want, "field") && !strings.Contains(want, "…")) {
			t.Errorf("%.60s: syntax is %v", raw, syntax)
		}
	}
}

func TestDecodeAcceptsOtherTypesThanStructs(t *testing.T) {
	var n int
	if err := strict.Decode([]byte(`4.0`), &n); err != nil || n != 4 {
		t.Errorf("%d, %v", n, err)
	}
	var v any
	if err := strict.Decode([]byte(`{"A":[true,null]}`), &v); err != nil {
		t.Error(err)
	}
}

type move struct {
	Move   string `json:"move,omitempty"`
	Resign bool   `json:"resign,omitempty"`
}

func BenchmarkDecode(b *testing.B) {
	b.ReportAllocs()
	for b.Loop() {
		var m move
		if err := strict.Decode([]byte(`{"move":"e2e4"}`), &m); err != nil {
			b.Fatal(err)
		}
	}
}
