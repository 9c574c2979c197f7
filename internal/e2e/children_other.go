//go:build !linux

package e2e

import "syscall"

// DieWithParent returns nil: only Linux can kill a child when its parent ends.
func DieWithParent() *syscall.SysProcAttr { return nil }

// RunAtIdlePriority does nothing: it is implemented on Linux only.
func RunAtIdlePriority() error { return nil }

// waitForTurn does nothing: it is implemented on Linux only.
func waitForTurn() {}
