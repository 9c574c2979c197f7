package core

import (
	"cmp"
	"math"
	"time"

	"github.com/roomring/roomring/room"
)

// Reasons of the closes that time brings.
const (
	// Reasons for closes that time brings.
	whyNeverJoined = "nobody joined"
	whyEmpty       = "everybody left"
)

// Deadline returns the room time at which Due next has an input. False means never, as things stand.
func (c *Core) Deadline() (time.Duration, bool) {
	in, ok := c.nextDue()
	return in.At, ok
}

// Due returns the next input that time makes necessary at or before now: a timer, a tick, or the end of a grace period
// or of the room. The caller steps it and asks again until there is none.
func (c *Core) Due(now time.Duration) (Input, bool) {
	in, ok := c.nextDue()
	if !ok || in.At > now {
		return Input{}, false
	}
	if in.Kind == KindTick {
		in.At = c.skipTicks(in.At, now)
	}
	return in, true
}

// skipTicks leaves out the missed ticks beyond Config.CatchUp.
func (c *Core) skipTicks(at, now time.Duration) time.Duration {
	tick := tick(c.spec)
	if behind := int((now - at) / tick); behind > c.cfg.CatchUp {
		c.skipped += uint64(behind - c.cfg.CatchUp)
		at += time.Duration(behind-c.cfg.CatchUp) * tick
	}
	return at
}

func (c *Core) nextDue() (Input, bool) {
	if c.s.Final != nil {
		return Input{Kind: KindClose, At: c.s.Linger}, true
	}
	var best Input
	earlier := func(in Input) {
		if in.At = max(in.At, c.s.Now); best.Kind == 0 || in.At < best.At {
			best = in
		}
	}
	if len(c.s.Timers) > 0 {
		earlier(Input{Kind: KindTimer, Name: c.s.Timers[0].Name, At: c.s.Timers[0].At})
	}
	if c.s.TickAt > 0 {
		earlier(Input{Kind: KindTick, At: c.s.TickAt})
	}
	grace := c.grace()
	for i := range c.s.Seats {
		if s := &c.s.Seats[i]; s.Player != "" && !s.Online && grace != room.Forever {
			earlier(Input{Kind: KindLeave, Player: s.Player, Reason: string(room.TimedOut), At: later(s.Since, grace)})
		}
	}
	switch empty := c.empty(); {
	case !c.s.Joined:
		earlier(Input{Kind: KindClose, Reason: whyNeverJoined, At: c.spec.NeverJoined})
	case c.s.EmptyAt >= 0 && empty != room.Forever:
		earlier(Input{Kind: KindClose, Reason: whyEmpty, At: later(c.s.EmptyAt, empty)})
	}
	return best, best.Kind != 0
}

// grace is how long an absent player keeps the seat. The caller's clock decides when it ends, and the log records that,
// so this rule may change without changing what a log means.
func (c *Core) grace() time.Duration {
	if c.header.ForkOf != "" {
		return room.Forever // its players have not come and may never: the seats are there to be looked at and acted for
	}
	if !c.s.Started {
		return c.spec.WaitingGrace
	}
	return cmp.Or(c.s.Grace, c.spec.Grace)
}

// forkEmpty is how long a fork lives with nobody connected.
const forkEmpty = time.Hour

// empty is how long the room lives with nobody connected.
func (c *Core) empty() time.Duration {
	if c.header.ForkOf != "" {
		return forkEmpty
	}
	return cmp.Or(c.s.Empty, c.spec.Empty)
}

// later returns d after at, or the end of time if that is beyond it.
func later(at, d time.Duration) time.Duration { return at + min(d, math.MaxInt64-at) }
