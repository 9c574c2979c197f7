package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// DieWithParent returns attributes with which the kernel kills a child when its parent, the test process, ends.
func DieWithParent() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// idleVariable is set in a process that RunAtIdlePriority has started again.
const idleVariable = "ROOMRING_TEST_HUMBLE"

// RunAtIdlePriority executes this program again, on one processor and only while no other process wants that processor. It takes the last
// processor because the first one handles most interrupts. It executes again because all threads inherit these settings from the thread
// that executes the program. In a process that runs this way already, it does nothing.
func RunAtIdlePriority() error {
	if os.Getenv(idleVariable) != "" {
		return nil
	}
	exe, err := os.Executable()
	if err != nil {
		return err
	}
	runtime.LockOSThread()
	var all, last unix.CPUSet
	if err := unix.SchedGetaffinity(0, &all); err != nil {
		return err
	}
	for i := range 1024 {
		if all.IsSet(i) {
			last.Zero()
			last.Set(i)
		}
	}
	if err := unix.SchedSetaffinity(0, &last); err != nil {
		return err
	}
	if err := unix.SchedSetAttr(0, &unix.SchedAttr{Size: unix.SizeofSchedAttr, Policy: unix.SCHED_IDLE}, 0); err != nil {
		return err
	}
	return syscall.Exec(exe, os.Args, append(os.Environ(), idleVariable+"=1"))
}

// waitForTurn waits until no other process of this user runs tests of whole servers. It takes a file lock, which the kernel releases when
// the process ends.
func waitForTurn() {
	name := filepath.Join(os.TempDir(), fmt.Sprintf("roomring-e2e-%d.lock", os.Getuid()))
	turn, err := unix.Open(name, unix.O_RDWR|unix.O_CREAT|unix.O_CLOEXEC, 0o600)
	if err == nil {
		err = unix.Flock(turn, unix.LOCK_EX)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, "tests of whole servers cannot take turns:", err)
	}
}
