package journal_test

import (
	"fmt"
	"math/rand/v2"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// BenchmarkAppend appends a batch of 100 bytes to every room as soon as its last one is acknowledged.
func BenchmarkAppend(b *testing.B) {
	for _, rooms := range []int{1, 50, 500} {
		b.Run(fmt.Sprintf("rooms=%d", rooms), func(b *testing.B) {
			n := open(b, b.TempDir(), journal.Options{})
			entries := make([]byte, 100)
			var wg sync.WaitGroup
			b.ReportAllocs()
			for r := range rooms {
				n.create(roomID(r))
				turns := b.N / rooms
				wg.Go(func() {
					acked := make(chan error, 1)
					for i := range room.Index(turns) {
						batch := record.Batch{Room: roomID(r), Epoch: 1, First: i + 1, Last: i + 1, Entries: entries}
						if err := n.Append(batch, nil, func(err error) { acked <- err }); err != nil {
							b.Error(err)
							return
						}
						<-acked
					}
				})
			}
			wg.Wait()
		})
	}
}

func BenchmarkLoad(b *testing.B) {
	dir := b.TempDir()
	n := open(b, dir, journal.Options{})
	for r := range 1000 {
		id := roomID(r)
		n.create(id)
		for i := range room.Index(100) {
			if err := n.Append(batch(id, 1, i+1, i+1), nil, nil); err != nil {
				b.Fatal(err)
			}
			if i%10 == 9 {
				time.Sleep(10 * time.Microsecond) // so that the log is in several rows
			}
		}
	}
	b.ReportMetric(1000, "rooms/op")
	for b.Loop() {
		for _, err := range n.Rooms(within(b)) {
			if err != nil {
				b.Fatal(err)
			}
		}
	}
}

func BenchmarkBlackBox(b *testing.B) {
	box := open(b, b.TempDir(), journal.Options{}).BlackBox()
	id := roomID(7)
	b.Run("one", func(b *testing.B) {
		b.ReportAllocs()
		for i := uint64(0); b.Loop(); i++ {
			box.Begin(id, i).Release()
		}
	})
	b.Run("parallel", func(b *testing.B) {
		b.ReportAllocs()
		b.RunParallel(func(pb *testing.PB) {
			id := roomID(rand.Int())
			for pb.Next() {
				box.Begin(id, 1).Release()
			}
		})
	})
}

func TestBlackBoxAllocatesNothing(t *testing.T) {
	box := open(t, t.TempDir(), journal.Options{}).BlackBox()
	id := roomID(7)
	if got := testing.AllocsPerRun(1000, func() { box.Begin(id, 1).Release() }); got != 0 {
		t.Errorf("a step costs %v allocations", got)
	}
}

func TestBlackBoxHasABound(t *testing.T) {
	n := open(t, t.TempDir(), journal.Options{BlackBoxSlots: 8})
	var steps []journal.Step
	for i := range 10 {
		steps = append(steps, n.BlackBox().Begin(roomID(i), uint64(i)))
	}
	if got := n.Stats().Missed; got != 2 {
		t.Errorf("%d steps were missed", got)
	}
	for _, s := range steps {
		s.Release()
	}
	var wg sync.WaitGroup
	for i := range 4 {
		wg.Go(func() {
			for range 1000 {
				n.BlackBox().Begin(roomID(i), 1).Release()
			}
		})
	}
	wg.Wait()
	if got := n.Stats().Missed; got != 2 {
		t.Errorf("%d steps were missed though slots are free", got)
	}
}
