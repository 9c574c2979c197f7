package journal

import (
	"log/slog"
	"time"
)

// Options configure a journal. Every zero value means the default.
type Options struct {
	// MaxPending bounds the bytes of log and snapshots that wait for the disk, over all rooms.
	// Beyond it Append returns ErrFull. Default 64 MiB.
	MaxPending int
	// MaxBatch bounds one Append: entries and snapshot together. Default 64 MiB.
	MaxBatch int
	// MaxRow bounds the bytes of a record into which batches of one room are joined. Default 1 MiB.
	MaxRow int
	// MaxGroup bounds the changes in one group. Together with MaxGroupBytes it bounds how long the changes after
	// them wait. Default 1024.
	MaxGroup int
	// MaxGroupBytes bounds the bytes in one group. Default 8 MiB.
	MaxGroupBytes int

	// RetryMin is the longest pause after a failed write. It doubles with every failure in a row, up to RetryMax.
	// Defaults 50 ms and 2 s.
	RetryMin, RetryMax time.Duration
	// Health is called on the writer's goroutine when writing begins to fail, with a *FailingError, and
	// when it works again, with nil. It must be quick. May be nil.
	Health func(error)

	// Elapsed is the node's monotonic time: it starts anywhere and never decreases within one process.
	// Default: the time since Open.
	Elapsed func() time.Duration
	// MarkEvery is how often Elapsed is written, in one file for all rooms. A crash costs rooms at
	// most this much of their time. Default 1 s.
	MarkEvery time.Duration

	// MaxBytes is the most bytes that live rooms and rooms that were set aside should take: see Journal.OverBudget. 0 means no limit.
	MaxBytes int64

	// KeepAside is how long rooms that were set aside are kept. Default 30 days; negative means for ever.
	KeepAside time.Duration

	// BlackBoxSlots bounds the steps under way that the black box can hold; 64 bytes each.
	// Default 1024.
	BlackBoxSlots int
	// MaxTries is how many processes may die in the same step before its room counts as
	// poisoned. Default 2.
	MaxTries int
	// ForgiveAfter is how long a process must have run before a step that returns is forgiven for having
	// killed an earlier process. Default 1 min.
	ForgiveAfter time.Duration

	// Sync makes every change wait until it would survive a loss of power. Changes that wait together share one sync.
	Sync bool
	// redoMost is the size at which a segment of the redo log ends. Default 32 MiB.
	redoMost int64
	// BootIDFile names a file that differs between starts of the machine. Default: Linux's /proc/sys/kernel/random/boot_id; macOS is
	// asked by a system call, and other systems have no such id.
	BootIDFile string
	// MaxFiles bounds how many rooms' files are open at a time. Default 1024.
	MaxFiles int

	// Log gets damage, cuts and failing disks. Default: nothing is logged.
	Log *slog.Logger
}

func (o Options) withDefaults() Options {
	setDefault(&o.MaxPending, 64<<20)
	setDefault(&o.MaxBatch, 64<<20)
	setDefault(&o.MaxRow, 1<<20)
	setDefault(&o.MaxGroup, 1024)
	setDefault(&o.MaxGroupBytes, 8<<20)
	setDefault(&o.RetryMin, 50*time.Millisecond)
	setDefault(&o.RetryMax, 2*time.Second)
	setDefault(&o.MarkEvery, time.Second)
	setDefault(&o.KeepAside, 30*24*time.Hour)
	setDefault(&o.redoMost, 32<<20)
	setDefault(&o.MaxFiles, 1024)
	setDefault(&o.BlackBoxSlots, 1024)
	setDefault(&o.MaxTries, 2)
	setDefault(&o.ForgiveAfter, time.Minute)
	if o.Health == nil {
		o.Health = func(error) {}
	}
	if o.Elapsed == nil {
		start := time.Now()
		o.Elapsed = func() time.Duration { return time.Since(start) }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	return o
}

// purge deletes the rooms that were set aside too long ago.
func (o Options) purge() purge {
	if o.KeepAside < 0 {
		return purge{before: time.Unix(0, 0)}
	}
	return purge{before: time.Now().Add(-o.KeepAside)}
}

func setDefault[T int | int64 | time.Duration](value *T, to T) {
	if *value == 0 {
		*value = to
	}
}
