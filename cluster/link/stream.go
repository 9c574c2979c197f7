package link

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"runtime"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pb "google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/room/clock"
)

// pingEvery is how often the edge measures the round-trip time.
const pingEvery = time.Second

var (
	errQueue    = errors.New("the peer reads too slowly: the queue of its link is full")
	errSilence  = errors.New("the peer has fallen silent")
	errEnded    = errors.New("the peer ended the stream")
	errReplaced = errors.New("the peer opened a new stream")
	errGone     = errors.New("the node is no longer a target")
)

// stream is what all ends have in common: a queue with one writer, and a detector of silence.
type stream struct {
	peer    Peer
	beat    time.Duration
	silence time.Duration
	limit   int // bytes queued
	largest int // bytes of one frame
	clock   clock.Clock
	log     *slog.Logger
	pings   bool // this end measures the round-trip time
	count   *traffic

	mu     sync.Mutex
	queue  []*[]byte // batches, all but the last complete
	queued int       // bytes in queue and in the batch that is being written
	ended  bool      // nothing more is queued

	ready   chan struct{} // wakes the writer
	flush   chan struct{} // closed when nothing more will be queued
	flushed chan struct{} // closed when the writer has ended
	over    chan struct{} // closed when the stream has ended
	err     error         // why; valid once over is closed

	reads atomic.Uint64
	heard atomic.Int64 // when something was read last, by the clock; at first when the stream was made
	rtt   atomic.Int64
}

func newStream(peer Peer, o *Options, limit int, count *traffic) *stream {
	s := &stream{
		peer: peer, count: count, beat: o.Beat, silence: o.Silence, limit: limit, largest: min(limit, o.Message-chunkSize), clock: o.Clock, log: o.Log,
		ready:   make(chan struct{}, 1),
		flush:   make(chan struct{}),
		flushed: make(chan struct{}),
		over:    make(chan struct{}),
	}
	s.heard.Store(int64(o.Clock.Now()))
	return s
}

// Peer identifies the process at the other end.
func (s *stream) Peer() Peer { return s.peer }

// Queued returns how many bytes wait to be written.
func (s *stream) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued
}

// Quiet returns how long the peer has said nothing on this stream, not even a heartbeat.
func (s *stream) Quiet() time.Duration { return s.clock.Now() - time.Duration(s.heard.Load()) }

// send queues a frame. It encodes the frame before it returns, so the caller may reuse it. Later leaves the writer asleep.
func (s *stream) send(frame pb.Message, later bool) {
	size := pb.Size(frame)
	if size > s.largest {
		s.overflow()
		return
	}
	var own []byte // a large frame is a batch of its own, encoded before the lock, so that others can send meanwhile
	if size > chunkSize {
		own = s.encode(make([]byte, 0, size+binary.MaxVarintLen64), frame, size)
	}
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	if own != nil {
		s.queue = append(s.queue, &own)
		s.queued += len(own)
	} else {
		batch := s.openBatch()
		before := len(*batch)
		*batch = s.encode(*batch, frame, size)
		s.queued += len(*batch) - before
	}
	full := s.queued > s.limit
	s.mu.Unlock()
	switch {
	case full:
		s.overflow()
	case !later:
		s.wake()
	}
}

// encode returns a batch with one more frame, or as it was if the frame cannot be encoded.
func (s *stream) encode(batch []byte, frame pb.Message, size int) []byte {
	after, err := appendFrame(batch, frame, size)
	if err != nil { // a string is not UTF-8, so nobody could read the frame
		s.log.Error("a frame for a peer cannot be encoded and is dropped", "peer", s.peer.Node, "err", err)
		return batch
	}
	return after
}

// openBatch returns the batch that the next frame goes into. The caller holds the lock.
func (s *stream) openBatch() *[]byte {
	if n := len(s.queue); n > 0 && len(*s.queue[n-1]) < chunkSize {
		return s.queue[n-1]
	}
	batch := chunks.Get(0)
	s.queue = append(s.queue, batch)
	return batch
}

func (s *stream) wake() {
	select {
	case s.ready <- struct{}{}:
	default:
	}
}

// overflow ends the stream because its queue is full.
func (s *stream) overflow() {
	if s.end(errQueue) {
		s.count.overflows.Add(1)
	}
}

// end ends the stream and drops what is queued. Only the first reason counts.
func (s *stream) end(err error) (first bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case <-s.over:
		return false
	default:
	}
	s.ended = true
	s.err = err
	close(s.over)
	return true
}

// finish lets the writer send what is queued and then end. Nothing is queued after it.
func (s *stream) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.flush)
	}
}

// write is the writer goroutine. It sends what is queued, batch by batch, and heartbeats when there is nothing. While it
// waits for the connection, frames gather in the queue, so under load a batch holds many frames.
func (s *stream) write(send func(any) error) {
	defer close(s.flushed)
	ticks := clock.NewTicker(s.clock, s.beat)
	defer ticks.Stop()
	last, pinged := s.clock.Now(), s.clock.Now()-pingEvery
	for {
		final := false
		select {
		case <-s.over:
			return
		case <-s.flush:
			final = true
		case <-s.ready:
			runtime.Gosched() // whoever else has something to send now joins this batch; when nobody does this costs nothing
		case <-ticks.C:
			now := s.clock.Now()
			if s.pings && now-pinged >= pingEvery {
				pinged = now
				s.queuePing(uint64(now))
			} else if now-last >= s.beat/2 {
				s.queueHeartbeat()
			}
		}
		wrote, err := s.writeQueued(send)
		switch {
		case errors.Is(err, io.EOF): // the owner has ended the stream: the reader reads the rest and then ends it here
			return
		case err != nil:
			s.end(err)
			return
		case final:
			return
		case wrote:
			last = s.clock.Now()
		}
	}
}

func (s *stream) writeQueued(send func(any) error) (wrote bool, err error) {
	for batch := s.nextBatch(); batch != nil; batch = s.nextBatch() {
		n := len(*batch)
		if err := send(sent{batch}); err != nil {
			return wrote, fmt.Errorf("write: %w", err)
		}
		wrote = true
		s.count.sent.Add(uint64(n))
		s.count.writes.Add(1)
		s.mu.Lock()
		s.queued -= n
		s.mu.Unlock()
	}
	return wrote, nil
}

// nextBatch removes the next batch to write from the queue. It returns nil when there is none.
func (s *stream) nextBatch() *[]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	batch := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	return batch
}

// queueHeartbeat makes sure that there is a batch to send. An empty one serves as heartbeat.
func (s *stream) queueHeartbeat() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.openBatch()
}

// queuePing queues a ping, or the answer to one. It counts towards the limit, so a peer that pings without reading ends
// its stream.
func (s *stream) queuePing(ping uint64) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	batch := s.openBatch()
	before := len(*batch)
	*batch = appendPing(*batch, ping)
	s.queued += len(*batch) - before
	full := s.queued > s.limit
	s.mu.Unlock()
	if full {
		s.overflow()
	}
}

// handlePing handles the peer's pong on the end that pings, and answers its ping on the other.
func (s *stream) handlePing(ping uint64) {
	if s.pings {
		s.rtt.Store(int64(s.clock.Now()) - int64(ping))
		return
	}
	s.queuePing(ping)
	s.wake()
}

// detectSilence ends the stream when nothing has been read for Options.Silence. It counts its own ticks instead of time,
// so a process that was stopped for a while gives the peer another chance.
func (s *stream) detectSilence() {
	const ticks = 4
	t := clock.NewTicker(s.clock, s.silence/ticks)
	defer t.Stop()
	heard, quiet := s.reads.Load(), 0
	for {
		select {
		case <-s.over:
			return
		case <-t.C:
		}
		if now := s.reads.Load(); now != heard {
			heard, quiet = now, 0
		} else if quiet++; quiet >= ticks {
			s.end(errSilence)
			return
		}
	}
}

// read is the reader goroutine. It passes frames to h until the stream has ended, and then calls h.Down.
func read[F any](s *stream, recv func(any) error, decode func([]byte) (F, bool, error), h Handler[F]) {
	s.end(readFrames(s, recv, decode, h))
	h.Down(s.err)
}

func readFrames[F any](s *stream, recv func(any) error, decode func([]byte) (F, bool, error), h Handler[F]) error {
	frame := func(b []byte) error {
		f, known, err := decode(b)
		if err == nil && known {
			h.Frame(f)
		}
		return err
	}
	for {
		var batch received
		if err := recv(&batch); err != nil {
			return s.readErr(err)
		}
		s.reads.Add(1)
		s.heard.Store(int64(s.clock.Now()))
		s.count.received.Add(uint64(batch.Len()))
		err := eachFrame(batch.ReadOnlyData(), frame, s.handlePing)
		batch.Free()
		if err != nil {
			return err
		}
		select {
		case <-s.over:
			return s.err
		default:
		}
	}
}

func (s *stream) readErr(err error) error {
	select {
	case <-s.flush:
		return ErrClosed
	default:
	}
	if errors.Is(err, io.EOF) {
		return errEnded
	}
	return fmt.Errorf("read: %w", unwrapStatus(err))
}
