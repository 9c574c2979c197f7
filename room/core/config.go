package core

import (
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Config says how to make a Core.
type Config struct {
	Header record.Header
	Rules  *room.Rules

	ResumeTurns int // turns that each class keeps for clients that come back; 0 means 256
	ResumeBytes int // bytes of those turns; 0 means 256 KiB
	CheckEvery  int // a class's turn carries the view's checksum once in so many indexes; 0 means 32
	// OldestRuntime is the oldest runtime by which rooms may go on. Restore moves rooms of older runtimes to the present one.
	// The constant OldestRuntime is the default and the least.
	OldestRuntime int

	// KeepState lets a room go on whose log these rules play differently: from its newest snapshot, with its log begun anew there. Then
	// Restore runs every log from its beginning. It is for machines on which games are developed: elsewhere nobody may change the
	// rules of a game that is being played.
	KeepState bool

	CatchUp int // missed ticks that Due makes up when the caller is late; it skips the rest; 0 means 5

	// A snapshot is due when replaying the log since the last one would cost more than one of these.
	SnapshotCost  time.Duration // time spent in Step, as told by Charge; 0 means 1 ms
	SnapshotBytes int           // bytes of log; 0 means 256 KiB
	SnapshotTurns int           // inputs; 0 means 1024
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
