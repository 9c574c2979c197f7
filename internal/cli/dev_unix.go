//go:build unix

package cli

import "syscall"

// The signals that pause and resume a process.
const (
	pausing  = syscall.SIGSTOP
	resuming = syscall.SIGCONT
)
