package view_test

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"testing"
	"time"
)

// These types use the finer rules of encoding/json for fields.

type (
	Deep  struct{ A, Shadowed, Clash, Dup int }
	Left  struct{ Deep }
	Right struct {
		Deep
		Clash int
	}
	Other struct {
		Clash  int
		Tagged int `json:"Untagged"`
	}
	Plain struct{ Untagged int }
	word  string
	Word  string
	quiet struct{ Shown int }
	octet byte
	spelt byte
)

func (s spelt) MarshalText() ([]byte, error) { return fmt.Appendf(nil, "<%d>", s), nil }

type twiceEmbedded struct {
	Left
	Right
	Shadowed string
}

type tagged struct {
	Other
	Plain
	word
	Word
	*quiet
	fmt.Stringer
	Named Deep `json:"A"`
}

type dashed struct {
	//lint:ignore SA5008 the comma makes "-" a name
	Dash int `json:"-,"`
	Bad  int `json:"bad;name"`
	Odd  int `json:"$%!-/ é"`
	Zero int `json:",omitzero"`
}

type empties struct {
	Bool   bool           `json:",omitempty"`
	Int    int            `json:",omitempty"`
	Float  float32        `json:",omitempty"`
	String string         `json:",omitempty"`
	Slice  []int          `json:",omitempty"`
	Bytes  []byte         `json:",omitempty"`
	Map    map[string]int `json:",omitempty"`
	Array  [0]int         `json:",omitempty"`
	Any    any            `json:",omitempty"`
	Both   [2]int         `json:",omitempty,omitzero"`
	Time   time.Time      `json:",omitzero"`
	PTime  *time.Time     `json:",omitzero"`
	IZero  interface{ IsZero() bool }
	OZero  interface{ IsZero() bool } `json:",omitzero"`
	Dial   dial                       `json:",omitzero"`
	PDial  *dial                      `json:",omitzero"`
}

type quoted struct {
	P  *int    `json:",string"`
	B  *bool   `json:",string"`
	S  *string `json:",string"`
	U8 uint8   `json:",string"`
	F  float64 `json:",string"`
	F3 float32 `json:",string"`
	W  word    `json:",string"`
	T  spelt   `json:",string"`
	//lint:ignore SA5008 the option has no effect
	L []int `json:",string"`
	//lint:ignore SA5008 the option has no effect
	PP **string `json:",string"`
	//lint:ignore SA5008 the option has no effect
	M coin `json:",string"`
}

func TestMeansWhatEncodingJSONMeans(t *testing.T) {
	now, str := time.Unix(1e9, 5).UTC(), "<&>\u2028"
	pstr := &str
	zero := func(v interface{ IsZero() bool }) empties {
		return empties{IZero: span{}, OZero: v}
	}
	for _, v := range []any{
		twiceEmbedded{Shadowed: "s"},
		tagged{Stringer: time.Second, quiet: &quiet{3}, word: "w", Word: "W"},
		tagged{Stringer: time.Second},
		struct {
			Plain
			Other
		}{Plain{1}, Other{2, 3}},
		struct {
			Other
			Plain
		}{Other{2, 3}, Plain{1}},
		dashed{1, 2, 3, 0},
		zero(nil), zero((*dial)(nil)), zero(span{}), zero(span{1, 2}), zero(&dial{-1}), zero(&dial{1}),
		empties{
			true, 1, 2, "s", []int{0}, []byte{0}, map[string]int{"": 0}, [0]int{}, 0, [2]int{0, 1},
			now, &now, span{1, 2}, &now, dial{-1}, &dial{-2},
		},
		quoted{new(1), new(true), &str, 200, -1e-9, 3.4e38, "\"w\"", 7, []int{1}, &pstr, coin{4}},
		[]octet("bytes"), []spelt{1, 2}, [3]byte{1, 2, 3}, []*coin{{1}}, []coin{{2}}, [1]coin{{3}}, map[string]coin{"a": {4}},
		&[1]coin{{5}}, struct{ P *[1]coin }{&[1]coin{{6}}}, []any{coin{7}, &coin{8}},
		map[word]int{"k": 1}, map[spelt]int{1: 1}, map[*spelt]int{nil: 0, new(spelt(2)): 1}, map[uint8]int{255: 1, 0: 2},
		map[encoding.TextMarshaler]int{spelt(1): 1, suit(2): 2}, map[rank]int{"not called": 1},
		map[time.Time]bool{now: true}, json.RawMessage(` {"b" : [1.0, "\u00e9"] , "a":{}} `),
		map[string]any{"\uffee": 1, "😀": 2, "é": 3, "": 4},
		time.Duration(5), &pstr,
	} {
		holder := reflect.New(reflect.TypeOf(v))
		holder.Elem().Set(reflect.ValueOf(v))
		newViewer(t, holder.Interface()).see(t, holder.Interface())
		newViewer(t, new(any)).see(t, &v)
	}
}
