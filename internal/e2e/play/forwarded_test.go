//go:build !race

package play_test

import (
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestForwardedAddresses checks that players are counted by the addresses that a trusted proxy forwards, in any spelling.
func TestForwardedAddresses(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--max-sockets-per-address", "1", "--trusted-proxies", "127.0.0.1").Start()
	info := s.Create("chess", nil)
	for i, test := range []struct {
		header, value string
		taken         bool
	}{
		{"X-Forwarded-For", "198.51.100.7:50001", true},
		{"X-Forwarded-For", "198.51.100.7:50002", false},
		{"X-Forwarded-For", "198.51.100.8:50001", true},
		{"X-Forwarded-For", "[2001:db8::1]:443", true},
		{"X-Forwarded-For", "2001:db8::2", false},
		{"X-Forwarded-For", "[2001:db8:1::1]:443", true},
		{"Forwarded", "for=198.51.100.9", true},
		{"Forwarded", `for="198.51.100.9:4711";proto=https`, false},
		{"Forwarded", `for="[2001:db8:2::1]:4711"`, true},
		{"Forwarded", `for="[2001:db8:2::2]"`, false},
	} {
		ws, err := (&e2e.Balancer{T: t}).Open(http.DefaultClient, info.URL, http.Header{test.header: {test.value}})
		if err != nil {
			t.Fatal(err)
		}
		err = ws.TryHello(e2e.SpectatorHello("c"))
		if taken := err == nil; taken != test.taken || !taken && websocket.CloseStatus(err) != websocket.StatusCode(wire.CloseTooMany) {
			t.Errorf("%d: a socket with %s: %s: %v", i, test.header, test.value, err)
		}
	}
}
