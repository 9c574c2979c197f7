package room_test

import (
	"math/big"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
)

// still makes a game of any type of state.
type still[S any] struct{ S S }

func (g *still[S]) Act(*room.Turn, room.Player, struct{}) error { return nil }
func (g *still[S]) View(room.Viewer) int                        { return 0 }

func warnings[S any](t *testing.T) []string {
	t.Helper()
	rules, err := room.Define(room.Spec{Name: "still", Version: 1}, func() *still[S] { return new(still[S]) })
	if err != nil {
		t.Fatal(err)
	}
	return rules.Warnings()
}

type (
	hider   struct{ N, n int }
	writer  struct{ n int }
	teller  struct{ n int }
	based   struct{ Base int }
	other   struct{ Base int }
	inner   struct{ In, hidden int }
	looping struct {
		Next *looping
		n    int
	}
)

var _ = []int{hider{}.n, writer{}.n, inner{}.hidden, looping{}.n} // read by nobody else

func (w writer) MarshalJSON() ([]byte, error)           { return []byte("1"), nil }
func (w teller) MarshalText() ([]byte, error)           { return []byte("1"), nil }
func (w *teller) UnmarshalText(b []byte) error          { w.n = len(b); return nil }
func (d direct) Act(*room.Turn, room.Player, int) error { return nil }
func (d direct) View(room.Viewer) int                   { return 0 }

type direct struct{ N int }

func TestWhatASnapshotForgetsIsNamed(t *testing.T) {
	for name, tt := range map[string]struct {
		got  []string
		want []string // one word of each warning
	}{
		"all kept": {warnings[struct {
			A    int
			When time.Time
			Big  big.Int
			Ref  *big.Int
			Bigs []big.Int
			Map  map[teller]*hiderKept
			Any  any
			_    int
			based
		}](t), nil},
		"unexported":       {warnings[struct{ a, B int }](t), []string{"`S.a` is not exported"}},
		"deep":             {warnings[struct{ A map[string][]*hider }](t), []string{"`S.A[][].n` is not exported"}},
		"recursive":        {warnings[looping](t), []string{"`S.n` is not exported"}},
		"embedded":         {warnings[struct{ inner }](t), []string{"`S.inner.hidden` is not exported"}},
		"embedded pointer": {warnings[struct{ *based }](t), []string{"`S.based` embeds a pointer to a type that is not exported"}},
		"left out": {warnings[struct {
			A int `json:"-"`
		}](t), []string{"`S.A` is tagged json:\"-\""}},
		"derived": {warnings[struct {
			a int   `roomring:"derived"`
			B int   `json:"-" roomring:"derived"`
			C hider `json:"-" roomring:"derived"`
		}](t), nil},
		"derived and kept": {warnings[struct {
			A int `roomring:"derived"`
		}](t), []string{"`S.A` is tagged as derived and stands in the snapshot"}},
		"a slip in the tag": {warnings[struct {
			a int `roomring:"derivd"`
		}](t), []string{"`S.a` has the tag roomring:\"derivd\"", "`S.a` is not exported"}},
		"function":        {warnings[struct{ F func() }](t), []string{"`S.F` is of type func(), which JSON cannot hold"}},
		"channel":         {warnings[struct{ F []chan int }](t), []string{"`S.F[]` is of type chan int"}},
		"interface":       {warnings[struct{ E error }](t), []string{"`S.E` is of the interface type error"}},
		"map key":         {warnings[struct{ M map[[2]int]int }](t), []string{"`S.M` is a map with keys of type [2]int"}},
		"written one way": {warnings[struct{ W writer }](t), []string{"`S.W` is written by the MarshalJSON"}},
		"out of reach":    {warnings[struct{ M map[string]big.Int }](t), []string{"`S.M[]` holds values of big.Int whose marshal method has a pointer receiver"}},
		"two of one name": {warnings[struct {
			based
			other
		}](t), []string{"`S.based.Base` has the JSON name", "`S.other.Base` has the JSON name"}},
		"one behind the other": {warnings[struct {
			based
			Base int
		}](t), []string{"`S.based.Base` has the JSON name"}},
	} {
		t.Run(name, func(t *testing.T) {
			slices.Sort(tt.got)
			if len(tt.got) != len(tt.want) {
				t.Fatalf("got %q, want %q", tt.got, tt.want)
			}
			for i, w := range tt.want {
				if !strings.Contains(tt.got[i], w) {
					t.Errorf("%q does not say %q", tt.got[i], w)
				}
			}
		})
	}
	rules := room.MustDefine(room.Spec{Name: "direct", Version: 1}, func() direct { return direct{} })
	if w := rules.Warnings(); len(w) != 1 || !strings.Contains(w[0], "no pointer") {
		t.Errorf("a game that is no pointer is warned of as %q", w)
	}
}

type hiderKept struct{ N int }
