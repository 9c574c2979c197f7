package e2e

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/room/wire"
)

// TestSpectatorsAreBounded has one more come to watch than may.
func TestSpectatorsAreBounded(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--max-spectators", "2").start()
	info := s.create("tally", nil)
	for range 2 {
		dial(t, info.URL, wire.JSON).hello(wire.Hello{Client: "w", As: wire.AsSpectator})
	}
	third := dial(t, info.URL, wire.JSON)
	third.write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "w", As: wire.AsSpectator}))
	third.closesWith(wire.CloseForbidden, "too many are watching")
	dial(t, info.URL, wire.JSON).hello(wire.Hello{Client: "player"}) // who plays is no spectator
}

// TestLimitsAreNamed has one address ask for more than it may, and the log say, once, which setting would allow it.
func TestLimitsAreNamed(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--max-sockets-per-address", "1").start()
	info := s.create("chess", nil)
	refused := 0
	for i := 0; refused < 20; i++ { // who is refused much more often is not answered
		if i == 400 {
			t.Fatal("400 guests at once were not too many")
		}
		if code := s.call("POST", "/v1/guest", nil, nil); code == http.StatusTooManyRequests {
			refused++
		}
	}
	dial(t, info.URL, wire.JSON).hello(wire.Hello{Client: "first", As: wire.AsSpectator})
	for range 3 {
		dial(t, info.URL, wire.JSON).closesWith(wire.CloseTooMany, "")
	}
	s.until(patience(t), "the log names both limits", func() bool {
		return mentions(s.log.String(), "limit=--guests-per-second", "limit=--max-sockets-per-address")
	})
	text := s.log.String()
	for _, setting := range []string{"--guests-per-second", "--max-sockets-per-address"} {
		if n := strings.Count(text, "limit="+setting+" address=127.0.0.1"); n != 1 {
			t.Errorf("the log names %s %d times:\n%s", setting, n, text)
		}
	}

	open := newServer(t, "--guests-per-second", "0", "--lists-per-second", "0", "--rooms-per-second", "0", "--max-sockets-per-address", "0", "--codes-per-second", "0", "--replays-per-second", "0").start()
	info = open.create("chess", nil)
	for range 200 {
		open.guest("")
		open.call("GET", "/v1/rooms?code=0", nil, nil)
	}
	for range 3 {
		dial(t, info.URL, wire.JSON).hello(wire.Hello{Client: "any", As: wire.AsSpectator})
	}
	if text := open.log.String(); strings.Contains(text, "limit=") {
		t.Errorf("without limits the log names one:\n%s", text)
	}
}
