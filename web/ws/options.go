package ws

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"time"

	"go.opentelemetry.io/otel/trace"

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
	// Attach brings a client into a room. What the room sends comes through out until it ends.
	Attach(ctx context.Context, id room.ID, h actor.Hello, out *actor.Outbox) (actor.Session, error)
}

// Auth knows who is let in; *auth.Authenticator is one.
type Auth interface {
	Check(ctx context.Context, token string) (auth.Identity, error)
	Guest(name string) (who auth.Identity, token string, err error)
	Guests() bool
}

// Meter counts what goes through the sockets. Many goroutines call its methods, which must not block. *metrics.Metrics is one.
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
	// Rate is how many protocol messages and pings a socket may send (else 4429). Zero means 60 a second; a zero Burst means
	// twice PerSecond; a negative PerSecond is no limit.
	Rate limit.Rate
	// Bytes is how many bytes of WebSocket messages a socket may send (else 4429). Zero means 64 KiB a second; a zero Burst means
	// twice PerSecond; a negative PerSecond is no limit. PerSecond must be MaxMessage at least, or the largest messages could not
	// be sent.
	Bytes limit.Rate
	// Floor is how many bytes a socket may always send. What it sends beyond that counts against AddressBytes, which all sockets of
	// its address share, and RoomBytes, which all sockets of its room on this node share (else 4429). So a socket that sends
	// little is never closed for what others send. Zero means 4 KiB, 1 MiB and 512 KiB a second; a zero Burst means twice
	// PerSecond, and MaxMessage at least; a negative PerSecond is no limit.
	Floor, AddressBytes, RoomBytes limit.Rate
	// PerAddress is how many sockets one address may have open at once (else 4429); an IPv6 /64 counts as one. 0 means 1,000,
	// negative no limit. A socket counts until its file descriptor is closed. A few sockets more are accepted to be closed with a
	// reason, which takes up to Close; the rest get 429 in HTTP.
	PerAddress int
	// Codes limits hellos with a wrong join code of an address (else 4429). Give the API the same. Nil: the default of
	// limit.NewCodes.
	Codes *limit.Addresses

	// Refusals counts closes with 4429. Give the API the same. Nil: they are not counted.
	Refusals *limit.Refusals

	Hello  time.Duration // how long a client may take to say hello (else 4408); 0 means 10 s
	Attach time.Duration // how long the rooms may take to let it in (else 4103); 0 means 10 s
	Close  time.Duration // how long a client may take to answer a close frame; 0 means 5 s, which is the most
	// TokenGrace is how long a socket goes on after its token has expired (then 4401), so that its client can come back with
	// another before. It is checked every quarter of Heartbeat. 0 means 1 min, negative none.
	TokenGrace time.Duration
	Heartbeat  time.Duration // the longest normal silence, either way; 2.5 times that ends a socket (4102). 0 means 10 s

	// WriteTimeout is how long one write may take (else 4101). The socket is kept for as long again, so that a client that wakes
	// up still learns why it was closed. 0 means 10 s.
	WriteTimeout time.Duration
	OutboxBytes  int           // see actor.OutboxOptions.MaxBytes
	StuckAfter   time.Duration // see actor.OutboxOptions.StuckAfter
	// JoinBytes bounds WebSocket messages of several protocol messages. A larger protocol message is sent alone. 0 means 16 KiB.
	JoinBytes int
	// SendBuffer is how many bytes the kernel holds for a reader that lags; more would be stale when they arrive. 0 means 64 KiB,
	// negative the system's default.
	SendBuffer int
	// Flushers is how many goroutines write to all sockets; 0 means one for each processor, at most 8.
	Flushers int

	// Origins are those whose pages may connect, beside the server's own. Programs that send no Origin always may.
	Origins trust.Origins
	// Proxies are believed about the client's address.
	Proxies trust.Proxies
	// Clock measures how long clients are silent. It leaves out the time that the process stood still, so that no client is closed
	// for what was not read meanwhile. Nil: one of its own.
	Clock clock.Clock
	// Draining reports whether new sockets should go elsewhere: they get 503. Nil: never.
	Draining func() bool

	Meter Meter // nil: nothing is counted
	// Tracer makes the spans of acts, of which those that are sampled are followed to the room. Nil: there are none.
	Tracer trace.Tracer
	Log    *slog.Logger // nil: nothing is logged
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

func (noMeter) SocketOpened()               {}
func (noMeter) SocketClosed(wire.CloseCode) {}
func (noMeter) SocketRead(int, int)         {}
func (noMeter) SocketWritten(int, int)      {}
