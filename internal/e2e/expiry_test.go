package e2e

import (
	"net/http"
	"testing"
	"time"

	"github.com/roomring/roomring/room/wire"
)

// TestATokenExpiresOnAnOpenSocket closes the socket of a token that has expired, not before its grace is over, and leaves
// one alone whose token is still good. The seat stays for who comes with another token.
func TestATokenExpiresOnAnOpenSocket(t *testing.T) {
	t.Parallel()
	key := authKey(t, "k")
	s := newServer(t, "--auth-key-file", key, "--guests", "on", "--token-grace", "1s", "--heartbeat", "10s").start()
	signedAt := time.Now().Truncate(time.Second) // exp is in whole seconds
	brief, long := signed(t, key, "--expires", "3s", "ann"), signed(t, key, "--expires", "1h", "bob")
	var info roomInfo
	if code := s.callAt(s.URL, "POST", "/v1/rooms", long, map[string]any{"game": "tally"}, &info); code != http.StatusCreated {
		t.Fatalf("creating a room: %d", code)
	}
	ann, bob := dial(t, info.URL, wire.JSON), dial(t, info.URL, wire.CBOR)
	first := ann.hello(wire.Hello{Client: "a", Token: brief})
	bob.hello(wire.Hello{Client: "b", Token: long})
	guest := dial(t, info.URL, wire.JSON)
	guest.hello(wire.Hello{Client: "w", As: wire.AsSpectator})
	ann.closesWith(wire.CloseUnauthorised, "expired")
	if lived := time.Since(signedAt); lived < 4*time.Second {
		t.Errorf("closed %v after the token was made for 3 s, with a grace of one", lived)
	}
	bob.act(1, `{"add":1}`)
	if a, ok := bob.answer().(wire.Ack); !ok {
		t.Errorf("whose token is good is answered %+v", a)
	}
	again := dial(t, info.URL, wire.JSON)
	if w := again.hello(wire.Hello{Client: "a", Attempt: 1, Token: signed(t, key, "--expires", "1h", "ann")}); w.Seat != first.Seat {
		t.Errorf("back in seat %d, should be %d", w.Seat, first.Seat)
	}
}
