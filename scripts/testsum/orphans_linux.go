package main

import (
	"os/exec"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// adopt makes this process the parent of processes that its children leave behind, such as a database server that
// ends after its test.
func adopt() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } // if it fails, some cost is not counted

// await waits for cmd and returns its exit code, negative after a signal. It reaps orphans that end meanwhile at once,
// because a test that has killed their parent may wait until they are gone.
func await(cmd *exec.Cmd) int {
	for {
		var status syscall.WaitStatus
		switch pid, err := syscall.Wait4(-1, &status, 0, nil); {
		case err == syscall.EINTR:
		case err != nil:
			return -1
		case pid == cmd.Process.Pid:
			return status.ExitStatus()
		}
	}
}

// awaitOrphans waits for those that are left to end.
func awaitOrphans(atMost time.Duration) {
	for end := time.Now().Add(atMost); time.Now().Before(end); {
		switch pid, err := syscall.Wait4(-1, nil, syscall.WNOHANG, nil); {
		case err == syscall.EINTR || pid > 0:
		case err != nil:
			return // there are none
		default:
			time.Sleep(20 * time.Millisecond)
		}
	}
}
