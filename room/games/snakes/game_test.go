package snakes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/record"
)

// TestDrawing has a client draw every snake from patches alone, at every tick of lively games.
func TestDrawing(t *testing.T) {
	for _, options := range []string{
		`{"round_s": 40, "width": 40, "height": 24, "walls": false, "bots": 4}`,
		`{"round_s": 40, "width": 40, "height": 24, "rounds": 2}`,
	} {
		b := seat(t, 8, options)
		turns := 0
		for n := 0; n < 1500 && b.core.Final() == nil; n++ {
			b.pilot(n)
			b.tick(1)
			b.agree()
			turns += len(b.game().Snakes)
		}
		if turns < 2000 {
			t.Errorf("options %s: only %d snakes were drawn", options, turns)
		}
	}
}

// TestLateViewer compares a late viewer's whole view with the patched view of an early one.
func TestLateViewer(t *testing.T) {
	b := seat(t, 4, `{"bots": 3}`)
	b.until(snakes.Playing)
	for n := range 300 {
		b.pilot(n)
		b.tick(1)
	}
	before, _ := json.Marshal(b.seen)
	b.detach("p1")
	b.attach("p1")
	b.tick(1)
	b.agree()
	if len(before) == 0 || len(b.game().Snakes) == 0 {
		t.Fatal("nothing was seen")
	}
}

// TestPatches measures the bytes that a viewer gets for thirty snakes that turn often.
func TestPatches(t *testing.T) {
	b := seat(t, 30, `{"width": 96, "height": 64, "round_s": 60}`)
	b.until(snakes.Playing)
	bytes, moving, ticks := 0, 0, 0
	for n := 0; len(b.game().Snakes) >= 20 && n < 600; n++ {
		b.pilot(n)
		b.tick(1)
		bytes, moving, ticks = bytes+b.patch, moving+len(b.game().Snakes), ticks+1
	}
	if ticks < 30 {
		t.Fatalf("fewer than 20 snakes are left after %d ticks", ticks)
	}
	t.Logf("%d ticks of %d snakes: %d bytes of JSON a tick, %.1f a snake", ticks, moving/ticks, bytes/ticks, float64(bytes)/float64(moving))
	if bytes > 20*moving {
		t.Errorf("a tick costs %d bytes a snake, want at most 20", bytes/moving)
	}
}

// TestStraightCostsNothing proves that a tick without turns costs next to no bytes.
func TestStraightCostsNothing(t *testing.T) {
	b := seat(t, 12, `{"walls": false}`)
	b.until(snakes.Playing)
	straight := 0
	for range 30 {
		b.tick(1)
		if b.patch <= len(`{"tick":10}`) {
			straight++
		}
	}
	if straight < 15 {
		t.Errorf("only %d of 30 ticks without an event cost no more than the tick's number", straight)
	}
}

func TestWaitsForTwo(t *testing.T) {
	b := seat(t, 1, "")
	b.tick(60)
	if b.game().Phase != snakes.Waiting {
		t.Fatalf("phase %s with one player, want waiting", b.game().Phase)
	}
	if code := b.act("p1", `{"turn": "up"}`); code != "waiting" {
		t.Errorf("an action is answered %q, want waiting", code)
	}
	b.sit("p2")
	if b.game().Phase != snakes.Ready {
		t.Fatalf("phase %s with two, want ready", b.game().Phase)
	}
	b.tick(1)
	if v := b.client(); len(v.Snakes) != 2 || v.Seconds != 3 || v.Tick != 0 {
		t.Errorf("in the countdown: %d snakes, %d s, tick %d; want 2, 3, 0", len(v.Snakes), v.Seconds, v.Tick)
	}
	b.leave("p1")
	b.tick(1)
	if v := b.client(); v.Phase != snakes.Waiting || len(v.Snakes) != 0 || v.Round != 0 {
		t.Errorf("after one left again: %+v", v)
	}
}

func TestAloneAgainstBots(t *testing.T) {
	b := seat(t, 1, `{"bots": 3, "rounds": 1, "round_s": 10}`)
	b.until(snakes.Playing)
	if v := b.client(); len(v.Snakes) != 4 || len(v.Players) != 4 {
		t.Fatalf("%d snakes of %d players, want 4 of 4", len(v.Snakes), len(v.Players))
	}
	for n := 0; b.core.Final() == nil; n++ {
		b.pilot(n)
		b.tick(1)
	}
	f := b.core.Final()
	if f.Rated || f.Result.Reason != snakes.AllRounds || len(f.Result.Outcomes) != 4 || !f.Result.Outcomes[3].Bot || f.Result.Outcomes[0].Player != "p1" {
		t.Errorf("the result is %+v, rated %t", f.Result, f.Rated)
	}
}

// TestBotsSurvive steers players as built-in snakes do, and expects them to live and eat.
func TestBotsSurvive(t *testing.T) {
	b := seat(t, 4, `{"round_s": 30, "rounds": 1}`)
	b.until(snakes.Playing)
	for n := 0; n < 300 && b.game().Phase == snakes.Playing; n++ {
		for _, s := range slices.Clone(b.game().Snakes) {
			b.act(b.game().Roster[s.Number-1].ID, fmt.Sprintf(`{"turn": %q}`, snakes.Advise(b.game(), s.Number)))
		}
		b.tick(1)
	}
	points := 0
	for _, c := range b.game().Roster {
		points += c.Points
	}
	if len(b.game().Snakes) < 2 || points < 8 {
		t.Errorf("after 20 s %d of 4 live, with %d points in all", len(b.game().Snakes), points)
	}
}

func TestLateJoin(t *testing.T) {
	b := seat(t, 3, `{"walls": false, "rounds": 2}`)
	b.until(snakes.Playing)
	b.tick(21) // an odd tick
	b.sit("p4")
	b.tick(1)
	b.agree()
	g := b.game()
	if g.Roster[3].Entered != 1 || len(g.Snakes) != 4 {
		t.Fatalf("%d snakes after a fourth player joined in play, want 4", len(g.Snakes))
	}
	b.leave("p4")
	if events := strings.Join(b.events, " "); strings.Contains(events, "died") {
		t.Fatalf("heard before the tick: %s", events)
	}
	b.tick(1)
	if events := strings.Join(b.events, " "); !strings.Contains(events, `died{"snake":4,"cause":"left"`) {
		t.Errorf("no word of the one who left: %s", events)
	}
	b.sit("p4")
	b.tick(4)
	if len(g.Snakes) != 3 || len(g.Roster) != 4 || g.Roster[3].Gone {
		t.Errorf("who came back has a second snake in one round, or a second place: %d snakes, roster of %d", len(g.Snakes), len(g.Roster))
	}
	if code := b.act("p4", `{"turn": "up"}`); code != "no_snake" {
		t.Errorf("who has no snake is answered %q", code)
	}
}

// TestSpawnIsSafe fills a small grid with late joiners, and checks where their snakes appear.
func TestSpawnIsSafe(t *testing.T) {
	b := seat(t, 30, `{"width": 32, "height": 32, "walls": true}`)
	b.tick(1)
	heads := map[int]int{}
	for _, s := range b.game().Snakes {
		x, y := s.Body[len(s.Body)-1]%32, s.Body[len(s.Body)-1]/32
		for _, o := range heads {
			if abs(o%32-x)+abs(o/32-y) < 3 {
				t.Errorf("snake %d has a head beside its own", s.Number)
			}
		}
		heads[s.Number] = y*32 + x
	}
	if len(heads) < 25 {
		t.Errorf("only %d of 30 found a place at once", len(heads))
	}
	b.until(snakes.Playing)
	b.tick(6)
	if n := len(b.game().Snakes); n < 20 {
		t.Errorf("only %d snakes live after three cells straight on", n)
	}
}

func abs(n int) int { return max(n, -n) }

func TestRounds(t *testing.T) {
	b := seat(t, 2, `{"width": 16, "height": 16, "rounds": 3, "start_s": 1, "pause_s": 2}`)
	for round := 1; round <= 3; round++ {
		b.until(snakes.Ready)
		if v := b.game(); v.Round != round || v.Clock != 0 {
			t.Fatalf("round %d, tick %d; want round %d", v.Round, v.Clock, round)
		}
		b.until(snakes.Playing)
		b.steer("p1", "p2")
		b.tick(2 * 16) // nobody turns, so everybody dies at a wall
		if round < 3 {
			if v := b.client(); v.Phase != snakes.Pause {
				t.Fatalf("phase %s after all died, want a pause", v.Phase)
			}
		}
	}
	f := b.core.Final()
	if f == nil || f.End != record.Finished || !f.Rated || f.Result.Reason != snakes.AllRounds || len(f.Result.Outcomes) != 2 {
		t.Fatalf("after three rounds: %+v", f)
	}
	for _, o := range f.Result.Outcomes {
		if v := b.client().Players[o.Seat+1]; v.Rank != o.Rank || int64(v.Points) != o.Score {
			t.Errorf("the view says %+v, the result %+v", v, o)
		}
	}
	if got := strings.Count(strings.Join(b.events, " "), `round{"round":`); got != 3 {
		t.Errorf("%d rounds were announced as over, want 3", got)
	}
}

func TestRoundTime(t *testing.T) {
	b := seat(t, 2, `{"walls": false, "round_s": 5, "rounds": 1}`)
	b.until(snakes.Playing)
	b.tick(5*15 - 1)
	if len(b.game().Snakes) == 2 && b.game().Phase != snakes.Playing {
		t.Error("the round ended too early")
	}
	b.tick(1)
	if b.game().Phase != snakes.Over {
		t.Errorf("phase %s when the time was up, want over", b.game().Phase)
	}
}

// TestAbsent proves that an absent player's snake goes straight on, and that the game stands still when nobody is connected.
func TestAbsent(t *testing.T) {
	b := seat(t, 2, `{"walls": false}`)
	b.until(snakes.Playing)
	b.act("p1", `{"boost": true}`)
	b.detach("p1")
	b.tick(2)
	if v := b.client(); v.Players[1].Online || len(v.Snakes) != 2 {
		t.Errorf("an absent player's snake: online %t, %d snakes", v.Players[1].Online, len(v.Snakes))
	}
	b.detach("p2")
	if in, ok := b.core.Due(b.core.Now() + 1e9); ok {
		t.Errorf("with nobody connected %v is due", in.Kind)
	}
	clock := b.game().Clock
	b.attach("p2")
	b.tick(1)
	if b.game().Clock != clock+1 {
		t.Errorf("tick %d, want to go on after %d", b.game().Clock, clock)
	}
}

func TestAbandoned(t *testing.T) {
	b := seat(t, 3, "")
	b.until(snakes.Playing)
	b.steer("p1", "p2", "p3")
	b.leave("p2")
	b.leave("p3")
	b.tick(15 * 6) // the round is decided, the pause goes by
	f := b.core.Final()
	if f == nil || f.Result.Reason != snakes.Abandoned || len(f.Result.Outcomes) != 3 || f.Result.Outcomes[0].Rank != 1 {
		t.Fatalf("after all but one left: %+v", f)
	}
	b = seat(t, 1, `{"bots": 2}`)
	b.until(snakes.Playing)
	b.steer("p1")
	b.leave("p1")
	if f := b.core.Final(); f == nil || f.Result.Reason != snakes.Abandoned || f.Result.Outcomes[0].Rank != 3 {
		t.Errorf("after the only player left: %+v", f)
	}
}

func TestActions(t *testing.T) {
	b := seat(t, 2, `{"walls": false}`)
	b.until(snakes.Playing)
	back := []string{"down", "left", "up", "right"}[b.game().Snakes[0].Heading]
	for action, code := range map[string]string{
		`{}`:                              "bad_action",
		`{"turn": "north"}`:               "bad_action",
		`{"turn": 1}`:                     "bad_action",
		`{"jump": true}`:                  "bad_action",
		`{"turn": "up", "boost": false}`:  "bad_action",
		`{"turn": "", "boost": false}`:    "",
		`{"turn": "nowhere", "boost": 1}`: "bad_action",
		`{"boost": true}`:                 "too_short",
		`{"boost": false}`:                "",
		`{"turn": "` + back + `"}`:        "opposite",
	} {
		if got := b.act("p1", action); got != code {
			t.Errorf("%s is answered %q, want %q", action, got, code)
		}
	}
}

func TestOptions(t *testing.T) {
	for options, field := range map[string]string{
		`{"width": 15}`: "width", `{"height": 129}`: "height", `{"rounds": 0}`: "rounds", `{"round_s": 4}`: "round_s",
		`{"start_s": 0}`: "start_s", `{"pause_s": 61}`: "pause_s", `{"bots": 13}`: "bots", `{"bots": "many"}`: "bots", `{"speed": 3}`: "speed",
	} {
		_, _, err := core.Open(config(options), 1)
		if err == nil || !strings.Contains(err.Error(), `"`+field+`"`) {
			t.Errorf("options %s: %v, want an error that names %s", options, err, field)
		}
	}
}

func TestReserved(t *testing.T) {
	b := open(t, `{"bots": 1}`)
	if err := b.sit("roomring:bot1"); err == nil {
		t.Error("a player may be called like a built-in opponent")
	}
}

// TestRosterIsBounded has guests come and go until the roster is full.
func TestRosterIsBounded(t *testing.T) {
	b := seat(t, 2, `{"walls": false, "round_s": 900}`)
	for n := range 500 {
		b.sit(room.PlayerID(fmt.Sprintf("guest%d", n)))
		b.leave(room.PlayerID(fmt.Sprintf("guest%d", n)))
	}
	if n := len(b.game().Roster); n != 3 {
		t.Errorf("the roster has %d places after guests who never had a snake, want 3", n)
	}
}

// TestRestart restores the room in the middle of a round. It must go on to the same end.
func TestRestart(t *testing.T) {
	b := seat(t, 6, `{"bots": 4, "width": 48, "height": 32, "round_s": 20, "rounds": 1}`)
	b.until(snakes.Playing)
	play := func(b *table) string {
		for n := 0; b.core.Final() == nil; n++ {
			b.pilot(n)
			b.tick(1)
		}
		return fmt.Sprintf("%x", b.core.Final().Sum())
	}
	b.tick(50)
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	machine, err := core.Restore(config(b.options), record.Kept{Header: config(b.options).Header, Snapshots: []record.Snapshot{snap}})
	if err != nil {
		t.Fatal(err)
	}
	again := &table{t: t, core: machine, cseq: map[room.PlayerID]record.CSeq{}, seen: b.client()}
	maps.Copy(again.cseq, b.cseq)
	if one, two := play(b), play(again); one != two {
		t.Errorf("the games end differently: %s and %s", one, two)
	}
}
