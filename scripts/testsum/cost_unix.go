//go:build unix

package main

import (
	"syscall"
	"time"
)

// childrenCPU is the CPU time of all children that have ended, and of theirs.
func childrenCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
