package glicko_test

import (
	"math"
	"testing"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/persist/glicko"
	"github.com/roomring/roomring/room/record"
)

func near(t *testing.T, what string, got, want, tolerance float64) {
	t.Helper()
	if math.IsNaN(got) || math.Abs(got-want) > tolerance {
		t.Errorf("%s = %v, want %v ± %v", what, got, want, tolerance)
	}
}

// The worked example of Glickman's paper, to the digits it prints.
func TestPaper(t *testing.T) {
	got := glicko.Update(record.Rating{Rating: 1500, Deviation: 200, Volatility: 0.06}, []glicko.Bout{
		{Opponent: record.Rating{Rating: 1400, Deviation: 30, Volatility: 0.06}, Score: 1},
		{Opponent: record.Rating{Rating: 1550, Deviation: 100, Volatility: 0.06}, Score: 0},
		{Opponent: record.Rating{Rating: 1700, Deviation: 300, Volatility: 0.06}, Score: 0},
	})
	near(t, "rating", got.Rating, 1464.06, 0.01)
	near(t, "deviation", got.Deviation, 151.52, 0.01)
	near(t, "volatility", got.Volatility, 0.05999, 0.00001)
}

func TestNoBoutsChangeNothing(t *testing.T) {
	if got := glicko.Update(glicko.Newcomer, nil); got != glicko.Newcomer {
		t.Errorf("got %v", got)
	}
	if got := glicko.Game([]record.Rating{glicko.Newcomer}, []int{1}); got[0] != glicko.Newcomer {
		t.Errorf("a lone player's rating became %v", got[0])
	}
}

func ratings() *rapid.Generator[record.Rating] {
	return rapid.Custom(func(t *rapid.T) record.Rating {
		return record.Rating{
			Rating:     rapid.Float64Range(100, 3500).Draw(t, "rating"),
			Deviation:  rapid.Float64Range(20, 350).Draw(t, "deviation"),
			Volatility: rapid.Float64Range(0.03, 0.1).Draw(t, "volatility"),
		}
	})
}

func TestWinnersGainAndLosersLose(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := ratings().Draw(t, "a"), ratings().Draw(t, "b")
		after := glicko.Game([]record.Rating{a, b}, []int{1, 2})
		if after[0].Rating <= a.Rating || after[1].Rating >= b.Rating {
			t.Fatalf("won %v → %v, lost %v → %v", a, after[0], b, after[1])
		}
	})
}

func TestEveryGameStaysInBounds(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(ratings(), 2, 8).Draw(t, "before")
		ranks := rapid.SliceOfN(rapid.IntRange(1, 8), len(before), len(before)).Draw(t, "ranks")
		for i, r := range glicko.Game(before, ranks) {
			for _, x := range []float64{r.Rating, r.Deviation, r.Volatility} {
				if math.IsNaN(x) || math.IsInf(x, 0) {
					t.Fatalf("player %d became %v", i, r)
				}
			}
			if r.Deviation <= 0 || r.Deviation > 350 || r.Volatility <= 0 || r.Volatility > 1 {
				t.Fatalf("player %d became %v", i, r)
			}
		}
	})
}

func TestEqualsWhoDrawKeepTheirRating(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		r := ratings().Draw(t, "r")
		for _, after := range glicko.Game([]record.Rating{r, r, r}, []int{1, 1, 1}) {
			if math.Abs(after.Rating-r.Rating) > 1e-9 {
				t.Fatalf("%v became %v", r, after)
			}
		}
	})
}

func TestOrderOfSeatsDoesNotMatter(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		a, b := ratings().Draw(t, "a"), ratings().Draw(t, "b")
		x := glicko.Game([]record.Rating{a, b}, []int{2, 1})
		y := glicko.Game([]record.Rating{b, a}, []int{1, 2})
		if x[0] != y[1] || x[1] != y[0] {
			t.Fatalf("%v and %v", x, y)
		}
	})
}
