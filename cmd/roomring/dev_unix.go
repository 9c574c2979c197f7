//go:build unix

package main

import "syscall"

// What holds a process up, and lets it go on.
const (
	pausing  = syscall.SIGSTOP
	resuming = syscall.SIGCONT
)
