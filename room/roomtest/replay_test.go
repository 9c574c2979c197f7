package roomtest_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/roomtest"
)

// climb is a game in which players climb by up to 3 steps at a time; ten are the top.
type climb struct {
	Steps int
	rules *climbRules
}

// climbRules are what one version of the game may do differently than another.
type climbRules struct {
	most  int // steps of one act
	shown int // is added to what is shown, from the fourth step on
	top   int
	panic bool
}

func (c *climb) Act(t *room.Turn, by room.Player, n int) error {
	if n < 1 || n > c.rules.most {
		return room.Refuse("too_far", fmt.Sprintf("climb 1 to %d steps", c.rules.most))
	}
	if c.rules.panic && c.Steps > 5 {
		panic("dizzy")
	}
	if c.Steps += n; c.Steps >= c.rules.top {
		t.Finish(room.Result{Reason: "top", Summary: fmt.Sprint(c.Steps), Outcomes: []room.Outcome{{Player: by.ID, Seat: by.Seat, Rank: 1}}})
	}
	return nil
}

func (c *climb) View(room.Viewer) int {
	if c.Steps > 3 {
		return c.Steps + c.rules.shown
	}
	return c.Steps
}

func climbGame(name string, version int, r climbRules) *room.Rules {
	return room.MustDefine(room.Spec{Name: name, Version: version, MaxPlayers: 2}, func() *climb { return &climb{rules: &r} })
}

var asPlayed = climbRules{most: 3, top: 10}

// climbed plays acts and returns the log, as the inspector hands it out.
func climbed(t testing.TB, checked bool, acts ...int) []byte {
	t.Helper()
	rules := climbGame("climb", 1, asPlayed)
	c, _, err := core.Open(core.Config{Rules: rules, Header: record.Header{ID: "0123456789abcdef", Game: "climb", Version: 1, Runtime: core.RuntimeVersion}}, 1)
	if err != nil {
		t.Fatal(err)
	}
	inputs := []core.Input{{Kind: core.KindJoin, Player: "ann", Name: "Ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c", Attempt: 1}}
	for i, n := range acts {
		inputs = append(inputs, core.Input{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: record.CSeq(i + 1), Data: json.RawMessage(fmt.Sprint(n))})
	}
	for _, in := range inputs {
		if ready, err := c.Step(in); err != nil || ready.Entry == nil {
			t.Fatal(err, ready.Refused)
		}
	}
	log, err := c.Replay()
	if checked && err == nil {
		var r core.Recording
		if err := r.Add(log.Reader(), c.Point().Seq); err != nil {
			t.Fatal(err)
		}
		log, err = r.Checked(rules, func() error { return nil })
	}
	if err != nil {
		t.Fatal(err)
	}
	return log.Join()
}

func TestReplayNamesTheFirstInputThatIsPlayedDifferently(t *testing.T) {
	live, over := climbed(t, true, 1, 2, 9, 3), climbed(t, true, 1, 2, 3, 3, 3)
	plain := climbed(t, false, 1, 2, 9, 3, 1)
	for _, tt := range []struct {
		what string
		log  []byte
		by   *room.Rules
		want string // "": it is played alike
	}{
		{"the same rules, live", live, climbGame("climb", 1, asPlayed), ""},
		{"the same rules, over", over, climbGame("climb", 1, asPlayed), ""},
		{"the same rules, without the inspector's checks", plain, climbGame("climb", 1, asPlayed), ""},
		{"an act refused", live, climbGame("climb", 1, climbRules{most: 2, top: 10}), "input 8 was accepted when it was played and these rules refuse it (too_far): act 3 by ann"},
		{"another view", live, climbGame("climb", 1, climbRules{most: 3, top: 10, shown: 1}), "input 8 showed one thing when it was played and these rules show another after it: act 3 by ann"},
		{"an earlier end", live, climbGame("climb", 1, climbRules{most: 3, top: 6}), "input 8 was accepted when it was played and these rules end the game with it: act 3 by ann"},
		{"no end", over, climbGame("climb", 1, climbRules{most: 3, top: 100}), "input 9 ended the game when it was played and these rules accept it and go on: act 3 by ann"},
		{"a panic", over, climbGame("climb", 1, climbRules{most: 3, top: 10, panic: true}), "input 8 was accepted when it was played and these rules fail in it: act 3 by ann"},
		{"another game", live, climbGame("chess", 1, asPlayed), "the log is of game climb, and these are the rules of chess"},
		{"another version", live, climbGame("climb", 2, asPlayed), "the room needs version 1 of game climb, this program has version 2"},
		{"no log", []byte("package climb // a file of some length"), climbGame("climb", 1, asPlayed), "this is no replay"},
		{"an empty file", nil, climbGame("climb", 1, asPlayed), "this is no replay"},
		{"half a log", live[:len(live)-10], climbGame("climb", 1, asPlayed), "replay: "},
	} {
		switch n, err := roomtest.CheckReplay(tt.by, bytes.NewReader(tt.log)); {
		case tt.want == "" && (err != nil || n < 8):
			t.Errorf("%s: %d inputs, %v", tt.what, n, err)
		case tt.want != "" && (err == nil || !strings.Contains(err.Error(), tt.want)):
			t.Errorf("%s: %v\nwant %s", tt.what, err, tt.want)
		}
	}
}

// fatal is a test that remembers how it failed.
type fatal struct {
	testing.TB
	why string
}

func (f *fatal) Fatalf(format string, args ...any) { f.why = fmt.Sprintf(format, args...) }

func TestReplayReadsAFile(t *testing.T) {
	file := filepath.Join(t.TempDir(), "room.log")
	if err := os.WriteFile(file, climbed(t, true, 1, 3), 0o600); err != nil {
		t.Fatal(err)
	}
	roomtest.Replay(t, climbGame("climb", 1, asPlayed), file)
	for where, want := range map[string]string{file: "room.log: input 6 was accepted", file + "x": "download it with the inspector"} {
		f := fatal{TB: t}
		if roomtest.Replay(&f, climbGame("climb", 1, climbRules{most: 2, top: 9}), where); !strings.Contains(f.why, want) {
			t.Errorf("%s: %q, want %q", where, f.why, want)
		}
	}
}

func FuzzCheckReplay(f *testing.F) {
	f.Add([]byte("roomring replay 1\n"))
	f.Add(climbed(f, true, 1, 2, 9, 3, 3, 3))
	rules := climbGame("climb", 1, asPlayed)
	f.Fuzz(func(t *testing.T, log []byte) {
		if n, err := roomtest.CheckReplay(rules, bytes.NewReader(log)); err == nil && n == 0 {
			t.Error("a log without inputs is played alike")
		}
	})
}
