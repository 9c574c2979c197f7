package e2e

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// TestHostileSockets are the rows about limits. While all of them are under way, two players in the
// same process play one game after another on the sockets they began with.
func TestHostileSockets(t *testing.T) {
	t.Parallel()
	newServer(t, append([]string{"--rooms-per-second", "1000", "--guests-per-second", "1000"}, impatient...)...).start().attacked(t)
}

// TestHostileSocketsAtAnotherNode has the same clients connect to a node that has none of their rooms.
func TestHostileSocketsAtAnotherNode(t *testing.T) {
	t.Parallel()
	s := newTeam(t, 2, append([]string{"--messages-per-second", "60"}, impatient...)...).start().nodes[0]
	s.away = true
	s.attacked(t)
}

var impatient = []string{"--heartbeat", "2s", "--hello-timeout", "3s", "--write-timeout", "500ms"}

func (s *server) attacked(t *testing.T) {
	stop, played := make(chan struct{}), make(chan int, 1)
	go func() { played <- s.playOn(stop) }()
	t.Run("attacks", func(t *testing.T) {
		for what, attack := range map[string]func(*server){
			"1 MiB message":             (*server).hugeMessage,
			"10,000 messages a second":  (*server).flood,
			"33 acts without an answer": (*server).tooManyActs,
			"a reader that never reads": (*server).neverReads,
			"half a frame, then nothing": func(s *server) {
				s.halfFrame(wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "a"}), wire.CloseNoHeartbeat)
			},
			"half a hello, then nothing": func(s *server) { s.halfFrame(nil, wire.CloseNoHello) },
			"nothing at all": func(s *server) {
				dial(s.t, s.create("tally", nil).URL, wire.JSON).closesWith(wire.CloseNoHello)
			},
		} {
			t.Run(what, func(t *testing.T) { attack(s.of(t)) })
		}
	})
	close(stop)
	n := <-played
	t.Logf("%d games were played meanwhile", n)
	if n == 0 {
		t.Error("no game could be played meanwhile")
	}
}

// playOn plays recorded games until it is told to stop, and at least one. Nobody may lose a socket.
func (s *server) playOn(stop <-chan struct{}) (n int) {
	games := recordedGames(s.t)
	for i := 1; ; i++ { // the first is the longest
		g := games[i%len(games)]
		if g.byFlag() || g.Termination == "abandoned" || len(strings.Fields(g.Moves)) > 150 { // one player's share stays under the rate limit's burst
			continue
		}
		ctx, cancel := context.WithTimeout(s.t.Context(), 2*time.Minute)
		m, err := s.seat(ctx, g)
		if err == nil {
			err = m.toTheEnd(ctx)
		}
		cancel()
		if err != nil {
			s.t.Errorf("game %d: %v", g.row, err)
			return n
		}
		for _, p := range m.players {
			if st := p.Stats(); st.Sockets != 1 || st.Resent != 0 || st.Lost != 0 {
				s.t.Errorf("game %d: a player was disturbed: %+v", g.row, st)
			}
			p.Close()
		}
		n++
		select {
		case <-stop:
			return n
		case <-time.After(200 * time.Millisecond): // the attackers need the processor too
		}
	}
}

func (s *server) hugeMessage() {
	c := dial(s.t, s.create("tally", nil).URL, wire.JSON)
	w := c.hello(wire.Hello{Client: "a"})
	msg := []byte(`{"t":"act","cseq":1,"data":"` + strings.Repeat("a", 1<<20) + `"}`)
	_ = c.tryWrite(websocket.MessageText, msg) // the server may stop reading in its middle
	c.closesWith(wire.CloseTooLarge, strconv.Itoa(w.Limits.Message))
}

func (s *server) flood() {
	c := dial(s.t, s.create("tally", nil).URL, wire.JSON)
	c.hello(wire.Hello{Client: "a"})
	go func() {
		for range 10_000 {
			if c.tryWrite(websocket.MessageText, []byte(`{"t":"ping"}`)) != nil {
				return // closed
			}
		}
	}()
	c.closesWith(wire.CloseTooMany, "limits.rate")
}

// tooManyActs sends more acts at once than may be unanswered; joined, so that no answer can come between.
func (s *server) tooManyActs() {
	c := dial(s.t, s.create("tally", nil).URL, wire.JSON)
	c.hello(wire.Hello{Client: "a"})
	var msg []byte
	for i := range 200 {
		msg = append(wire.AppendAct(msg, wire.JSON, wire.Act{CSeq: uint64(i + 1), Data: []byte(`{"add":1}`)}), '\n')
	}
	c.write(msg)
	c.closesWith(wire.CloseTooMany)
}

// neverReads has one player of a room stop reading while another makes the room say a lot.
func (s *server) neverReads() {
	info := s.create("tally", nil)
	deaf := dial(s.t, info.URL, wire.JSON)
	player := deaf.hello(wire.Hello{Client: "deaf"}).Player
	loud := dial(s.t, info.URL, wire.CBOR)
	loud.hello(wire.Hello{Client: "loud"})
	cseq, from := uint64(0), time.Now()
	testwait.Until(s.t, "the socket that does not read is closed as too slow", func() bool {
		cseq++
		_ = deaf.tryWrite(websocket.MessageText, []byte(`{"t":"ping"}`)) // it is too slow, not silent
		loud.act(cseq, `{"shout":100000}`)
		if a, ok := loud.answer().(wire.Ack); !ok {
			s.t.Fatalf("the other player was answered %+v", a)
		}
		time.Sleep(20 * time.Millisecond) // the loud one has a limit too
		return s.metric(`roomring_sockets_closed_total{code="4101"}`) > 0
	})
	s.t.Logf("closed after %v and %d messages", time.Since(from), cseq)
	s.offline(info.ID, player)
}

// halfFrame sends the first messages whole, then half a frame, then nothing.
func (s *server) halfFrame(first []byte, want wire.CloseCode) {
	info := s.create("tally", nil)
	u, err := url.Parse(info.URL)
	if err != nil {
		s.t.Fatal(err)
	}
	var under net.Conn
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		under, err = new(net.Dialer).DialContext(ctx, network, u.Host)
		return under, err
	}}
	ctx, cancel := context.WithTimeout(s.t.Context(), ceiling)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, info.URL, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{wire.SubprotocolJSON},
	})
	if err != nil {
		s.t.Fatal(err)
	}
	defer ws.CloseNow()
	if first != nil {
		if err := ws.Write(ctx, websocket.MessageText, first); err != nil {
			s.t.Fatal(err)
		}
	}
	// RFC 6455, section 5.2: final text frame, masked, 100 bytes, of which four come.
	if _, err := under.Write([]byte{0x81, 0x80 | 100, 1, 2, 3, 4, 'h', 'a', 'l', 'f'}); err != nil {
		s.t.Fatal(err)
	}
	for err == nil {
		_, _, err = ws.Read(ctx)
	}
	if code := wire.CloseCode(websocket.CloseStatus(err)); code != want {
		s.t.Errorf("closed %d (%v), should be %d", code, err, want)
	}
}

// TestHeartbeats keeps a client that says something from time to time, and lets one that is silent hear that
// the server is there before it is closed.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--heartbeat", "1s").start()
	info := s.create("tally", nil)
	silent, alive := dial(t, info.URL, wire.JSON), dial(t, info.URL, wire.CBOR)
	silent.hello(wire.Hello{Client: "silent"})
	if w := alive.hello(wire.Hello{Client: "alive"}); w.Heartbeat != 1000 {
		t.Errorf("welcome says a heartbeat of %d ms", w.Heartbeat)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 20 { // twice as long as silence is borne
			time.Sleep(250 * time.Millisecond)
			if alive.tryWrite(websocket.MessageBinary, wire.AppendPing(nil, wire.CBOR, wire.Ping{})) != nil {
				return
			}
		}
	}()
	code, _, before := silent.closed()
	pongs := 0
	for _, m := range before {
		if p, ok := m.(wire.Pong); ok && len(p.Echo) == 0 && p.Time > 0 {
			pongs++
		}
	}
	if code != wire.CloseNoHeartbeat || pongs == 0 {
		t.Errorf("the silent one was closed %d after %d pongs", code, pongs)
	}
	<-ended
	alive.act(1, `{"add":1}`)
	if a, ok := alive.answer().(wire.Ack); !ok {
		t.Errorf("the one that pings is answered %+v", a)
	}
}

// TestTooManySocketsOfOneAddress turns away one too many, and lets the next one in when another has gone.
func TestTooManySocketsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--max-sockets-per-address", "3").start()
	info := s.create("tally", nil)
	var in []*socket
	for i := range 3 {
		c := dial(t, info.URL, wire.JSON)
		c.hello(wire.Hello{Client: name(i)})
		in = append(in, c)
	}
	dial(t, info.URL, wire.JSON).closesWith(wire.CloseTooMany, "address")
	in[0].bye()
	testwait.Until(t, "the sockets that have gone are not counted", func() bool { return s.metric("roomring_sockets") == 2 })
	dial(t, info.URL, wire.JSON).hello(wire.Hello{Client: "next"})
}

// metric adds up one metric of /metrics over its labels, if the name has none; 0 if it is not there.
func (s *server) metric(name string) (sum float64) {
	s.t.Helper()
	var text []byte
	if code := s.admin("GET", "/metrics", nil, &text); code != http.StatusOK {
		s.t.Fatalf("GET /metrics: %d", code)
	}
	for _, found := range regexp.MustCompile(fmt.Sprintf(`(?m)^%s(?:\{.*\})? (\S+)$`, regexp.QuoteMeta(name))).FindAllSubmatch(text, -1) {
		v, err := strconv.ParseFloat(string(found[1]), 64)
		if err != nil {
			s.t.Fatalf("%s: %v", name, err)
		}
		sum += v
	}
	return sum
}
