package core

import (
	"bytes"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/fxamacker/cbor/v2"
)

// sample fills each encoded field with the probability often. Its numbers are at the limits of CBOR's head sizes.
func sample(rng *rand.Rand, v reflect.Value, often float64) {
	edges := []uint64{1, 23, 24, 255, 256, 65535, 65536, 1<<32 - 1, 1 << 32, math.MaxInt64, math.MaxUint64}
	switch v.Kind() {
	case reflect.Struct:
		for i := range v.NumField() {
			if f := v.Type().Field(i); f.IsExported() && f.Tag.Get("cbor") != "-" && (rng.Float64() < often || f.Anonymous) {
				sample(rng, v.Field(i), often)
			}
		}
	case reflect.Pointer:
		v.Set(reflect.New(v.Type().Elem()))
		sample(rng, v.Elem(), often)
	case reflect.Slice:
		n := []int{0, 1, 3, 23, 24, 300}[rng.IntN(6)]
		v.Set(reflect.MakeSlice(v.Type(), n, n))
		for i := range n {
			sample(rng, v.Index(i), 1)
		}
	case reflect.String:
		v.SetString(string(bytes.Repeat([]byte{'x', 0xff}, []int{0, 1, 11, 12, 200}[rng.IntN(5)])))
	case reflect.Uint8, reflect.Uint32, reflect.Uint64:
		v.SetUint(edges[rng.IntN(len(edges))] & (1<<v.Type().Bits() - 1))
	case reflect.Int, reflect.Int64:
		n := int64(edges[rng.IntN(len(edges))])
		v.SetInt([]int64{n, -n}[rng.IntN(2)])
	default:
		panic(fmt.Sprintf("a field of kind %v: teach appendEntry and this test", v.Kind()))
	}
}

// TestAnEntryIsEncodedAsByReflection compares appendEntry with the encoder by reflection for random entries.
func TestAnEntryIsEncodedAsByReflection(t *testing.T) {
	seed := rand.Uint64()
	rng := rand.New(rand.NewPCG(seed, 1))
	for i := range 5000 {
		var e Entry
		sample(rng, reflect.ValueOf(&e).Elem(), []float64{0, 0.3, 1}[i%3])
		want, err := encMode.Marshal(e)
		if err != nil {
			t.Fatal(err)
		}
		got, err := appendEntry([]byte("before"), &e)
		if err != nil || string(got) != "before"+string(want) {
			t.Fatalf("seed %d: %+v is\n%x, %v, by reflection\n%x", seed, e, got[6:], err, want)
		}
	}
}

// FuzzEntry compares the two encoders for every input that decodes to an entry.
func FuzzEntry(f *testing.F) {
	for _, e := range []Entry{{}, {Index: 7, Epoch: 1, Input: Input{Kind: KindAct, At: -1, Player: "p", Data: []byte("{}")}, Checks: []ViewCheck{{Class: 1, Sum: 1 << 31}}}} {
		f.Add(must(encMode.Marshal(e)))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var e Entry
		if cbor.Unmarshal(data, &e) != nil {
			return
		}
		want, err := encMode.Marshal(e)
		got, mine := appendEntry(nil, &e)
		if err == nil && (mine != nil || !bytes.Equal(got, want)) {
			t.Fatalf("%+v is %x, %v, by reflection %x", e, got, mine, want)
		}
	})
}

func BenchmarkEncodeEntry(b *testing.B) {
	e := Entry{Index: 1000, Epoch: 1, Result: StepAccepted, Input: Input{Kind: KindAct, At: 1e10, Player: "g-abcdefghijkl", Client: "c1", CSeq: 500, Data: []byte(`{"do":"move"}`)}}
	var buf []byte
	b.ReportAllocs()
	for b.Loop() {
		buf, _ = appendEntry(buf[:0], &e)
	}
}
