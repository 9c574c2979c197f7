package hostile_test

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestReplacedByWayOfAnEdge has one player connect again and again to a node that does not own the room, as a client on a flapping
// network does, or one that says hello and leaves. A replaced client hears so, and none of the sockets stays.
func TestReplacedByWayOfAnEdge(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	edge, owner := c.Nodes[0], c.Nodes[1]
	edge.CreateElsewhere = true
	info := edge.Create("tally", nil)
	first := e2e.Dial(t, info.URL, wire.JSON)
	token := first.Hello(wire.Hello{Client: "a", Attempt: 1}).Token
	var attempt atomic.Uint64
	attempt.Store(1)
	hello := func(e wire.Encoding) []byte {
		return wire.AppendHello(nil, e, wire.Hello{Client: "a", Attempt: attempt.Add(1), Token: token})
	}
	var storm, heard sync.WaitGroup
	for range 8 {
		storm.Go(func() {
			for i := range 20 {
				s := e2e.Dial(t, info.URL, e2e.EncodingOf(i))
				s.Write(hello(s.Encoding))
				heard.Go(func() { s.ClosesWith(wire.CloseReplaced) })
			}
		})
		storm.Go(func() {
			for range 40 {
				helloAndGone(t, info.URL, hello(wire.JSON))
			}
		})
	}
	storm.Wait()
	last := e2e.Dial(t, info.URL, wire.JSON)
	last.Write(hello(wire.JSON))
	if w := e2e.Hear[wire.Welcome](last); w.Node != owner.Node {
		t.Errorf("welcomed by %s", w.Node)
	}
	heard.Wait()
	first.ClosesWith(wire.CloseReplaced)
	edge.Until(e2e.WaitContext(t), "one socket is left", func() bool { return edge.Metric("roomring_sockets") == 1 })
	owner.Until(e2e.WaitContext(t), "one session is left", func() bool { return owner.Metric("roomring_sessions") == 1 })
	last.Act(1, `{"add":1}`)
	if _, ok := last.Answer().(wire.Ack); !ok {
		t.Error("who came last cannot act")
	}
}

// helloAndGone says hello and closes its connection at once.
func helloAndGone(t *testing.T, ws string, hello []byte) {
	t.Helper()
	u, err := url.Parse(ws)
	if err != nil {
		t.Error(err)
		return
	}
	nc, err := net.Dial("tcp", u.Host)
	if err != nil {
		t.Error(err)
		return
	}
	defer nc.Close()
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nSec-WebSocket-Version: 13\r\n"+
		"Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Protocol: %s\r\n\r\n", u.RequestURI(), u.Host, wire.SubprotocolJSON)
	if res, err := http.ReadResponse(bufio.NewReader(nc), nil); err != nil || res.StatusCode != http.StatusSwitchingProtocols {
		t.Errorf("%v %v", res, err)
		return
	}
	_, _ = nc.Write(masked(hello))
}

// masked is a client's text frame of less than 64 KiB (RFC 6455, section 5.2); the mask is zero.
func masked(payload []byte) []byte {
	n := len(payload)
	return append([]byte{0x81, 0x80 | 126, byte(n >> 8), byte(n), 0, 0, 0, 0}, payload...)
}
