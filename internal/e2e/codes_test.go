package e2e

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestJoinCodesAreGuessedNoFasterBySocket has one address guess at the code of a private room through sockets: it is held to
// the limit of searches over HTTP, out of the same bucket, and right codes cost nothing.
func TestJoinCodesAreGuessedNoFasterBySocket(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--rooms-per-second", "1000", "--guests-per-second", "1000").start()
	var info roomInfo
	if code := s.call("POST", "/v1/rooms", map[string]any{"game": "tally", "private": true}, &info); code != http.StatusCreated {
		t.Fatalf("creating a private room: %d", code)
	}
	for range 30 {
		c := dial(t, info.URL, wire.JSON)
		c.hello(wire.Hello{Client: "right", Code: info.Code, As: wire.AsSpectator})
		c.bye()
	}
	guessed := 0
	for code := wire.CloseForbidden; code == wire.CloseForbidden; guessed++ {
		if guessed == 400 { // more than come back in the time that this takes
			t.Fatal("400 guesses were not too many")
		}
		c := dial(t, info.URL, wire.JSON)
		c.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x", Code: "00000000", As: wire.AsSpectator}))
		if code, _, _ = c.closed(); code != wire.CloseForbidden && code != wire.CloseTooMany {
			t.Fatalf("a guess is closed with %d", code)
		}
	}
	for tries := 1; s.call("GET", "/v1/rooms?code=00000000", nil, nil) != http.StatusTooManyRequests; tries++ {
		if tries == 10 { // half of a bucket of its own
			t.Fatalf("after %d guesses by sockets, HTTP has a bucket of its own", guessed)
		}
	}
	open := s.create("tally", nil) // whom nobody asks for a code is not affected
	dial(t, open.URL, wire.JSON).hello(wire.Hello{Client: "open"})
}
