package liarsdice

import (
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/roomring/roomring/room"
)

// botPrefix begins the ids of built-in opponents.
const botPrefix = "roomring:bot"

var botNames = [maxPlayers]string{"Pip", "Tumble", "Domino", "Boxcar", "Snake Eyes", "Lucky"}

func newBot(seat int) Hand {
	return Hand{
		Player: room.Player{ID: room.PlayerID(fmt.Sprintf("%s%d", botPrefix, seat)), Name: botNames[seat], Seat: seat},
		Bot:    true, Online: true, Ready: true,
	}
}

// botPause is how long a built-in opponent seems to think, so that people can follow.
func botPause(t *room.Turn, limit time.Duration) time.Duration {
	return min(ms(900+t.Rand().Int64N(900)), limit/2)
}

// botTurn lets a built-in opponent act. It is shown what anybody in its seat would be, and no more.
func (g *Game) botTurn(t *room.Turn, h *Hand) {
	switch a := decide(g.View(room.Viewer{Player: h.ID, Seat: h.Seat}), t.Rand()); {
	case a.Bid != nil:
		g.bid(t, h, *a.Bid, false)
	case a.SpotOn:
		g.call(t, h, SpotOn)
	default:
		g.call(t, h, Liar)
	}
}

// certain is the probability of what is sure, in millionths: integers are the same on every machine.
const certain = 1_000_000

// Leanings of a built-in opponent, in millionths.
const (
	botMood   = 150_000 // how far off it may feel a bid to be, either way
	botExact  = 400_000 // from here on it likes to call spot on
	botBluffs = 8       // one raise in so many is any other
)

// decide is a legal action for whom the view was made, whose turn it must be.
func decide(v View, r *rand.Rand) Action {
	if v.Bid.Count == 0 {
		return Action{Bid: new(open(v, r))}
	}
	holds, exact := odds(v, v.Bid.Claim)
	raise, safe := bestRaise(v, r)
	mood := r.IntN(2*botMood+1) - botMood
	switch {
	case v.Options.SpotOn && exact >= botExact && exact > safe:
		return Action{SpotOn: true}
	case raise.Count == 0 || certain-holds > safe+mood:
		return Action{Liar: true}
	}
	return Action{Bid: &raise}
}

// open bids on the face it has most of, about as many as there should be, or one less.
func open(v View, r *rand.Rand) Claim {
	best, most := v.Options.lowest(), -1
	for face := v.Options.lowest(); face <= 6; face++ {
		if n := matches(v.Mine, face, v.Options.WildOnes); n > most || n == most && r.IntN(2) == 0 {
			best, most = face, n
		}
	}
	expected := most + (v.Total-len(v.Mine))/sides(v)
	return Claim{max(1, expected-r.IntN(3)), best}
}

// bestRaise is the lowest raise of the face that most likely holds, or now and then of any face. Count is 0 if there is none.
func bestRaise(v View, r *rand.Rand) (best Claim, safe int) {
	var all []Claim
	safe = -1
	for face := v.Options.lowest(); face <= 6; face++ {
		c := Claim{v.Bid.Count, face}
		if !c.raises(v.Bid.Claim) {
			c.Count++
		}
		if c.Count > v.Total {
			continue
		}
		all = append(all, c)
		if holds, _ := odds(v, c); holds > safe {
			best, safe = c, holds
		}
	}
	if len(all) > 1 && r.IntN(botBluffs) == 0 {
		best = all[r.IntN(len(all))]
	}
	return best, safe
}

// sides is one in how many dice matches a bid.
func sides(v View) int {
	if v.Options.WildOnes {
		return 3
	}
	return 6
}

// odds are the probabilities, in millionths, that a claim holds and that it is exact, as far as the viewer can tell.
func odds(v View, c Claim) (holds, exact int) {
	need := c.Count - matches(v.Mine, c.Face, v.Options.WildOnes)
	for n, p := range spread(v.Total-len(v.Mine), sides(v)) {
		if n >= need {
			holds += p
		}
		if n == need {
			exact = p
		}
	}
	return holds, exact
}

// spread is the binomial distribution of how many of n dice match, one in sides of them, in millionths.
func spread(n, sides int) []int {
	p := make([]int, n+1)
	p[0] = certain
	for range n {
		for k := n; k > 0; k-- {
			p[k] = (p[k]*(sides-1) + p[k-1]) / sides
		}
		p[0] = p[0] * (sides - 1) / sides
	}
	return p
}
