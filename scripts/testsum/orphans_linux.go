package main

import (
	"syscall"
	"time"

	"golang.org/x/sys/unix"
)

// adopt makes this process the parent of all that its children leave behind, such as a database server that ends
// after its test.
func adopt() { _ = unix.Prctl(unix.PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0) } // without it some cost is not seen

// awaitOrphans waits for those to end.
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
