package api

import (
	"net/http"
	"sync"
	"time"
)

// pacedWriter writes an answer that holds something others wait for, to a reader who may not keep it for ever: each piece
// must be taken within stall, and all of them together at rate or faster. What goes before the first write takes no time of it.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	rate    float64   // bytes a second
	end     time.Time // of the whole answer

	work    chan struct{} // what is held beside writing, and given back during a write; nil: nothing
	written int
	waited  time.Duration // in writes

	mu      sync.Mutex
	writing time.Time // since when the reader has taken nothing; zero between writes
	gone    bool      // the reader is cut off
}

// piece is the most that is written under one deadline.
const piece = 16 << 10

func newPacedWriter(w http.ResponseWriter, stall time.Duration, rate int, end time.Time) *pacedWriter {
	return &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w), stall: stall, rate: float64(rate), end: end}
}

// Write fails once the reader is too slow.
func (w *pacedWriter) Write(p []byte) (n int, err error) {
	work := w.work
	if w.work = nil; work != nil {
		<-work
	}
	for err == nil && n < len(p) {
		began := time.Now()
		w.allow(began)
		var m int
		m, err = w.ResponseWriter.Write(p[n:min(n+piece, len(p))])
		n += m
		w.written += m
		w.waited += time.Since(began)
	}
	w.mu.Lock()
	w.writing = time.Time{}
	w.mu.Unlock()
	if work != nil && err == nil {
		work <- struct{}{}
		w.work = work
	}
	return n, err
}

// allow sets how long the next write may take. Where that cannot be set, as in some tests, there is no limit.
func (w *pacedWriter) allow(now time.Time) {
	taken := time.Duration(float64(w.written) / w.rate * float64(time.Second))
	deadline := now.Add(w.stall + min(taken-w.waited, 0))
	if deadline.After(w.end) {
		deadline = w.end
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing = now; !w.gone {
		_ = w.control.SetWriteDeadline(deadline)
	}
}

// idle is how long the reader has taken nothing of what is being written. Others may ask.
func (w *pacedWriter) idle() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing.IsZero() {
		return 0
	}
	return time.Since(w.writing)
}

// cut has the write under way fail, and all that follow. Others may call it, while the answer is not over.
func (w *pacedWriter) cut() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.gone = true
	_ = w.control.SetWriteDeadline(time.Now())
}

// finish gives what the HTTP server still holds its time, however long ago the last write was.
func (w *pacedWriter) finish() { w.allow(time.Now()) }
