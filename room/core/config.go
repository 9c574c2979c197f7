package core

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Config makes a Core.
type Config struct {
	Header record.Header
	Rules  *room.Rules

	ResumeTurns int // turns a class keeps for clients that come back; 0 means 256
	ResumeBytes int // and their bytes; 0 means 256 KiB
	CheckEvery  int // a turn carries the view's checksum once in so many indexes; 0 means 32
	// OldestRuntime is the oldest that rooms go on by; those of older ones are moved to the present one, see Restore. 0 means
	// the constant OldestRuntime, and what is below it counts as that.
	OldestRuntime int

	CatchUp int // ticks made up at once when the caller is late, the rest is skipped; 0 means 5

	// A snapshot is due when replaying the tail of the log would cost more than one of these.
	SnapshotCost  time.Duration // of stepping, as told by Charge; 0 means 1 ms
	SnapshotBytes int           // of log; 0 means 256 KiB
	SnapshotTurns int           // of inputs; 0 means 1024
}

func (c Config) complete() Config {
	or := func(n *int, d int) {
		if *n == 0 {
			*n = d
		}
	}
	or(&c.ResumeTurns, 256)
	or(&c.ResumeBytes, 256<<10)
	or(&c.CheckEvery, 32)
	or(&c.CatchUp, 5)
	c.OldestRuntime = max(c.OldestRuntime, OldestRuntime)
	or(&c.SnapshotBytes, 256<<10)
	or(&c.SnapshotTurns, 1024)
	if c.SnapshotCost == 0 {
		c.SnapshotCost = time.Millisecond
	}
	return c
}
