package e2e

import (
	"context"
	"fmt"
	"math/rand/v2"
	"strings"
	"sync"
	"testing"
	"time"
)

// TestKillLosesNoAcknowledgedMove plays many games while the process is killed at random moments and
// started again on the same data folder. Every client resumes; every move takes effect exactly once, or
// the boards would differ; every game ends with its right result.
func TestKillLosesNoAcknowledgedMove(t *testing.T) {
	rounds, at := sized(2, 3, 10), sized(20, 30, 200)
	var games []recorded
	for _, g := range recordedGames(t) {
		if !g.byFlag() && g.Termination != "abandoned" {
			games = append(games, g)
		}
	}
	s := newServer(t, generous...).start()
	var resumed, resent int
	for round := range rounds {
		seed := uint64(round + 1)
		rng := rand.New(rand.NewPCG(seed, 0))
		rng.Shuffle(len(games), func(i, j int) { games[i], games[j] = games[j], games[i] })
		a, b := s.killRound(games[:at], rng)
		resumed, resent = resumed+a, resent+b
		if t.Failed() {
			t.Fatalf("round with seed %d failed", seed)
		}
	}
	t.Logf("%d rounds of %d games: %d sockets resumed without a whole view, %d acts were sent again", rounds, at, resumed, resent)
	if resumed == 0 || resent == 0 {
		t.Errorf("the kills hit nothing: %d sockets resumed, %d acts were sent again", resumed, resent)
	}
}

func (s *server) killRound(games []recorded, rng *rand.Rand) (resumed, resent int) {
	ctx, cancel := context.WithTimeout(s.t.Context(), 4*time.Minute)
	defer cancel()
	matches := make([]*match, len(games))
	crowd(s.t, games, 50, func(g recorded) error {
		m, err := s.seat(ctx, g)
		for i := range games {
			if games[i].row == g.row {
				matches[i] = m
			}
		}
		return err
	})
	if s.t.Failed() {
		return 0, 0
	}
	wait := playAll(ctx, s.t, matches)
	s.amid(ctx, matches, 0.05+0.65*rng.Float64())
	s.kill()
	s.start()
	wait()
	for _, m := range matches {
		for _, p := range m.players {
			st := p.Stats()
			resumed, resent = resumed+st.Recovered, resent+st.Resent
			if st.States > 1+st.Sockets-1-st.Recovered {
				s.t.Errorf("game %d: %d whole views in %d sockets, %d of them recovered", m.g.row, st.States, st.Sockets, st.Recovered)
			}
			p.Close()
		}
	}
	checkStored(s.t, matches)
	return resumed, resent
}

// amid waits until a share of all moves has been acknowledged.
func (s *server) amid(ctx context.Context, matches []*match, share float64) {
	s.t.Helper()
	s.until(ctx, "in the middle of the games", func() bool { return playedShare(matches) >= share })
}

// playedShare is how much of all games has been played.
func playedShare(matches []*match) float64 {
	played, total := 0, 0
	for _, m := range matches {
		played, total = played+int(m.played.Load()), total+len(strings.Fields(m.g.Moves))
	}
	return float64(played) / float64(total)
}

// TestRoomsComeBackAfterATerm stops the process politely in the middle of games.
func TestRoomsComeBackAfterATerm(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	games := recordedGames(t)[:40]
	ctx := patience(t)
	var matches []*match
	for _, g := range games {
		m, err := s.seat(ctx, g)
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, m)
	}
	var wg sync.WaitGroup
	for _, m := range matches {
		wg.Go(func() {
			if err := m.play(ctx); err != nil {
				t.Errorf("game %d: %v", m.g.row, err)
			}
		})
	}
	s.amid(ctx, matches, 0.3)
	code, took := s.stop()
	if code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	t.Logf("stopped in %v", took)
	s.start()
	wg.Wait()
	for _, m := range matches {
		var view struct {
			FEN string `json:"fen"`
		}
		if err := m.players[0].View(&view); err != nil {
			t.Fatal(err)
		}
		last := m.players[m.toMove()]
		want := boardAndTurn(m.g.FinalFEN)
		if err := last.WaitView(ctx, func(v any) bool { return boardAndTurn(fmt.Sprint(field(v, "fen"))) == want }); err != nil {
			t.Errorf("game %d: the board never became %s: %v", m.g.row, want, err)
		}
	}
}
