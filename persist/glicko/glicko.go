// Package glicko is the Glicko-2 rating system.
//
// Source: Mark E. Glickman, "Example of the Glicko-2 system" (2013), http://www.glicko.net/glicko/glicko2.pdf;
// the step numbers below are the paper's. Every rated game is a rating period of its own, so the growth of
// the deviation in periods without a game (step 6's last remark) never applies.
package glicko

import (
	"math"

	"github.com/roomring/roomring/room/record"
)

// Newcomer is the rating of a player without a rated game (step 1).
var Newcomer = record.Rating{Rating: 1500, Deviation: 350, Volatility: 0.06}

const (
	// Tau constrains the change of volatility over time; the paper recommends 0.3 to 1.2 and uses 0.5.
	Tau = 0.5

	scale         = 173.7178 // step 2
	epsilon       = 0.000001 // step 5.1, the convergence tolerance
	maxDeviation  = 350
	maxIterations = 100 // step 5 converges in a few; the bound is for damaged input
)

// Bout is one game of a rating period, seen from the rated player's side.
type Bout struct {
	Opponent record.Rating // before the period
	Score    float64       // 1 won, 0.5 drawn, 0 lost
}

// Game rates one game of n players: each plays a bout against every other, decided by rank (a lower
// rank wins, equal ranks draw). It returns the ratings after the game in the same order and leaves its
// arguments as they are. Fewer than two players change nothing.
func Game(before []record.Rating, ranks []int) []record.Rating {
	after := make([]record.Rating, len(before))
	for i := range before {
		bouts := make([]Bout, 0, len(before))
		for j := range before {
			if i != j {
				bouts = append(bouts, Bout{before[j], score(ranks[i], ranks[j])})
			}
		}
		after[i] = Update(before[i], bouts)
	}
	return after
}

func score(mine, theirs int) float64 {
	switch {
	case mine < theirs:
		return 1
	case mine == theirs:
		return 0.5
	}
	return 0
}

// Update returns a player's rating after one period with the given bouts. Without bouts it changes nothing.
func Update(r record.Rating, bouts []Bout) record.Rating {
	if len(bouts) == 0 {
		return r
	}
	mu, phi := (r.Rating-Newcomer.Rating)/scale, r.Deviation/scale // step 2
	var info, gain float64                                         // 1/v of step 3, the sum of step 4
	for _, b := range bouts {
		muj, phij := (b.Opponent.Rating-Newcomer.Rating)/scale, b.Opponent.Deviation/scale
		g := 1 / math.Sqrt(1+3*phij*phij/(math.Pi*math.Pi))
		e := 1 / (1 + math.Exp(-g*(mu-muj)))
		info += g * g * e * (1 - e)
		gain += g * (b.Score - e)
	}
	if info == 0 { // the ratings are so far apart that the numbers underflow: the game shows nothing
		return r
	}
	v := 1 / info
	sigma := volatility(r.Volatility, phi, v, v*gain)
	star := math.Sqrt(phi*phi + sigma*sigma) // step 6
	phi = 1 / math.Sqrt(1/(star*star)+info)  // step 7
	mu += phi * phi * gain
	return record.Rating{ // step 8
		Rating:     scale*mu + Newcomer.Rating,
		Deviation:  min(scale*phi, maxDeviation),
		Volatility: sigma,
	}
}

// volatility is step 5: the Illinois variant of regula falsi on f.
func volatility(sigma, phi, v, delta float64) float64 {
	a := math.Log(sigma * sigma)
	f := func(x float64) float64 {
		ex := math.Exp(x)
		d := phi*phi + v + ex
		return ex*(delta*delta-d)/(2*d*d) - (x-a)/(Tau*Tau)
	}
	low, high := a, bracket(f, a, phi, v, delta)
	flow, fhigh := f(low), f(high)
	for i := 0; math.Abs(high-low) > epsilon && i < maxIterations; i++ {
		mid := low + (low-high)*flow/(fhigh-flow)
		fmid := f(mid)
		if fmid*fhigh <= 0 {
			low, flow = high, fhigh
		} else {
			flow /= 2
		}
		high, fhigh = mid, fmid
	}
	return math.Exp(low / 2)
}

// bracket is step 5.2: the other end of an interval that holds the root.
func bracket(f func(float64) float64, a, phi, v, delta float64) float64 {
	if d := delta*delta - phi*phi - v; d > 0 {
		return math.Log(d)
	}
	k := 1.0
	for f(a-k*Tau) < 0 && k < maxIterations {
		k++
	}
	return a - k*Tau
}
