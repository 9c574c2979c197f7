package persisttest

import (
	"bytes"
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Poison checks that all other finals are written when the backend refuses some. The caller has made the
// store refuse results whose summary is "poison".
func Poison(t *testing.T, s persist.Store) {
	t.Helper()
	var finals, fine []record.Final
	var want []persist.Outcome
	for i := range 40 {
		f := Game("chess", "ann", "bob")
		if i == 0 || i == 17 || i == 18 || i == 39 {
			f.Result.Summary = "poison"
			finals, want = append(finals, Seal(f)), append(want, persist.Unwritable)
			continue
		}
		finals, want, fine = append(finals, f), append(want, persist.Written), append(fine, f)
	}
	wrote(t, s, finals, want...)
	if _, err := s.Result(t.Context(), finals[17].Room); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("the poisoned result: %v", err)
	}
	Audit(t, s, fine)
}

// SilentHolder checks that a boot elsewhere fences one whose last heartbeat is older than FreshFor. age makes every heartbeat
// older than that.
func SilentHolder(t *testing.T, s persist.Store, age func()) {
	t.Helper()
	old := Started(t, s)
	elsewhere := NewBoot()
	elsewhere.Folder, elsewhere.Host, elsewhere.Locked = old.Folder, "elsewhere", false
	if _, ok := errors.AsType[*persist.FolderInUseError](s.StartBoot(t.Context(), elsewhere)); !ok {
		t.Fatal("a fresh holder was fenced")
	}
	age()
	if silent := bootInfo(t, s, old.ID).Silent; silent < persist.FreshFor {
		t.Fatalf("silent for %v", silent)
	}
	must(t, s.StartBoot(t.Context(), elsewhere))
	if err := s.Heartbeat(t.Context(), old.ID); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("the old boot's heartbeat: %v", err)
	}
}

// Forget checks that Boots.Forget gives up a lost node with its rooms, and nothing else. age makes every
// heartbeat older than FreshFor.
func Forget(t *testing.T, s persist.Store, age func()) {
	t.Helper()
	lost, other, restarted := Started(t, s), Started(t, s), Started(t, s) // all of node "one", each with a folder of its own
	by := NewBoot()
	by.Node = "asked"
	must(t, s.StartBoot(t.Context(), by))
	theirs, kept, held, gone := created(t, s, lost), created(t, s, other), created(t, s, restarted), created(t, s, lost)
	get[record.RowResult](t)(s.ReleaseRow(t.Context(), lost.ID, record.Release{Room: gone.Room, FromEpoch: 1, Epoch: 2, Nonce: Nonce(), Checkpoint: record.Checkpoint{Data: []byte("x")}}))
	forget := func(node string, heard ...record.BootID) (persist.ForgotNode, error) {
		return s.Forget(t.Context(), by.ID, node, heard)
	}
	if _, ok := errors.AsType[*persist.NodeLivesError](second(forget("one"))); !ok {
		t.Fatal("a node that was heard a moment ago was forgotten")
	}
	if _, err := forget("two"); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("a node that never was: %v", err)
	}
	again := restarted
	again.ID += "-again"
	must(t, s.StartBoot(t.Context(), again)) // and holds a room that it has not claimed
	age()
	must(t, s.Heartbeat(t.Context(), by.ID))
	must(t, s.Heartbeat(t.Context(), again.ID))
	if got, err := forget("one", other.ID); err != nil || got != (persist.ForgotNode{Boots: 1, Rooms: 1}) {
		t.Fatalf("forgot %+v, %v", got, err)
	}
	if got, err := forget("one", other.ID); err != nil || got != (persist.ForgotNode{}) {
		t.Errorf("again: forgot %+v, %v", got, err)
	}
	if alive, ok := errors.AsType[*persist.NodeLivesError](second(forget("asked", by.ID))); !ok || !alive.Heard {
		t.Errorf("a node that gossips: %+v", alive)
	}
	must(t, s.Heartbeat(t.Context(), other.ID))
	wantRow(t, s, kept)
	wantRow(t, s, held)
	if row := get[record.Row](t)(s.Row(t.Context(), gone.Room)); row.State != record.RowReleased {
		t.Errorf("a room that had been released: %+v", row)
	}
	theirs.State, theirs.Epoch = record.RowOver, theirs.Epoch+1
	wantRow(t, s, theirs)
	result := get[record.StoredResult](t)(s.Result(t.Context(), theirs.Room))
	if result.End != record.Aborted || result.Result.Reason != persist.LostReason || result.Point != (record.Point{Epoch: 1}) {
		t.Errorf("its end: %+v", result)
	}
	if replay, err := core.ReadReplay(bytes.NewReader(replayOf(t, s, theirs.Room))); err != nil || replay.Header.Game != theirs.Game {
		t.Errorf("its replay: %+v, %v", replay, err)
	}
	// The lost node comes back after all.
	if err := s.Heartbeat(t.Context(), lost.ID); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("its heartbeat: %v", err)
	}
	if got := claim(t, s, fenced(t, s, lost), claimOf(theirs, lost)); !errors.Is(got.Err, record.ErrMovedOn) || got.Row.State != record.RowOver {
		t.Errorf("it claims its room: %+v", got)
	}
}

func second[T any](_ T, err error) error { return err }

// Prune checks that exactly what is older than its retention is deleted. age makes every result and
// replay an hour older.
func Prune(t *testing.T, s persist.Store, age func()) {
	t.Helper()
	old, young := Game("chess", "ann", "bob"), Game("chess", "ann", "bob")
	wrote(t, s, []record.Final{old}, persist.Written)
	age()
	wrote(t, s, []record.Final{young}, persist.Written)
	ratings := get[record.Profile](t)(s.Player(t.Context(), "ann", true)).Games[0]
	const keep = 30 * time.Minute
	for _, c := range []struct {
		keep persist.Retention
		want persist.Pruned
	}{
		{persist.Retention{}, persist.Pruned{}},
		{persist.Retention{Replays: 2 * time.Hour, Results: 2 * time.Hour}, persist.Pruned{}},
		{persist.Retention{Replays: keep}, persist.Pruned{Replays: 1}},
		{persist.Retention{Replays: keep, Results: keep}, persist.Pruned{Results: 1}},
		{persist.Retention{Replays: keep, Results: keep}, persist.Pruned{}},
	} {
		if got := get[persist.Pruned](t)(s.Prune(t.Context(), c.keep)); got != c.want {
			t.Errorf("%+v pruned %+v, want %+v", c.keep, got, c.want)
		}
	}
	_, result := s.Result(t.Context(), old.Room)
	_, row := s.Row(t.Context(), old.Room)
	if !errors.Is(result, record.ErrNotFound) || !errors.Is(row, record.ErrNotFound) {
		t.Errorf("of the pruned there is a result (%v) or a row (%v)", result, row)
	}
	replayOf(t, s, young.Room)
	get[record.Row](t)(s.Row(t.Context(), young.Room))
	ann := get[record.Profile](t)(s.Player(t.Context(), "ann", true))
	if len(ann.Recent) != 1 || ann.Games[0].Games != 2 || *ann.Games[0].Rating != *ratings.Rating {
		t.Errorf("ann is %+v", ann)
	}
}
