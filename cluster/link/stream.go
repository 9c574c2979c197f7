package link

import (
	"errors"
	"fmt"
	"io"
	"log/slog"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	pb "google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/room/clock"
)

// pingEvery is how often the edge measures how long the way is.
const pingEvery = time.Second

var (
	errQueue   = errors.New("more waits for the peer than the queue of one link holds: it reads too slowly")
	errSilence = errors.New("the peer has fallen silent")
	errEnded   = errors.New("the peer ended the stream")
	errAgain   = errors.New("the peer opened a new stream")
	errGone    = errors.New("the node is no longer to be connected to")
)

// stream is what both ends have in common: a queue with one writer, and somebody who listens for silence.
type stream struct {
	peer    Peer
	beat    time.Duration
	silence time.Duration
	limit   int // bytes queued
	largest int // bytes of one frame
	clock   clock.Clock
	log     *slog.Logger
	pings   bool // this end measures how long the way is
	count   *traffic

	mu     sync.Mutex
	queue  []*[]byte // batches, all but the last complete
	queued int       // bytes in queue and in the batch that is being written
	ended  bool      // nothing more is queued

	ready   chan struct{} // something is to be written
	flush   chan struct{} // closed when what is queued is the last
	flushed chan struct{} // closed when the writer has ended
	over    chan struct{} // closed when the stream has ended
	err     error         // why; valid once over is closed

	reads atomic.Uint64
	rtt   atomic.Int64
}

func newStream(peer Peer, o *Options, count *traffic) *stream {
	return &stream{
		peer: peer, count: count, beat: o.Beat, silence: o.Silence, limit: o.Queue, largest: min(o.Queue, o.Message-chunkSize), clock: o.Clock, log: o.Log,
		ready:   make(chan struct{}, 1),
		flush:   make(chan struct{}),
		flushed: make(chan struct{}),
		over:    make(chan struct{}),
	}
}

// Peer is who is at the other end.
func (s *stream) Peer() Peer { return s.peer }

// Queued is how many bytes wait.
func (s *stream) Queued() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.queued
}

// send queues a frame. The frame is encoded at once, so it is the caller's again afterwards.
func (s *stream) send(frame pb.Message, later bool) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	batch := s.room()
	before := len(*batch)
	after, err := appendFrame(*batch, frame)
	if err != nil { // a string that is no UTF-8: nobody could read the frame
		s.mu.Unlock()
		s.log.Error("a frame for a peer cannot be encoded and is left out", "peer", s.peer.Node, "err", err)
		return
	}
	*batch = after
	grown := len(after) - before
	s.queued += grown
	full := s.queued > s.limit || grown > s.largest
	s.mu.Unlock()
	switch {
	case full:
		s.overflow()
	case !later:
		s.wake()
	}
}

// room is the batch that the next frame goes into.
func (s *stream) room() *[]byte {
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

// overflow ends the stream because more waits than it may hold.
func (s *stream) overflow() {
	if s.end(errQueue) {
		s.count.overflows.Add(1)
	}
}

// end ends the stream; what is queued is lost. Only the first reason counts.
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

// finish lets the writer send what is queued, and then end. Nothing more is queued.
func (s *stream) finish() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if !s.ended {
		s.ended = true
		close(s.flush)
	}
}

// write is the writer goroutine: it sends everything that is queued, batch by batch, and beats when there is nothing.
// While it waits for the connection, frames gather in the queue, so that under load a batch holds many.
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
		case <-ticks.C:
			now := s.clock.Now()
			if s.pings && now-pinged >= pingEvery {
				pinged = now
				s.echo(uint64(now))
			} else if now-last >= s.beat/2 {
				s.beatOnce()
			}
		}
		wrote, err := s.writeQueued(send)
		switch {
		case errors.Is(err, io.EOF): // the owner has ended the stream: the reader takes what it sent before, and ends it here
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
	for batch := s.take(); batch != nil; batch = s.take() {
		n := len(*batch)
		if err := send(sent{batch}); err != nil {
			return wrote, fmt.Errorf("write: %w", err)
		}
		wrote = true
		s.count.sent.Add(uint64(n))
		s.mu.Lock()
		s.queued -= n
		s.mu.Unlock()
	}
	return wrote, nil
}

// take is the next batch to be written; nil when there is none.
func (s *stream) take() *[]byte {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(s.queue) == 0 {
		return nil
	}
	batch := s.queue[0]
	s.queue = slices.Delete(s.queue, 0, 1)
	return batch
}

// beatOnce makes sure that there is a batch to send, be it an empty one.
func (s *stream) beatOnce() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.room()
}

// echo queues a ping, or the answer to one. A peer that pings and does not read overflows its stream like any other.
func (s *stream) echo(ping uint64) {
	s.mu.Lock()
	if s.ended {
		s.mu.Unlock()
		return
	}
	batch := s.room()
	before := len(*batch)
	*batch = appendPing(*batch, ping)
	s.queued += len(*batch) - before
	full := s.queued > s.limit
	s.mu.Unlock()
	if full {
		s.overflow()
	}
}

// echoed takes a ping or a pong from the peer.
func (s *stream) echoed(ping uint64) {
	if s.pings {
		s.rtt.Store(int64(s.clock.Now()) - int64(ping))
		return
	}
	s.echo(ping)
	s.wake()
}

// listen ends the stream when nothing has been read for as long as a peer may be silent. It counts its own ticks and
// not the time, so that a process that was itself stopped for a while gives the peer another chance.
func (s *stream) listen() {
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

// read is the reader goroutine: it hands over frames until the stream has ended, and then says so.
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
		s.count.received.Add(uint64(batch.Len()))
		err := eachFrame(batch.ReadOnlyData(), frame, s.echoed)
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
	return fmt.Errorf("read: %w", plain(err))
}
