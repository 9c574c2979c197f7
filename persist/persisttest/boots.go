package persisttest

import (
	"errors"
	"reflect"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/record"
)

// fenced starts a boot in the same place as old, which fences old.
func fenced(t *testing.T, s persist.Store, old persist.Boot) persist.Boot {
	t.Helper()
	b := NewBoot()
	b.Folder, b.PID = old.Folder, old.PID+1
	must(t, s.StartBoot(t.Context(), b))
	return b
}

func bootInfo(t *testing.T, s persist.Store, id record.BootID) persist.BootInfo {
	t.Helper()
	for _, b := range get[[]persist.BootInfo](t)(s.Boots(t.Context())) {
		if b.ID == id {
			return b
		}
	}
	t.Fatalf("no boot %s", id)
	return persist.BootInfo{}
}

func testBootStarted(t *testing.T, s persist.Store) {
	b := Started(t, s)
	must(t, s.Heartbeat(t.Context(), b.ID))
	must(t, s.StartBoot(t.Context(), b)) // the first answer was lost
	got := bootInfo(t, s, b.ID)
	if since := time.Since(got.Started); since < -time.Minute || since > time.Minute || got.Silent > time.Minute {
		t.Errorf("started %v, silent %v", got.Started, got.Silent)
	}
	b.Locked = false // is not stored
	if want := (persist.BootInfo{Boot: b, State: persist.BootAlive, Started: got.Started, Silent: got.Silent}); !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, want %+v", got, want)
	}
	if fences := get[[]persist.Fence](t)(s.Fences(t.Context(), 0)); len(fences) != 0 {
		t.Errorf("fences %+v", fences)
	}
}

func testBootFenced(t *testing.T, s persist.Store) {
	old, other := Started(t, s), Started(t, s)
	b := fenced(t, s, old)
	if got := bootInfo(t, s, old.ID); got.State != persist.BootDead || got.Fence != 1 {
		t.Errorf("old boot %+v", got)
	}
	if err := s.Heartbeat(t.Context(), old.ID); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("heartbeat of the dead: %v", err)
	}
	if err := s.StartBoot(t.Context(), old); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("start of the dead: %v", err)
	}
	must(t, s.EndBoot(t.Context(), old.ID))
	if got := bootInfo(t, s, old.ID); got.State != persist.BootDead {
		t.Errorf("the dead ended: %+v", got)
	}
	must(t, s.Heartbeat(t.Context(), b.ID))
	must(t, s.Heartbeat(t.Context(), other.ID))
	fences := get[[]persist.Fence](t)(s.Fences(t.Context(), 0))
	if len(fences) != 1 || fences[0].Boot != old.ID || fences[0].By != b.ID || fences[0].Number != 1 {
		t.Errorf("fences %+v", fences)
	}
}

// testAdoptedFolder starts boots of a folder with a former id, which a dead process and a living one served.
func testAdoptedFolder(t *testing.T, s persist.Store) {
	gone, lives := Started(t, s), Started(t, s)
	b := NewBoot()
	b.Host, b.Path, b.Former = gone.Host, gone.Path, []string{gone.Folder}
	must(t, s.StartBoot(t.Context(), b))
	if got := bootInfo(t, s, gone.ID); got.State != persist.BootDead {
		t.Errorf("the process of the former id: %+v", got)
	}
	c := NewBoot()
	c.Path, c.Former = "/home/copy", []string{"another", lives.Folder}
	if _, refused := errors.AsType[*persist.FolderInUseError](s.StartBoot(t.Context(), c)); !refused {
		t.Error("a folder was taken over whose process lives")
	}
	must(t, s.Heartbeat(t.Context(), lives.ID))
}

func testFolderInUse(t *testing.T, s persist.Store) {
	old := Started(t, s)
	for name, change := range map[string]func(*persist.Boot){
		"another host":            func(b *persist.Boot) { b.Host = "elsewhere" },
		"a copy on the same host": func(b *persist.Boot) { b.Path = "/home/copy" },
		"without the lock":        func(b *persist.Boot) { b.Locked = false },
	} {
		b := NewBoot()
		b.Folder = old.Folder
		change(&b)
		err := s.StartBoot(t.Context(), b)
		inUse, ok := errors.AsType[*persist.FolderInUseError](err)
		if !ok {
			t.Fatalf("%s: %v", name, err)
		}
		if inUse.Holder.ID != old.ID || inUse.RetryAfter() > persist.FreshFor || inUse.RetryAfter() <= 0 {
			t.Errorf("%s: %+v", name, inUse)
		}
		for _, word := range []string{old.Host, old.Path, "4711"} {
			if !strings.Contains(err.Error(), word) {
				t.Errorf("%s: the error does not name %s: %v", name, word, err)
			}
		}
		if err := s.Heartbeat(t.Context(), b.ID); !errors.Is(err, persist.ErrBootDead) {
			t.Errorf("%s: the refused boot was written: %v", name, err)
		}
	}
	must(t, s.Heartbeat(t.Context(), old.ID))
}

func testBootEnded(t *testing.T, s persist.Store) {
	old := Started(t, s)
	must(t, s.EndBoot(t.Context(), old.ID))
	if got := bootInfo(t, s, old.ID); got.State != persist.BootEnded || got.Fence != 0 {
		t.Errorf("ended %+v", got)
	}
	b := NewBoot()
	b.Folder, b.Host = old.Folder, "elsewhere" // a folder that was moved in good order
	must(t, s.StartBoot(t.Context(), b))
	if fences := get[[]persist.Fence](t)(s.Fences(t.Context(), 0)); len(fences) != 0 {
		t.Errorf("an ended boot was fenced: %+v", fences)
	}
	if err := s.Heartbeat(t.Context(), old.ID); !errors.Is(err, persist.ErrBootDead) {
		t.Errorf("heartbeat of the ended: %v", err)
	}
}

func testFencesAreDense(t *testing.T, s persist.Store) {
	var group sync.WaitGroup
	for range 5 {
		group.Go(func() {
			b := NewBoot()
			if err := s.StartBoot(t.Context(), b); err != nil {
				t.Error(err)
			}
			for range 4 {
				next := NewBoot()
				next.Folder = b.Folder
				if err := s.StartBoot(t.Context(), next); err != nil {
					t.Error(err)
				}
			}
		})
	}
	group.Wait()
	fences := get[[]persist.Fence](t)(s.Fences(t.Context(), 0))
	if len(fences) != 20 {
		t.Fatalf("%d fences", len(fences))
	}
	for i, f := range fences {
		if f.Number != uint64(i+1) {
			t.Fatalf("fence %d has number %d", i, f.Number)
		}
	}
	if tail := get[[]persist.Fence](t)(s.Fences(t.Context(), 18)); len(tail) != 3 || tail[0] != fences[17] {
		t.Errorf("from 18: %+v", tail)
	}
}
