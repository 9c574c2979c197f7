package core_test

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// brittle is a game whose own snapshot methods fail on demand.
type brittle struct {
	Moves int
	fault *faults
}

type faults struct{ snapshot, restore, upgrade, join, view bool }

func (b *brittle) Act(t *room.Turn, _ room.Player, _ int) error { b.Moves++; return nil }
func (b *brittle) View(room.Viewer) map[string]int {
	if b.fault.view {
		panic("the hidden card is seven")
	}
	return map[string]int{"moves": b.Moves}
}

func (b *brittle) Join(*room.Turn, room.Player) error {
	if b.fault.join {
		return room.Refuse("no", "not any more")
	}
	return nil
}

func (b *brittle) Snapshot() ([]byte, error) {
	if b.fault.snapshot {
		panic("the hidden card is seven")
	}
	return json.Marshal(b.Moves)
}

func (b *brittle) Restore(data []byte) error {
	if b.fault.restore {
		panic("the hidden card is seven")
	}
	return json.Unmarshal(data, &b.Moves)
}

func (b *brittle) Upgrade(_ int, data []byte) error {
	if b.fault.upgrade {
		panic("the hidden card is seven")
	}
	return b.Restore(data)
}

func brittleRules(version int, f *faults) *room.Rules {
	return room.MustDefine(room.Spec{Name: "brittle", Version: version, MaxPlayers: 2, SharedView: true},
		func() *brittle { return &brittle{fault: f} })
}

// keepBrittle plays a few moves and returns what a journal would hold, with a snapshot at the end.
func keepBrittle(t *testing.T, f *faults) record.Kept {
	t.Helper()
	h := record.Header{ID: "0123456789abcdef", Game: "brittle", Version: 1, Runtime: core.RuntimeVersion}
	c, entries, err := core.Open(core.Config{Header: h, Rules: brittleRules(1, f)}, 1)
	if err != nil {
		t.Fatal(err)
	}
	early, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann", Name: "Ann"},
		{Kind: core.KindAttach, Player: "ann", Client: "c"},
		{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 1, Data: json.RawMessage("1")},
	} {
		r, err := c.Step(in)
		if err != nil || r.Entry == nil {
			t.Fatal(err, r.Refused)
		}
		entries = append(entries, *r.Entry)
	}
	snap, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := core.EncodeEntries(nil, entries...)
	if err != nil {
		t.Fatal(err)
	}
	last := c.Point()
	return record.Kept{
		Header: h, Epoch: last.Epoch, Snapshots: []record.Snapshot{early, snap},
		Batches: []record.Batch{{Room: h.ID, Epoch: last.Epoch, First: 1, Last: last.Seq, Entries: raw}},
	}
}

func noSecret(t *testing.T, err error) {
	t.Helper()
	if err != nil && strings.Contains(err.Error(), "seven") {
		t.Errorf("the error tells what the game's panic says: %v", err)
	}
}

func TestPanicInSnapshotIsAnError(t *testing.T) {
	f := &faults{}
	kept := keepBrittle(t, f)
	c, err := core.Restore(core.Config{Rules: brittleRules(1, f)}, kept)
	if err != nil {
		t.Fatal(err)
	}
	f.snapshot = true
	if _, err = c.Snapshot(); err == nil {
		t.Fatal("a snapshot came out of a panic")
	}
	noSecret(t, err)
	if c.Phase() == core.PhaseOver {
		t.Error("a room ended without an input")
	}
}

func TestPanicInRestoreFallsBackToTheLog(t *testing.T) {
	f := &faults{}
	kept := keepBrittle(t, f)
	f.restore = true
	c, err := core.Restore(core.Config{Rules: brittleRules(1, f)}, kept)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Game().(*brittle).Moves; got != 1 {
		t.Errorf("%d moves came back, want 1", got)
	}
}

func TestPanicInUpgradeHoldsTheRoom(t *testing.T) {
	f := &faults{}
	kept := keepBrittle(t, f)
	f.upgrade = true
	_, err := core.Restore(core.Config{Rules: brittleRules(2, f)}, kept)
	if _, held := errors.AsType[*core.VersionError](err); !held {
		t.Fatalf("%v, want a VersionError", err)
	}
	noSecret(t, err)
}

// An unreadable snapshot costs the resume buffer, not the game.
func TestRestoreContinuesFromTheNewerSnapshot(t *testing.T) {
	f := &faults{}
	kept := keepBrittle(t, f)
	kept.Snapshots[0].Data = []byte{0xff}
	f.join = true // the log before the newer one cannot be replayed either
	c, err := core.Restore(core.Config{Rules: brittleRules(1, f)}, kept)
	if err != nil {
		t.Fatal(err)
	}
	if got := c.Game().(*brittle).Moves; got != 1 {
		t.Errorf("%d moves came back, want 1", got)
	}
}

func TestRestoreErrorsHideThePanic(t *testing.T) {
	f := &faults{}
	kept := keepBrittle(t, f)
	f.view, f.join = true, true
	_, err := core.Restore(core.Config{Rules: brittleRules(1, f)}, kept)
	if err == nil {
		t.Fatal("a room came back that cannot be shown")
	}
	noSecret(t, err)
}

// An older version must not replay a room that a newer version has taken over.
func TestOlderVersionDoesNotReplayAnUpgrade(t *testing.T) {
	f := &faults{}
	kept := keepBrittle(t, f)
	c, err := core.Restore(core.Config{Rules: brittleRules(2, f)}, kept)
	if err != nil {
		t.Fatal(err)
	}
	var after []core.Entry
	step := func(in core.Input) {
		t.Helper()
		r, err := c.Step(in)
		if err != nil || r.Entry == nil {
			t.Fatal(err, r.Refused)
		}
		after = append(after, *r.Entry)
	}
	step(core.Input{Kind: core.KindEpoch, Epoch: 2})
	up, _ := c.Pending()
	step(up)
	raw, err := core.EncodeEntries(nil, after...)
	if err != nil {
		t.Fatal(err)
	}
	last := c.Point()
	kept.Epoch = 2
	kept.Batches = append(kept.Batches, record.Batch{Room: kept.Header.ID, Epoch: 2, First: after[0].Index, Last: last.Seq, Entries: raw})
	_, err = core.Restore(core.Config{Rules: brittleRules(1, f)}, kept)
	wrong, held := errors.AsType[*core.VersionError](err)
	if !held || wrong.Need != 2 || wrong.Have != 1 {
		t.Fatalf("%v, want a VersionError that needs 2", err)
	}
}

// blank is a game whose snapshot is empty.
type blank struct{ acts *int }

func (b *blank) Act(*room.Turn, room.Player, int) error { *b.acts++; return nil }
func (b *blank) View(room.Viewer) map[string]int        { return map[string]int{} }
func (b *blank) Snapshot() ([]byte, error)              { return nil, nil }
func (b *blank) Restore([]byte) error                   { return nil }

func TestEmptySnapshotIsNoFailure(t *testing.T) {
	acts := 0
	cfg := core.Config{
		Header: record.Header{ID: "0123456789abcdef", Game: "blank", Version: 1, Runtime: core.RuntimeVersion},
		Rules:  room.MustDefine(room.Spec{Name: "blank", Version: 1, SharedView: true}, func() *blank { return &blank{&acts} }),
	}
	c, entries, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	snap, err := c.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	raw, err := core.EncodeEntries(nil, entries...)
	if err != nil {
		t.Fatal(err)
	}
	c, err = core.Restore(cfg, record.Kept{
		Header: cfg.Header, Epoch: 1, Snapshots: []record.Snapshot{snap},
		Batches: []record.Batch{{Room: cfg.Header.ID, Epoch: 1, First: 1, Last: 2, Entries: raw}},
	})
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c"},
		{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 1, Data: json.RawMessage("1")},
	} {
		if _, err := c.Step(in); err != nil {
			t.Fatal(err)
		}
	}
	if acts != 1 {
		t.Errorf("an acknowledged act reached the game %d times", acts)
	}
}

// sloppy is a game that cuts texts in the middle of a character.
type sloppy struct{ Rings int }

func (s *sloppy) Act(t *room.Turn, _ room.Player, text string) error {
	t.StartTimer(text[:1], 1)
	if t.Index()%2 == 0 {
		return nil
	}
	return room.Refuse("no", "what is "+text[:1])
}
func (s *sloppy) Timer(t *room.Turn, name string) {
	s.Rings++
	t.Finish(room.Result{Reason: name, Summary: name})
}
func (s *sloppy) View(room.Viewer) map[string]int { return map[string]int{"rings": s.Rings} }

func TestTextThatIsNotUTF8LosesNothing(t *testing.T) {
	cfg := core.Config{
		Header: record.Header{ID: "0123456789abcdef", Game: "sloppy", Version: 1, Runtime: core.RuntimeVersion},
		Rules:  room.MustDefine(room.Spec{Name: "sloppy", Version: 1, SharedView: true}, func() *sloppy { return &sloppy{} }),
	}
	c, entries, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c"},
		{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 1, Data: json.RawMessage(`"é"`)},
		{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 2, Data: json.RawMessage(`"é"`)},
		{Kind: core.KindTimer, Name: "\xc3", At: 5e6},
	} {
		r, err := c.Step(in)
		if err != nil || r.Entry == nil {
			t.Fatal(in.Kind, err, r.Refused)
		}
		entries = append(entries, *r.Entry)
	}
	for _, o := range c.Commit(c.Point().Seq) {
		if a, ok := o.(core.Answered); ok && !utf8.Valid(a.Frame.Bytes(wire.JSON)) {
			t.Errorf("not UTF-8: %q", a.Frame.Bytes(wire.JSON))
		}
	}
	raw, err := core.EncodeEntries(nil, entries...)
	if err != nil {
		t.Fatal(err)
	}
	back, err := core.Restore(cfg, record.Kept{Header: cfg.Header, Epoch: 1, Batches: []record.Batch{{First: 1, Last: c.Point().Seq, Entries: raw}}})
	if err != nil {
		t.Fatal(err)
	}
	if back.Final() == nil || !utf8.ValidString(back.Final().Result.Summary) {
		t.Errorf("it ended as %+v", back.Final())
	}
	final, err := c.Seal()
	if err != nil {
		t.Fatal(err)
	}
	if _, err := core.ReadReplay(final.Replay.Reader()); err != nil {
		t.Error(err)
	}
}

// patient is a game with a timer of the longest possible duration.
type patient struct{ Rings int }

func (p *patient) Act(t *room.Turn, _ room.Player, _ int) error {
	t.StartTimer("never", 1<<63-1)
	return nil
}
func (p *patient) Timer(*room.Turn, string)        { p.Rings++ }
func (p *patient) View(room.Viewer) map[string]int { return map[string]int{} }

func TestATimerOfTheLongestDurationIsNeverDue(t *testing.T) {
	c, _, err := core.Open(core.Config{
		Header: record.Header{ID: "0123456789abcdef", Game: "patient", Version: 1, Runtime: core.RuntimeVersion},
		Rules:  room.MustDefine(room.Spec{Name: "patient", Version: 1, SharedView: true}, func() *patient { return &patient{} }),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	for _, in := range []core.Input{
		{Kind: core.KindJoin, Player: "ann"}, {Kind: core.KindAttach, Player: "ann", Client: "c", At: 1e9},
		{Kind: core.KindAct, Player: "ann", Client: "c", CSeq: 1, Data: json.RawMessage("1"), At: 2e9},
	} {
		if _, err := c.Step(in); err != nil {
			t.Fatal(err)
		}
	}
	if in, due := c.Due(3e9); due {
		t.Errorf("%v is due", in.Kind)
	}
}
