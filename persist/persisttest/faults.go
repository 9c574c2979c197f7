package persisttest

import (
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
)

// Poison proves that finals the backend itself refuses hold up no other. The caller has made the
// store refuse results whose summary is "poison".
func Poison(t *testing.T, s persist.Store) {
	t.Helper()
	var finals, fine []room.Final
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
	if _, err := s.Result(t.Context(), finals[17].Room); !errors.Is(err, persist.ErrNotFound) {
		t.Errorf("the poisoned result: %v", err)
	}
	Audit(t, s, fine)
}

// SilentHolder proves that a boot not heard for FreshFor is fenced from anywhere. age makes every heartbeat
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

// Prune proves that what is older than its retention goes and nothing else. age makes every result and
// replay an hour older.
func Prune(t *testing.T, s persist.Store, age func()) {
	t.Helper()
	old, young := Game("chess", "ann", "bob"), Game("chess", "ann", "bob")
	wrote(t, s, []room.Final{old}, persist.Written)
	age()
	wrote(t, s, []room.Final{young}, persist.Written)
	ratings := get[room.Profile](t)(s.Player(t.Context(), "ann")).Games[0]
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
	if !errors.Is(result, persist.ErrNotFound) || !errors.Is(row, persist.ErrNotFound) {
		t.Errorf("of the pruned there is a result (%v) or a row (%v)", result, row)
	}
	get[[]byte](t)(s.Replay(t.Context(), young.Room))
	get[room.Row](t)(s.Row(t.Context(), young.Room))
	ann := get[room.Profile](t)(s.Player(t.Context(), "ann"))
	if len(ann.Recent) != 1 || ann.Games[0].Games != 2 || *ann.Games[0].Rating != *ratings.Rating {
		t.Errorf("ann is %+v", ann)
	}
}
