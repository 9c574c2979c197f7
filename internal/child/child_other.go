//go:build unix && !linux

package child

import "syscall"

// ownGroup keeps the terminal's signals from a child.
func ownGroup(a *syscall.SysProcAttr) { a.Setpgid = true }
