package play_test

import (
	"context"
	"net/http"
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// TestRecordedGamesOverSockets plays recorded games with two real clients each, half of the clients in each encoding. It compares boards,
// ends, results and replays with the file. In its longest form it plays all games. Otherwise it plays every eighth game and each game
// that ends in a rare way. (TestRecordedGames of package chess plays all of them without sockets.)
func TestRecordedGamesOverSockets(t *testing.T) {
	t.Parallel()
	games := e2e.RecordedGames(t)
	if len(games) != 789 {
		t.Fatalf("%d games", len(games))
	}
	if step := e2e.Sized(16, 8, 1); step > 1 {
		ends := map[string]int{}
		games = slices.DeleteFunc(games, func(g e2e.RecordedGame) bool {
			ends[g.Termination]++
			return ends[g.Termination] > 8 && g.Row%step != 0 && g.Row != e2e.FlagWithoutMateRow
		})
	}
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ctx, cancel := context.WithTimeout(t.Context(), 10*time.Minute)
	defer cancel()
	// Games that wait for a flag to fall come first, all at once.
	slices.SortStableFunc(games, func(a, b e2e.RecordedGame) int { return boolInt(b.ByFlag()) - boolInt(a.ByFlag()) })
	e2e.ForEachGame(t, games, 200, func(g e2e.RecordedGame) error {
		m, err := s.Seat(ctx, g)
		if err != nil {
			return err
		}
		if err := m.PlayAndCheck(ctx); err != nil {
			return err
		}
		for _, p := range m.Players {
			p.Close()
		}
		return m.CheckStored()
	})
	checkRecords(s, len(games))
}

// checkRecords checks the players' records against the results.
func checkRecords(s *e2e.Server, rated int) {
	s.T.Helper()
	var board struct {
		Players []struct {
			Player string  `json:"player"`
			Rating float64 `json:"rating"`
		} `json:"players"`
	}
	if code := s.Call("GET", "/v1/leaderboards/chess?limit=100", nil, &board); code != http.StatusOK {
		s.T.Fatalf("leaderboard: %d", code)
	}
	if len(board.Players) < min(100, rated) {
		s.T.Fatalf("%d players are rated after %d games", len(board.Players), rated)
	}
}

func boolInt(b bool) int {
	if b {
		return 1
	}
	return 0
}
