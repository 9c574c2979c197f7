package ws

import (
	"errors"
	"os"
	"time"

	"golang.org/x/time/rate"

	"github.com/roomring/roomring/web/limit"
)

// The kernel's deadlines go on while the process stands still, and are over when it wakes up, though nobody has looked at
// what a client has sent or could take meanwhile. The clock leaves that time out: by it there is some left then.

// expect gives the client so long to say something.
func (c *conn) expect(within time.Duration) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.leave != nil {
		return
	}
	c.until = c.s.opts.Clock.Now() + within
	_ = c.net.SetReadDeadline(time.Now().Add(within)) // fails only when closed, and then so does reading
}

// overslept reports whether a read that has timed out shall be tried again, because there is time left by the clock.
func (c *conn) overslept() bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	left := c.until - c.s.opts.Clock.Now()
	if left <= 0 || c.leave != nil || c.dead || c.finished {
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

// allowance is what a client may still send, of messages or bytes. What came while the process stood still is read all at
// once when that wakes up: it is allowed as if it had been read in its time.
type allowance struct {
	s       *Sockets
	limiter *rate.Limiter
	stood   time.Duration // for which the process stood still, as far as it is credited
	credit  int           // for that, beyond what the limiter allows
}

func (s *Sockets) allowance(r limit.Rate) allowance {
	return s.allowanceOf(limit.NewBucket(r))
}

func (s *Sockets) allowanceOf(l *rate.Limiter) allowance {
	return allowance{s: s, limiter: l, stood: s.stood()}
}

func (a *allowance) allow(n int) bool {
	if a.limiter.AllowN(time.Now(), n) {
		return true
	}
	if stood := a.s.stood() - a.stood; stood >= time.Second/10 {
		a.stood += stood
		a.credit = int(stood.Seconds() * float64(a.limiter.Limit()))
	}
	a.credit -= n
	return a.credit >= 0
}

// stood is for how long the process has stood still since Sockets were made.
func (s *Sockets) stood() time.Duration {
	return time.Since(s.start) - (s.opts.Clock.Now() - s.began)
}
