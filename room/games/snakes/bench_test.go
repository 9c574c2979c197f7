package snakes_test

import (
	"testing"

	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/wire"
)

// BenchmarkTick is a tick of thirty snakes through a whole room: step, difference, and the turn encoded.
// Eighteen players go straight on over the edges, twelve built-in snakes steer.
func BenchmarkTick(b *testing.B) {
	fresh := func() *table {
		r := seat(b, 18, `{"walls": false, "width": 128, "height": 128, "bots": 12, "round_s": 900}`)
		r.until(snakes.Playing)
		return r
	}
	r, moved, ticks := fresh(), 0, 0
	b.ReportAllocs()
	for b.Loop() {
		if len(r.game().Snakes) < 20 || r.game().Phase != snakes.Playing {
			b.StopTimer()
			r = fresh()
			b.StartTimer()
		}
		in, _ := r.core.Due(r.core.Now() + 1e8)
		if _, err := r.core.Step(in); err != nil {
			b.Fatal(err)
		}
		for _, o := range r.core.Commit(r.core.Point().Seq) {
			if turned, ok := o.(core.Turned); ok {
				turned.Frame.Bytes(wire.JSON)
				turned.Frame.Bytes(wire.CBOR)
			}
		}
		moved, ticks = moved+len(r.game().Snakes), ticks+1
	}
	b.ReportMetric(float64(moved)/float64(ticks), "snakes/op")
}
