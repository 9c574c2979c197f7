package persist

import (
	"context"
	"errors"
	"log/slog"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room/record"
)

// Heart is the part of a Store that a Heartbeat needs.
type Heart interface {
	Heartbeat(ctx context.Context, boot record.BootID) error
	Timeline(ctx context.Context) (string, error)
}

// HeartbeatOptions configure a Heartbeat. The zero value is fit for use.
type HeartbeatOptions struct {
	// Every is the time between beats, well under FreshFor. 0 means 3 s.
	Every time.Duration
	// Log gets a warning when heartbeats fail. Nil discards.
	Log *slog.Logger
	// Dead is called once, on the Heartbeat's goroutine, if the store says that the boot is fenced: the process must
	// acknowledge nothing more. A store that is away does not lead to the call.
	Dead func()
	// NewTimeline is called, on the Heartbeat's goroutine, if the store has failed over since the last heartbeat: see Store.Timeline.
	// Nil calls nothing.
	NewTimeline func()
}

// Heartbeat tells the store every few seconds that a boot is alive. It has one goroutine, which Close ends.
type Heartbeat struct {
	last atomic.Int64 // when the store took the last heartbeat, in nanoseconds after born
	born time.Time
	end  context.CancelFunc
	done chan struct{}
}

// NewHeartbeat starts the heartbeats of a boot that StartBoot has just written.
func NewHeartbeat(store Heart, boot record.BootID, o HeartbeatOptions) *Heartbeat {
	o.Every = orDefault(o.Every, 3*time.Second)
	o.Log = orDiscard(o.Log)
	ctx, cancel := context.WithCancel(context.Background())
	h := &Heartbeat{born: time.Now(), end: cancel, done: make(chan struct{})}
	go h.run(ctx, store, boot, o)
	return h
}

// Age is the time since the store last took a heartbeat, for the readiness check and a metric.
func (h *Heartbeat) Age() time.Duration { return time.Since(h.born) - time.Duration(h.last.Load()) }

// Close ends the heartbeats and waits for one under way. It does not end the boot: see Boots.EndBoot.
func (h *Heartbeat) Close() {
	h.end()
	<-h.done
}

func (h *Heartbeat) run(ctx context.Context, store Heart, boot record.BootID, o HeartbeatOptions) {
	defer close(h.done)
	ticker := time.NewTicker(o.Every)
	defer ticker.Stop()
	timeline := o.compare(ctx, store, "")
	for failures := 0; ; {
		select {
		case <-ctx.Done():
			return
		case <-ticker.C:
		}
		limited, cancel := context.WithTimeout(ctx, o.Every)
		err := store.Heartbeat(limited, boot)
		if err == nil {
			timeline = o.compare(ctx, store, timeline)
		}
		cancel()
		switch {
		case err == nil:
			failures = 0
			h.last.Store(int64(time.Since(h.born)))
		case errors.Is(err, ErrBootDead):
			o.Log.Error("this process is fenced in the store: it must serve nothing more", "boot", boot)
			if o.Dead != nil {
				o.Dead()
			}
			return
		case ctx.Err() == nil:
			if failures++; powerOfTwo(failures) {
				o.Log.Warn("the store took no heartbeat", "boot", boot, "failures", failures, "error", err)
			}
		}
	}
}

// compare returns the store's timeline, and tells if it is another one than before. A store that does not say counts as unchanged.
func (o *HeartbeatOptions) compare(ctx context.Context, store Heart, before string) string {
	limited, cancel := context.WithTimeout(ctx, o.Every)
	defer cancel()
	now, err := store.Timeline(limited)
	switch {
	case err != nil:
		return before
	case before != "" && now != before:
		o.Log.Warn("the store has failed over", "from", before, "to", now)
		if o.NewTimeline != nil {
			o.NewTimeline()
		}
	}
	return now
}
