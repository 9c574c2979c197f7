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

// botTurn lets a built-in opponent act. The opponent decides by the view of its seat.
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

// certain is the probability 1 in millionths. Probabilities are integers, which are the same on every machine.
const certain = 1_000_000

// How a built-in opponent decides. Probabilities are in millionths.
const (
	botMood   = 150_000 // its estimate of a bid is off by up to this, either way
	botExact  = 400_000 // the least probability at which it calls spot on
	botBluffs = 8       // one raise in so many is a random one
)

// decide chooses a legal action for the viewer, whose turn it must be.
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

// open bids on the face that the viewer has most of, about as many as there should be, or up to two fewer.
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

// bestRaise is the raise that most likely holds, or now and then any lowest raise of a face. Its Count is 0 if nothing can be bid.
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

// sides is n where one die in n matches a bid.
func sides(v View) int {
	if v.Options.WildOnes {
		return 3
	}
	return 6
}

// odds are the probabilities in millionths that a claim holds and that it is exact, as far as the viewer can tell.
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

// spread is the probability in millionths, for each k from 0 to n, that k of n dice match, where one in sides matches.
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
