package view_test

import (
	"encoding/json"
	"math"
	"reflect"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/view"
)

// These are the samples of RFC 8785, appendix B: the bits of doubles, and how ECMAScript writes them.
var rfc8785Numbers = []struct {
	bits uint64
	want string
}{
	{0x0000000000000000, "0"},
	{0x8000000000000000, "0"},
	{0x0000000000000001, "5e-324"},
	{0x8000000000000001, "-5e-324"},
	{0x7fefffffffffffff, "1.7976931348623157e+308"},
	{0xffefffffffffffff, "-1.7976931348623157e+308"},
	{0x4340000000000000, "9007199254740992"},
	{0xc340000000000000, "-9007199254740992"},
	{0x4430000000000000, "295147905179352830000"},
	{0x44b52d02c7e14af5, "9.999999999999997e+22"},
	{0x44b52d02c7e14af6, "1e+23"},
	{0x44b52d02c7e14af7, "1.0000000000000001e+23"},
	{0x444b1ae4d6e2ef4e, "999999999999999700000"},
	{0x444b1ae4d6e2ef4f, "999999999999999900000"},
	{0x444b1ae4d6e2ef50, "1e+21"},
	{0x3eb0c6f7a0b5ed8c, "9.999999999999997e-7"},
	{0x3eb0c6f7a0b5ed8d, "0.000001"},
	{0x41b3de4355555553, "333333333.3333332"},
	{0x41b3de4355555554, "333333333.33333325"},
	{0x41b3de4355555555, "333333333.3333333"},
	{0x41b3de4355555556, "333333333.3333334"},
	{0x41b3de4355555557, "333333333.33333343"},
	{0xbecbf647612f3696, "-0.0000033333333333333333"},
	{0x43143ff3c1cb0959, "1424953923781206.2"},
}

func TestNumbersRFC8785(t *testing.T) {
	for _, c := range rfc8785Numbers {
		f := math.Float64frombits(c.bits)
		if got := canonical(t, f); got != c.want {
			t.Errorf("%#x is written %s, want %s", c.bits, got, c.want)
		}
		v := newViewer(t, new(float64))
		v.see(t, &f)
		if got := string(v.shadow.AppendJSON(nil)); got != c.want {
			t.Errorf("%#x in a view is written %s, want %s", c.bits, got, c.want)
		}
	}
	for _, f := range []float64{math.NaN(), math.Inf(1), math.Inf(-1)} {
		if out, err := view.AppendCanonical(nil, f); err == nil {
			t.Errorf("%v is written %s, want an error", f, out)
		}
	}
}

// TestSamplesRFC8785 checks the examples of RFC 8785, 3.2.2 and 3.2.3.
func TestSamplesRFC8785(t *testing.T) {
	for in, want := range map[string]string{
		`{"numbers":[333333333.33333329,1E30,4.50,2e-3,0.000000000000000000000000001],` +
			`"string":"\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/","literals":[null,true,false]}`: //
		`{"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],` +
			`"string":"€$\u000f\nA'B\"\\\\\"/"}`,
		`{"\u20ac":"Euro Sign","\r":"Carriage Return","\ufb33":"Hebrew Letter Dalet With Dagesh",` +
			`"1":"One","\ud83d\ude00":"Emoji: Grinning Face","\u0080":"Control",` +
			`"\u00f6":"Latin Small Letter O With Diaeresis"}`: //
		"{\"\\r\":\"Carriage Return\",\"1\":\"One\",\"\u0080\":\"Control\"," +
			"\"\u00f6\":\"Latin Small Letter O With Diaeresis\",\"\u20ac\":\"Euro Sign\"," +
			"\"\U0001f600\":\"Emoji: Grinning Face\",\"\ufb33\":\"Hebrew Letter Dalet With Dagesh\"}",
	} {
		if got := canonical(t, decode(t, in)); got != want {
			t.Errorf("got  %s\nwant %s", got, want)
		}
	}
}

func TestEscapes(t *testing.T) {
	var in strings.Builder
	for c := range rune(0x80) {
		in.WriteRune(c)
	}
	in.WriteString("\u2028\u2029<>&\U0001f600")
	got := canonical(t, in.String())
	want := `"\u0000\u0001\u0002\u0003\u0004\u0005\u0006\u0007\b\t\n\u000b\f\r\u000e\u000f` +
		`\u0010\u0011\u0012\u0013\u0014\u0015\u0016\u0017\u0018\u0019\u001a\u001b\u001c\u001d\u001e\u001f` +
		` !\"#$%&'()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\\]^_` +
		"`abcdefghijklmnopqrstuvwxyz{|}~\x7f\u2028\u2029<>&\U0001f600\""
	if got != want {
		t.Errorf("got  %s\nwant %s", got, want)
	}
}

func TestAppendCanonicalErrors(t *testing.T) {
	deep := any(1)
	for range 20000 {
		deep = []any{deep}
	}
	for _, c := range []struct {
		in   any
		want string
	}{
		{map[string]any{"a": []any{1, math.NaN()}}, "view: a[1]: is not a finite number"},
		{int64(1 << 53), "integer beyond"},
		{uint64(math.MaxUint64), "integer beyond"},
		{json.Number("1e999"), "not a finite"},
		{"a\xff", "UTF-8"},
		{map[string]any{"\xff": 1}, "UTF-8"},
		{struct{}{}, "struct {}"},
		{deep, "too deep"},
	} {
		if _, err := view.AppendCanonical(nil, c.in); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("error %v, want one with %q", err, c.want)
		}
	}
}

func FuzzCanonical(f *testing.F) {
	f.Add(`{"b":[1.50,1e-7,-0,true,null],"a":"\u20ac\u000f"}`)
	f.Fuzz(func(t *testing.T, in string) {
		tree, err := parse(in)
		if err != nil {
			return
		}
		out, err := view.AppendCanonical(nil, tree)
		if err != nil {
			return // a number is too large for a double
		}
		if again := canonical(t, decode(t, string(out))); again != string(out) {
			t.Errorf("canonical %s is not canonical: %s", out, again)
		}
		var want, got any
		if json.Unmarshal([]byte(in), &want) != nil {
			return
		}
		if err := json.Unmarshal(out, &got); err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%s means %v (%v), want %v", out, got, err, want)
		}
	})
}
