package hostile_test

import (
	"context"
	"net"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// TestHostileSockets tests the limits of sockets. While all attacks are running, two players in the same process play one game after
// another on the sockets with which they began.
func TestHostileSockets(t *testing.T) {
	t.Parallel()
	attacked(e2e.NewServer(t, append([]string{"--rooms-per-second", "1000", "--guests-per-second", "1000"}, impatient...)...).Start(), t)
}

// TestHostileSocketsAtAnotherNode connects the same clients to a node that owns none of their rooms.
func TestHostileSocketsAtAnotherNode(t *testing.T) {
	t.Parallel()
	s := e2e.NewTeam(t, 2, append([]string{"--messages-per-second", "60"}, impatient...)...).Start().Nodes[0]
	s.CreateElsewhere = true
	attacked(s, t)
}

var impatient = []string{"--heartbeat", "2s", "--hello-timeout", "3s", "--write-timeout", "500ms"}

func attacked(s *e2e.Server, t *testing.T) {
	stop, played := make(chan struct{}), make(chan int, 1)
	go func() { played <- playOn(s, stop) }()
	t.Run("attacks", func(t *testing.T) {
		for what, attack := range map[string]func(*e2e.Server){
			"1 MiB message":             hugeMessage,
			"10,000 messages a second":  flood,
			"33 acts without an answer": tooManyActs,
			"a reader that never reads": neverReads,
			"half a frame, then nothing": func(s *e2e.Server) {
				halfFrame(s, wire.AppendHello(nil, wire.JSON, wire.Hello{Client: "a"}), wire.CloseNoHeartbeat)
			},
			"half a hello, then nothing": func(s *e2e.Server) { halfFrame(s, nil, wire.CloseNoHello) },
			"nothing at all": func(s *e2e.Server) {
				e2e.Dial(s.T, s.Create("tally", nil).URL, wire.JSON).ClosesWith(wire.CloseNoHello)
			},
		} {
			t.Run(what, func(t *testing.T) { attack(s.ForTest(t)) })
		}
	})
	close(stop)
	n := <-played
	t.Logf("%d games were played meanwhile", n)
	if n == 0 {
		t.Error("no game could be played meanwhile")
	}
}

// playOn plays recorded games until it is told to stop, but at least one. No player may lose a socket.
func playOn(s *e2e.Server, stop <-chan struct{}) (n int) {
	games := e2e.RecordedGames(s.T)
	for i := 1; ; i++ { // the first game is the longest
		g := games[i%len(games)]
		if g.ByFlag() || g.Termination == "abandoned" || len(strings.Fields(g.Moves)) > 150 { // each player's half must stay under the burst of the rate limit
			continue
		}
		ctx, cancel := context.WithTimeout(s.T.Context(), 2*time.Minute)
		m, err := s.Seat(ctx, g)
		if err == nil {
			err = m.PlayAndCheck(ctx)
		}
		cancel()
		if err != nil {
			s.T.Errorf("game %d: %v", g.Row, err)
			return n
		}
		for _, p := range m.Players {
			if st := p.Stats(); st.Sockets != 1 || st.Resent != 0 || st.Lost != 0 {
				s.T.Errorf("game %d: a player was disturbed: %+v", g.Row, st)
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

func hugeMessage(s *e2e.Server) {
	c := e2e.Dial(s.T, s.Create("tally", nil).URL, wire.JSON)
	w := c.Hello(wire.Hello{Client: "a"})
	msg := []byte(`{"t":"act","cseq":1,"data":"` + strings.Repeat("a", 1<<20) + `"}`)
	_ = c.TryWrite(websocket.MessageText, msg) // the server may stop reading in the middle of it
	c.ClosesWith(wire.CloseTooLarge, strconv.Itoa(w.Limits.Message))
}

func flood(s *e2e.Server) {
	c := e2e.Dial(s.T, s.Create("tally", nil).URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a"})
	go func() {
		for range 10_000 {
			if c.TryWrite(websocket.MessageText, []byte(`{"t":"ping"}`)) != nil {
				return // closed
			}
		}
	}()
	c.ClosesWith(wire.CloseTooMany, "limits.rate")
}

// tooManyActs sends more acts at once than may be unanswered. They are joined into one message, so that no answer can come between them.
func tooManyActs(s *e2e.Server) {
	c := e2e.Dial(s.T, s.Create("tally", nil).URL, wire.JSON)
	c.Hello(wire.Hello{Client: "a"})
	var msg []byte
	for i := range 200 {
		msg = append(wire.AppendAct(msg, wire.JSON, wire.Act{CSeq: uint64(i + 1), Data: []byte(`{"add":1}`)}), '\n')
	}
	c.Write(msg)
	c.ClosesWith(wire.CloseTooMany)
}

// neverReads has one player of a room stop reading while another makes the room say a lot.
func neverReads(s *e2e.Server) {
	info := s.Create("tally", nil)
	deaf := e2e.Dial(s.T, info.URL, wire.JSON)
	player := deaf.Hello(wire.Hello{Client: "deaf"}).Player
	loud := e2e.Dial(s.T, info.URL, wire.CBOR)
	loud.Hello(wire.Hello{Client: "loud"})
	cseq, from := uint64(0), time.Now()
	testwait.Until(s.T, "the socket that does not read is closed as too slow", func() bool {
		cseq++
		_ = deaf.TryWrite(websocket.MessageText, []byte(`{"t":"ping"}`)) // the player is slow, not silent
		loud.Act(cseq, `{"shout":100000}`)
		if a, ok := loud.Answer().(wire.Ack); !ok {
			s.T.Fatalf("the other player was answered %+v", a)
		}
		time.Sleep(20 * time.Millisecond) // the sending player has a rate limit too
		return s.Metric(`roomring_sockets_closed_total{code="4101"}`) > 0
	})
	s.T.Logf("closed after %v and %d messages", time.Since(from), cseq)
	s.WaitOffline(info.ID, player)
}

// halfFrame sends the first messages whole, then half a frame, then nothing.
func halfFrame(s *e2e.Server, first []byte, want wire.CloseCode) {
	info := s.Create("tally", nil)
	u, err := url.Parse(info.URL)
	if err != nil {
		s.T.Fatal(err)
	}
	var under net.Conn
	transport := &http.Transport{DialContext: func(ctx context.Context, network, _ string) (net.Conn, error) {
		under, err = new(net.Dialer).DialContext(ctx, network, u.Host)
		return under, err
	}}
	ctx, cancel := context.WithTimeout(s.T.Context(), e2e.Ceiling)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, info.URL, &websocket.DialOptions{
		HTTPClient: &http.Client{Transport: transport}, Subprotocols: []string{wire.SubprotocolJSON},
	})
	if err != nil {
		s.T.Fatal(err)
	}
	defer ws.CloseNow()
	if first != nil {
		if err := ws.Write(ctx, websocket.MessageText, first); err != nil {
			s.T.Fatal(err)
		}
	}
	// RFC 6455, section 5.2: a final, masked text frame of 100 bytes, of which four are sent.
	if _, err := under.Write([]byte{0x81, 0x80 | 100, 1, 2, 3, 4, 'h', 'a', 'l', 'f'}); err != nil {
		s.T.Fatal(err)
	}
	for err == nil {
		_, _, err = ws.Read(ctx)
	}
	if code := wire.CloseCode(websocket.CloseStatus(err)); code != want {
		s.T.Errorf("closed %d (%v), should be %d", code, err, want)
	}
}

// TestHeartbeats checks that a client that says something from time to time stays connected. A silent client hears from the server before
// it is closed.
func TestHeartbeats(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--heartbeat", "1s").Start()
	info := s.Create("tally", nil)
	silent, alive := e2e.Dial(t, info.URL, wire.JSON), e2e.Dial(t, info.URL, wire.CBOR)
	silent.Hello(wire.Hello{Client: "silent"})
	if w := alive.Hello(wire.Hello{Client: "alive"}); w.Heartbeat != 1000 {
		t.Errorf("welcome says a heartbeat of %d ms", w.Heartbeat)
	}
	ended := make(chan struct{})
	go func() {
		defer close(ended)
		for range 20 { // twice as long as the server allows silence
			time.Sleep(250 * time.Millisecond)
			if alive.TryWrite(websocket.MessageBinary, wire.AppendPing(nil, wire.CBOR, wire.Ping{})) != nil {
				return
			}
		}
	}()
	code, _, before := silent.Closed()
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
	alive.Act(1, `{"add":1}`)
	if a, ok := alive.Answer().(wire.Ack); !ok {
		t.Errorf("the one that pings is answered %+v", a)
	}
}

// TestTooManySocketsOfOneAddress opens one socket too many, which is refused. When another socket has closed, the next one is let in.
func TestTooManySocketsOfOneAddress(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--max-sockets-per-address", "3").Start()
	info := s.Create("tally", nil)
	var in []*e2e.Socket
	for i := range 3 {
		c := e2e.Dial(t, info.URL, wire.JSON)
		c.Hello(wire.Hello{Client: e2e.Name(i)})
		in = append(in, c)
	}
	e2e.Dial(t, info.URL, wire.JSON).ClosesWith(wire.CloseTooMany, "address")
	in[0].Bye()
	testwait.Until(t, "the sockets that have gone are not counted", func() bool { return s.Metric("roomring_sockets") == 2 })
	e2e.Dial(t, info.URL, wire.JSON).Hello(wire.Hello{Client: "next"})
}
