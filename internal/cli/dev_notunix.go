//go:build !unix

package cli

import "syscall"

// Processes cannot be paused here: sending these signals is an error.
const (
	pausing  = syscall.Signal(-1)
	resuming = syscall.Signal(-2)
)

func ownGroup() *syscall.SysProcAttr { return nil }
