package ws_test

import (
	"bufio"
	"errors"
	"io"
	"net"
	"net/http"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/ws"
)

// TestHalfAFrameDoesNotKeepASocket opens three times as many sockets as one address may have. Each begins a frame and falls silent. No
// more than the limit are open at any time, and all are gone soon after the close frame.
func TestHalfAFrameDoesNotKeepASocket(t *testing.T) {
	const most, told = 10, 16
	e := newEndpoint(t, func(o *ws.Options) {
		o.PerAddress, o.Hello, o.Close = most, 2*time.Second, 300*time.Millisecond
	})
	half := maskedFrame(0x81, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "half"}))[:10]
	var upgraded []*bufio.Reader
	refused := 0
	for range 3 * (most + told) {
		nc, err := net.Dial("tcp", e.server.Listener.Addr().String())
		if err != nil {
			t.Fatal(err)
		}
		defer nc.Close()
		_ = nc.SetDeadline(time.Now().Add(testwait.Ceiling))
		_, _ = nc.Write(rawRequest(e))
		br := bufio.NewReader(nc)
		res, err := http.ReadResponse(br, nil)
		if err != nil {
			t.Fatal(err)
		}
		if res.StatusCode == http.StatusTooManyRequests {
			if refused++; res.Header.Get("Retry-After") == "" {
				t.Error("429 does not say when to retry")
			}
			_ = res.Body.Close()
			continue
		}
		if res.StatusCode != http.StatusSwitchingProtocols {
			t.Fatalf("the upgrade is answered with %d", res.StatusCode)
		}
		if open := e.sockets.Open(); open > most+told {
			t.Fatalf("%d sockets are open", open)
		}
		_, _ = nc.Write(half)
		upgraded = append(upgraded, br)
	}
	if refused == 0 {
		t.Error("no upgrade was refused")
	}
	codes := map[wire.CloseCode]int{}
	for _, br := range upgraded {
		codes[rawClose(t, br)]++
		if _, err := io.Copy(io.Discard, br); err != nil {
			var slow net.Error
			if errors.As(err, &slow) && slow.Timeout() {
				t.Fatal("the connection stays open after its close frame")
			}
		}
	}
	if codes[wire.CloseNoHello] < most || codes[wire.CloseTooMany] == 0 || len(codes) != 2 {
		t.Errorf("closed with %v", codes)
	}
	testwait.Until(t, "none is counted any more", func() bool { return e.sockets.Open() == 0 })
	c := e.dial(t, wsRoom, wire.JSON) // the places are free
	c.hello(wire.Hello{Client: "next"})
	until[wire.Welcome](c)
}
