package wire_test

import (
	"bytes"
	"encoding/json"
	"testing"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room/wire"
	"pgregory.net/rapid"
)

// anyJSON draws JSON values of every kind, with numbers at the limits.
func anyJSON(depth int) *rapid.Generator[any] {
	leaves := []*rapid.Generator[any]{
		rapid.Just[any](nil), rapid.Bool().AsAny(), rapid.String().AsAny(),
		rapid.Int64().AsAny(), rapid.Uint64().AsAny(), rapid.Float64().Filter(func(f float64) bool { return f != 0 }).AsAny(), // -0 comes back as 0, as RFC 8785 has it
	}
	if depth == 0 {
		return rapid.OneOf(leaves...)
	}
	return rapid.OneOf(append(leaves,
		rapid.SliceOfN(anyJSON(depth-1), 0, 30).AsAny(),
		rapid.MapOfN(rapid.String(), anyJSON(depth-1), 0, 30).AsAny())...)
}

func TestJSONToCBORAndBackIsTheSame(t *testing.T) {
	rapid.Check(t, func(rt *rapid.T) {
		js, err := json.Marshal(anyJSON(3).Draw(rt, "value"))
		if err != nil {
			rt.Fatal(err)
		}
		bin, err := wire.AppendCBORFromJSON([]byte("before"), js)
		if err != nil {
			rt.Fatalf("%s: %v", js, err)
		}
		bin = bin[len("before"):]
		if err := cbor.Wellformed(bin); err != nil {
			rt.Fatalf("%s as %x: %v", js, bin, err)
		}
		back, err := wire.AppendJSONFromCBOR(nil, bin)
		if err != nil {
			rt.Fatalf("%s as %x: %v", js, bin, err)
		}
		if a, b := numbers(rt, js), numbers(rt, back); !bytes.Equal(a, b) {
			rt.Fatalf("got  %s\nwant %s", b, a)
		}
	})
}

// numbers writes a value with sorted keys and the original text of its numbers, so that exactness is compared.
func numbers(t interface{ Fatal(...any) }, js []byte) []byte {
	d := json.NewDecoder(bytes.NewReader(js))
	d.UseNumber()
	var v any
	if err := d.Decode(&v); err != nil {
		t.Fatal(err)
	}
	out, err := json.Marshal(v)
	if err != nil {
		t.Fatal(err)
	}
	return out
}

func TestNumbersAcrossEncodings(t *testing.T) {
	for in, want := range map[string]string{
		"18446744073709551615":  "18446744073709551615",
		"-18446744073709551616": "-18446744073709551616",
		"-9223372036854775809":  "-9223372036854775809",
		"18446744073709551616":  "18446744073709552000",
		"1.0":                   "1",
		"-0":                    "0",
		"1e21":                  "1e+21",
		"0.0000001":             "1e-7",
		"0.1":                   "0.1",
		"5e-324":                "5e-324",
	} {
		bin, err := wire.AppendCBORFromJSON(nil, []byte(in))
		if err != nil {
			t.Fatal(err)
		}
		if got, err := wire.AppendJSONFromCBOR(nil, bin); err != nil || string(got) != want {
			t.Errorf("%s: %s, %v; want %s", in, got, err, want)
		}
	}
	if _, err := wire.AppendCBORFromJSON(nil, []byte("1e999")); err == nil {
		t.Error("1e999 has no float")
	}
}

// TestHalfFloats compares all 65,536 half floats with an independent decoder.
func TestHalfFloats(t *testing.T) {
	for bits := range 1 << 16 {
		raw := []byte{0xf9, byte(bits >> 8), byte(bits)}
		var want float64
		if err := cbor.Unmarshal(raw, &want); err != nil {
			t.Fatal(err)
		}
		js, err := wire.AppendJSONFromCBOR(nil, raw)
		var got float64
		if err == nil {
			err = json.Unmarshal(js, &got)
		}
		if finite := want-want == 0; finite != (err == nil) || finite && got != want {
			t.Fatalf("%x: %v, %v; want %v", raw, got, err, want)
		}
	}
}

func TestTranscodersKeepDstOnError(t *testing.T) {
	if out, err := wire.AppendCBORFromJSON([]byte("ab"), []byte(`[1,2`)); err == nil || string(out) != "ab" {
		t.Errorf("%q, %v", out, err)
	}
	if out, err := wire.AppendJSONFromCBOR([]byte("ab"), []byte{0x82, 1}); err == nil || string(out) != "ab" {
		t.Errorf("%q, %v", out, err)
	}
	for _, two := range []string{"1 2", "{}x"} {
		if _, err := wire.AppendCBORFromJSON(nil, []byte(two)); err == nil {
			t.Errorf("%q is more than one value", two)
		}
	}
	if _, err := wire.AppendJSONFromCBOR(nil, []byte{1, 2}); err == nil {
		t.Error("two items are more than one")
	}
}
