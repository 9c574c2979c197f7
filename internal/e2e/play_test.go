package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/client"
)

// driven is a client over a socket that internal/play drives.
type driven struct {
	*client.Client
	enough func() bool // ends its part before the game is over; nil: never
}

// Viewer implements play.Client.
func (d driven) Viewer() room.Viewer {
	w := d.Welcome()
	return room.Viewer{Player: room.PlayerID(w.Player), Seat: w.Seat}
}

// Act implements play.Client.
func (d driven) Act(ctx context.Context, action json.RawMessage) error {
	_, err := d.Client.Act(ctx, action)
	if r, ok := errors.AsType[*client.Rejected](err); ok {
		return &room.Refusal{Code: r.Code, Reason: r.Reason}
	}
	return err
}

// Done implements play.Client.
func (d driven) Done() bool {
	return d.Over() || over(d.Err()) || d.enough != nil && d.enough()
}

// guide says what is legal in a room, by the state that the admin API shows. Nothing is legal while the server is away, and
// after the room is gone.
func (s *server) guide(info roomInfo) play.Guide {
	all := games()
	rules := all[slices.IndexFunc(all, func(r *room.Rules) bool { return r.Spec().Name == info.Game })]
	return play.StateGuide(rules, func(context.Context) (json.RawMessage, error) {
		var in inspected
		code, err := s.tryAt(s.AdminAt, "GET", "/admin/v1/rooms/"+info.ID, "", nil, &in)
		switch {
		case err == nil && code == http.StatusOK:
			return in.State, nil
		case err != nil || code == http.StatusNotFound || code >= http.StatusInternalServerError:
			return nil, nil
		}
		return nil, fmt.Errorf("the admin API answers %d for the state of room %s", code, info.ID)
	})
}

// TestPlayByLegalOverSockets plays each game to a stored result. Its players know nothing but what the rules call legal.
func TestPlayByLegalOverSockets(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	ctx := patience(t)
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
			// By this seed both sides of the chess game move before one resigns.
			report, err := s.playByLegal(ctx, g.game, g.options, play.Options{Pause: g.pause, Rand: rand.New(rand.NewPCG(1, 2_000_000))})
			if err != nil {
				t.Errorf("%s: %v", g.game, err)
			}
			t.Logf("%s: %+v", g.game, report)
		})
	}
	wg.Wait()
}

// playByLegal has two players play a game to its end, and checks its result and replay.
func (s *server) playByLegal(ctx context.Context, game string, options any, o play.Options) (report play.Report, err error) {
	info := s.create(game, options)
	var players []play.Client
	for i := range 2 {
		c, err := s.tryJoin(info, client.Options{Name: fmt.Sprintf("Player %d", i), Encoding: encodingOf(i)})
		if err != nil {
			return report, err
		}
		players = append(players, driven{Client: c})
	}
	if report, err = play.Drive(ctx, s.guide(info), players, o); err != nil {
		return report, err
	}
	if report.Accepted < 2 {
		return report, errors.New("too few actions were played")
	}
	r := s.result(info.ID)
	if r.End != "finished" || len(r.Result.Outcomes) != 2 {
		return report, fmt.Errorf("stored as %+v", r)
	}
	for i, p := range players {
		if st := p.(driven).Stats(); st.Mismatches > 0 {
			return report, fmt.Errorf("player %d: %d checksums of the view differ", i, st.Mismatches)
		}
	}
	s.replayed(info.ID)
	return report, nil
}
