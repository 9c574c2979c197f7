package child

import "syscall"

// ownGroup keeps the terminal's signals from a child, and has the kernel kill it when its parent ends. The signal is SIGKILL,
// because a paused process ignores all others until it resumes. Nothing is lost: the journal has all that a node acknowledged.
func ownGroup(a *syscall.SysProcAttr) { a.Setpgid, a.Pdeathsig = true, syscall.SIGKILL }
