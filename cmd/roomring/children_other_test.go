//go:build !linux

package main

import "syscall"

// endsWithTests is for what the kernel ends with the tests, where it can.
func endsWithTests() *syscall.SysProcAttr { return nil }
