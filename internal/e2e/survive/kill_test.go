package survive_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// TestKillLosesNoAcknowledgedMove plays many games while the process is killed at random moments and started again on the same data
// folder. Every client resumes. Every move takes effect exactly once; otherwise the boards would differ. Every game ends with its right
// result.
func TestKillLosesNoAcknowledgedMove(t *testing.T) {
	rounds, at := e2e.Sized(2, 3, 10), e2e.Sized(20, 30, 200)
	var games []e2e.RecordedGame
	for _, g := range e2e.RecordedGames(t) {
		if !g.ByFlag() && g.Termination != "abandoned" {
			games = append(games, g)
		}
	}
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	var resumed, resent int
	for round := range rounds {
		seed := uint64(round + 1)
		rng := rand.New(rand.NewPCG(seed, 0))
		rng.Shuffle(len(games), func(i, j int) { games[i], games[j] = games[j], games[i] })
		a, b := killRound(s, games[:at], rng)
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

func killRound(s *e2e.Server, games []e2e.RecordedGame, rng *rand.Rand) (resumed, resent int) {
	ctx, cancel := context.WithTimeout(s.T.Context(), 4*time.Minute)
	defer cancel()
	matches := make([]*e2e.Match, len(games))
	e2e.ForEachGame(s.T, games, 50, func(g e2e.RecordedGame) error {
		m, err := s.Seat(ctx, g)
		for i := range games {
			if games[i].Row == g.Row {
				matches[i] = m
			}
		}
		return err
	})
	if s.T.Failed() {
		return 0, 0
	}
	wait := e2e.PlayAll(ctx, s.T, matches)
	s.WaitForShare(ctx, matches, 0.05+0.65*rng.Float64())
	s.Kill()
	s.Start()
	wait()
	for _, m := range matches {
		for _, p := range m.Players {
			st := p.Stats()
			resumed, resent = resumed+st.Recovered, resent+st.Resent
			if st.States > 1+st.Sockets-1-st.Recovered {
				s.T.Errorf("game %d: %d whole views in %d sockets, %d of them recovered", m.Game.Row, st.States, st.Sockets, st.Recovered)
			}
			p.Close()
		}
	}
	e2e.CheckStored(s.T, matches)
	return resumed, resent
}

// TestRoomsComeBackAfterATerm stops the process by SIGTERM in the middle of games.
func TestRoomsComeBackAfterATerm(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	games := e2e.RecordedGames(t)[:40]
	ctx := e2e.WaitContext(t)
	var matches []*e2e.Match
	for _, g := range games {
		m, err := s.Seat(ctx, g)
		if err != nil {
			t.Fatal(err)
		}
		matches = append(matches, m)
	}
	var wg sync.WaitGroup
	for _, m := range matches {
		wg.Go(func() {
			if err := m.Play(ctx); err != nil {
				t.Errorf("game %d: %v", m.Game.Row, err)
			}
		})
	}
	s.WaitForShare(ctx, matches, 0.3)
	code, took := s.Stop()
	if code != 0 {
		t.Errorf("exit code %d after SIGTERM", code)
	}
	t.Logf("stopped in %v", took)
	s.Start()
	wg.Wait()
	for _, m := range matches {
		var view struct {
			FEN string `json:"fen"`
		}
		if err := m.Players[0].View(&view); err != nil {
			t.Fatal(err)
		}
		last := m.Players[m.ToMove()]
		want := e2e.BoardAndTurn(m.Game.FinalFEN)
		if err := last.WaitView(ctx, func(v any) bool { return e2e.BoardAndTurn(fmt.Sprint(e2e.Field(v, "fen"))) == want }); err != nil {
			t.Errorf("game %d: the board never became %s: %v", m.Game.Row, want, err)
		}
	}
}
