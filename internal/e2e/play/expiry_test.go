package play_test

import (
	"net/http"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestATokenExpiresOnAnOpenSocket keeps sockets open until a token expires. The server closes the socket of the expired token after the
// grace period, and no other socket. The player keeps the seat and can come back with another token.
func TestATokenExpiresOnAnOpenSocket(t *testing.T) {
	t.Parallel()
	key := authKey(t, "k")
	s := e2e.NewServer(t, "--auth-key-file", key, "--guests", "on", "--token-grace", "1s", "--heartbeat", "10s").Start()
	signedAt := time.Now().Truncate(time.Second) // exp is in whole seconds
	brief, long := signed(t, key, "--expires", "3s", "ann"), signed(t, key, "--expires", "1h", "bob")
	var info e2e.RoomInfo
	if code := s.CallAt(s.URL, "POST", "/v1/rooms", long, map[string]any{"game": "tally"}, &info); code != http.StatusCreated {
		t.Fatalf("creating a room: %d", code)
	}
	ann, bob := e2e.Dial(t, info.URL, wire.JSON), e2e.Dial(t, info.URL, wire.CBOR)
	first := ann.Hello(wire.Hello{Client: "a", Token: brief})
	bob.Hello(wire.Hello{Client: "b", Token: long})
	guest := e2e.Dial(t, info.URL, wire.JSON)
	guest.Hello(wire.Hello{Client: "w", As: wire.AsSpectator})
	ann.ClosesWith(wire.CloseUnauthorised, "expired")
	if lived := time.Since(signedAt); lived < 4*time.Second {
		t.Errorf("closed %v after the token was made for 3 s, with a grace of one", lived)
	}
	bob.Act(1, `{"add":1}`)
	if a, ok := bob.Answer().(wire.Ack); !ok {
		t.Errorf("whose token is good is answered %+v", a)
	}
	again := e2e.Dial(t, info.URL, wire.JSON)
	if w := again.Hello(wire.Hello{Client: "a", Attempt: 1, Token: signed(t, key, "--expires", "1h", "ann")}); w.Seat != first.Seat {
		t.Errorf("back in seat %d, should be %d", w.Seat, first.Seat)
	}
}
