//go:build !linux

package e2e

import "syscall"

// EndsWithTests is for what the kernel ends with the tests, where it can.
func EndsWithTests() *syscall.SysProcAttr { return nil }

// Humble would leave processors to others.
func Humble() error { return nil }

// waitForTurn would have tests of whole servers take turns.
func waitForTurn() {}
