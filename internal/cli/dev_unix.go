//go:build unix

package cli

import "syscall"

// What holds a process up, and lets it go on.
const (
	pausing  = syscall.SIGSTOP
	resuming = syscall.SIGCONT
)
