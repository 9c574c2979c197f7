package main

import "syscall"

// ownGroup keeps a child away from the terminal's signals, and has the kernel end it with its parent.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGTERM}
}
