package core_test

import (
	"encoding/json"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// duel is a game whose rules a test can change under one version.
type duel struct {
	Hits   int
	Secret int
	rules  *duelRules `roomring:"derived"`
}

type duelRules struct {
	refuse, fail, ends, shows, plots, spare bool
}

func (d *duel) Act(t *room.Turn, _ room.Player, shot int) error {
	switch r := d.rules; {
	case r.fail:
		panic("the hidden card is seven")
	case r.refuse:
		return room.Refuse("not_your_turn", "wait")
	case r.ends:
		t.Finish(room.Result{})
	case r.plots:
		d.Secret++
	}
	if shot == 0 && !d.rules.spare {
		return room.Refuse("missed", "nothing is there")
	}
	d.Hits += shot
	return nil
}

func (d *duel) View(room.Viewer) map[string]int {
	if d.rules.shows {
		return map[string]int{"hits": 2 * d.Hits}
	}
	return map[string]int{"hits": d.Hits}
}

func duelGame(version int, r *duelRules) *room.Rules {
	return room.MustDefine(room.Spec{Name: "duel", Version: version, MaxPlayers: 2, SharedView: true},
		func() *duel { return &duel{rules: r} })
}

// playDuel plays a few shots and returns what a journal has of them. The last shot but one missed.
func playDuel(t *testing.T, snapshots ...room.Index) (record.Kept, core.Config) {
	t.Helper()
	r := &duelRules{}
	b := newBench(t, duelGame(1, r), "")
	m := b.join("x")
	for i, shot := range []string{"1", "2", "3", "4", "0", "5"} {
		b.act(m, shot)
		if slices.Contains(snapshots, b.core.Point().Seq) {
			snap, err := b.core.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			b.snaps = append(b.snaps, snap)
		}
		if i == 2 {
			b.all()
		}
	}
	return b.kept(), b.cfg
}

func TestAReplayThatDiffersSaysWhere(t *testing.T) {
	for _, c := range []struct {
		name  string
		rules duelRules
		says  string
		snaps []room.Index
	}{
		{"refused", duelRules{refuse: true}, "act: input 5 was accepted when it was played and these rules refuse it (not_your_turn)", nil},
		{"refused, behind a snapshot", duelRules{refuse: true}, "act: input 8 was accepted when it was played and these rules refuse it (not_your_turn)", []room.Index{7}},
		{"refused between two snapshots", duelRules{refuse: true}, "act: input 7 was accepted", []room.Index{6, 10}},
		{"panics", duelRules{fail: true}, "input 5 was accepted when it was played and these rules fail in it", nil},
		{"ends", duelRules{ends: true}, "input 5 was accepted when it was played and these rules end the game with it", nil},
		{"shows something else", duelRules{shows: true}, "showed one thing when it was played and these rules show another after it", nil},
		{"hides something else", duelRules{plots: true}, "input 10 left one state when it was played and these rules leave another", []room.Index{6, 10}},
	} {
		t.Run(c.name, func(t *testing.T) {
			kept, cfg := playDuel(t, c.snaps...)
			if len(c.snaps) == 1 { // from the first input, and from the snapshot alone
				kept.Snapshots = slices.Insert(kept.Snapshots, 0, kept.Snapshots[0])
			}
			cfg.Rules = duelGame(1, &c.rules)
			_, err := core.Restore(cfg, kept)
			diverged, ok := errors.AsType[*core.DivergedError](err)
			if !ok || !strings.Contains(err.Error(), c.says) || !strings.HasSuffix(err.Error(), ": raise Spec.Version and write Upgrade") || diverged.Game != "duel" {
				t.Fatalf("%v, want a DivergedError with %q", err, c.says)
			}
			noSecret(t, err)
			cfg.Rules = duelGame(1, &duelRules{})
			back, err := core.Restore(cfg, kept)
			if err != nil {
				t.Fatalf("by the rules that it was played by: %v", err)
			}
			if v, _ := back.WholeView(room.Spectator); string(v) != `{"hits":15}` {
				t.Errorf("it shows %s", v)
			}
		})
	}
}

// TestARefusedActThatIsAcceptedNowDiverges uses a room of the first runtime, because its log has the bytes of refused acts.
func TestARefusedActThatIsAcceptedNowDiverges(t *testing.T) {
	b := newBench(t, duelGame(1, &duelRules{}), "")
	h := b.core.Header()
	h.Runtime = 1
	cfg := b.cfg
	cfg.Header = h
	c, entries, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "x"}, {Kind: core.KindAttach, Player: "x", Client: "c"},
		{Kind: core.KindAct, Player: "x", Client: "c", CSeq: 1, Data: json.RawMessage("0")},
	} {
		r, err := c.Step(in)
		if err != nil {
			t.Fatal(err)
		}
		entries = append(entries, *r.Entry)
	}
	raw, err := core.EncodeEntries(nil, entries...)
	if err != nil {
		t.Fatal(err)
	}
	kept := record.Kept{Header: h, Epoch: 1, Batches: []record.Batch{{Room: h.ID, Epoch: 1, First: 1, Last: 5, Entries: raw}}}
	cfg.Rules = duelGame(1, &duelRules{spare: true})
	if _, err = core.Restore(cfg, kept); err == nil || !strings.Contains(err.Error(), "input 5 was refused when it was played (missed) and these rules accept it") {
		t.Errorf("%v", err)
	}
}

// TestEntriesWithoutResultsMatchAnyRules checks that a replay has nothing to compare when entries lack results and checks.
func TestEntriesWithoutResultsMatchAnyRules(t *testing.T) {
	b := newBench(t, duelGame(1, &duelRules{}), "")
	m := b.join("x")
	for _, shot := range []string{"1", "2", "3", "4"} {
		b.act(m, shot)
	}
	for i := range b.entries {
		b.entries[i].Result, b.entries[i].Checks = core.StepUnknown, nil
	}
	b.cfg.Rules = duelGame(1, &duelRules{shows: true})
	c, err := core.Restore(b.cfg, b.kept())
	if err != nil {
		t.Fatal(err)
	}
	if v, _ := c.WholeView(room.Spectator); string(v) != `{"hits":20}` {
		t.Errorf("it shows %s", v)
	}
}

// TestARestoredRoomKeepsItsLog compares the log before the restore with the replay after it.
func TestARestoredRoomKeepsItsLog(t *testing.T) {
	kept, cfg := playDuel(t)
	cfg.CheckEvery = 1
	c, err := core.Restore(cfg, kept)
	if err != nil {
		t.Fatal(err)
	}
	raw, err := c.Replay()
	if err != nil {
		t.Fatal(err)
	}
	replay, err := core.ReadReplay(raw.Reader())
	if err != nil {
		t.Fatal(err)
	}
	again, err := core.EncodeEntries(nil, replay.Entries...)
	if err != nil {
		t.Fatal(err)
	}
	if string(again) != string(kept.Batches[0].Entries) {
		t.Errorf("the log has changed")
	}
}

// TestANewZeroFieldDoesNotDiverge checks code that writes one more field than the snapshot has, and leaves it at zero.
func TestANewZeroFieldDoesNotDiverge(t *testing.T) {
	kept, cfg := playDuel(t, 6, 10)
	cfg.Rules = room.MustDefine(room.Spec{Name: "duel", Version: 1, MaxPlayers: 2, SharedView: true},
		func() *longerDuel { return &longerDuel{duel: duel{rules: &duelRules{}}} })
	if _, err := core.Restore(cfg, kept); err != nil {
		t.Error(err)
	}
}

type longerDuel struct{ duel }

func (d *longerDuel) Snapshot() ([]byte, error) {
	return json.Marshal(map[string]int{"Hits": d.Hits, "Secret": d.Secret, "Added": 0})
}
func (d *longerDuel) Restore(b []byte) error { return json.Unmarshal(b, &d.duel) }

// TestTheFirstTurnOfAnEpochIsChecked checks this in every class, however recent the last check is.
func TestTheFirstTurnOfAnEpochIsChecked(t *testing.T) {
	for name, rules := range map[string]*room.Rules{"shared": counterRules(), "own": cardRules()} {
		b := newBench(t, rules, "")
		b.cfg.CheckEvery = 1 << 20
		b.core, b.entries, _ = core.Open(b.cfg, 1)
		x, y := b.join("x"), b.join("y")
		b.all()
		machine, err := core.Restore(b.cfg, b.kept())
		if err != nil {
			t.Fatal(err)
		}
		b.core = machine
		before := len(b.entries)
		b.step(core.Input{Kind: core.KindEpoch, Epoch: 2})
		for _, m := range []*mirror{x, y} {
			b.step(core.Input{Kind: core.KindDetach, Player: m.to.Player})
			b.attach(m, new(m.point))
		}
		b.act(x, map[string]string{"shared": `{"by":3}`, "own": `{"do":"draw"}`}[name])
		checked := map[core.ClassID]int{}
		for _, e := range b.entries[before:] {
			for _, check := range e.Checks {
				checked[check.Class]++
			}
		}
		if len(checked) == 0 {
			t.Errorf("%s: no class is checked", name)
		}
		for class, n := range checked {
			if n != 1 {
				t.Errorf("%s: class %d is checked %d times in the epoch", name, class, n)
			}
		}
		b.all()
		b.checkViews()
	}
}
