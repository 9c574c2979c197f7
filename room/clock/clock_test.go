package clock_test

import (
	"context"
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/clock/clocktest"
)

func TestWithTimeout(t *testing.T) {
	c := clocktest.New()
	ctx, cancel := clock.WithTimeout(t.Context(), c, time.Minute)
	defer cancel()
	if c.Advance(time.Minute - 1); ctx.Err() != nil {
		t.Fatal("it ended before its time")
	}
	if c.Advance(1); !errors.Is(context.Cause(ctx), context.DeadlineExceeded) {
		t.Errorf("it ended with %v", context.Cause(ctx))
	}
	ctx, cancel = clock.WithTimeout(t.Context(), c, time.Minute)
	if cancel(); !errors.Is(context.Cause(ctx), context.Canceled) || c.Pending() != 0 {
		t.Errorf("it was cancelled with %v and left %d timers", context.Cause(ctx), c.Pending())
	}
}

func TestSleep(t *testing.T) {
	c := clocktest.New()
	slept := make(chan bool)
	go func() { slept <- clock.Sleep(context.Background(), c, time.Hour) }()
	for c.Pending() == 0 {
		time.Sleep(time.Millisecond)
	}
	c.Advance(time.Hour)
	if !<-slept {
		t.Error("it did not sleep until the end")
	}
	over, cancel := context.WithCancel(t.Context())
	go func() { slept <- clock.Sleep(over, c, time.Hour) }()
	for c.Pending() == 0 {
		time.Sleep(time.Millisecond)
	}
	cancel()
	if <-slept || c.Pending() != 0 {
		t.Errorf("it slept on although its context has ended, %d timers are left", c.Pending())
	}
	if clock.Sleep(over, c, time.Hour) || clock.Sleep(over, c, 0) || c.Pending() != 0 {
		t.Errorf("it slept although its context had ended, %d timers are left", c.Pending())
	}
}

func TestSleepByTheMachine(t *testing.T) {
	if !clock.Sleep(t.Context(), nil, time.Millisecond) {
		t.Error("it did not sleep until the end")
	}
}

func TestTicker(t *testing.T) {
	c := clocktest.New()
	ticker := clock.NewTicker(c, time.Second)
	ticked := func() bool {
		select {
		case <-ticker.C:
			return true
		default:
			return false
		}
	}
	if ticked() {
		t.Error("it ticked before its time")
	}
	if c.Advance(time.Second); !ticked() {
		t.Error("it did not tick after a second")
	}
	if c.Advance(3 * time.Second); !ticked() || ticked() {
		t.Error("ticks that nobody received were not merged into one")
	}
	ticker.Stop()
	if c.Advance(time.Second); ticked() || c.Pending() != 0 {
		t.Error("it ticks on after Stop")
	}
}
