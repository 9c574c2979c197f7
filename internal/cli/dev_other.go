//go:build unix && !linux

package cli

import "syscall"

// ownGroup keeps a child away from the terminal's signals.
func ownGroup() *syscall.SysProcAttr { return &syscall.SysProcAttr{Setpgid: true} }
