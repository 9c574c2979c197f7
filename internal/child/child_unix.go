//go:build unix

package child

import "syscall"

// The signals that pause and resume a process.
const (
	Pause  = syscall.SIGSTOP
	Resume = syscall.SIGCONT
)
