package chess

import "github.com/roomring/roomring/room"

// Legal implements room.Advisor. It names the moves of the side to move, in UCI, then each side's actions about draws and
// takebacks, and to resign.
func (g *Game) Legal(v room.Viewer) (actions []Action) {
	s := g.sideOf(v.Player)
	if s == nobody || g.over != nil {
		return nil
	}
	if g.line.turn() == s {
		pos := *g.line.pos // the library caches in a position, and Legal may only read
		moves := pos.ValidMoves()
		for i := range moves {
			actions = append(actions, Action{Move: moves[i].String()})
		}
	}
	for _, do := range g.draw.legal(s, len(g.line.plies)) {
		actions = append(actions, Action{Draw: do})
	}
	if g.line.claimable() != "" {
		actions = append(actions, Action{Draw: doClaim})
	}
	if g.options.Takeback {
		for _, do := range g.undo.legal(s, len(g.line.plies)) {
			if do != doOffer || g.toUndo(s) <= len(g.line.plies) {
				actions = append(actions, Action{Takeback: do})
			}
		}
	}
	return append(actions, Action{Resign: true})
}

// legal is what a side can do about an offer.
func (o offer) legal(s side, ply int) []string {
	if o.By == s.other() {
		return []string{doAccept, doDecline}
	}
	if o.open(s, ply) == nil { // it changes only this copy
		return []string{doOffer}
	}
	return nil
}
