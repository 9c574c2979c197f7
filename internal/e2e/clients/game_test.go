package clients_test

import (
	"io"
	"log"
	"net"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
)

// network is a proxy before a server whose connections a test cuts.
type network struct {
	net.Listener
	URL string

	mu    sync.Mutex
	conns []net.Conn
}

func newNetwork(t *testing.T, s *e2e.Server) *network {
	to, err := url.Parse(s.URL)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httptest.NewUnstartedServer(&httputil.ReverseProxy{
		Rewrite:  func(r *httputil.ProxyRequest) { r.SetURL(to) },
		ErrorLog: log.New(io.Discard, "", 0), // of what is cut
	})
	n := &network{Listener: proxy.Listener}
	proxy.Listener = n
	proxy.Start()
	n.URL = proxy.URL
	t.Cleanup(func() { n.cut(); proxy.Close() })
	return n
}

// Accept remembers a connection to be cut.
func (n *network) Accept() (net.Conn, error) {
	c, err := n.Listener.Accept()
	if err == nil {
		n.mu.Lock()
		n.conns = append(n.conns, c)
		n.mu.Unlock()
	}
	return c, err
}

// cut resets every connection.
func (n *network) cut() {
	n.mu.Lock()
	defer n.mu.Unlock()
	for _, c := range n.conns {
		_ = c.(*net.TCPConn).SetLinger(0) // it may be closed
		_ = c.Close()
	}
	n.conns = nil
}

// testGame has two clients play a recorded game on a real server, over a network that is cut several times, right after an act is said.
func testGame(t *testing.T, s *e2e.Server, d *driver) {
	games := e2e.SteadyGames(t, 60)
	game := games[slices.IndexFunc(games, func(g e2e.RecordedGame) bool { return g.Termination == "checkmate" })]
	n := newNetwork(t, s)
	info := s.Create("chess", map[string]any{"white": "first"})
	names := [2]string{t.Name() + "/white", t.Name() + "/black"}
	for _, name := range names {
		a := d.call(t, "join", order{"url": n.URL, "id": info.ID, "room": name, "name": "Ann"})
		if a.View == nil {
			t.Fatalf("joining: %+v", a)
		}
	}
	const cuts = 4 // each is followed by a longer wait, because the sockets before were young
	last, sockets := uint64(0), 0
	moves := strings.Fields(game.Moves)
	for i, move := range moves {
		waits := d.ask(t, "act", order{"room": names[i%2], "data": map[string]string{"move": move}})
		if i%(len(moves)/cuts) == 1 {
			n.cut()
		}
		a := d.wait(t, "act", waits)
		if a.Rejected != "" || a.Seq <= last {
			t.Fatalf("half-move %d, %s, after seq %d: %+v", i, move, last, a)
		}
		last = a.Seq
	}
	for _, name := range names {
		var got told
		testwait.Until(t, "the client sees the end", func() bool { got = d.tell(t, name); return got.Over != nil })
		v := got.View.(map[string]any)
		if e2e.BoardAndTurn(v["fen"].(string)) != e2e.BoardAndTurn(game.FinalFEN) || v["result"].(map[string]any)["score"] != game.Result || got.Over.End != "finished" {
			t.Errorf("it ends as %v, should be %s with %s", v, game.FinalFEN, game.Result)
		}
		if got.Mismatches != 0 {
			t.Errorf("%s: %d checksums differ", name, got.Mismatches)
		}
		sockets += got.Sockets
		d.call(t, "close", order{"room": name})
	}
	if sockets <= cuts {
		t.Errorf("%d sockets in all, though the network was cut %d times", sockets, cuts)
	}
	if r := s.Result(info.ID); r.End != "finished" || r.Result.Reason != "checkmate" {
		t.Errorf("stored as %+v", r)
	}
}

// testExample runs the example of the docs.
func testExample(t *testing.T, s *e2e.Server, d *driver) {
	if a := d.call(t, "sample", order{"url": s.URL}); a.Summary != "Black wins by resignation" {
		t.Errorf("%+v", a)
	}
}
