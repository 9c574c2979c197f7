package cli

import "syscall"

// ownGroup keeps a child away from the terminal's signals, and has the kernel end it with its parent: by SIGKILL, for one
// that is paused hears no other signal. Its journal has all that it has said.
func ownGroup() *syscall.SysProcAttr {
	return &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
}
