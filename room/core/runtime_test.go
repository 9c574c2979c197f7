package core_test

import (
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// firstRuntime replaces the bench's room by a room of the first runtime.
func (b *bench) firstRuntime() {
	b.t.Helper()
	b.cfg.Header.Runtime = 1
	machine, entries, err := core.Open(b.cfg, 1)
	if err != nil {
		b.t.Fatal(err)
	}
	b.core, b.entries = machine, entries
}

// move restores the room in a program that lacks the first runtime.
func (b *bench) move() {
	b.t.Helper()
	snap, err := b.core.Snapshot()
	if err != nil {
		b.t.Fatal(err)
	}
	b.snaps = []record.Snapshot{snap}
	b.cfg.OldestRuntime = 2
	b.restart()
	in, ok := b.core.Pending()
	if !ok || in.Runtime != core.RuntimeVersion {
		b.t.Fatalf("pending is %+v, %v", in.Kind, ok)
	}
	b.step(in)
	for _, s := range b.core.Seats() {
		b.step(core.Input{Kind: core.KindDetach, Player: s.Player, At: b.core.Now()})
	}
}

// restart restores the room and opens the next epoch.
func (b *bench) restart() {
	b.t.Helper()
	var err error
	if b.core, err = core.Restore(b.cfg, b.kept()); err != nil {
		b.t.Fatal(err)
	}
	b.step(core.Input{Kind: core.KindEpoch, Epoch: b.core.Point().Epoch + 1, At: b.core.Now()})
}

// TestARoomMovesToAnotherRuntime checks that clients find the room as they left it, and that it continues by the new runtime.
func TestARoomMovesToAnotherRuntime(t *testing.T) {
	b := newBench(t, counterRules(), "")
	b.firstRuntime()
	m := b.join("x")
	b.act(m, `{"BY":7}`) // the first runtime ignores the case of names
	b.all()
	if got := canonical(t, m.view); got != `{"sum":7}` {
		t.Fatalf("the first runtime makes %s of it", got)
	}
	b.move()
	b.attach(m, new(m.point))
	m.sent--
	b.act(m, `{"BY":7}`) // the same act again gets the same answer
	b.act(m, `{"BY":7}`)
	b.act(m, `{"by":1}`)
	b.all()
	if got := canonical(t, m.view); got != `{"sum":8}` || m.acked[1] != "ack" || !strings.HasPrefix(m.acked[2], "reject") {
		t.Errorf("after the move it shows %s and answered %v", got, m.acked)
	}
	b.checkViews()
	for name, oldest := range map[string]int{"both": 1, "the newer": 2} {
		for _, snaps := range [][]record.Snapshot{nil, b.snaps} {
			cfg, kept := b.cfg, b.kept()
			cfg.OldestRuntime, kept.Snapshots = oldest, snaps
			c, err := core.Restore(cfg, kept)
			if err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			if _, again := c.Pending(); again {
				t.Errorf("%s: it is to be moved once more", name)
			}
			if v, _ := c.WholeView(room.Spectator); string(v) != `{"sum":8}` {
				t.Errorf("%s: it shows %s", name, v)
			}
		}
	}
}

// TestAMoveIsVerified replays a log whose acts lead to another state than the one that the move carries.
func TestAMoveIsVerified(t *testing.T) {
	b := newBench(t, counterRules(), "")
	b.firstRuntime()
	m := b.join("x")
	b.act(m, `{"by":7}`)
	b.move()
	for i, e := range b.entries {
		b.entries[i].Checks = nil // so that the checksums of views do not show the difference
		if e.Kind == core.KindAct {
			b.entries[i].Data = []byte(`{"by":8}`)
		}
	}
	kept := b.kept()
	kept.Snapshots = nil
	cfg := b.cfg
	if _, err := core.Restore(cfg, kept); err != nil {
		t.Errorf("a program without the first runtime: %v", err)
	}
	cfg.OldestRuntime = 1
	_, err := core.Restore(cfg, kept)
	if _, ok := errors.AsType[*core.DivergedError](err); !ok {
		t.Errorf("a program with the first runtime: %v", err)
	}
}

// TestAMoveNeedsASnapshot checks that a move needs a snapshot at the end of the log and a program with the new runtime.
func TestAMoveNeedsASnapshot(t *testing.T) {
	b := newBench(t, counterRules(), "")
	b.firstRuntime()
	m := b.join("x")
	snap, err := b.core.Snapshot()
	if err != nil {
		t.Fatal(err)
	}
	b.act(m, `{"by":7}`)
	dropped := b.cfg
	dropped.OldestRuntime = 2
	for _, snaps := range [][]record.Snapshot{nil, {snap}} {
		kept := b.kept()
		kept.Snapshots = snaps
		for by, err := range map[string]error{"Restore": func() error { _, err := core.Restore(dropped, kept); return err }(), "CheckVersion": core.CheckVersion(dropped, kept)} {
			if wrong, ok := errors.AsType[*core.VersionError](err); !ok || !wrong.Runtime || wrong.Need != 1 ||
				!strings.Contains(err.Error(), "versions 2 to") || !strings.Contains(err.Error(), "cleanly") {
				t.Errorf("%s with %d snapshots: %v", by, len(snaps), err)
			}
		}
	}
	b.move()
	i := slices.IndexFunc(b.entries, func(e core.Entry) bool { return e.Kind == core.KindUpgrade })
	b.entries[i].Runtime = core.RuntimeVersion + 1
	kept := b.kept()
	kept.Snapshots = nil
	_, err = core.Restore(b.cfg, kept)
	if wrong, ok := errors.AsType[*core.VersionError](err); !ok || !wrong.Runtime || wrong.Need != core.RuntimeVersion+1 {
		t.Errorf("moved to a later runtime: %v", err)
	}
}

// TestAMovedRoomIsCut checks that a moved room cuts its log, unlike the first runtime, and continues after the cut.
func TestAMovedRoomIsCut(t *testing.T) {
	b := newBench(t, worldRules(0), "")
	b.firstRuntime()
	m := b.join("x")
	b.move()
	b.attach(m, nil)
	if cuts, _ := b.playPastBound(m, 100); cuts == 0 {
		t.Fatal("it is not cut")
	}
	kept := b.kept()
	kept.Snapshots = nil
	last := 0
	for i, e := range b.entries {
		if e.Kind == core.KindCut {
			last = i
		}
	}
	tail := b.entries[last:]
	raw, err := core.EncodeEntries(nil, tail...)
	if err != nil {
		t.Fatal(err)
	}
	kept.Batches = []record.Batch{{Room: kept.Header.ID, First: tail[0].Index, Last: tail[len(tail)-1].Index, Begins: true, Entries: raw}}
	for _, oldest := range []int{1, 2} {
		cfg := b.cfg
		cfg.OldestRuntime = oldest
		if _, err := core.Restore(cfg, kept); err != nil {
			t.Errorf("by a program that has runtimes from %d on: %v", oldest, err)
		}
	}
}

// TestAMovedRoomCountsEverybody checks that nobody is left out of the result, because the first runtime did not count acts.
func TestAMovedRoomCountsEverybody(t *testing.T) {
	b := newBench(t, matchRules, "")
	b.firstRuntime()
	x, y := b.join("x"), b.join("y")
	b.move()
	b.attach(x, nil)
	b.attach(y, nil)
	b.step(core.Input{Kind: core.KindTimer, Name: "end", At: time.Hour})
	f := b.core.Final()
	if f == nil || f.End != record.Finished || len(f.Result.Outcomes) != 2 {
		t.Fatalf("it ends as %+v", f)
	}
	if sealed, err := b.core.Seal(); err != nil || sealed.Played != nil {
		t.Errorf("it says that %+v was played, %v", sealed.Played, err)
	}
}

// TestAFinishedRoomMoves moves a finished room that players still see. Its replay ends where the game did.
func TestAFinishedRoomMoves(t *testing.T) {
	b := newBench(t, matchRules, "")
	b.firstRuntime()
	x := b.join("x")
	b.join("y")
	b.step(core.Input{Kind: core.KindTimer, Name: "end", At: time.Hour})
	was := b.core.Final()
	b.move()
	is, err := b.core.Seal()
	if err != nil || is.Hash != was.Sum() {
		t.Fatalf("its end was %+v and is %+v, %v", was, is, err)
	}
	r, err := core.ReadReplay(is.Replay.Reader())
	if err != nil || r.Entries[len(r.Entries)-1].Index != was.Point.Seq {
		t.Errorf("its replay has %d inputs and the game had %d: %v", len(r.Entries), was.Point.Seq, err)
	}
	if b.attach(x, nil); b.core.Final() == nil {
		t.Error("it goes on")
	}
}
