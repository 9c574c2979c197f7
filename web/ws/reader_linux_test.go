package ws_test

import (
	"bufio"
	"encoding/json"
	"net"
	"net/http"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/ws"
)

// TestPingsWithoutReading has a client that sends all the time and reads nothing. Though that takes long to fill the buffers of two
// kernels, it is closed as too slow, and reads why when it wakes up.
func TestPingsWithoutReading(t *testing.T) {
	e := newEndpoint(t, func(o *ws.Options) { o.WriteTimeout, o.Heartbeat = 2*time.Second, 4*time.Second })
	small := net.Dialer{Control: func(_, _ string, raw syscall.RawConn) error {
		return raw.Control(func(fd uintptr) { _ = syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, syscall.SO_RCVBUF, 2048) })
	}}
	nc, err := small.Dial("tcp", e.server.Listener.Addr().String())
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	_, _ = nc.Write(rawRequest(e))
	rawHello(t, nc)
	ended := make(chan struct{})
	pinging := make(chan struct{})
	go func() {
		defer close(pinging)
		ping := maskedFrame(0x81, wire.AppendPing(nil, wire.JSON, wire.Ping{Echo: json.RawMessage(`"` + strings.Repeat("x", 60) + `"`)}))
		for {
			select {
			case <-ended:
				return
			case <-time.After(30 * time.Millisecond):
				_, _ = nc.Write(ping)
			}
		}
	}()
	testwait.Until(t, "it is there", func() bool { return e.hall.size() == 1 })
	testwait.Until(t, "it is closed", func() bool { return e.hall.size() == 0 })
	br := bufio.NewReader(nc)
	if res, err := http.ReadResponse(br, nil); err != nil || res.StatusCode != 101 {
		t.Fatalf("%v %v", res, err)
	}
	_ = nc.SetReadDeadline(time.Now().Add(testwait.Ceiling))
	if code := rawClose(t, br); code != wire.CloseTooSlow {
		t.Errorf("closed with %d", code)
	}
	close(ended)
	<-pinging
	nc.Close()
	testwait.Until(t, "it is counted", func() bool { return e.meter.closedWith(wire.CloseTooSlow) == 1 })
}
