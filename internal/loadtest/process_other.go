//go:build !unix

package loadtest

import "time"

// openFiles has no limit that is known here.
func openFiles() (uint64, bool) { return 0, false }

// ownCPU is not known here.
func ownCPU() time.Duration { return 0 }
