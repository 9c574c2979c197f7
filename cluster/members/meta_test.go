package members

import (
	"math"
	"strings"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMetaComesBack(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		m := Member{
			State:  State(rapid.IntRange(1, 3).Draw(t, "state")),
			Weight: float64(rapid.Float32Range(0, 100).Draw(t, "weight")),
			Load:   float64(rapid.Float32Range(0, 1e6).Draw(t, "load")),
			Games:  rapid.Uint64().Draw(t, "games"),
			Least:  uint32(rapid.Uint16().Draw(t, "least")),
			Latest: uint32(rapid.Uint16().Draw(t, "latest")),
			Zone:   rapid.StringMatching(`[a-z0-9-]{0,20}`).Draw(t, "zone"),
			Link:   rapid.StringMatching(`[a-z0-9.:-]{0,60}`).Draw(t, "link"),
		}
		b := encodeMeta(m)
		if len(b) > metaMax-metaSpare {
			t.Fatalf("%d bytes", len(b))
		}
		if got := decodeMeta(b); got != m {
			t.Fatalf("%+v, want %+v", got, m)
		}
		newer := append(append([]byte{metaVersion + 1}, b[1:]...), rapid.SliceOf(rapid.Byte()).Draw(t, "more")...)
		if got := decodeMeta(newer); got != m {
			t.Fatalf("of a newer version %+v, want %+v", got, m)
		}
		short := decodeMeta(b[:rapid.IntRange(0, len(b)).Draw(t, "cut")])
		if short.State != m.State && short.State != Joining {
			t.Fatalf("%+v", short)
		}
	})
}

func FuzzDecodeMeta(f *testing.F) {
	f.Add([]byte{})
	f.Add(encodeMeta(Member{State: Active, Weight: math.NaN(), Load: math.Inf(1), Zone: "z", Link: "l:1"}))
	f.Add([]byte(strings.Repeat("\xff", 200)))
	f.Fuzz(func(t *testing.T, b []byte) {
		m := decodeMeta(b)
		if m.State < Joining || m.State > Draining || !(m.Weight >= 0) || !(m.Load >= 0) || math.IsInf(m.Weight+m.Load, 0) {
			t.Fatalf("%+v", m)
		}
	})
}

func TestTableAgreesWithWhatIsThere(t *testing.T) {
	now := time.Now()
	tab := table{self: Member{Name: "a", Boot: "1"}, here: map[string]Member{}, lost: map[string]lost{}}
	b := Member{Name: "b", Boot: "1", State: Active}
	tab.apply(event{node: "b~1", member: b}, now)
	if tab.reconcile([]string{"a~1", "b~1"}, now) {
		t.Error("nothing was wrong")
	}
	if !tab.reconcile([]string{"a~1"}, now) || len(tab.look(nil).members) != 1 {
		t.Error("b is gone and still here")
	}
	if !tab.reconcile([]string{"a~1", "b~1", "unheard~1"}, now) {
		t.Error("b came back and is not here")
	}
	if got, _ := tab.look(nil).get("b"); got != b {
		t.Errorf("%+v", got)
	}
	tab.apply(event{node: "b~1", member: b, gone: true}, now)
	tab.forget(now.Add(2 * rememberLost))
	if len(tab.lost) != 0 {
		t.Error("the lost are remembered for ever")
	}
	for i := range 2 * maxLost {
		tab.apply(event{node: strings.Repeat("x", i+1), gone: true}, now.Add(time.Duration(i)))
	}
	if len(tab.lost) != maxLost {
		t.Errorf("%d are remembered", len(tab.lost))
	}
}
