package clustertest

import (
	"os"
	"runtime/debug"
	"testing"
)

// TestMain collects garbage seldom: the heap of a run is small, and collecting would take half of the time.
func TestMain(m *testing.M) {
	debug.SetGCPercent(800)
	os.Exit(m.Run())
}
