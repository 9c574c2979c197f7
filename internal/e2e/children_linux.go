package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// EndsWithTests has the kernel end a child with the tests.
func EndsWithTests() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// humbleVariable is set in a process that is humble.
const humbleVariable = "ROOMRING_TEST_HUMBLE"

// Humble begins this process anew with one of its processors, the last, as the first has most of the interrupts, and with that only while
// nobody else wants it. Threads have that from the one that executes the program.
func Humble() error {
	if os.Getenv(humbleVariable) != "" {
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
	return syscall.Exec(exe, os.Args, append(os.Environ(), humbleVariable+"=1"))
}

// waitForTurn waits until no other process of this user runs such tests. The kernel gives the turn back when the process ends.
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
