package ws

import (
	"time"
)

// reading is how far a client has come with what it is sent. What it does not read fills its kernel's buffer and then ours,
// which may take long where little is said, while it counts as alive because it is heard.
type reading struct {
	taken uint64        // bytes
	since time.Duration // when more was waiting for the first time after it had taken so many, by the clock
}

// checkReader ends a client that has taken nothing of what waits for it for as long as one write may make no end, though
// it has been heard meanwhile. Sockets.beat alone calls it.
func (c *conn) checkReader() {
	if c.kernel == nil {
		return
	}
	now := c.s.opts.Clock.Now()
	taken, waiting := progress(c.kernel)
	if !waiting || taken != c.reader.taken || c.reader.since == 0 {
		c.reader = reading{taken, now}
		return
	}
	c.mu.Lock()
	heard := c.until - c.s.opts.silence()
	c.mu.Unlock()
	if now-c.reader.since >= c.s.opts.WriteTimeout && heard > c.reader.since {
		c.kick(notReading())
	}
}

// wait keeps the connection for as long again, so that a client that wakes up reads why it was closed. What it still says
// is thrown away: a connection that is closed with something unread takes back what was not delivered.
func (c *conn) wait() {
	var waste [512]byte
	_ = c.net.SetReadDeadline(time.Now().Add(c.s.opts.WriteTimeout))
	for {
		if _, err := c.net.Read(waste[:]); err != nil {
			break
		}
	}
	c.mu.Lock()
	c.linger = false
	c.mu.Unlock()
	c.schedule()
}
