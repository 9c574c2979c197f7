package e2e

import (
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

// endsWithTests has the kernel end a child with the tests.
func endsWithTests() *syscall.SysProcAttr { return &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }

// humbleVariable is set in a process that is humble.
const humbleVariable = "ROOMRING_TEST_HUMBLE"

// humble begins this process anew with one of its processors, the last, as the first has most of the interrupts, and with that only while
// nobody else wants it. Threads have that from the one that executes the program.
func humble() error {
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
