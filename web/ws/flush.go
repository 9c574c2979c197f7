package ws

import (
	"sync"
	"time"
)

// flusher writes to the sockets that have something to send, one after another. It never waits: what the kernel does not take at
// once is written by a goroutine of that socket's own.
//
// A small write costs the kernel far more than the rest of sending a message. So under load the flusher begins a round at most
// once in pace, and what a socket is sent meanwhile goes out in one write.
type flusher struct {
	s       *Sockets
	wake    chan struct{} // holds one token while ready may not be empty
	scratch []byte
	direct  tryWriter

	mu    sync.Mutex
	ready []*conn
	spare []*conn
}

const (
	pace       = time.Millisecond
	busy       = 32       // sockets in a round under load, at least
	maxScratch = 64 << 10 // bytes kept between writes
)

func newFlusher(s *Sockets) *flusher {
	f := &flusher{s: s, wake: make(chan struct{}, 1)}
	f.direct.init()
	return f
}

func (f *flusher) push(c *conn) {
	f.mu.Lock()
	f.ready = append(f.ready, c)
	first := len(f.ready) == 1
	f.mu.Unlock()
	if first {
		select {
		case f.wake <- struct{}{}:
		default:
		}
	}
}

func (f *flusher) run() {
	for {
		select {
		case <-f.s.stop:
			return
		case <-f.wake:
		}
		for f.round() {
		}
	}
}

// round writes to every socket that is ready. It reports false when none was.
func (f *flusher) round() bool {
	f.mu.Lock()
	batch := f.ready
	f.ready = f.spare[:0]
	f.mu.Unlock()
	if len(batch) == 0 {
		f.spare = batch
		return false
	}
	began := time.Now()
	for _, c := range batch {
		f.flush(c)
	}
	clear(batch)
	f.spare = batch
	if rest := pace - time.Since(began); len(batch) >= busy && rest > 0 {
		time.Sleep(rest)
	}
	return true
}

// flush writes until the socket has nothing to send or takes nothing more.
func (f *flusher) flush(c *conn) {
	c.queued.Store(false) // from here on it may be queued again
	for {
		buf, messages := c.collect(f.scratch[:0])
		if f.scratch = buf; cap(buf) > maxScratch {
			f.scratch = nil
		}
		if len(buf) == 0 {
			break
		}
		n, err := f.direct.write(c.raw, buf)
		c.lastWrite.Store(int64(f.s.now()))
		f.s.opts.Meter.SocketWritten(messages, len(buf))
		if err != nil {
			c.fail()
			break
		}
		if n < len(buf) {
			c.writeBehind(buf[n:])
			return
		}
	}
	c.closeIfDone()
}
