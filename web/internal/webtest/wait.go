package webtest

import (
	"testing"
	"time"
)

const Patience = 20 * time.Second // how long a test waits for what must come

// Eventually waits for something that must come.
func Eventually(t testing.TB, what string, ok func() bool) {
	t.Helper()
	for end := time.Now().Add(Patience); !ok(); time.Sleep(2 * time.Millisecond) {
		if time.Now().After(end) {
			t.Fatal("never: " + what)
		}
	}
}
