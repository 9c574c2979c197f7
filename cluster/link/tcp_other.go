//go:build !linux

package link

import (
	"net"
	"time"
)

// setUserTimeout does nothing outside Linux. Heartbeats detect dead peers there.
func setUserTimeout(net.Conn, time.Duration) {}
