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

// recorded is one game of room/games/chess/testdata; the README there says what its words mean.
type recorded struct {
	row         int
	Moves       string `json:"moves"`
	Result      string `json:"result"`
	Termination string `json:"termination"`
	FinalFEN    string `json:"final_fen"`
}

// The rows that end otherwise than their word says.
const (
	flagWithoutMate = 584
	fivefoldRow     = 658
)

func recordedGames(t *testing.T) []recorded {
	t.Helper()
	f, err := os.Open("../../room/games/chess/testdata/chess-games.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var games []recorded
	for lines := bufio.NewScanner(f); lines.Scan(); {
		g := recorded{row: len(games)}
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		games = append(games, g)
	}
	return games
}

// steadyGames are the first recorded games that no clock decides, so that an interruption changes nothing about them.
func steadyGames(t *testing.T, n int) []recorded {
	t.Helper()
	games := slices.DeleteFunc(recordedGames(t), func(g recorded) bool {
		return g.byFlag() || g.Termination == "abandoned" || len(strings.Fields(g.Moves)) < 20
	})
	return games[:n]
}

// byFlag reports whether a game ends when a clock runs out.
func (g *recorded) byFlag() bool { return g.Termination == "time" || g.row == flagWithoutMate }

// aborted reports whether too little was played for the end to count.
func (g *recorded) aborted() bool {
	return len(strings.Fields(g.Moves)) < 2 && g.Termination != "resignation"
}

// reason is what the server must call the end.
func (g *recorded) reason() string {
	switch {
	case g.aborted():
		return "aborted"
	case g.row == flagWithoutMate:
		return "time_insufficient"
	case g.row == fivefoldRow:
		return "fivefold"
	}
	return g.Termination
}

// score are the ranks of White and Black.
func (g *recorded) score() [2]int {
	switch g.Result {
	case "1-0":
		return [2]int{1, 2}
	case "0-1":
		return [2]int{2, 1}
	}
	return [2]int{1, 1}
}

// match is one recorded game played by two clients over real sockets.
type match struct {
	s       *server
	g       recorded
	room    roomInfo
	players [2]*client.Client // White, Black
	played  atomic.Int32      // half-moves acknowledged
	think   time.Duration     // before each half-move
	hurry   <-chan struct{}   // closed when there is no more time to think
}

// seat makes the room and brings both players in, through other nodes if any are given. Games that end by a fallen flag
// have a short clock.
func (s *server) seat(ctx context.Context, g recorded, edges ...*server) (*match, error) {
	return s.seatAt(ctx, "", g, edges...)
}

// seatAt is seat in a room of a node; "" is any. Rooms are made until one comes to it.
func (s *server) seatAt(ctx context.Context, node string, g recorded, edges ...*server) (*match, error) {
	clock := map[string]any{"initial_ms": 3_600_000}
	if g.byFlag() {
		clock["initial_ms"] = 20_000
	}
	m := &match{s: s, g: g}
	body := map[string]any{"game": "chess", "options": map[string]any{"white": "first", "clock": clock}}
	for m.room.ID == "" || node != "" && m.room.Node != node {
		if code, err := s.tryAt(s.URL, "POST", "/v1/rooms", "", body, &m.room); err != nil || code != http.StatusCreated {
			return nil, fmt.Errorf("create: %d %w", code, err)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no room came to %s: %w", node, ctx.Err())
		}
	}
	for i := range m.players {
		info := m.room
		if i < len(edges) {
			info = edges[i].at(info)
		}
		c, err := s.tryJoin(info, client.Options{Name: []string{"White", "Black"}[i], Encoding: encodingOf(g.row + i)})
		if err != nil {
			return nil, fmt.Errorf("join: %w", err)
		}
		m.players[i] = c
	}
	return m, m.players[1].WaitView(ctx, func(v any) bool { return field(v, "status") == "playing" })
}

func field(view any, names ...string) any {
	for _, n := range names {
		m, _ := view.(map[string]any)
		view = m[n]
	}
	return view
}

// play makes every move, waiting for its ack.
func (m *match) play(ctx context.Context) error {
	for i, san := range strings.Fields(m.g.Moves) {
		select {
		case <-time.After(m.think):
		case <-m.hurry:
		}
		if _, err := m.players[i%2].Act(ctx, map[string]string{"move": san}); err != nil {
			return fmt.Errorf("half-move %d (%s): %w", i, san, err)
		}
		m.played.Add(1)
	}
	return nil
}

// toMove is the index of the side to move at the end.
func (m *match) toMove() int { return len(strings.Fields(m.g.Moves)) % 2 }

// finish ends the game as its row says; what ends by itself needs nothing.
func (m *match) finish(ctx context.Context) error {
	act := func(player int, data any) error {
		_, err := m.players[player].Act(ctx, data)
		return err
	}
	loser := slices.Index([]string{"0-1", "1-0"}, m.g.Result)
	switch {
	case m.g.byFlag(), m.g.row == fivefoldRow:
		return nil
	}
	switch m.g.Termination {
	case "resignation":
		return act(loser, map[string]bool{"resign": true})
	case "agreement":
		return errors.Join(act(0, map[string]string{"draw": "offer"}), act(1, map[string]string{"draw": "accept"}))
	case "repetition":
		return act(m.toMove(), map[string]string{"draw": "claim"})
	case "abandoned":
		return m.players[m.toMove()].Leave(ctx)
	}
	return nil
}

// check compares everything there is with the row.
func (m *match) check(ctx context.Context) error {
	stays := m.players[1-m.toMove()] // the other one may have left
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
	if got, want := boardAndTurn(view.FEN), boardAndTurn(m.g.FinalFEN); got != want {
		return fmt.Errorf("the board is %s, should be %s", got, want)
	}
	score := m.g.Result
	if m.g.aborted() {
		score = "*"
	}
	if view.Result.Reason != m.g.reason() || view.Result.Score != score {
		return fmt.Errorf("ended %+v, should be %s by %s", view.Result, m.g.Result, m.g.reason())
	}
	for i, p := range m.players {
		if st := p.Stats(); st.Mismatches > 0 {
			return fmt.Errorf("player %d: %d checksums of the view differ", i, st.Mismatches)
		}
	}
	return nil
}

// toTheEnd plays the whole game and compares what its players see of its end.
func (m *match) toTheEnd(ctx context.Context) error {
	for _, step := range []func(context.Context) error{m.play, m.finish, m.check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// playAll plays every match to its end, all at once, until the returned function has returned.
func playAll(ctx context.Context, t *testing.T, matches []*match) (wait func()) {
	var wg sync.WaitGroup
	for _, m := range matches {
		wg.Go(func() {
			if err := m.toTheEnd(ctx); err != nil {
				t.Errorf("game %d in room %s, made at %s: %v", m.g.row, m.room.ID, m.room.Node, err)
			}
		})
	}
	return wg.Wait
}

// checkStored compares what the store has of all matches.
func checkStored(t *testing.T, matches []*match) {
	t.Helper()
	for _, m := range matches {
		if err := m.checkStored(); err != nil {
			t.Errorf("game %d: %v", m.g.row, err)
		}
	}
}

// checkStored compares what the store has.
func (m *match) checkStored() error {
	r := m.s.result(m.room.ID)
	if m.g.aborted() {
		if r.End != "aborted" || r.Result.Reason != m.g.reason() || len(r.Result.Outcomes) != 0 {
			return fmt.Errorf("stored as %+v", r)
		}
		m.s.replayed(m.room.ID)
		return nil
	}
	if r.End != "finished" || r.Result.Reason != m.g.reason() || len(r.Result.Outcomes) != 2 {
		return fmt.Errorf("stored as %+v", r)
	}
	for _, o := range r.Result.Outcomes {
		if o.Rank != m.g.score()[o.Seat] {
			return fmt.Errorf("stored ranks %+v of a game that ended %s", r.Result.Outcomes, m.g.Result)
		}
	}
	m.s.replayed(m.room.ID)
	return nil
}

func boardAndTurn(fen string) string {
	f := append(strings.Fields(fen), "", "")
	return f[0] + " " + f[1]
}

// crowd runs f for every game, many at a time.
func crowd(t *testing.T, games []recorded, atOnce int, f func(g recorded) error) {
	t.Helper()
	var wg sync.WaitGroup
	places := make(chan struct{}, atOnce)
	for _, g := range games {
		places <- struct{}{}
		wg.Go(func() {
			defer func() { <-places }()
			if err := f(g); err != nil {
				t.Errorf("game %d: %v", g.row, err)
			}
		})
	}
	wg.Wait()
}

// TestRecordedGamesOverSockets plays recorded games with two real clients each, half of them in each encoding, and
// compares boards, ends, results and replays with the file. In its longest form it plays all; else every eighth, and
// each that ends in a rare way. (TestRecordedGames of the package chess plays all of them without sockets.)
func TestRecordedGamesOverSockets(t *testing.T) {
	t.Parallel()
	games := recordedGames(t)
	if len(games) != 789 {
		t.Fatalf("%d games", len(games))
	}
	if step := sized(16, 8, 1); step > 1 {
		ends := map[string]int{}
		games = slices.DeleteFunc(games, func(g recorded) bool {
			ends[g.Termination]++
			return ends[g.Termination] > 8 && g.row%step != 0 && g.row != flagWithoutMate
		})
	}
	s := newServer(t, generous...).start()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// Those that wait for a flag to fall come first, all at once.
	slices.SortStableFunc(games, func(a, b recorded) int { return boolInt(b.byFlag()) - boolInt(a.byFlag()) })
	crowd(t, games, 200, func(g recorded) error {
		m, err := s.seat(ctx, g)
		if err != nil {
			return err
		}
		if err := m.toTheEnd(ctx); err != nil {
			return err
		}
		for _, p := range m.players {
			p.Close()
		}
		return m.checkStored()
	})
	s.checkRecords(len(games))
}

// checkRecords looks at what the results made of the players.
func (s *server) checkRecords(rated int) {
	s.t.Helper()
	var board struct {
		Players []struct {
			Player string  `json:"player"`
			Rating float64 `json:"rating"`
		} `json:"players"`
	}
	if code := s.call("GET", "/v1/leaderboards/chess?limit=100", nil, &board); code != http.StatusOK {
		s.t.Fatalf("leaderboard: %d", code)
	}
	if len(board.Players) < min(100, rated) {
		s.t.Fatalf("%d players are rated after %d games", len(board.Players), rated)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
