package play_test

import (
	"context"
	"errors"
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/web/client"
)

// TestPlayByLegalOverSockets plays each game to a stored result. The players know only what the rules call legal.
func TestPlayByLegalOverSockets(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	ctx := e2e.WaitContext(t)
	var wg sync.WaitGroup
	for _, g := range []struct {
		game    string
		options map[string]any
		pause   time.Duration
	}{
		{"chess", map[string]any{"white": "first"}, 2 * time.Millisecond},
		{"liarsdice", map[string]any{"players": 2, "dice": 1, "reveal_ms": 100, "turn_ms": 600_000}, 2 * time.Millisecond},
		{"snakes", map[string]any{"rounds": 1, "round_s": 5, "start_s": 1, "pause_s": 1, "width": 16, "height": 16}, 50 * time.Millisecond},
	} {
		wg.Go(func() {
			// With this seed both sides of the chess game move before one resigns.
			report, err := playByLegal(s, ctx, g.game, g.options, play.Options{Pause: g.pause, Rand: rand.New(rand.NewPCG(1, 2_000_000))})
			if err != nil {
				t.Errorf("%s: %v", g.game, err)
			}
			t.Logf("%s: %+v", g.game, report)
		})
	}
	wg.Wait()
}

// playByLegal has two players play a game to its end, and checks its result and replay.
func playByLegal(s *e2e.Server, ctx context.Context, game string, options any, o play.Options) (report play.Report, err error) {
	info := s.Create(game, options)
	var players []play.Client
	for i := range 2 {
		c, err := s.TryJoin(info, client.Options{Name: fmt.Sprintf("Player %d", i), Encoding: e2e.EncodingOf(i)})
		if err != nil {
			return report, err
		}
		players = append(players, e2e.DrivenClient{Client: c})
	}
	if report, err = play.Drive(ctx, s.Guide(info), players, o); err != nil {
		return report, err
	}
	if report.Accepted < 2 {
		return report, errors.New("too few actions were played")
	}
	r := s.Result(info.ID)
	if r.End != "finished" || len(r.Result.Outcomes) != 2 {
		return report, fmt.Errorf("stored as %+v", r)
	}
	for i, p := range players {
		if st := p.(e2e.DrivenClient).Stats(); st.Mismatches > 0 {
			return report, fmt.Errorf("player %d: %d checksums of the view differ", i, st.Mismatches)
		}
	}
	s.CheckReplay(info.ID)
	return report, nil
}
