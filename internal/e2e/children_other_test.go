//go:build !linux

package e2e

import "syscall"

// endsWithTests is for what the kernel ends with the tests, where it can.
func endsWithTests() *syscall.SysProcAttr { return nil }

// humble would leave processors to others.
func humble() error { return nil }
