package hostile_test

import (
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"sync"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// comingFrom returns a client whose requests come from a loopback address. If brief is set, each request has its own connection.
func comingFrom(s *e2e.Server, ip net.IP, brief bool) *http.Client {
	dialer := &net.Dialer{Timeout: e2e.Ceiling, LocalAddr: &net.TCPAddr{IP: ip}}
	transport := &http.Transport{DialContext: dialer.DialContext, DisableKeepAlives: brief}
	s.T.Cleanup(transport.CloseIdleConnections)
	return &http.Client{Timeout: e2e.Ceiling, Transport: transport}
}

// TestAFloodIsNotAnswered goes on with requests from one address after they are refused, until its connections are closed before anything
// is read. The open socket of the address goes on, other addresses are served, and so is this address after a while.
func TestAFloodIsNotAnswered(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--requests-per-second", "2", "--refusals-per-second", "1").Start() // bursts of 20 and 10
	flooding := comingFrom(s, net.IPv4(127, 0, 0, 1), true)
	socket := e2e.Dial(t, s.Create("tally", nil).URL, wire.JSON)
	socket.Hello(wire.Hello{Client: "a"})
	get := func(c *http.Client) (int, error) {
		res, err := c.Get(s.URL + "/v1/games")
		if err != nil {
			return 0, err
		}
		_, _ = io.Copy(io.Discard, res.Body)
		return res.StatusCode, res.Body.Close()
	}
	served, refused := 0, 0
	s.Until(e2e.WaitContext(t), "the flood is not answered any more", func() bool {
		switch code, err := get(flooding); {
		case code == http.StatusOK:
			served++
		case code == http.StatusTooManyRequests:
			refused++
		case err != nil && !os.IsTimeout(err):
			return true
		default:
			t.Fatalf("the flood is told %d %v", code, err)
		}
		return false
	})
	if served < 10 || refused < 10 {
		t.Errorf("%d requests were served, and %d refused", served, refused)
	}
	if code, err := get(comingFrom(s, net.IPv4(127, 0, 0, 2), true)); err != nil || code != http.StatusOK {
		t.Errorf("another address: %d %v", code, err)
	}
	socket.Act(1, `{"add":1}`)
	if a, ok := socket.Answer().(wire.Ack); !ok {
		t.Errorf("the socket is answered %+v", a)
	}
	if text := s.Log.String(); !e2e.Mentions(text, "limit=--requests-per-second", "limit=--refusals-per-second") {
		t.Errorf("the log does not name the limits:\n%s", text)
	}
	s.Until(e2e.WaitContext(t), "who pauses is served again", func() bool { code, _ := get(flooding); return code == http.StatusOK })
}

// TestAFullNodeMakesRoom fills a node with rooms that nobody joins, from one address. Then many rooms are made at once from other
// addresses. Each of those requests gets a room, whatever is being removed at that moment.
func TestAFullNodeMakesRoom(t *testing.T) {
	t.Parallel()
	const most = 120
	s := e2e.NewServer(t, "--max-rooms", "120", "--room-share", "100", "--rooms-per-second", "0", "--requests-per-second", "0").Start()
	for range most {
		s.Create("chess", nil)
	}
	var wg sync.WaitGroup
	for i := range most {
		wg.Go(func() {
			c := comingFrom(s, net.IPv4(127, 0, 1, byte(1+i)), true)
			res, err := c.Post(s.URL+"/v1/rooms", "application/json", strings.NewReader(`{"game":"chess"}`))
			if err != nil {
				t.Error(err)
				return
			}
			if _ = res.Body.Close(); res.StatusCode != http.StatusCreated {
				t.Errorf("a room of a full node: %d", res.StatusCode)
			}
		})
	}
	wg.Wait()
}
