//go:build !race

package testwait_test

import (
	"fmt"
	"runtime"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/internal/testwait"
)

// failing notes a failure in place of a test, and ends its goroutine as t.Fatalf does.
type failing struct {
	testing.TB
	said string
}

func (f *failing) Helper() {}
func (f *failing) Fatalf(format string, args ...any) {
	f.said = fmt.Sprintf(format, args...)
	runtime.Goexit()
}

// run calls wait in a goroutine of its own and returns what it failed with.
func run(wait func(testing.TB)) string {
	f := &failing{}
	done := make(chan struct{})
	go func() { defer close(done); wait(f) }()
	<-done
	return f.said
}

func TestUntil(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		began, asked := time.Now(), 0
		testwait.Until(t, "ten seconds are over", func() bool { asked++; return time.Since(began) > 10*time.Second })
		if asked > 600 {
			t.Errorf("asked %d times in ten seconds", asked)
		}
		if got, want := run(func(t testing.TB) { testwait.Until(t, "pigs fly", func() bool { return false }) }), "after 1m0s still waiting until pigs fly"; got != want {
			t.Errorf("failed with %q, want %q", got, want)
		}
	})
}

func TestReceive(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		values := make(chan int)
		go func() { time.Sleep(10 * time.Second); values <- 7; close(values) }()
		if got := testwait.Receive(t, "a seven", values); got != 7 {
			t.Errorf("received %d, want 7", got)
		}
		if got := testwait.Receive(t, "the end", values); got != 0 {
			t.Errorf("received %d of a closed channel", got)
		}
		if got, want := run(func(t testing.TB) { testwait.Receive(t, "a pig", make(chan int)) }), "after 1m0s still waiting for a pig"; got != want {
			t.Errorf("failed with %q, want %q", got, want)
		}
	})
}
