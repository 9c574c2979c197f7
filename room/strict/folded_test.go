package strict

import (
	"encoding/json"
	"testing"
)

// TestDecodeFolded decodes good and bad values in turn, because a reused decoder must not remember anything.
func TestDecodeFolded(t *testing.T) {
	type action struct {
		A int    `json:"a"`
		B string `json:"b"`
	}
	for range 50 {
		for _, c := range []struct {
			raw, fault string
			want       action
		}{
			{`{"a":1,"b":"x"}`, "", action{1, "x"}},
			{` {"a":2} `, "", action{A: 2}},
			{`{"a":1}{"a":2}`, "more than one JSON value", action{}},
			{`{"a":3}`, "", action{A: 3}},
			{`{"a":1,"c":2}`, `unknown field "c"`, action{}},
			{`{"a":"x"}`, `field "a": cannot be a string`, action{}},
			{`{"a":1`, "unexpected EOF", action{}},
			{``, "EOF", action{}},
			{`{"b":"y"} x`, "more than one JSON value", action{}},
			{`{}`, "", action{}},
		} {
			var got action
			err := DecodeFolded(json.RawMessage(c.raw), &got)
			if (err == nil) != (c.fault == "") || err != nil && err.Error() != c.fault {
				t.Fatalf("%s: %v, want %q", c.raw, err, c.fault)
			}
			if err == nil && got != c.want {
				t.Fatalf("%s: %v, want %v", c.raw, got, c.want)
			}
		}
		for _, raw := range []string{`"abc"`, `12`, `true`} {
			var v any
			if err := DecodeFolded(json.RawMessage(raw), &v); err != nil {
				t.Fatalf("%s: %v", raw, err)
			}
			if back, _ := json.Marshal(v); string(back) != raw {
				t.Fatalf("%s comes as %s", raw, back)
			}
		}
	}
}
