package chess

import (
	"fmt"

	"github.com/roomring/roomring/room"
)

// Action is what a player can do. Exactly one field is set.
type Action struct {
	Move     string `json:"move,omitempty"`     // in SAN (Nf3, exd5, O-O, e8=Q) or UCI (g1f3, e7e8q)
	Resign   bool   `json:"resign,omitempty"`   // true
	Draw     string `json:"draw,omitempty"`     // offer, accept, decline or claim
	Takeback string `json:"takeback,omitempty"` // offer, accept or decline
}

// The values of Action.Draw and Action.Takeback.
const (
	doOffer   = "offer"
	doAccept  = "accept"
	doDecline = "decline"
	doClaim   = "claim"
)

var errAction = room.Refuse("bad_action", `send one of {"move":"e4"}, {"resign":true}, `+
	`{"draw":"offer|accept|decline|claim"}, {"takeback":"offer|accept|decline"}`)

// Act applies a player's action.
func (g *Game) Act(t *room.Turn, by room.Player, a Action) error {
	s := g.sideOf(by.ID)
	switch {
	case !a.single():
		return errAction
	case g.over != nil:
		return room.Refuse("over", "the game is over")
	case !g.started:
		return room.Refuse("waiting", "the game starts when the other player is here")
	case s == nobody:
		return room.Refuse("not_a_player", "only the players can do that")
	case g.flagged(t):
		g.flagFell(t) // the action came too late; the flag's timer is due as well
		return nil
	}
	acted := g.acted
	g.acted[s] = g.acted[s] || g.line.turn() == s
	err := g.act(t, s, a)
	if err != nil {
		g.acted = acted
	}
	return err
}

func (g *Game) act(t *room.Turn, s side, a Action) error {
	switch {
	case a.Move != "":
		return g.move(t, s, a.Move)
	case a.Resign:
		g.finish(t, Resignation, s.other())
		return nil
	case a.Draw != "":
		return g.drawAction(t, s, a.Draw)
	}
	return g.takebackAction(t, s, a.Takeback)
}

func (a Action) single() bool {
	n := 0
	for _, set := range []bool{a.Move != "", a.Resign, a.Draw != "", a.Takeback != ""} {
		if set {
			n++
		}
	}
	return n == 1
}

func (g *Game) move(t *room.Turn, s side, text string) error {
	if turn := g.line.turn(); turn != s {
		return room.Refuse("not_your_turn", fmt.Sprintf("it is %s's turn", turn.title()))
	}
	f, err := g.line.find(text)
	if err != nil {
		return err
	}
	g.play(t, f)
	return nil
}

// play makes a move for the side to move, and ends the game if the move does.
func (g *Game) play(t *room.Turn, f found) {
	s := g.line.turn()
	g.line.play(f)
	g.sheet.add(g.line)
	g.clock.press(s, t.Now())
	if g.edition < fair {
		g.undo.close()
	}
	if g.draw.By == s.other() {
		g.draw.close() // a move declines it
	}
	switch reason := g.line.verdict(); reason {
	case "":
		g.startTimers(t)
	case Checkmate:
		g.finish(t, reason, s)
	default:
		g.finish(t, reason, nobody)
	}
}

// flagFell ends the game for the side to move, whose time is up (FIDE 6.9).
func (g *Game) flagFell(t *room.Turn) {
	s := g.line.turn()
	both := armies(g.line.board())
	if canMate(both[s.other()], both[s]) {
		g.forfeit(t, Time, s.other())
		return
	}
	g.forfeit(t, TimeInsufficient, nobody)
}

// forfeit ends the game because a side left, stayed away or ran out of time. Under the first edition a game without moves is
// aborted.
func (g *Game) forfeit(t *room.Turn, reason string, winner side) {
	if g.edition < fair && len(g.line.plies) == 0 {
		reason, winner = Aborted, nobody
	}
	g.finish(t, reason, winner)
}

// offer is a proposal of one side that the other may accept.
type offer struct {
	By    side   `json:"by"`    // nobody: there is no offer
	Asked [2]int `json:"asked"` // half-moves played when each side last asked; -2: never
}

var noOffer = offer{nobody, [2]int{-2, -2}}

func (o *offer) close() { o.By = nobody }

// open makes an offer. A side may make one in two half-moves.
func (o *offer) open(s side, ply int) error {
	switch {
	case o.By == s:
		return room.Refuse("already_offered", "your offer stands")
	case o.By == s.other():
		return room.Refuse("answer_first", "answer the other side's offer first")
	case ply-o.Asked[s] < 2:
		return room.Refuse("already_offered", "you have offered this lately: make a move first")
	}
	o.By, o.Asked[s] = s, ply
	return nil
}

// answer closes the other side's offer.
func (o *offer) answer(s side) error {
	if o.By != s.other() {
		return room.Refuse("no_offer", "there is no offer to answer")
	}
	o.close()
	return nil
}

func (g *Game) drawAction(t *room.Turn, s side, do string) error {
	switch do {
	case doOffer:
		return g.offerDraw(t, s)
	case doAccept:
		if err := g.draw.answer(s); err != nil {
			return err
		}
		g.finish(t, Agreement, nobody)
		return nil
	case doDecline:
		return g.decline(t, s, &g.draw, "draw")
	case doClaim:
		return g.claimDraw(t)
	}
	return errAction
}

// offerDraw offers a draw. If the other side has offered one too, the game is drawn at once.
func (g *Game) offerDraw(t *room.Turn, s side) error {
	if g.draw.By == s.other() {
		g.finish(t, Agreement, nobody)
		return nil
	}
	if err := g.draw.open(s, len(g.line.plies)); err != nil || !g.players[s.other()].Bot {
		return err
	}
	if g.botAcceptsDraw(s.other()) {
		g.finish(t, Agreement, nobody)
		return nil
	}
	return g.decline(t, s.other(), &g.draw, "draw")
}

// Events names what [Game] broadcasts.
func (g *Game) Events() map[string]any { return map[string]any{"declined": Declined{}} }

// Declined is the data of the event "declined".
type Declined struct {
	Offer string `json:"offer"` // "draw" or "takeback"
	By    string `json:"by"`    // "white" or "black"
}

func (g *Game) decline(t *room.Turn, s side, o *offer, what string) error {
	if err := o.answer(s); err != nil {
		return err
	}
	t.Broadcast("declined", Declined{what, s.String()})
	return nil
}

// claimDraw ends the game if a draw can be claimed. Both players may claim: for the player who has just moved,
// this is the claim with an intended move (FIDE 9.2.1, 9.3.1).
func (g *Game) claimDraw(t *room.Turn) error {
	reason := g.line.claimable()
	if reason == "" {
		return room.Refuse("no_claim", fmt.Sprintf("no draw to claim: this position has stood %d of %d times, and %d of %d half-moves have passed without capture or pawn move",
			g.line.repetitions(), threefold, g.line.pos.HalfMoveClock(), fifty))
	}
	g.finish(t, reason, nobody)
	return nil
}

func (g *Game) takebackAction(t *room.Turn, s side, do string) error {
	switch {
	case !g.options.Takeback:
		return room.Refuse("no_takeback", "moves cannot be taken back in this game")
	case do == doOffer:
		return g.offerTakeback(t, s)
	case do == doAccept:
		if err := g.undo.answer(s); err != nil {
			return err
		}
		g.takeBack(t, s.other())
		return nil
	case do == doDecline:
		return g.decline(t, s, &g.undo, "takeback")
	}
	return errAction
}

func (g *Game) offerTakeback(t *room.Turn, s side) error {
	if g.toUndo(s) > len(g.line.plies) {
		return room.Refuse("no_takeback", "you have made no move that could be taken back")
	}
	to := len(g.line.plies) - g.toUndo(s)
	if err := g.undo.open(s, len(g.line.plies)); err != nil {
		return err
	}
	if g.edition >= fair {
		g.undoTo = to
	}
	if g.players[s.other()].Bot {
		g.takeBack(t, s)
	}
	return nil
}

// toUndo is how many half-moves to take back to undo a side's last move.
func (g *Game) toUndo(s side) int {
	if g.line.turn() == s {
		return 2
	}
	return 1
}

// takeBack undoes the move that a side asked to take back and all later ones, clocks included.
func (g *Game) takeBack(t *room.Turn, s side) {
	n := len(g.line.plies) - g.toUndo(s)
	if g.edition >= fair {
		n = g.undoTo
	}
	g.line.takeBack(len(g.line.plies) - n)
	g.clock.takeBack(n, g.line.setup.turn, t.Now())
	g.draw, g.undo, g.undoTo = noOffer, noOffer, 0
	g.sheet.write(g.line)
	g.startTimers(t)
}
