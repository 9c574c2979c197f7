package chess

import "time"

// clock measures both sides' time in room time. It sets no timers.
type clock struct {
	on        bool
	increment time.Duration
	initial   time.Duration
	savedClock
}

// savedClock is the part of a clock that does not follow from the options.
type savedClock struct {
	Left  [2]time.Duration `json:"left"`  // as of Since
	Since time.Duration    `json:"since"` // when the side to move began to think
	Log   []time.Duration  `json:"log"`   // what the mover had left after each half-move, increment included
}

func newClock(o *ClockOptions) clock {
	if o == nil {
		return clock{}
	}
	c := clock{on: true, initial: ms(o.InitialMS), increment: ms(o.IncrementMS)}
	c.Left = [2]time.Duration{c.initial, c.initial}
	return c
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }

// remaining is what the side to move has left at a moment. Zero or less means that its flag has fallen.
func (c *clock) remaining(s side, now time.Duration) time.Duration {
	return c.Left[s] - (now - c.Since)
}

// stop takes the time spent from the side to move, at most all of it.
func (c *clock) stop(s side, now time.Duration) {
	if c.on {
		c.Left[s] = max(0, c.remaining(s, now))
		c.Since = now
	}
}

// press stops a side's clock after its move and adds the increment.
func (c *clock) press(s side, now time.Duration) {
	if c.on {
		c.stop(s, now)
		c.Left[s] += c.increment
		c.Log = append(c.Log, c.Left[s])
	}
}

// takeBack sets both clocks to what they were after n half-moves, and starts that of the side to move then.
// The side first made the first half-move.
func (c *clock) takeBack(n int, first side, now time.Duration) {
	if !c.on {
		return
	}
	c.Log = c.Log[:n]
	c.Left = [2]time.Duration{c.initial, c.initial}
	for i, left := range c.Log {
		c.Left[(int(first)+i)%2] = left
	}
	c.Since = now
}
