//go:build !linux

package web

import (
	"net"
	"time"
)

// setUserTimeout is Linux's alone; elsewhere heartbeats find dead peers.
func setUserTimeout(*net.TCPConn, time.Duration) {}
