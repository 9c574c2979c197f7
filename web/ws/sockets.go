// Package ws is the WebSocket endpoint: it upgrades connections, brings clients into rooms and carries messages both ways.
package ws

import (
	"context"
	"net/http"
	"net/netip"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/limit"
)

// Sockets serves GET /v1/rooms/{id}/ws: the path value id is read from the request. It owns every socket it
// has accepted, and all goroutines around them, until Shutdown.
//
// A socket has one goroutine, which reads. A few flushers write to all sockets and never wait: a socket whose kernel buffer is
// full gets a goroutine of its own until it has taken what it was sent.
type Sockets struct {
	opts     Options
	flushers []*flusher
	next     atomic.Uint32 // flusher of the next socket
	start    time.Time     // what conn.lastWrite counts from
	began    time.Duration // the same by the clock

	limitLog *limit.Log                 // names the limits that turn clients away
	ofAddr   *limit.Buckets[netip.Addr] // Options.AddressBytes
	ofRoom   *limit.Buckets[room.ID]    // Options.RoomBytes

	ctx    context.Context // of everything asked of rooms; ends with Shutdown
	cancel context.CancelFunc
	loops  sync.WaitGroup // flushers and heartbeat
	stop   chan struct{}  // ends them

	mu     sync.Mutex
	closed bool
	open   map[*conn]struct{}
	from   map[netip.Addr]int // sockets of an address, and its upgrades under way
	conns  sync.WaitGroup     // one for each of open, and one for each goroutine of theirs
}

// New checks the options and starts the goroutines that write. The error says which option is wrong.
func New(opts Options) (*Sockets, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Sockets{
		opts: opts, limitLog: limit.NewLog(opts.Log), start: time.Now(), began: opts.Clock.Now(), stop: make(chan struct{}),
		open: map[*conn]struct{}{}, from: map[netip.Addr]int{},
	}
	s.ofAddr = limit.NewBuckets[netip.Addr]("--address-bytes-per-second", opts.AddressBytes, limit.MaxKeys)
	s.ofRoom = limit.NewBuckets[room.ID]("--room-bytes-per-second", opts.RoomBytes, limit.MaxKeys)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for range opts.Flushers {
		f := newFlusher(s)
		s.flushers = append(s.flushers, f)
		s.loops.Go(f.run)
	}
	s.loops.Go(s.heartbeat)
	return s, nil
}

// Open is how many sockets there are.
func (s *Sockets) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Shutdown turns new sockets away and closes all others with 4100, so that their clients come back. It returns when everything has
// ended. When ctx ends before, it cuts off the rest and returns the error of ctx.
func (s *Sockets) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.each(func(c *conn) { c.disconnect(closeStopping()) })
	done := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(done)
	}()
	var err error
	select {
	case <-done:
	case <-ctx.Done():
		err = ctx.Err()
		s.each(func(c *conn) { _ = c.net.Close() }) // its reader and writer notice
		<-done
	}
	close(s.stop)
	s.loops.Wait()
	return err
}

// each calls f for every socket, without holding the lock.
func (s *Sockets) each(f func(*conn)) {
	s.mu.Lock()
	all := make([]*conn, 0, len(s.open))
	for c := range s.open {
		all = append(all, c)
	}
	s.mu.Unlock()
	for _, c := range all {
		f(c)
	}
}

// heartbeat sends a pong to sockets that were sent nothing for three quarters of a heartbeat. It closes sockets whose clients send and do
// not read, and those whose tokens have expired.
func (s *Sockets) heartbeat() {
	tick := time.NewTicker(s.opts.Heartbeat / 4)
	defer tick.Stop()
	for {
		select {
		case <-s.stop:
			return
		case <-tick.C:
		}
		expired := time.Now().Add(-s.opts.TokenGrace).Unix()
		before := s.now() - s.opts.Heartbeat*3/4
		s.each(func(c *conn) {
			c.checkProgress()
			if at := c.expires.Load(); at != 0 && at <= expired {
				c.disconnect(closeWith(wire.CloseUnauthorised, "the token has expired: come with another"))
			}
			if time.Duration(c.lastWrite.Load()) < before {
				c.enqueue(c.pong(wire.Ping{}), unasked)
			}
		})
	}
}

func (s *Sockets) now() time.Duration { return time.Since(s.start) }

// shuttingDown reports whether Shutdown has begun.
func (s *Sockets) shuttingDown() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// toldFull is how many sockets beyond PerAddress are accepted, to be closed with a reason.
const toldFull = 16

// admission is what an address gets for one more socket.
type admission int

const (
	refused admission = iota // no upgrade
	toClose                  // an upgrade, to be closed with a reason
	admitted
)

// reserve counts one more socket of an address. It is called before the upgrade, so that no more are accepted than may be, however
// many come at once. Undo what it counts by unreserve.
func (s *Sockets) reserve(from netip.Addr) admission {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := s.opts.PerAddress
	switch n := s.from[from]; {
	case most < 0 || n < most:
		s.from[from]++
		return admitted
	case n < most+toldFull:
		s.from[from]++
		return toClose
	}
	return refused
}

func (s *Sockets) unreserve(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.unreserveLocked(from)
}

// unreserveLocked is unreserve for a caller that holds mu.
func (s *Sockets) unreserveLocked(from netip.Addr) {
	if s.from[from]--; s.from[from] <= 0 {
		delete(s.from, from)
	}
}

// admit takes in a socket that is counted already, unless Shutdown has begun.
func (s *Sockets) admit(c *conn) bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closed {
		return false
	}
	s.open[c] = struct{}{}
	s.conns.Add(1)
	s.opts.Clock.Use(1)
	s.opts.Meter.SocketOpened()
	return true
}

// forget lets go of a socket whose connection is closed.
func (s *Sockets) forget(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.unreserveLocked(c.addr)
	s.opts.Meter.SocketClosed(c.code)
	s.opts.Clock.Use(-1)
	s.conns.Done()
}

var _ http.Handler = (*Sockets)(nil)
