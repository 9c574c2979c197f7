package e2e

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"os"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/web/client"
)

// RecordedGame is one game of room/games/chess/testdata. The README there explains the fields.
type RecordedGame struct {
	Row         int    // from 0
	Moves       string `json:"moves"`
	Result      string `json:"result"`
	Termination string `json:"termination"`
	FinalFEN    string `json:"final_fen"`
}

// Rows of games that end for another reason than their termination says.
const (
	FlagWithoutMateRow = 584
	fivefoldRow        = 658
)

// RecordedGames reads all recorded games.
func RecordedGames(t *testing.T) []RecordedGame {
	t.Helper()
	f, err := os.Open("../../../room/games/chess/testdata/chess-games.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var games []RecordedGame
	for lines := bufio.NewScanner(f); lines.Scan(); {
		g := RecordedGame{Row: len(games)}
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		games = append(games, g)
	}
	return games
}

// SteadyGames returns the first n recorded games that have at least 20 half-moves and do not end by a clock or by leaving. An interruption
// does not change how they end.
func SteadyGames(t *testing.T, n int) []RecordedGame {
	t.Helper()
	games := slices.DeleteFunc(RecordedGames(t), func(g RecordedGame) bool {
		return g.ByFlag() || g.Termination == "abandoned" || len(strings.Fields(g.Moves)) < 20
	})
	return games[:n]
}

// ByFlag reports whether the game ends because a clock runs out.
func (g *RecordedGame) ByFlag() bool { return g.Termination == "time" || g.Row == FlagWithoutMateRow }

// aborted reports whether too few moves were played for the game to count.
func (g *RecordedGame) aborted() bool {
	return len(strings.Fields(g.Moves)) < 2 && g.Termination != "resignation"
}

// Reason returns the reason that the server must give for the end.
func (g *RecordedGame) Reason() string {
	switch {
	case g.aborted():
		return "aborted"
	case g.Row == FlagWithoutMateRow:
		return "time_insufficient"
	case g.Row == fivefoldRow:
		return "fivefold"
	}
	return g.Termination
}

// Score returns the ranks of White and Black.
func (g *RecordedGame) Score() [2]int {
	switch g.Result {
	case "1-0":
		return [2]int{1, 2}
	case "0-1":
		return [2]int{2, 1}
	}
	return [2]int{1, 1}
}

// Match is one recorded game played by two clients over real sockets.
type Match struct {
	Server  *Server
	Game    RecordedGame
	Room    RoomInfo
	Players [2]*client.Client // White, Black
	Played  atomic.Int32      // acknowledged half-moves
	Think   time.Duration     // pause before each half-move
	Hurry   <-chan struct{}   // ends all pauses when it is closed
}

// Seat makes a room for the game and connects both players: White through the first of edges and Black through the second, if given.
// Games that end by a clock get a short clock.
func (s *Server) Seat(ctx context.Context, g RecordedGame, edges ...*Server) (*Match, error) {
	return s.SeatAt(ctx, "", g, edges...)
}

// SeatAt is Seat in a room of the named node; "" means any node. It makes rooms until that node owns one.
func (s *Server) SeatAt(ctx context.Context, node string, g RecordedGame, edges ...*Server) (*Match, error) {
	clock := map[string]any{"initial_ms": 3_600_000}
	if g.ByFlag() {
		clock["initial_ms"] = 20_000
	}
	m := &Match{Server: s, Game: g}
	body := map[string]any{"game": "chess", "options": map[string]any{"white": "first", "clock": clock}}
	for m.Room.ID == "" || node != "" && m.Room.Node != node {
		if code, err := s.TryCallAt(s.URL, "POST", "/v1/rooms", "", body, &m.Room); err != nil || code != http.StatusCreated {
			return nil, fmt.Errorf("create: %d %w", code, err)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no room came to %s: %w", node, ctx.Err())
		}
	}
	for i := range m.Players {
		info := m.Room
		if i < len(edges) {
			info = edges[i].Via(info)
		}
		c, err := s.TryJoin(info, client.Options{Name: []string{"White", "Black"}[i], Encoding: EncodingOf(g.Row + i)})
		if err != nil {
			return nil, fmt.Errorf("join: %w", err)
		}
		m.Players[i] = c
	}
	return m, m.Players[1].WaitView(ctx, func(v any) bool { return Field(v, "status") == "playing" })
}

// Field returns a nested field of a decoded view, or nil if there is none.
func Field(view any, names ...string) any {
	for _, n := range names {
		m, _ := view.(map[string]any)
		view = m[n]
	}
	return view
}

// Play makes all moves. It waits for the ack of each.
func (m *Match) Play(ctx context.Context) error {
	for i, san := range strings.Fields(m.Game.Moves) {
		select {
		case <-time.After(m.Think):
		case <-m.Hurry:
		}
		if _, err := m.Players[i%2].Act(ctx, map[string]string{"move": san}); err != nil {
			return fmt.Errorf("half-move %d (%s): %w", i, san, err)
		}
		m.Played.Add(1)
	}
	return nil
}

// ToMove returns the index of the player whose turn it is at the end.
func (m *Match) ToMove() int { return len(strings.Fields(m.Game.Moves)) % 2 }

// Finish ends the game after its last move as the row says. It does nothing if the game ends by itself.
func (m *Match) Finish(ctx context.Context) error {
	act := func(player int, data any) error {
		_, err := m.Players[player].Act(ctx, data)
		return err
	}
	loser := slices.Index([]string{"0-1", "1-0"}, m.Game.Result)
	switch {
	case m.Game.ByFlag(), m.Game.Row == fivefoldRow:
		return nil
	}
	switch m.Game.Termination {
	case "resignation":
		return act(loser, map[string]bool{"resign": true})
	case "agreement":
		return errors.Join(act(0, map[string]string{"draw": "offer"}), act(1, map[string]string{"draw": "accept"}))
	case "repetition":
		return act(m.ToMove(), map[string]string{"draw": "claim"})
	case "abandoned":
		return m.Players[m.ToMove()].Leave(ctx)
	}
	return nil
}

// Check waits for the end of the game and compares the board, the result and the reason with the row.
func (m *Match) Check(ctx context.Context) error {
	stays := m.Players[1-m.ToMove()] // the other player may have left
	if _, err := stays.WaitOver(ctx); err != nil {
		return fmt.Errorf("waiting for the end: %w", err)
	}
	var view struct {
		FEN    string            `json:"fen"`
		Moves  map[string]string `json:"moves"`
		Result struct{ Reason, Score string }
	}
	if err := stays.View(&view); err != nil {
		return err
	}
	if got, want := BoardAndTurn(view.FEN), BoardAndTurn(m.Game.FinalFEN); got != want {
		return fmt.Errorf("the board is %s, should be %s", got, want)
	}
	score := m.Game.Result
	if m.Game.aborted() {
		score = "*"
	}
	if view.Result.Reason != m.Game.Reason() || view.Result.Score != score {
		return fmt.Errorf("ended %+v, should be %s by %s", view.Result, m.Game.Result, m.Game.Reason())
	}
	for i, p := range m.Players {
		if st := p.Stats(); st.Mismatches > 0 {
			return fmt.Errorf("player %d: %d checksums of the view differ", i, st.Mismatches)
		}
	}
	return nil
}

// PlayAndCheck plays the whole game and checks its end as Check does.
func (m *Match) PlayAndCheck(ctx context.Context) error {
	for _, step := range []func(context.Context) error{m.Play, m.Finish, m.Check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// PlayAll starts to play all matches at the same time. The function that it returns waits for their ends.
func PlayAll(ctx context.Context, t *testing.T, matches []*Match) (wait func()) {
	var wg sync.WaitGroup
	for _, m := range matches {
		wg.Go(func() {
			if err := m.PlayAndCheck(ctx); err != nil {
				t.Errorf("game %d in room %s, made at %s: %v", m.Game.Row, m.Room.ID, m.Room.Node, err)
			}
		})
	}
	return wg.Wait
}

// CheckStored checks the stored results and replays of all matches.
func CheckStored(t *testing.T, matches []*Match) {
	t.Helper()
	for _, m := range matches {
		if err := m.CheckStored(); err != nil {
			t.Errorf("game %d: %v", m.Game.Row, err)
		}
	}
}

// CheckStored waits for the stored result and compares it with the row. Then it runs the replay.
func (m *Match) CheckStored() error {
	r := m.Server.Result(m.Room.ID)
	if m.Game.aborted() {
		if r.End != "aborted" || r.Result.Reason != m.Game.Reason() || len(r.Result.Outcomes) != 0 {
			return fmt.Errorf("stored as %+v", r)
		}
		m.Server.CheckReplay(m.Room.ID)
		return nil
	}
	if r.End != "finished" || r.Result.Reason != m.Game.Reason() || len(r.Result.Outcomes) != 2 {
		return fmt.Errorf("stored as %+v", r)
	}
	for _, o := range r.Result.Outcomes {
		if o.Rank != m.Game.Score()[o.Seat] {
			return fmt.Errorf("stored ranks %+v of a game that ended %s", r.Result.Outcomes, m.Game.Result)
		}
	}
	m.Server.CheckReplay(m.Room.ID)
	return nil
}

// BoardAndTurn returns the first two fields of a FEN: the board and whose turn it is.
func BoardAndTurn(fen string) string {
	f := append(strings.Fields(fen), "", "")
	return f[0] + " " + f[1]
}

// ForEachGame calls f for every game, at most atOnce at a time, waits for all, and reports their errors.
func ForEachGame(t *testing.T, games []RecordedGame, atOnce int, f func(g RecordedGame) error) {
	t.Helper()
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, g := range games {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if err := f(g); err != nil {
				t.Errorf("game %d: %v", g.Row, err)
			}
		})
	}
	wg.Wait()
}
