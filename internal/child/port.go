package child

import (
	"errors"
	"math/rand/v2"
	"net"
	"strconv"
	"sync/atomic"
)

// nextPort counts through the ports below those that the system gives to outgoing connections (32768 and up on Linux). So nobody
// takes a server's port while it is down between a kill and the next start.
var nextPort atomic.Uint32

// FreePort returns an address of the host with a port that is free for TCP and UDP and is not returned again soon. The host must be an address
// of this machine.
func FreePort(host string) (string, error) {
	const first, last = 15_000, 31_000
	nextPort.CompareAndSwap(0, rand.Uint32N(last-first))
	for range last - first {
		addr := net.JoinHostPort(host, strconv.Itoa(int(first+nextPort.Add(1)%(last-first))))
		if isFree(addr) {
			return addr, nil
		}
	}
	return "", errors.New("no port from 15000 to 30999 is free")
}

func isFree(addr string) bool {
	tcp, err := net.Listen("tcp", addr)
	if err != nil {
		return false
	}
	defer tcp.Close()
	udp, err := net.ListenPacket("udp", addr)
	if err != nil {
		return false
	}
	return udp.Close() == nil
}
