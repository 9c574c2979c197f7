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

// Recorded is one game of room/games/chess/testdata; the README there says what its words mean.
type Recorded struct {
	Row         int
	Moves       string `json:"moves"`
	Result      string `json:"result"`
	Termination string `json:"termination"`
	FinalFEN    string `json:"final_fen"`
}

// The rows that end otherwise than their word says.
const (
	FlagWithoutMate = 584
	fivefoldRow     = 658
)

func RecordedGames(t *testing.T) []Recorded {
	t.Helper()
	f, err := os.Open("../../room/games/chess/testdata/chess-games.jsonl")
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	var games []Recorded
	for lines := bufio.NewScanner(f); lines.Scan(); {
		g := Recorded{Row: len(games)}
		if err := json.Unmarshal(lines.Bytes(), &g); err != nil {
			t.Fatal(err)
		}
		games = append(games, g)
	}
	return games
}

// SteadyGames are the first recorded games that no clock decides, so that an interruption changes nothing about them.
func SteadyGames(t *testing.T, n int) []Recorded {
	t.Helper()
	games := slices.DeleteFunc(RecordedGames(t), func(g Recorded) bool {
		return g.ByFlag() || g.Termination == "abandoned" || len(strings.Fields(g.Moves)) < 20
	})
	return games[:n]
}

// ByFlag reports whether a game ends when a clock runs out.
func (g *Recorded) ByFlag() bool { return g.Termination == "time" || g.Row == FlagWithoutMate }

// aborted reports whether too little was played for the end to count.
func (g *Recorded) aborted() bool {
	return len(strings.Fields(g.Moves)) < 2 && g.Termination != "resignation"
}

// Reason is what the server must call the end.
func (g *Recorded) Reason() string {
	switch {
	case g.aborted():
		return "aborted"
	case g.Row == FlagWithoutMate:
		return "time_insufficient"
	case g.Row == fivefoldRow:
		return "fivefold"
	}
	return g.Termination
}

// Score are the ranks of White and Black.
func (g *Recorded) Score() [2]int {
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
	S       *Server
	G       Recorded
	Room    RoomInfo
	Players [2]*client.Client // White, Black
	Played  atomic.Int32      // half-moves acknowledged
	Think   time.Duration     // before each half-move
	Hurry   <-chan struct{}   // closed when there is no more time to think
}

// Seat makes the room and brings both players in, through other nodes if any are given. Games that end by a fallen flag
// have a short clock.
func (s *Server) Seat(ctx context.Context, g Recorded, edges ...*Server) (*Match, error) {
	return s.SeatAt(ctx, "", g, edges...)
}

// SeatAt is seat in a room of a node; "" is any. Rooms are made until one comes to it.
func (s *Server) SeatAt(ctx context.Context, node string, g Recorded, edges ...*Server) (*Match, error) {
	clock := map[string]any{"initial_ms": 3_600_000}
	if g.ByFlag() {
		clock["initial_ms"] = 20_000
	}
	m := &Match{S: s, G: g}
	body := map[string]any{"game": "chess", "options": map[string]any{"white": "first", "clock": clock}}
	for m.Room.ID == "" || node != "" && m.Room.Node != node {
		if code, err := s.TryAt(s.URL, "POST", "/v1/rooms", "", body, &m.Room); err != nil || code != http.StatusCreated {
			return nil, fmt.Errorf("create: %d %w", code, err)
		}
		if ctx.Err() != nil {
			return nil, fmt.Errorf("no room came to %s: %w", node, ctx.Err())
		}
	}
	for i := range m.Players {
		info := m.Room
		if i < len(edges) {
			info = edges[i].At(info)
		}
		c, err := s.TryJoin(info, client.Options{Name: []string{"White", "Black"}[i], Encoding: EncodingOf(g.Row + i)})
		if err != nil {
			return nil, fmt.Errorf("join: %w", err)
		}
		m.Players[i] = c
	}
	return m, m.Players[1].WaitView(ctx, func(v any) bool { return Field(v, "status") == "playing" })
}

func Field(view any, names ...string) any {
	for _, n := range names {
		m, _ := view.(map[string]any)
		view = m[n]
	}
	return view
}

// Play makes every move, waiting for its ack.
func (m *Match) Play(ctx context.Context) error {
	for i, san := range strings.Fields(m.G.Moves) {
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

// ToMove is the index of the side to move at the end.
func (m *Match) ToMove() int { return len(strings.Fields(m.G.Moves)) % 2 }

// Finish ends the game as its row says; what ends by itself needs nothing.
func (m *Match) Finish(ctx context.Context) error {
	act := func(player int, data any) error {
		_, err := m.Players[player].Act(ctx, data)
		return err
	}
	loser := slices.Index([]string{"0-1", "1-0"}, m.G.Result)
	switch {
	case m.G.ByFlag(), m.G.Row == fivefoldRow:
		return nil
	}
	switch m.G.Termination {
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

// Check compares everything there is with the row.
func (m *Match) Check(ctx context.Context) error {
	stays := m.Players[1-m.ToMove()] // the other one may have left
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
	if got, want := BoardAndTurn(view.FEN), BoardAndTurn(m.G.FinalFEN); got != want {
		return fmt.Errorf("the board is %s, should be %s", got, want)
	}
	score := m.G.Result
	if m.G.aborted() {
		score = "*"
	}
	if view.Result.Reason != m.G.Reason() || view.Result.Score != score {
		return fmt.Errorf("ended %+v, should be %s by %s", view.Result, m.G.Result, m.G.Reason())
	}
	for i, p := range m.Players {
		if st := p.Stats(); st.Mismatches > 0 {
			return fmt.Errorf("player %d: %d checksums of the view differ", i, st.Mismatches)
		}
	}
	return nil
}

// ToTheEnd plays the whole game and compares what its players see of its end.
func (m *Match) ToTheEnd(ctx context.Context) error {
	for _, step := range []func(context.Context) error{m.Play, m.Finish, m.Check} {
		if err := step(ctx); err != nil {
			return err
		}
	}
	return nil
}

// PlayAll plays every match to its end, all at once, until the returned function has returned.
func PlayAll(ctx context.Context, t *testing.T, matches []*Match) (wait func()) {
	var wg sync.WaitGroup
	for _, m := range matches {
		wg.Go(func() {
			if err := m.ToTheEnd(ctx); err != nil {
				t.Errorf("game %d in room %s, made at %s: %v", m.G.Row, m.Room.ID, m.Room.Node, err)
			}
		})
	}
	return wg.Wait
}

// CheckStored compares what the store has of all matches.
func CheckStored(t *testing.T, matches []*Match) {
	t.Helper()
	for _, m := range matches {
		if err := m.CheckStored(); err != nil {
			t.Errorf("game %d: %v", m.G.Row, err)
		}
	}
}

// CheckStored compares what the store has.
func (m *Match) CheckStored() error {
	r := m.S.Result(m.Room.ID)
	if m.G.aborted() {
		if r.End != "aborted" || r.Result.Reason != m.G.Reason() || len(r.Result.Outcomes) != 0 {
			return fmt.Errorf("stored as %+v", r)
		}
		m.S.Replayed(m.Room.ID)
		return nil
	}
	if r.End != "finished" || r.Result.Reason != m.G.Reason() || len(r.Result.Outcomes) != 2 {
		return fmt.Errorf("stored as %+v", r)
	}
	for _, o := range r.Result.Outcomes {
		if o.Rank != m.G.Score()[o.Seat] {
			return fmt.Errorf("stored ranks %+v of a game that ended %s", r.Result.Outcomes, m.G.Result)
		}
	}
	m.S.Replayed(m.Room.ID)
	return nil
}

func BoardAndTurn(fen string) string {
	f := append(strings.Fields(fen), "", "")
	return f[0] + " " + f[1]
}

// Crowd runs f for every game, many at a time.
func Crowd(t *testing.T, games []Recorded, atOnce int, f func(g Recorded) error) {
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
