package view_test

import (
	"encoding/hex"
	"reflect"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/view"
)

// TestCBORSamplesRFC8949 checks the examples of RFC 8949, appendix A, that a view can hold.
func TestCBORSamplesRFC8949(t *testing.T) {
	for _, c := range []struct {
		view any
		want string
	}{
		{0, "00"}, {1, "01"}, {10, "0a"}, {23, "17"}, {24, "1818"}, {25, "1819"}, {100, "1864"},
		{1000, "1903e8"}, {1000000, "1a000f4240"}, {1000000000000, "1b000000e8d4a51000"},
		{255, "18ff"}, {256, "190100"}, {65535, "19ffff"}, {65536, "1a00010000"},
		{1<<32 - 1, "1affffffff"}, {1 << 32, "1b0000000100000000"}, {1<<53 - 1, "1b001fffffffffffff"}, {-1<<53 + 1, "3b001ffffffffffffe"},
		{-1, "20"}, {-10, "29"}, {-100, "3863"}, {-1000, "3903e7"},
		{0.0, "00"}, {1.0, "01"}, {1.1, "fb3ff199999999999a"}, {1.5, "f93e00"}, {65504.0, "19ffe0"},
		{3.4028234663852886e+38, "fa7f7fffff"}, {1.0e+300, "fb7e37e43c8800759c"},
		{5.960464477539063e-8, "f90001"}, {0.00006103515625, "f90400"}, {-4.1, "fbc010666666666666"},
		{float32(1.1), "fb3ff199999999999a"}, {100000.5, "fa47c35040"},
		{false, "f4"}, {true, "f5"}, {"", "60"}, {"IETF", "6449455446"}, {"\"\\", "62225c"}, {"\u6c34", "63e6b0b4"},
		{[]int{}, "80"}, {[]any{1, []int{2, 3}}, "8201820203"}, {map[string]int{}, "a0"},
		{map[string]any{"a": 1, "b": []int{2, 3}}, "a26161016162820203"},
		{strings.Repeat("x", 256), "790100" + strings.Repeat("78", 256)},
	} {
		d, err := view.Compile(reflect.TypeOf(c.view))
		if err != nil {
			t.Fatal(err)
		}
		s := d.New()
		_, patch, _, err := s.Update(c.view, nil, nil)
		if err != nil {
			t.Fatal(err)
		}
		for _, out := range [][]byte{patch, s.AppendCBOR(nil)} {
			if got := hex.EncodeToString(out); got != c.want {
				t.Errorf("%v is %s, want %s", c.view, got, c.want)
			}
		}
	}
}

// TestCBORLargeMaps checks map heads of each width, in whole views and in patches.
func TestCBORLargeMaps(t *testing.T) {
	for _, size := range []int{23, 24, 255, 256, 70000} {
		m := make(map[int]int, size)
		w := newViewer(t, &m)
		for i := range size {
			m[i] = i
		}
		w.see(t, &m)
		for i := range size {
			m[i]--
		}
		w.see(t, &m)
		clear(m)
		w.see(t, &m)
	}
}
