package hostile_test

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
)

// plainFrom connects from a loopback address and sends something.
func plainFrom(s *e2e.Server, address, say string) net.Conn {
	s.T.Helper()
	from := net.Dialer{LocalAddr: &net.TCPAddr{IP: net.ParseIP(address)}, Timeout: e2e.Ceiling}
	nc, err := from.DialContext(s.T.Context(), "tcp", s.Listen)
	if err != nil {
		s.T.Fatal(err)
	}
	s.T.Cleanup(func() { nc.Close() })
	if _, err := io.WriteString(nc, say); err != nil && say != "" {
		s.T.Fatal(err)
	}
	return nc
}

// standing returns the number of connections that the server has not closed.
func standing(all []net.Conn) (n int) {
	for _, nc := range all {
		_ = nc.SetReadDeadline(time.Now().Add(time.Millisecond))
		if _, err := nc.Read(make([]byte, 1)); errors.Is(err, os.ErrDeadlineExceeded) {
			n++
		}
	}
	return n
}

// TestConnectionsThatNeverBecomeARequest opens crowds of connections that are silent or send half a request, from one address and from
// many. Their number is bounded. Meanwhile real requests are answered, also from the same address.
func TestConnectionsThatNeverBecomeARequest(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--max-connections-per-address", "20", "--max-connections", "50", "--request-timeout", "5m").Start()
	socket := e2e.Dial(t, s.Create("tally", nil).URL, wire.JSON)
	socket.Hello(wire.Hello{Client: "a"})
	brief := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: e2e.Ceiling}
	asks := func() {
		t.Helper()
		res, err := brief.Get(s.URL + "/v1/games")
		if err != nil {
			t.Fatalf("who asks is turned away: %v", err)
		}
		if _ = res.Body.Close(); res.StatusCode != http.StatusOK {
			t.Fatalf("GET /v1/games: %d", res.StatusCode)
		}
	}
	var one, many []net.Conn
	for i := range 60 {
		one = append(one, plainFrom(s, "127.0.0.1", []string{"", "GET / HT"}[i%2]))
		if i%10 == 9 {
			asks()
		}
	}
	s.Until(e2e.WaitContext(t), "one address has no more than it may", func() bool { return standing(one) <= 20 })
	for i := range 80 {
		many = append(many, plainFrom(s, fmt.Sprintf("127.0.1.%d", 1+i/5), ""))
	}
	asks()
	s.Until(e2e.WaitContext(t), "all have no more than they may", func() bool { return standing(one)+standing(many) <= 50 })
	if left := standing(many); left < 40 {
		t.Errorf("%d of those who came last are left", left)
	}
	asks()
	socket.Act(1, `{"add":1}`) // a socket is not such a connection
	if a, ok := socket.Answer().(wire.Ack); !ok {
		t.Errorf("the socket is answered %+v", a)
	}
	if text := s.Log.String(); !e2e.Mentions(text, "limit=--max-connections-per-address", "limit=--max-connections ") {
		t.Errorf("the log does not name the limits:\n%s", text)
	}
}

// TestRequestsThatDoNotArrive sends incomplete requests, which the server gives up. A request whose body does not come is told so.
func TestRequestsThatDoNotArrive(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--request-timeout", "1s").Start()
	head := plainFrom(s, "127.0.0.1", "POST /v1/rooms HTTP/1.1\r\nHost: x\r\nX-Slow: ")
	body := plainFrom(s, "127.0.0.1", "POST /v1/rooms HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n{\"game\":")
	for _, nc := range []net.Conn{head, body} {
		_ = nc.SetReadDeadline(time.Now().Add(e2e.Ceiling))
	}
	res, err := http.ReadResponse(bufio.NewReader(body), nil)
	if err != nil {
		t.Fatal(err)
	}
	text, _ := io.ReadAll(res.Body)
	if _ = res.Body.Close(); res.StatusCode != http.StatusRequestTimeout || !strings.Contains(string(text), "in time") {
		t.Errorf("half a body is answered %d %s", res.StatusCode, text)
	}
	if _, err := io.ReadAll(head); errors.Is(err, os.ErrDeadlineExceeded) {
		t.Error("half a head keeps its connection")
	}
}

// TestNamesThatCannotBeSeen gives rooms and players invisible names, which are refused.
func TestNamesThatCannotBeSeen(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t).Start()
	info := s.Create("tally", nil)
	for _, name := range []string{"\u200b\u200b", "\u3164", "\u2800 \u2060", "\U000e0001", " \u00a0"} {
		if code := s.Call("POST", "/v1/rooms", map[string]any{"game": "tally", "name": name}, nil); code != http.StatusBadRequest {
			t.Errorf("a room of the name %+q: %d", name, code)
		}
		if code := s.Call("POST", "/v1/guest", map[string]any{"name": name}, nil); code != http.StatusBadRequest {
			t.Errorf("a guest of the name %+q: %d", name, code)
		}
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Write(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "x", Name: name}))
		c.ClosesWith(wire.CloseBadMessage, "name")
	}
	if code := s.Call("POST", "/v1/rooms", map[string]any{"game": "tally", "name": "مریم\u200cها 👨\u200d👩\u200d👧"}, nil); code != http.StatusCreated {
		t.Errorf("a room whose name is written with joiners: %d", code)
	}
}
