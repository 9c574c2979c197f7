package ws

import (
	"time"
)

// readProgress is how far a client has read what it is sent. What it does not read fills its kernel's buffer and then ours. That may
// take long where little is sent, while the client sends and so counts as alive.
type readProgress struct {
	taken uint64        // bytes
	since time.Duration // when more first waited after it had taken so many, by the clock
}

// checkProgress disconnects a client that has taken nothing of what waits for it for WriteTimeout, though it was heard meanwhile.
// Sockets.heartbeat alone calls it.
func (c *conn) checkProgress() {
	if c.kernel == nil {
		return
	}
	now := c.s.opts.Clock.Now()
	taken, waiting := tcpProgress(c.kernel)
	if !waiting || taken != c.progress.taken || c.progress.since == 0 {
		c.progress = readProgress{taken, now}
		return
	}
	c.mu.Lock()
	heard := c.silentAt - c.s.opts.silence()
	c.mu.Unlock()
	if now-c.progress.since >= c.s.opts.WriteTimeout && heard > c.progress.since {
		c.disconnect(closeNotReading())
	}
}

// linger keeps the connection for another WriteTimeout, so that a client that wakes up reads why it was closed. It throws away what the
// client still sends: closing a connection with something unread would take back what is not delivered yet.
func (c *conn) linger() {
	var waste [512]byte
	_ = c.net.SetReadDeadline(time.Now().Add(c.s.opts.WriteTimeout))
	for {
		if _, err := c.net.Read(waste[:]); err != nil {
			break
		}
	}
	c.mu.Lock()
	c.lingers = false
	c.mu.Unlock()
	c.schedule()
}
