package ws_test

import (
	"net/http"
	"net/netip"
	"strings"
	"testing"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/trust"
	"github.com/roomring/roomring/web/ws"
)

// TestManySocketsShareWhatTheyMaySend has sockets that each stay within the limit of one and together send too much, from one address or
// into one room. Some of them are closed. One of the same address and room that sends little is not.
func TestManySocketsShareWhatTheyMaySend(t *testing.T) {
	little := limit.Rate{PerSecond: 1, Burst: 20 << 10}
	none := limit.Rate{PerSecond: -1}
	for name, c := range map[string]struct {
		address, room limit.Rate
		from          []string
		reason        string
	}{
		"of an address": {little, none, []string{"192.0.2.1", "192.0.2.1"}, "your address"},
		"into a room":   {none, little, []string{"192.0.2.1", "192.0.2.2"}, "this room"},
	} {
		t.Run(name, func(t *testing.T) {
			e := newEndpoint(t, func(o *ws.Options) {
				o.Proxies = trust.Proxies{netip.MustParsePrefix("127.0.0.0/8")}
				o.Floor, o.AddressBytes, o.RoomBytes = limit.Rate{PerSecond: 1, Burst: 4 << 10}, c.address, c.room
			})
			join := func(from string) *wsClient {
				w := e.dialWith(t, wsRoom, wire.JSON, &websocket.DialOptions{
					Subprotocols: []string{wire.SubprotocolJSON}, HTTPHeader: http.Header{"X-Forwarded-For": {from}},
				})
				w.hello(wire.Hello{Client: from})
				until[wire.Welcome](w)
				return w
			}
			modest, first, second := join(c.from[0]), join(c.from[0]), join(c.from[1])
			big := `"` + strings.Repeat("x", 10<<10) + `"`
			first.act(1, big)
			if ack := until[wire.Ack](first); ack.CSeq != 1 {
				t.Fatalf("the first is answered %+v", ack)
			}
			second.act(1, big) // beyond its floor too, and beyond what is left for both
			if why := second.closed(wire.CloseTooMany); !strings.Contains(why, c.reason) {
				t.Errorf("closed for %q, should name %q", why, c.reason)
			}
			chat(t, modest, 1)
			chat(t, join(c.from[1]), 1)
		})
	}
}
