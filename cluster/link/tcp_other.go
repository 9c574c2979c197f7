//go:build !linux

package link

import (
	"net"
	"time"
)

// setUserTimeout is Linux's alone; elsewhere heartbeats find dead peers.
func setUserTimeout(net.Conn, time.Duration) {}
