package journal

import (
	"log/slog"
	"time"
)

// Options of a journal. Every zero value means the default.
type Options struct {
	// MaxPending bounds the bytes of log and snapshots that wait for the disk, over all rooms.
	// Beyond it Append answers ErrFull. Default 64 MiB.
	MaxPending int
	// MaxBatch bounds one Append: entries and snapshot together. Default 64 MiB.
	MaxBatch int
	// MaxRow bounds the bytes that joining batches of one room may give one record. Default 1 MiB.
	MaxRow int
	// MaxGroup bounds the changes in one group, and with MaxGroupBytes how long those behind
	// them wait. Default 1024.
	MaxGroup int
	// MaxGroupBytes likewise. Default 8 MiB.
	MaxGroupBytes int

	// RetryMin is the pause after a failed write; it doubles up to RetryMax.
	// Defaults 50 ms and 2 s.
	RetryMin, RetryMax time.Duration
	// Health is told from the writer's goroutine when writing begins to fail (a *FailingError) and,
	// with nil, when it works again. It must be quick. May be nil.
	Health func(error)

	// Elapsed is the node's monotonic time: it starts anywhere and never falls within one process.
	// Default: the time since Open.
	Elapsed func() time.Duration
	// MarkEvery is how often Elapsed is written down, in one file for all rooms: a crash costs rooms at
	// most this much of their time. Default 1 s.
	MarkEvery time.Duration

	// MaxBytes is how much live rooms and those that were set aside should take: see Journal.OverBudget. 0 means no limit.
	MaxBytes int64

	// KeepAside is how long rooms that were set aside stay. Default 30 days; negative means for ever.
	KeepAside time.Duration

	// BlackBoxSlots bounds the steps under way that the black box can hold; 64 bytes each.
	// Default 1024.
	BlackBoxSlots int
	// MaxTries is how many processes may die in one and the same step before its room is called
	// poisoned. Default 2.
	MaxTries int
	// ForgiveAfter is how long a process must have lived for a step that once killed one, and now
	// returned, to be called innocent. Default 1 min.
	ForgiveAfter time.Duration

	// Sync has every change wait until it would outlive a loss of power. Those that wait together wait for one turn of the disk.
	Sync bool
	// redoMost is how large a segment of the log gets that is waited for. Default 32 MiB.
	redoMost int64
	// BootIDFile names a file that differs between starts of the machine. Default: Linux's /proc/sys/kernel/random/boot_id; other systems are
	// asked, or say nothing.
	BootIDFile string
	// MaxFiles bounds how many rooms' files are open at a time. Default 1024.
	MaxFiles int

	// Log hears of damage, cuts and failing disks. Default: nobody.
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

func setDefault[T int | int64 | time.Duration](value *T, to T) {
	if *value == 0 {
		*value = to
	}
}
