package play_test

import (
	"net/http"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestJoinCodesAreGuessedNoFasterBySocket guesses at the code of a private room through sockets from one address. The limit of searches
// over HTTP applies, with the same bucket. Right codes cost nothing.
func TestJoinCodesAreGuessedNoFasterBySocket(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--rooms-per-second", "1000", "--guests-per-second", "1000").Start()
	var info e2e.RoomInfo
	if code := s.Call("POST", "/v1/rooms", map[string]any{"game": "tally", "private": true}, &info); code != http.StatusCreated {
		t.Fatalf("creating a private room: %d", code)
	}
	for range 30 {
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Hello(wire.Hello{Client: "right", Code: info.Code, As: wire.AsSpectator})
		c.Bye()
	}
	guessed := 0
	for code := wire.CloseForbidden; code == wire.CloseForbidden; guessed++ {
		if guessed == 400 { // more than are refilled in the time that this takes
			t.Fatal("400 guesses were not too many")
		}
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x", Code: "00000000", As: wire.AsSpectator}))
		if code, _, _ = c.Closed(); code != wire.CloseForbidden && code != wire.CloseTooMany {
			t.Fatalf("a guess is closed with %d", code)
		}
	}
	for tries := 1; s.Call("GET", "/v1/rooms?code=00000000", nil, nil) != http.StatusTooManyRequests; tries++ {
		if tries == 10 { // half of a full bucket
			t.Fatalf("after %d guesses by sockets, HTTP has a bucket of its own", guessed)
		}
	}
	open := s.Create("tally", nil) // a room without a code is not affected
	e2e.Dial(t, open.URL, wire.JSON).Hello(wire.Hello{Client: "open"})
}
