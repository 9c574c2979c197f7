//go:build unix

package loadtest

import (
	"syscall"
	"time"
)

// openFiles is how many files this process may have open. The Go runtime has raised the soft limit to the hard one.
func openFiles() (uint64, bool) {
	var limit syscall.Rlimit
	err := syscall.Getrlimit(syscall.RLIMIT_NOFILE, &limit)
	return uint64(limit.Cur), err == nil
}

// ownCPU is the processor time that this process has used.
func ownCPU() time.Duration {
	var use syscall.Rusage
	_ = syscall.Getrusage(syscall.RUSAGE_SELF, &use) // it has no other error than a wrong argument
	return time.Duration(use.Utime.Nano() + use.Stime.Nano())
}
