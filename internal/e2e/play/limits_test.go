package play_test

import (
	"net/http"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// TestSpectatorsAreBounded connects one more spectator than is allowed.
func TestSpectatorsAreBounded(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--max-spectators", "2").Start()
	info := s.Create("tally", nil)
	for range 2 {
		e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "w", As: wire.AsSpectator})
	}
	third := e2e.Dial(t, info.URL, wire.JSON)
	third.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "w", As: wire.AsSpectator}))
	third.ClosesWith(wire.CloseForbidden, "too many are watching")
	e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "player"}) // players are not counted as spectators
}

// TestLimitsAreNamed asks for more than one address may. The log names, once, the setting that would allow it.
func TestLimitsAreNamed(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--max-sockets-per-address", "1").Start()
	info := s.Create("chess", nil)
	refused := 0
	for i := 0; refused < 20; i++ { // an address that is refused much more often gets no answer
		if i == 400 {
			t.Fatal("400 guests at once were not too many")
		}
		if code := s.Call("POST", "/v1/guest", nil, nil); code == http.StatusTooManyRequests {
			refused++
		}
	}
	e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "first", As: wire.AsSpectator})
	for range 3 {
		e2e.Dial(t, info.URL, wire.JSON).ClosesWith(wire.CloseTooMany, "")
	}
	s.Until(e2e.WaitContext(t), "the log names both limits", func() bool {
		return e2e.Mentions(s.Log.String(), "limit=--guests-per-second", "limit=--max-sockets-per-address")
	})
	text := s.Log.String()
	for _, setting := range []string{"--guests-per-second", "--max-sockets-per-address"} {
		if n := strings.Count(text, "limit="+setting+" address=127.0.0.1"); n != 1 {
			t.Errorf("the log names %s %d times:\n%s", setting, n, text)
		}
	}

	open := e2e.NewServer(t, "--guests-per-second", "0", "--lists-per-second", "0", "--rooms-per-second", "0", "--max-sockets-per-address", "0", "--codes-per-second", "0", "--replays-per-second", "0").Start()
	info = open.Create("chess", nil)
	for range 200 {
		open.Guest("")
		open.Call("GET", "/v1/rooms?code=0", nil, nil)
	}
	for range 3 {
		e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "any", As: wire.AsSpectator})
	}
	if text := open.Log.String(); strings.Contains(text, "limit=") {
		t.Errorf("without limits the log names one:\n%s", text)
	}
}
