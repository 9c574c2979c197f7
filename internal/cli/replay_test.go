package cli

import (
	"bufio"
	"bytes"
	"encoding/json"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/node"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// race is over when somebody has counted to three; it panics at 13.
type race struct{ Count int }

func (g *race) Act(t *room.Turn, by room.Player, n int) error {
	if n == 13 {
		panic("unlucky")
	}
	if g.Count += n; g.Count >= 3 {
		t.Finish(room.Result{Reason: "three", Summary: "counted to three", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Rank: 1}}})
	}
	return nil
}

func (g *race) View(room.Viewer) race { return *g }

func raceGames(t *testing.T, version int) *core.Games {
	t.Helper()
	rules := room.MustDefine(room.Spec{Name: "race", Version: version, SharedView: true}, func() *race { return new(race) })
	games, err := core.NewGames(rules)
	if err != nil {
		t.Fatal(err)
	}
	return games
}

// cutHere marks, between acts, where the log is cut.
const cutHere = -1

// played returns the replay of a race with these acts.
func played(t *testing.T, acts ...int) []byte {
	t.Helper()
	rules, _ := raceGames(t, 1).Lookup("race")
	head := record.Header{ID: "0123456789abcdef", Game: "race", Version: 1, Runtime: core.RuntimeVersion}
	machine, _, err := core.Open(core.Config{Header: head, Rules: rules}, 1)
	if err != nil {
		t.Fatal(err)
	}
	inputs := []core.Input{
		{Kind: core.KindJoin, Player: "alice", Name: "Alice"},
		{Kind: core.KindAttach, Player: "alice", Client: "c", Attempt: 1},
	}
	cseq := record.CSeq(0)
	for _, n := range acts {
		if n == cutHere {
			inputs = append(inputs, core.Input{Kind: core.KindCut})
			continue
		}
		cseq++
		data, _ := json.Marshal(n) // an int always encodes
		inputs = append(inputs, core.Input{Kind: core.KindAct, Player: "alice", Client: "c", CSeq: cseq, Data: data})
	}
	for _, in := range inputs {
		if _, err := machine.Step(in); err != nil {
			t.Fatal(err)
		}
	}
	if machine.Final() == nil {
		data, err := machine.Replay()
		if err != nil {
			t.Fatal(err)
		}
		return data.Join()
	}
	final, err := machine.Seal()
	if err != nil {
		t.Fatal(err)
	}
	return final.Replay.Join()
}

func TestReplay(t *testing.T) {
	var out strings.Builder
	show := replayPrinter{inputs: true, out: &out}
	if err := show.replay(raceGames(t, 1), played(t, 1, 2)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"6 inputs", "Act     alice", "counted to three", "the result is the recorded one"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestReplayOfALogThatWasCut(t *testing.T) {
	var out strings.Builder
	show := replayPrinter{inputs: true, out: &out}
	if err := show.replay(raceGames(t, 1), played(t, 1, cutHere, 2)); err != nil {
		t.Fatalf("%v\n%s", err, out.String())
	}
	for _, want := range []string{"2 inputs from 6 on", "Cut", "(a state of ", "counted to three", "the result is the recorded one"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

func TestReplayOfLiveRoom(t *testing.T) {
	var out strings.Builder
	if err := (&replayPrinter{out: &out}).replay(raceGames(t, 1), played(t, 1)); err != nil {
		t.Fatal(err)
	}
	if !strings.Contains(out.String(), "still going on") {
		t.Error(out.String())
	}
}

func TestReplayReproducesPanic(t *testing.T) {
	var out strings.Builder
	if err := (&replayPrinter{out: &out}).replay(raceGames(t, 1), played(t, 1, 13)); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{"the game panicked: unlucky", "replay_test.go", "aborted"} {
		if !strings.Contains(out.String(), want) {
			t.Errorf("the output lacks %q:\n%s", want, out.String())
		}
	}
}

// TestReplayNoticesOtherRules runs the log of one race with rules that count differently.
func TestReplayNoticesOtherRules(t *testing.T) {
	slow := room.MustDefine(room.Spec{Name: "race", Version: 1, SharedView: true}, func() *slowRace { return new(slowRace) })
	games, err := core.NewGames(slow)
	if err != nil {
		t.Fatal(err)
	}
	var out strings.Builder
	if err := (&replayPrinter{out: &out}).replay(games, played(t, 1, 2)); err == nil {
		t.Errorf("a game that went otherwise passed:\n%s", out.String())
	}
}

type slowRace struct{ race }

func (g *slowRace) Act(t *room.Turn, by room.Player, n int) error { return g.race.Act(t, by, n/2) }

func TestReplayRefuses(t *testing.T) {
	empty, err := core.NewGames()
	if err != nil {
		t.Fatal(err)
	}
	data := played(t, 3)
	for name, tt := range map[string]struct {
		games *core.Games
		data  []byte
		want  string
	}{
		"no replay":       {raceGames(t, 1), []byte("hello"), "no replay"},
		"torn":            {raceGames(t, 1), data[:len(data)-5], "replay"},
		"unknown game":    {empty, data, `no game "race"`},
		"another version": {raceGames(t, 2), data, "version 1"},
	} {
		var out strings.Builder
		err := (&replayPrinter{out: &out}).replay(tt.games, tt.data)
		if err == nil || !strings.Contains(err.Error(), tt.want) {
			t.Errorf("%s: got %v, want an error about %s", name, err, tt.want)
		}
	}
}

func TestReplaySteps(t *testing.T) {
	var out strings.Builder
	show := replayPrinter{step: true, out: &out, in: bufio.NewReader(strings.NewReader("\n\n\n\n"))}
	if err := show.replay(raceGames(t, 1), played(t, 1, 2)); err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(out.String(), `{"Count":`); got != 5 {
		t.Errorf("%d views were shown for four presses of Enter and an end of input, not 5:\n%s", got, out.String())
	}
}

// TestReplayFromStore finds a replay by its room's id in a store that no server has open, and at a server.
func TestReplayFromStore(t *testing.T) {
	s := newSettings()
	s.DataDir = t.TempDir()
	store, err := node.OpenStore(t.Context(), &s.Config, nil, nil)
	if err != nil {
		t.Fatal(err)
	}
	want := played(t, 3)
	r, err := core.ReadReplay(bytes.NewReader(want))
	if err != nil {
		t.Fatal(err)
	}
	final := r.Final
	final.Replay = record.Parts{want}
	if _, err := store.WriteResults(t.Context(), []record.Final{final}); err != nil {
		t.Fatal(err)
	}
	if err := store.Close(); err != nil {
		t.Fatal(err)
	}
	if got, err := s.fetchReplay(t.Context(), string(final.Room), ""); err != nil || !bytes.Equal(got, want) {
		t.Errorf("from the store: %d bytes, %v", len(got), err)
	}
	if _, err := s.fetchReplay(t.Context(), "zzzzzzzzzzzzzzzz", ""); err == nil || !strings.Contains(err.Error(), "no replay") {
		t.Errorf("of a room that is not there: %v", err)
	}

	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, q *http.Request) {
		if q.URL.Path != "/v1/replays/"+string(final.Room) {
			http.NotFound(w, q)
			return
		}
		_, _ = w.Write(want)
	}))
	defer server.Close()
	if got, err := s.fetchReplay(t.Context(), string(final.Room), server.URL+"/"); err != nil || !bytes.Equal(got, want) {
		t.Errorf("from a server: %d bytes, %v", len(got), err)
	}
	if _, err := s.fetchReplay(t.Context(), "zzzzzzzzzzzzzzzz", server.URL); err == nil || !strings.Contains(err.Error(), "404") {
		t.Errorf("of a room that the server does not have: %v", err)
	}
}
