//go:build !linux

package ws

import (
	"net"
	"syscall"
	"time"
)

// setUserTimeout does nothing but on Linux: heartbeats find dead peers.
func setUserTimeout(*net.TCPConn, time.Duration) {}

// tcpProgress is known on Linux alone. Elsewhere a write that times out finds clients that read nothing.
func tcpProgress(syscall.RawConn) (taken uint64, waiting bool) { return 0, false }
