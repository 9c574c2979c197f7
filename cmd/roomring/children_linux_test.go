package main

import "syscall"

// endsWithTests has the kernel end a child with the tests.
func endsWithTests() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
