// Package testwait has tests wait for what happens beside them, in another goroutine, process or browser, and read its log:
package testwait

import (
	"testing"
	"time"
)

// Ceiling is how long a test waits before it fails. It is generous, because a busy machine is no failure: nothing
// that works comes near it.
const Ceiling = time.Minute

// Pauses between two questions grow from the first to the last: a question to a server costs a request on both sides.
const (
	firstPause = time.Millisecond
	lastPause  = 20 * time.Millisecond
)

// Until waits until ok reports true, and fails the test at once when that takes longer than Ceiling. What completes
// "still waiting until …". It calls ok on the test's goroutine, so ok may fail the test too. In a testing/synctest
// bubble the pauses are virtual.
func Until(t testing.TB, what string, ok func() bool) {
	t.Helper()
	began, pause := time.Now(), firstPause
	for !ok() {
		if time.Since(began) > Ceiling {
			t.Fatalf("after %v still waiting until %s", Ceiling, what)
		}
		time.Sleep(pause)
		pause = min(2*pause, lastPause)
	}
}

// Receive returns the next value of a channel, or the zero value once the channel is closed. It fails the test at once
// when nothing comes within Ceiling. What names the value: "still waiting for …".
func Receive[T any](t testing.TB, what string, from <-chan T) T {
	t.Helper()
	timer := time.NewTimer(Ceiling)
	defer timer.Stop()
	select {
	case v := <-from:
		return v
	case <-timer.C:
		t.Fatalf("after %v still waiting for %s", Ceiling, what)
		panic("unreachable")
	}
}
