// Package ws is the WebSocket endpoint: it upgrades connections, brings clients into rooms and carries messages both ways.
package ws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/netip"
	"runtime"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/trust"
)

// Rooms is what sockets ask of the rooms. Errors are those of package actor.
type Rooms interface {
	Info(ctx context.Context, id room.ID) (actor.Info, error)
	// Attach brings a client into a room. What the room says comes through out until it ends.
	Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error)
}

// Auth knows who may come in; *auth.Authenticator is one.
type Auth interface {
	Check(ctx context.Context, token string) (auth.Identity, error)
	Guest(name string) (who auth.Identity, token string, err error)
	Guests() bool
}

// Meter hears what goes through the sockets. Its methods are called from many goroutines and must
// not block. *metrics.Metrics is one.
type Meter interface {
	SocketOpened()
	SocketClosed(code wire.CloseCode)  // 1006: the connection broke; the client's own codes count as 1000
	SocketRead(messages, bytes int)    // protocol messages, and the bytes of the WebSocket message that held them
	SocketWritten(messages, bytes int) // the same, of one write
}

// Options configure the WebSocket endpoint. Rooms and Auth are needed.
type Options struct {
	Rooms Rooms
	Auth  Auth

	// MaxMessage is how many bytes one WebSocket message may have (else 4413); 0 means 16 KiB.
	MaxMessage int
	// Rate is how many protocol messages and pings a socket may send (else 4429); zero means 60 a second. A zero
	// Burst means twice PerSecond; a negative PerSecond is no limit.
	Rate limit.Rate
	// Bytes is how many bytes of WebSocket messages a socket may send (else 4429); zero means 64 KiB a second. A zero Burst
	// means twice PerSecond; PerSecond must be MaxMessage at least, or its largest messages could not be sent; negative is no limit.
	Bytes limit.Rate
	// Floor is how many bytes a socket may always send. What goes beyond it comes out of what all sockets of its address, and
	// all of its room on this node, may send beyond theirs: AddressBytes and RoomBytes (else 4429), so that who sends little
	// is never closed for what others send. Zero means 4 KiB, 1 MiB and 512 KiB a second; a zero Burst twice that, of Floor
	// MaxMessage at least; negative is no limit.
	Floor, AddressBytes, RoomBytes limit.Rate
	// PerAddress is how many sockets one address may have open at a time (else 4429); an IPv6 /64 counts as
	// one. 0 means 1,000, negative no limit. It counts until its file descriptor is gone. Who is turned away is closed
	// with a reason, which takes up to Close; turnedAway more than PerAddress have one at a time, the rest gets 429 in HTTP.
	PerAddress int
	// Codes caps hellos with a wrong join code an address (else 4429); nil: as NewCodes has it. It should be the server's.
	Codes *limit.Addresses

	// Refusals hears of everybody who is closed with 4429; nil: nobody does. It should be the server's.
	Refusals *limit.Refusals

	Hello  time.Duration // how long a client may take to say hello (else 4408); 0 means 10 s
	Attach time.Duration // how long the rooms may take to let it in (else 4103); 0 means 10 s
	Close  time.Duration // how long a client may take to answer a close frame; 0 means 5 s, which is the most
	// TokenGrace is for how long a socket goes on when the token it came with has expired (then 4401), so that its client can
	// come back with another before. It is looked at once in a quarter of Heartbeat. 0 means 1 min, negative none.
	TokenGrace time.Duration
	Heartbeat  time.Duration // the longest silence that is normal, either way; 2.5 times it ends a socket (4102). 0 means 10 s

	// WriteTimeout is how long one write may make no end (else 4101). The socket is kept for as long again, so that
	// a client that wakes up still learns why it was closed. 0 means 10 s.
	WriteTimeout time.Duration
	OutboxBytes  int           // see actor.OutboxOptions.MaxBytes
	StuckAfter   time.Duration // see actor.OutboxOptions.StuckAfter
	// JoinBytes bounds the WebSocket messages that several queued protocol messages are joined into. A larger
	// protocol message goes alone. 0 means 16 KiB.
	JoinBytes int
	// SendBuffer is how many bytes the kernel holds for a reader that lags; more would be stale when they
	// arrive. 0 means 64 KiB, negative leaves it to the system.
	SendBuffer int
	// Flushers is how many goroutines write to sockets that are ready; 0 means one a processor, at most 8.
	Flushers int

	// Origins are those whose pages may connect, beside the server's own. Programs that send no Origin always may.
	Origins trust.Origins
	// Proxies are believed about the client's address.
	Proxies trust.Proxies
	// Clock is what the patience with clients is measured by, so that nobody is closed for what was not read while the
	// process stood still. Nil: one of its own.
	Clock clock.Clock
	// Draining tells that new sockets should go elsewhere: they get 503. Nil means never.
	Draining func() bool

	Meter Meter        // nil: nothing is counted
	Log   *slog.Logger // nil: nothing is logged
}

func (o *Options) complete() error {
	if o.Rooms == nil || o.Auth == nil {
		return errors.New("sockets need Rooms and Auth")
	}
	o.MaxMessage = cmp.Or(o.MaxMessage, 16<<10)
	o.Rate.PerSecond = cmp.Or(o.Rate.PerSecond, 60)
	o.Rate.Burst = cmp.Or(o.Rate.Burst, max(int(2*o.Rate.PerSecond), 1))
	o.Bytes.PerSecond = cmp.Or(o.Bytes.PerSecond, 64<<10)
	o.Bytes.Burst = cmp.Or(o.Bytes.Burst, max(int(2*o.Bytes.PerSecond), 1))
	if o.Bytes.PerSecond >= 0 && o.Bytes.PerSecond < float64(o.MaxMessage) {
		return fmt.Errorf("a socket may send %v bytes a second and %d in one message: let the first be as large as the second", o.Bytes.PerSecond, o.MaxMessage)
	}
	for rate, preset := range map[*limit.Rate]float64{&o.Floor: 4 << 10, &o.AddressBytes: 1 << 20, &o.RoomBytes: 512 << 10} {
		rate.PerSecond = cmp.Or(rate.PerSecond, preset)
		rate.Burst = cmp.Or(rate.Burst, max(int(2*rate.PerSecond), o.MaxMessage))
	}
	o.PerAddress = cmp.Or(o.PerAddress, 1000)
	for _, d := range []*time.Duration{&o.Hello, &o.Attach, &o.Heartbeat, &o.WriteTimeout} {
		*d = cmp.Or(*d, 10*time.Second)
	}
	o.TokenGrace = max(cmp.Or(o.TokenGrace, time.Minute), 0)
	o.Close = min(cmp.Or(o.Close, 5*time.Second), 5*time.Second) // the WebSocket library waits no longer
	o.JoinBytes = cmp.Or(o.JoinBytes, 16<<10)
	o.SendBuffer = cmp.Or(o.SendBuffer, 64<<10)
	o.Flushers = cmp.Or(o.Flushers, min(runtime.GOMAXPROCS(0), 8))
	if o.Codes == nil {
		o.Codes = limit.NewCodes(limit.Rate{})
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Draining == nil {
		o.Draining = func() bool { return false }
	}
	if o.Meter == nil {
		o.Meter = noMeter{}
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return nil
}

// silence is how long a client may say nothing.
func (o *Options) silence() time.Duration { return o.Heartbeat * 5 / 2 }

type noMeter struct{}

func (noMeter) SocketOpened() {}

func (noMeter) SocketClosed(wire.CloseCode) {}

func (noMeter) SocketRead(int, int) {}

func (noMeter) SocketWritten(int, int) {}

// Sockets serves GET /v1/rooms/{id}/ws: the path value id is read from the request. It owns every socket it
// has accepted, and all goroutines around them, until Shutdown.
//
// A socket has one goroutine, which reads. Writing is done by a few flushers shared by all of them, which
// never wait: a socket whose kernel buffer is full gets a goroutine of its own until it has taken
// what it was being sent.
type Sockets struct {
	opts     Options
	flushers []*flusher
	next     atomic.Uint32 // flusher of the next socket
	start    time.Time     // what conn.spoke counts from
	began    time.Duration // the same by the clock

	turned *limit.Log                 // names the limits that turn clients away
	ofAddr *limit.Buckets[netip.Addr] // Options.AddressBytes
	ofRoom *limit.Buckets[room.ID]    // Options.RoomBytes

	ctx    context.Context // of everything asked of rooms; ends with Shutdown
	cancel context.CancelFunc
	loops  sync.WaitGroup // flushers and the heart
	stop   chan struct{}  // ends them

	mu     sync.Mutex
	closed bool
	open   map[*conn]struct{}
	from   map[netip.Addr]int // sockets an address has, and upgrades under way
	conns  sync.WaitGroup     // one for each of open, and one for each goroutine of theirs
}

// New checks the options and starts the goroutines that write. The error says which option is wrong.
func New(opts Options) (*Sockets, error) {
	if err := opts.complete(); err != nil {
		return nil, err
	}
	s := &Sockets{
		opts: opts, turned: limit.NewLog(opts.Log), start: time.Now(), began: opts.Clock.Now(), stop: make(chan struct{}),
		open: map[*conn]struct{}{}, from: map[netip.Addr]int{},
	}
	s.ofAddr = limit.NewBuckets[netip.Addr]("--address-bytes-per-second", opts.AddressBytes, limit.MaxAddresses)
	s.ofRoom = limit.NewBuckets[room.ID]("--room-bytes-per-second", opts.RoomBytes, limit.MaxAddresses)
	s.ctx, s.cancel = context.WithCancel(context.Background())
	for range opts.Flushers {
		f := newFlusher(s)
		s.flushers = append(s.flushers, f)
		s.loops.Go(f.run)
	}
	s.loops.Go(s.beat)
	return s, nil
}

// Open is how many sockets there are.
func (s *Sockets) Open() int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return len(s.open)
}

// Shutdown turns new sockets away, closes all others with 4100 so that their clients come back, and returns
// when everything has ended. When ctx ends before, what is left is cut off, and its error is returned.
func (s *Sockets) Shutdown(ctx context.Context) error {
	s.mu.Lock()
	if s.closed {
		s.mu.Unlock()
		return nil
	}
	s.closed = true
	s.mu.Unlock()
	s.cancel()
	s.each(func(c *conn) { c.kick(stopping()) })
	err := s.wait(ctx)
	close(s.stop)
	s.loops.Wait()
	return err
}

func (s *Sockets) wait(ctx context.Context) error {
	done := make(chan struct{})
	go func() {
		s.conns.Wait()
		close(done)
	}()
	select {
	case <-done:
		return nil
	case <-ctx.Done():
	}
	s.each((*conn).cut)
	<-done
	return ctx.Err()
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

// beat gives the sockets that have been silent for three quarters of a heartbeat something to say, and finds clients that
// talk and do not read, and those whose tokens have expired.
func (s *Sockets) beat() {
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
			c.checkReader()
			if at := c.expires.Load(); at != 0 && at <= expired {
				c.kick(closeWith(wire.CloseUnauthorised, "the token has expired: come with another"))
			}
			if time.Duration(c.spoke.Load()) < before {
				c.enqueue(c.pong(wire.Ping{}), unasked)
			}
		})
	}
}

func (s *Sockets) now() time.Duration { return time.Since(s.start) }

// down reports whether Shutdown has begun.
func (s *Sockets) down() bool {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.closed
}

// turnedAway is how many sockets beyond PerAddress an address may have that hear why they are closed.
const turnedAway = 16

// place is what an address gets for one more socket.
type place int

const (
	placeNone place = iota // no upgrade
	placeTold              // an upgrade, to be told that there are too many
	placeFree
)

// reserve counts one more socket of an address, if there is any place for it: before the upgrade, so that however many
// come at once, no more are taken. What is reserved is released.
func (s *Sockets) reserve(from netip.Addr) place {
	s.mu.Lock()
	defer s.mu.Unlock()
	most := s.opts.PerAddress
	switch n := s.from[from]; {
	case most < 0 || n < most:
		s.from[from]++
		return placeFree
	case n < most+turnedAway:
		s.from[from]++
		return placeTold
	}
	return placeNone
}

func (s *Sockets) release(from netip.Addr) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.released(from)
}

// released is release with the lock held.
func (s *Sockets) released(from netip.Addr) {
	if s.from[from]--; s.from[from] <= 0 {
		delete(s.from, from)
	}
}

// admit takes a socket in whose place is reserved, unless Shutdown has begun.
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

// gone forgets a socket whose connection has been closed.
func (s *Sockets) gone(c *conn) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.open, c)
	s.released(c.addr)
	s.opts.Meter.SocketClosed(c.code)
	s.opts.Clock.Use(-1)
	s.conns.Done()
}

var _ http.Handler = (*Sockets)(nil)
