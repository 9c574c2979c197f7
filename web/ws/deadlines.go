package ws

import (
	"errors"
	"os"
	"time"

	"golang.org/x/time/rate"

	"github.com/roomring/roomring/web/limit"
)

// The kernel's deadlines go on while the process stands still, and have passed when it wakes up, though nobody has looked at what a
// client has sent or could take meanwhile. The clock leaves that time out, so by the clock some is left.

// allowSilence gives the client so long to send something.
func (c *conn) allowSilence(within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.stop != nil {
		return
	}
	c.silentAt = c.s.opts.Clock.Now() + within
	_ = c.net.SetReadDeadline(time.Now().Add(within)) // fails only when closed, and then so does reading
}

// extendSilence reports whether to retry a read that has timed out, because there is time left by the clock.
func (c *conn) extendSilence() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.silentAt - c.s.opts.Clock.Now()
	if left <= 0 || c.stop != nil || c.broken || c.readerDone {
		return false
	}
	return c.net.SetReadDeadline(time.Now().Add(left)) == nil
}

// writeUntil writes until then by the clock, and returns what is left to write.
func (c *conn) writeUntil(rest []byte, then time.Duration) ([]byte, error) {
	for {
		_ = c.net.SetWriteDeadline(time.Now().Add(then - c.s.opts.Clock.Now()))
		n, err := c.net.Write(rest)
		if rest = rest[n:]; !errors.Is(err, os.ErrDeadlineExceeded) || c.s.opts.Clock.Now() >= then {
			return rest, err
		}
	}
}

// allowance is what a client may still send, of messages or bytes. What came while the process stood still is read all at once when it
// wakes up, and allowed as if it had been read in its time.
type allowance struct {
	s       *Sockets
	limiter *rate.Limiter
	paused  time.Duration // how long the process stood still, as far as it is credited
	credit  int           // beyond what the limiter allows, for that
}

func (s *Sockets) allowance(r limit.Rate) allowance {
	return s.allowanceOf(r.Bucket())
}

func (s *Sockets) allowanceOf(l *rate.Limiter) allowance {
	return allowance{s: s, limiter: l, paused: s.paused()}
}

func (a *allowance) allow(n int) bool {
	if a.limiter.AllowN(time.Now(), n) {
		return true
	}
	if paused := a.s.paused() - a.paused; paused >= time.Second/10 {
		a.paused += paused
		a.credit = int(paused.Seconds() * float64(a.limiter.Limit()))
	}
	a.credit -= n
	return a.credit >= 0
}

// paused is how long the process has stood still since Sockets were made.
func (s *Sockets) paused() time.Duration {
	return time.Since(s.start) - (s.opts.Clock.Now() - s.began)
}
