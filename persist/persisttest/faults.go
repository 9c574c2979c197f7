package persisttest

import (
	"errors"
	"testing"

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
