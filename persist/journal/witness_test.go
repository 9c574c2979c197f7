package journal_test

import (
	"fmt"
	"slices"
	"sync"
	"testing"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
)

// witness notes what it is told.
type witness struct {
	mu     sync.Mutex
	before bool // what Before answers
	heard  []string
}

func (w *witness) Before(room.ID, uint64) bool { return w.before }

func (w *witness) Long(id room.ID, fingerprint uint64)  { w.note("long", id, fingerprint) }
func (w *witness) After(id room.ID, fingerprint uint64) { w.note("after", id, fingerprint) }

func (w *witness) note(what string, id room.ID, fingerprint uint64) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.heard = append(w.heard, fmt.Sprintf("%s %s %d", what, id, fingerprint))
}

func (w *witness) take() []string {
	w.mu.Lock()
	defer w.mu.Unlock()
	heard := w.heard
	w.heard = nil
	return heard
}

// TestWitnessHearsOfLongSteps: once each, and of their end.
func TestWitnessHearsOfLongSteps(t *testing.T) {
	box, w := open(t, t.TempDir(), journal.Options{}).BlackBox(), &witness{}
	box.Watch(w)
	expect := func(when string, want ...string) {
		t.Helper()
		if got := w.take(); !slices.Equal(got, want) {
			t.Errorf("%s it heard %q, not %q", when, got, want)
		}
	}
	long := box.Begin(roomID(1), 41)
	box.Scan()
	expect("after one scan")
	for i := range 5 { // each has the slot that the one before has given back
		box.Begin(roomID(2), uint64(i)).Release()
		step := box.Begin(roomID(2), 99)
		if box.Scan(); i == 0 {
			expect("after the second scan", fmt.Sprintf("long %s 41", roomID(1)))
		}
		step.Release()
	}
	expect("of quick steps and of one step again")
	long.Release()
	expect("at the end", fmt.Sprintf("after %s 41", roomID(1)))

	w.before = true
	told := box.Begin(roomID(3), 7)
	box.Scan()
	box.Scan()
	expect("of a step that it knows")
	told.Release()
	expect("at that step's end", fmt.Sprintf("after %s 7", roomID(3)))
}

// TestScanBesideSteps is for the race detector, and checks that what is told began and ends once.
func TestScanBesideSteps(t *testing.T) {
	box, w := open(t, t.TempDir(), journal.Options{BlackBoxSlots: 4}).BlackBox(), &witness{}
	box.Watch(w)
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for n := range uint64(3000) {
				box.Begin(roomID(i), n).Release()
			}
		})
	}
	done := make(chan struct{})
	go func() { wg.Wait(); close(done) }()
	for running := true; running; {
		select {
		case <-done:
			running = false
		default:
			box.Scan()
		}
	}
	open := map[string]bool{}
	for _, what := range w.take() {
		var kind, step, fingerprint string
		if _, err := fmt.Sscan(what, &kind, &step, &fingerprint); err != nil {
			t.Fatal(err)
		}
		step += fingerprint
		if kind == "long" {
			if open[step] {
				t.Fatalf("%s was told twice", step)
			}
			open[step] = true
		} else {
			delete(open, step)
		}
	}
	if len(open) > 0 {
		t.Errorf("steps that were told did not end: %v", open)
	}
}

// TestStrikesCount: what other processes died in counts with what this folder's processes died in, and survives them.
func TestStrikesCount(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.create(roomID(1), roomID(2))
	strike := func(deaths int) {
		t.Helper()
		if err := n.BlackBox().Strike(within(t), roomID(1), 42, deaths); err != nil {
			t.Fatal(err)
		}
	}
	strike(1)
	n.BlackBox().Begin(roomID(1), 42).Release() // comes through, but only just after the death
	if got := n.BlackBox().Deaths(roomID(1), 42); got != 1 {
		t.Errorf("%d deaths are known, not 1", got)
	}
	n.close()
	die(t, "overflow", dir)
	n = open(t, dir, journal.Options{})
	if p, poisoned := n.BlackBox().Poisoned(roomID(1)); !poisoned || p.Tries != 2 || p.Fingerprint != 42 {
		t.Errorf("after a death elsewhere and one here: %+v, %v", p, poisoned)
	}
	strike(1)
	if got := n.BlackBox().Deaths(roomID(1), 42); got != 2 {
		t.Errorf("a strike has lowered the deaths to %d", got)
	}
	strike(3)
	n.close()
	n = open(t, dir, journal.Options{})
	if p, _ := n.BlackBox().Poisoned(roomID(1)); p.Tries != 3 {
		t.Errorf("after three deaths: %+v", p)
	}
	if p, poisoned := n.BlackBox().Poisoned(roomID(2)); poisoned {
		t.Errorf("the innocent room: %+v", p)
	}
}
