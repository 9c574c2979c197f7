package e2e

import (
	"bufio"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestReplacedByWayOfAnEdge has one player come again and again to a node that has not the room, as a client that flaps, or one that
// says hello and is gone. Whom the room has replaced hears so, and none of the sockets stays.
func TestReplacedByWayOfAnEdge(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 2).start()
	edge, owner := c.nodes[0], c.nodes[1]
	edge.away = true
	info := edge.create("tally", nil)
	first := dial(t, info.URL, wire.JSON)
	token := first.hello(wire.Hello{Client: "a", Attempt: 1}).Token
	var attempt atomic.Uint64
	attempt.Store(1)
	hello := func(e wire.Encoding) []byte {
		return wire.AppendHello(nil, e, wire.Hello{Client: "a", Attempt: attempt.Add(1), Token: token})
	}
	var storm, heard sync.WaitGroup
	for range 8 {
		storm.Go(func() {
			for i := range 20 {
				s := dial(t, info.URL, encodingOf(i))
				s.write(hello(s.encoding))
				heard.Go(func() { s.closesWith(wire.CloseReplaced) })
			}
		})
		storm.Go(func() {
			for range 40 {
				helloAndGone(t, info.URL, hello(wire.JSON))
			}
		})
	}
	storm.Wait()
	last := dial(t, info.URL, wire.JSON)
	last.write(hello(wire.JSON))
	if w := hear[wire.Welcome](last); w.Node != owner.Node {
		t.Errorf("welcomed by %s", w.Node)
	}
	heard.Wait()
	first.closesWith(wire.CloseReplaced)
	edge.until(patience(t), "one socket is left", func() bool { return edge.metric("roomring_sockets") == 1 })
	owner.until(patience(t), "one session is left", func() bool { return owner.metric("roomring_sessions") == 1 })
	last.act(1, `{"add":1}`)
	if _, ok := last.answer().(wire.Ack); !ok {
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
