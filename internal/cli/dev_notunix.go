//go:build !unix

package cli

import "syscall"

// Processes cannot be held up here: to send them these is an error.
const (
	pausing  = syscall.Signal(-1)
	resuming = syscall.Signal(-2)
)

func ownGroup() *syscall.SysProcAttr { return nil }
