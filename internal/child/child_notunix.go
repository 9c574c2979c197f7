//go:build !unix

package child

import "syscall"

// Processes cannot be paused here: sending these signals is an error.
const (
	Pause  = syscall.Signal(-1)
	Resume = syscall.Signal(-2)
)

func ownGroup(*syscall.SysProcAttr) {}
