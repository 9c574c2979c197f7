package api

import (
	"net/http"
	"sync"
	"time"
)

// pacedWriter writes an answer that keeps others waiting. Its reader must take each piece within stall, and the whole at rate or
// faster. The time before the first write does not count.
type pacedWriter struct {
	http.ResponseWriter
	control *http.ResponseController
	stall   time.Duration
	rate    float64   // bytes a second
	end     time.Time // of the whole answer

	work    chan struct{} // a semaphore that is held but for the time of writes; nil: none
	written int
	waited  time.Duration // in writes

	mu      sync.Mutex
	writing time.Time // since when the reader has taken nothing; zero between writes
	cut     bool      // the reader is cut off
}

// piece is the most that is written under one deadline.
const piece = 16 << 10

func newPacedWriter(w http.ResponseWriter, stall time.Duration, rate int, end time.Time) *pacedWriter {
	return &pacedWriter{ResponseWriter: w, control: http.NewResponseController(w), stall: stall, rate: float64(rate), end: end}
}

// Write fails when the reader is too slow.
func (w *pacedWriter) Write(p []byte) (n int, err error) {
	work := w.work
	if w.work = nil; work != nil {
		<-work
	}
	for err == nil && n < len(p) {
		began := time.Now()
		w.setDeadline(began)
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

// setDeadline bounds the next write. Where deadlines cannot be set, as in some tests, there is no bound.
func (w *pacedWriter) setDeadline(now time.Time) {
	allowed := time.Duration(float64(w.written) / w.rate * float64(time.Second))
	deadline := now.Add(w.stall + min(allowed-w.waited, 0))
	if deadline.After(w.end) {
		deadline = w.end
	}
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing = now; !w.cut {
		_ = w.control.SetWriteDeadline(deadline)
	}
}

// idle is how long the reader has taken nothing of what is being written. Any goroutine may ask.
func (w *pacedWriter) idle() time.Duration {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.writing.IsZero() {
		return 0
	}
	return time.Since(w.writing)
}

// cutOff has the write under way fail, and all that follow. Any goroutine may call it until the answer is over.
func (w *pacedWriter) cutOff() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.cut = true
	_ = w.control.SetWriteDeadline(time.Now())
}

// finish bounds the writing of what the HTTP server still holds.
func (w *pacedWriter) finish() { w.setDeadline(time.Now()) }
