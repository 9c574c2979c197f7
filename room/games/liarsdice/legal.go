package liarsdice

import "github.com/roomring/roomring/room"

// Legal implements room.Advisor. It names all bids that are higher than the last one and the calls against it. Before the game
// and between rounds it names to be ready, or to take that back.
func (g *Game) Legal(v room.Viewer) (actions []Action) {
	h := g.hand(v.Player)
	if h == nil || v.Player == "" {
		return nil
	}
	if g.Status == Waiting || g.Status == Revealed && g.waitsFor(h) {
		return []Action{{Ready: new(!h.Ready)}}
	}
	if g.mayAct(h) != nil {
		return nil
	}
	if _, bid := g.last(); bid {
		actions = append(actions, Action{Liar: true})
		if g.Options.SpotOn {
			actions = append(actions, Action{SpotOn: true})
		}
	}
	for count := 1; count <= g.total(); count++ {
		for face := g.Options.lowest(); face <= 6; face++ {
			if c := (Claim{count, face}); g.check(c) == nil {
				actions = append(actions, Action{Bid: &c})
			}
		}
	}
	return actions
}
