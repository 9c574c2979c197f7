package play_test

import (
	"context"
	"encoding/json"
	"errors"
	"math/rand/v2"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// race is a game for two, who step in turn; the first to take three steps wins.
type race struct {
	Steps [2]int
	Turn  int
	Both  bool // are there
}

type stride struct {
	Step int `json:"step"`
}

func (g *race) Join(t *room.Turn, _ room.Player) error {
	g.Both = len(t.Players()) == 2
	return nil
}

func (g *race) Act(t *room.Turn, by room.Player, _ stride) error {
	if by.Seat != g.Turn {
		return room.Refuse("not_your_turn", "it is the other's turn")
	}
	g.Steps[by.Seat]++
	g.Turn = 1 - g.Turn
	if g.Steps[by.Seat] < 3 {
		return nil
	}
	r := room.Result{Reason: "arrived", IdleCounts: true}
	for _, p := range t.Players() {
		r.Outcomes = append(r.Outcomes, room.Outcome{Player: p.ID, Seat: p.Seat, Rank: 1 + (p.Seat+by.Seat)%2})
	}
	t.Finish(r)
	return nil
}

func (g *race) View(room.Viewer) [2]int { return g.Steps }

func (g *race) Legal(v room.Viewer) []stride {
	if v.Spectating() || !g.Both || v.Seat != g.Turn {
		return nil
	}
	return []stride{{Step: g.Steps[v.Seat] + 1}}
}

// quiet is a game that says nothing of what is legal.
type quiet struct{}

func (quiet) Act(*room.Turn, room.Player, stride) error { return nil }
func (quiet) View(room.Viewer) int                      { return 0 }

var raceRules = room.MustDefine(room.Spec{Name: "race", Version: 1, MinPlayers: 2, MaxPlayers: 2}, func() *race { return &race{} })

// track is a room of a race in this process. Its state is shown a minute after each act, as that of a game with pauses.
type track struct {
	*core.Core
	shown time.Time
	fails error // what acts come to, if anything
}

func newTrack(t *testing.T) (*track, []play.Client) {
	t.Helper()
	machine, _, err := core.Open(core.Config{Header: record.Header{Game: "race", Version: 1, Runtime: core.RuntimeVersion}, Rules: raceRules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	r := &track{Core: machine}
	var clients []play.Client
	for seat, id := range []room.PlayerID{"ann", "ben"} {
		for _, in := range []core.Input{{Kind: core.KindJoin, Player: id}, {Kind: core.KindAttach, Player: id, Client: "c", Attempt: 1}} {
			if ready, err := machine.Step(in); err != nil || ready.Refused != nil {
				t.Fatal(err, ready.Refused)
			}
		}
		clients = append(clients, &runner{track: r, viewer: room.Viewer{Player: id, Seat: seat}})
	}
	return r, clients
}

func (r *track) state(context.Context) (json.RawMessage, error) {
	if time.Now().Before(r.shown) {
		return nil, nil
	}
	return r.GameState()
}

// runner is a client of a track.
type runner struct {
	*track
	viewer room.Viewer
	cseq   record.CSeq
}

func (c *runner) Viewer() room.Viewer { return c.viewer }

func (c *runner) Done() bool { return c.Final() != nil }

func (c *runner) Act(_ context.Context, action json.RawMessage) error {
	if c.fails != nil {
		return c.fails
	}
	c.cseq++
	ready, err := c.Step(core.Input{Kind: core.KindAct, Player: c.viewer.Player, Client: "c", CSeq: c.cseq, Data: action})
	if err != nil {
		return err
	}
	c.shown = time.Now().Add(time.Minute)
	if why := ready.Entry.Refused; why != nil {
		return why
	}
	return nil
}

func TestDrivePlaysToTheEnd(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track, clients := newTrack(t)
		began := time.Now()
		report, err := play.Drive(t.Context(), play.StateGuide(raceRules, track.state), clients, play.Options{Pause: 10 * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if report.Accepted != 5 || report.Refused != 0 || track.Final().Result.Reason != "arrived" {
			t.Errorf("%+v, and the room ended as %+v", report, track.Final())
		}
		if took := time.Since(began); took != 4*time.Minute+10*time.Second {
			t.Errorf("it took %v: four waits of a minute and the last pause are due", took)
		}
	})
}

func TestDriveDrawsFromItsSource(t *testing.T) {
	drawn := func() (names string) {
		random := rand.New(rand.NewPCG(1, 2))
		legal := []json.RawMessage{[]byte("1"), []byte("2"), []byte("3"), []byte("4")}
		for range 20 {
			names += string(play.Choose(random, legal))
		}
		return names
	}
	if one, two := drawn(), drawn(); one != two || len(strings.Trim(one, one[:1])) == 0 {
		t.Errorf("one source drew %s, then %s", one, two)
	}
	if a := play.Choose(rand.New(rand.NewPCG(1, 2)), nil); a != nil {
		t.Errorf("drew %s of nothing", a)
	}
}

// TestDriveGoesOnAfterRefusals has a guide that is behind the room: it lets both act all the time.
func TestDriveGoesOnAfterRefusals(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track, clients := newTrack(t)
		late := func(context.Context, []room.Viewer) ([][]json.RawMessage, error) {
			action := []json.RawMessage{[]byte(`{"step":1}`)}
			return [][]json.RawMessage{action, action}, nil
		}
		report, err := play.Drive(t.Context(), late, clients, play.Options{Rand: rand.New(rand.NewPCG(1, 2))})
		if err != nil || track.Final() == nil || report.Accepted != 5 || report.Refused == 0 {
			t.Errorf("%+v %v", report, err)
		}
	})
}

func TestDriveStopsAtErrors(t *testing.T) {
	broken := errors.New("the line is dead")
	for name, test := range map[string]struct {
		guide func(*track) play.Guide
		fails error
		want  error
	}{
		"of a client": {func(r *track) play.Guide { return play.StateGuide(raceRules, r.state) }, broken, broken},
		"of the guide": {func(*track) play.Guide {
			return play.StateGuide(raceRules, func(context.Context) (json.RawMessage, error) { return nil, broken })
		}, nil, broken},
		"of a game without Legal": {func(*track) play.Guide {
			rules := room.MustDefine(room.Spec{Name: "quiet", Version: 1}, func() *quiet { return &quiet{} })
			return play.StateGuide(rules, func(context.Context) (json.RawMessage, error) { return []byte(`{}`), nil })
		}, nil, play.ErrNoAdvisor},
		"of the context": {func(*track) play.Guide {
			return func(context.Context, []room.Viewer) ([][]json.RawMessage, error) { return nil, nil }
		}, nil, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			synctest.Test(t, func(t *testing.T) {
				track, clients := newTrack(t)
				track.fails = test.fails
				ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
				defer cancel()
				report, err := play.Drive(ctx, test.guide(track), clients, play.Options{Pause: time.Minute})
				if !errors.Is(err, test.want) || report != (play.Report{}) {
					t.Errorf("%+v %v, want %v", report, err, test.want)
				}
			})
		})
	}
}

// lost is a client whose room ends before it answers.
type lost struct {
	play.Client
	done bool
}

func (c *lost) Done() bool { return c.done }

func (c *lost) Act(context.Context, json.RawMessage) error {
	c.done = true
	return errors.New("closed")
}

func TestDriveTakesTheEndForAnAnswer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		track, clients := newTrack(t)
		for i := range clients {
			clients[i] = &lost{Client: clients[i]}
		}
		guide := play.StateGuide(raceRules, track.state)
		ctx, cancel := context.WithTimeout(t.Context(), time.Hour)
		defer cancel()
		if report, err := play.Drive(ctx, guide, clients[:1], play.Options{}); err != nil || report != (play.Report{}) {
			t.Errorf("%+v %v", report, err)
		}
	})
}
