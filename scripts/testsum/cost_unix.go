//go:build unix

package main

import (
	"syscall"
	"time"
)

// childrenCPU is what all children that have ended used, and theirs.
func childrenCPU() time.Duration {
	var used syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_CHILDREN, &used); err != nil {
		return 0
	}
	return time.Duration(used.Utime.Nano() + used.Stime.Nano())
}
