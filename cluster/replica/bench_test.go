package replica_test

import (
	"sync"
	"sync/atomic"
	"syscall"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// BenchmarkAct has forty rooms act at the same time, each of which waits for its ack, with rooms in one journal and in two. One operation is
// an act and its ack. The difference of the two is what a standby costs, at both nodes together: CPU time, for the clock says little here.
func BenchmarkAct(b *testing.B) {
	for _, durability := range []room.Durability{room.Local, room.Standby} {
		b.Run(string(durability), func(b *testing.B) {
			w := newWorld(b, "a", "b")
			players := make([]*player, 40)
			for i := range players {
				info, err := w.node("a").Create(b.Context(), actor.Create{Game: "adder", Durability: durability})
				if err != nil {
					b.Fatal(err)
				}
				players[i] = w.node("a").join(info.ID, "x", 0)
				players[i].act(`{"add":1}`)
				players[i].acked()
				if durability == room.Standby {
					w.standby(info.ID)
				}
			}
			b.ReportAllocs()
			before := cpu(b)
			b.ResetTimer()
			var left atomic.Int64
			left.Store(int64(b.N))
			var wg sync.WaitGroup
			for _, p := range players {
				wg.Go(func() {
					for left.Add(-1) >= 0 {
						p.act(`{"add":1,"pad":"0123456789012345678901234567890123456789"}`)
						for p.read(); p.acks < p.cseq; p.read() {
							<-p.wake
						}
					}
				})
			}
			wg.Wait()
			b.StopTimer()
			b.ReportMetric(float64(cpu(b)-before)/float64(b.N), "cpu-ns/op")
		})
	}
}

// cpu is the CPU time of this process so far, in nanoseconds.
func cpu(b *testing.B) int64 {
	var u syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &u); err != nil {
		b.Fatal(err)
	}
	return u.Utime.Nano() + u.Stime.Nano()
}
