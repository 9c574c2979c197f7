package ws_test

import (
	"encoding/json"
	"io"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
)

// BenchmarkFanOut sends a message to 50 sockets. Time and allocations are those of all of them, kernel included, and of their readers,
// which are bare TCP connections of this process.
func BenchmarkFanOut(b *testing.B) {
	const n = 50
	e := newEndpoint(b, nil)
	for range n {
		nc, br := rawSocket(b, e)
		rawHello(b, nc)
		_ = nc.SetDeadline(time.Time{})
		go func() { _, _ = io.Copy(io.Discard, br) }()
	}
	testwait.Until(b, "all are in", func() bool { return e.hall.size() == n })
	sent := func() int {
		e.meter.mu.Lock()
		defer e.meter.mu.Unlock()
		return e.meter.out
	}
	testwait.Until(b, "all are welcome", func() bool { return sent() == n })
	data := json.RawMessage(`{"x":12,"y":34}`)
	writes := e.meter.written()
	b.ReportAllocs()
	rounds := 0
	for b.Loop() {
		rounds++
		e.hall.mu.Lock()
		e.hall.say(data)
		e.hall.mu.Unlock()
		for sent() < n*(rounds-16) { // a little ahead, as a room is
			time.Sleep(100 * time.Microsecond)
		}
	}
	testwait.Until(b, "all is sent", func() bool { return sent() == n*(rounds+1) })
	b.ReportMetric(float64(b.Elapsed().Nanoseconds())/float64(n*rounds), "ns/message")
	b.ReportMetric(float64(n*rounds)/float64(e.meter.written()-writes), "messages/write")
}
