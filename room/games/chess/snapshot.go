package chess

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// saved is a game's snapshot. Positions follow from its options and moves.
type saved struct {
	Options Options       `json:"options"`
	Edition int           `json:"edition,omitempty"`
	UCI     string        `json:"uci,omitempty"` // moves parted by spaces
	SAN     string        `json:"san,omitempty"`
	Seated  []room.Player `json:"seated,omitempty"`
	Players []contender   `json:"players,omitempty"` // White, Black
	Clock   *savedClock   `json:"clock,omitempty"`
	Draw    offer         `json:"draw"`
	Undo    offer         `json:"takeback"`
	UndoTo  int           `json:"takeback_to,omitempty"`
	Acted   [2]bool       `json:"acted,omitzero"`
	Away    time.Duration `json:"away,omitempty"`
	Over    *ending       `json:"over,omitempty"`
}

// Snapshot encodes the game.
func (g *Game) Snapshot() ([]byte, error) {
	s := saved{
		Options: g.options, Edition: g.edition, Seated: g.seated,
		Draw: g.draw, Undo: g.undo, UndoTo: g.undoTo, Acted: g.acted, Away: g.away, Over: g.over,
	}
	uci, san := make([]string, len(g.line.plies)), make([]string, len(g.line.plies))
	for i, p := range g.line.plies {
		uci[i], san[i] = p.uci, p.san
	}
	s.UCI, s.SAN = strings.Join(uci, " "), strings.Join(san, " ")
	if g.started {
		s.Players = g.players[:]
	}
	if g.clock.on {
		s.Clock = &g.clock.savedClock
	}
	return json.Marshal(s)
}

// Restore decodes a snapshot. It plays the moves again, at about five microseconds each.
func (g *Game) Restore(snapshot []byte) error {
	var s saved
	if err := json.Unmarshal(snapshot, &s); err != nil {
		return err
	}
	if err := s.Options.Clock.check(); err != nil {
		return err
	}
	l, err := newLine(s.Options.FEN)
	if err != nil {
		return fmt.Errorf("its start: %w", err)
	}
	uci, san := strings.Fields(s.UCI), strings.Fields(s.SAN)
	if len(uci) != len(san) {
		return errors.New("its moves do not match their notation")
	}
	for i := range uci {
		if err := l.replay(uci[i], san[i]); err != nil {
			return err
		}
	}
	g.set(s.Options, l)
	return g.restoreRest(&s)
}

func (g *Game) restoreRest(s *saved) error {
	switch len(s.Players) {
	case 0:
	case 2:
		g.started = true
		copy(g.players[:], s.Players)
	default:
		return errors.New("it has not two players")
	}
	if g.clock.on {
		if s.Clock == nil || len(s.Clock.Log) != len(g.line.plies) {
			return errors.New("its clock does not match its moves")
		}
		g.clock.savedClock = *s.Clock
	}
	if s.UndoTo < 0 || s.UndoTo > len(g.line.plies) {
		return errors.New("it asks to take back what was not played")
	}
	g.edition, g.acted, g.away = s.Edition, s.Acted, s.Away
	g.seated, g.draw, g.undo, g.undoTo, g.over = s.Seated, s.Draw, s.Undo, s.UndoTo, s.Over
	return nil
}
