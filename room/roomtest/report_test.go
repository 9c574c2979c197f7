package roomtest_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/roomtest"
)

// rally has options of every kind. It ends when it has been hit so often.
type rally struct {
	O    rallyOptions
	Hits int
}

type rallyOptions struct {
	Goal   int     `json:"goal"`
	Fast   bool    `json:"fast"`
	Speed  float64 `json:"speed"`
	Ground string  `json:"ground"`
	Clock  *struct {
		InitialMS int `json:"initial_ms"`
	} `json:"clock,omitempty"`
}

func (g *rally) Open(t *room.Turn, _ json.RawMessage) error {
	o := rallyOptions{Goal: 8, Fast: true, Speed: 1.5, Ground: "clay"}
	if err := t.Options(&o); err != nil {
		return err
	}
	switch {
	case o.Goal < 4 || o.Goal > 20:
		return errors.New(`field "goal": choose 4 to 20`)
	case !slices.Contains([]string{"clay", "grass", "ice"}, o.Ground):
		return errors.New(`field "ground": choose "clay", "grass" or "ice"`)
	case o.Clock != nil && o.Clock.InitialMS < 1000:
		return errors.New(`field "clock": choose 1000 or more`)
	case o.Ground == "ice" && o.Fast:
		return errors.New("ice is fast already")
	}
	g.O = o
	return nil
}

type hit struct {
	Do string `json:"do"`
}

func (g *rally) Act(t *room.Turn, _ room.Player, h hit) error {
	if h.Do != "hit" {
		return room.Refuse("no_"+h.Do, "hit it")
	}
	if g.Hits++; g.Hits < g.O.Goal {
		t.Broadcast("hit", g.Hits)
		return nil
	}
	t.Finish(room.Result{Reason: "goal"})
	return nil
}

func (g *rally) View(room.Viewer) int { return g.Hits }

func rallyRules() *room.Rules {
	return room.MustDefine(room.Spec{Name: "rally", Version: 1, MinPlayers: 2, MaxPlayers: 5, SharedView: true}, func() *rally { return new(rally) })
}

func hits(r *rand.Rand, _ room.Player, _ json.RawMessage) any {
	return hit{[]string{"hit", "hit", "hit", "drop"}[r.IntN(4)]}
}

func TestOptionsAndPlayersVary(t *testing.T) {
	r := roomtest.Prove(t, rallyRules(), roomtest.Options{Act: hits, Games: 30, Inputs: 30})
	all := fmt.Sprint(slices.Collect(maps.Keys(r.Options)))
	for _, want := range []string{`"goal":9`, `"goal":7`, `"fast":false`, `"speed":3`, `"ground":"grass"`, `"clock":{"initial_ms":60000}`} {
		if !strings.Contains(all, want) {
			t.Errorf("no game was played with %s: %s", want, all)
		}
	}
	if r.Options["{}"] == 0 {
		t.Error("no game was played with the author's options")
	}
	for n := 2; n <= 5; n++ {
		if r.Players[n] == 0 {
			t.Errorf("no game was played by %d: %v", n, r.Players)
		}
	}
	r = roomtest.Prove(t, rallyRules(), roomtest.Options{Act: hits, Games: 12, Inputs: 30, RoomOptions: json.RawMessage(`{"goal":5}`)})
	for options := range r.Options {
		if !strings.Contains(options, `"goal":5`) {
			t.Errorf("a game was played with %s, where the author had fixed the goal", options)
		}
	}
	r = roomtest.Prove(t, rallyRules(), roomtest.Options{Act: hits, Games: 4, Inputs: 30, FixedOptions: true})
	if len(r.Options) != 1 {
		t.Errorf("fixed options varied: %v", r.Options)
	}
}

func TestReportSaysWhatWasReached(t *testing.T) {
	var log recorder
	r := roomtest.Prove(&log, rallyRules(), roomtest.Options{Act: hits, Games: 6, Inputs: 60, Signals: func(*rand.Rand) (string, any) { return "x", nil }})
	if r.Finished == 0 || r.Ends["finished"] != r.Finished || r.Kinds["act"] != r.Accepted+r.Refused || r.Kinds["leave"] == 0 || r.Codes["no_drop"] != r.Refused || r.Events["hit"] == 0 {
		t.Errorf("the report is %+v", r)
	}
	if a := r.Forms[`{"do":"drop"}`]; a.Accepted != 0 || a.Code != "no_drop" || r.Forms[`{"do":"hit"}`].Accepted == 0 {
		t.Errorf("its forms are %v", r.Forms)
	}
	for _, want := range []string{"  ends: finished ", "  events: ", `roomtest: warning: rally: no action of these forms was ever accepted: {"do":"drop"} (`} {
		if !strings.Contains(log.log, want) {
			t.Errorf("the log does not say %q:\n%s", want, log.log)
		}
	}
	if n := strings.Count(log.log, "\n"); n > 8 {
		t.Errorf("the log has %d lines:\n%s", n, log.log)
	}
}

func TestLittleReachedIsAWarning(t *testing.T) {
	for words, prove := range map[string]func() (*room.Rules, roomtest.Options){
		"no game finished": func() (*room.Rules, roomtest.Options) {
			return rallyRules(), roomtest.Options{Act: hits, Inputs: 3}
		},
		"actions were refused": func() (*room.Rules, roomtest.Options) {
			return rallyRules(), roomtest.Options{Act: func(r *rand.Rand, _ room.Player, _ json.RawMessage) any {
				return hit{[]string{"hit", "a", "b", "c", "d"}[r.IntN(5)]}
			}}
		},
		"Signal was never called": func() (*room.Rules, roomtest.Options) {
			o := handOptions()
			o.Signals = nil
			return handRules(""), o
		},
		"nothing is proved of what is hidden": func() (*room.Rules, roomtest.Options) {
			o := handOptions()
			o.Hidden = nil
			return handRules(""), o
		},
		"Timer was never called": func() (*room.Rules, roomtest.Options) {
			o := handOptions()
			o.Inputs, o.Games = 2, 1
			return handRules(""), o
		},
	} {
		rules, o := prove()
		r, err := roomtest.Check(rules, o)
		if err != nil {
			t.Errorf("%s: %v", words, err)
		}
		if !slices.ContainsFunc(r.Warnings, func(w string) bool { return strings.Contains(w, words) }) {
			t.Errorf("no warning says %q: %q", words, r.Warnings)
		}
	}
	r, err := roomtest.Check(handRules(""), handOptions())
	if err != nil || len(r.Warnings) > 0 {
		t.Errorf("of a proof that reaches everything it warns %q, %v", r.Warnings, err)
	}
}
