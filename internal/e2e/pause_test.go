package e2e

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/wire"
)

// A process that does not run for longer than a player has on the clock, and longer than a client may be silent.
const (
	onTheClock = 6 * time.Second
	stoodStill = 8 * time.Second
)

// TestAPauseCostsNobodyTime stops the only server while a player thinks. What players send meanwhile is taken as if it
// had been read when it was sent: moves, pings, a hello, and more messages than a burst allows.
func TestAPauseCostsNobodyTime(t *testing.T) {
	t.Parallel()
	s := newServer(t, "--heartbeat", "2s", "--hello-timeout", "5s", "--messages-per-second", "20").start()
	g := s.chessOnTheClock()
	late := dial(t, g.info.URL, wire.CBOR)

	s.freeze()
	late.write(wire.AppendHello(nil, wire.CBOR, wire.Hello{Client: "late", As: wire.AsSpectator}))
	for range 8 * 15 { // in bursts that would be fine one a second
		g.white.write(wire.AppendPing(nil, wire.JSON, wire.Ping{}))
	}
	g.moveDuring(stoodStill)
	s.signal(syscall.SIGCONT)

	g.goesOn()
	hear[wire.Welcome](late)
	g.white.act(2, `{"move":"Nf3"}`)
	if a, ok := g.white.answer().(wire.Ack); !ok {
		t.Errorf("White's move was answered %+v", a)
	}
	if n, out := s.metric("roomring_pauses_total"), s.metric("roomring_paused_seconds_total"); n < 1 || out < stoodStill.Seconds()-1 {
		t.Errorf("the server counts %v pauses of %v s", n, out)
	}
}

// TestAPausedNodeCostsNobodyTime does the same to one node of three, which its peers hold to be dead meanwhile. Black
// plays there, White by another node.
func TestAPausedNodeCostsNobodyTime(t *testing.T) {
	t.Parallel()
	c := newTeam(t, 3, asShipped...).start()
	owner := c.nodes[1]
	g := owner.chessOnTheClock(c.nodes[0])

	owner.freeze()
	g.moveDuring(stoodStill)
	g.white.closesWith(wire.CloseUnreachable)
	owner.signal(syscall.SIGCONT)

	g.goesOn()
	c.whole(3)
	g.white = dial(t, g.info.URL, wire.JSON)
	if w := g.white.hello(wire.Hello{Client: "w", Attempt: 2, Token: g.token}); w.CSeq != 1 || w.Epoch != g.info.Epoch {
		t.Errorf("White is welcomed by %+v", w)
	}
}

// freeze stops the process and returns when none of its threads runs any more.
func (s *server) freeze() {
	s.t.Helper()
	s.signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	_, err := syscall.Wait4(s.PID, &status, syscall.WUNTRACED, nil)
	if err != nil || !status.Stopped() {
		s.t.Fatalf("the process does not stop: %v, %v", status, err)
	}
}

// chessGame is one in which it is Black's turn.
type chessGame struct {
	t            *testing.T
	info         roomInfo
	white, black *socket
	token        string // White's
}

// chessOnTheClock begins a game at this node; White comes by way of another, if one is given.
func (s *server) chessOnTheClock(by ...*server) *chessGame {
	s.t.Helper()
	info := s.createHere("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": onTheClock.Milliseconds()}})
	g := &chessGame{t: s.t, info: info}
	way := info
	for _, n := range by {
		way = n.at(info)
	}
	g.white, g.black = dial(s.t, way.URL, wire.JSON), dial(s.t, info.URL, wire.JSON)
	g.token = g.white.hello(wire.Hello{Client: "w"}).Token
	g.black.hello(wire.Hello{Client: "b"})
	g.white.act(1, `{"move":"e4"}`)
	if _, ok := g.white.answer().(wire.Ack); !ok {
		s.t.Fatal("White's first move was refused")
	}
	return g
}

// createHere makes a room that this node has.
func (s *server) createHere(game string, options any) roomInfo {
	s.t.Helper()
	for {
		if info := s.create(game, options); info.Node == s.Node {
			return info
		}
	}
}

// moveDuring has Black move in the middle of a time in which nobody reads that.
func (g *chessGame) moveDuring(d time.Duration) {
	time.Sleep(d / 2)
	g.black.act(1, `{"move":"c5"}`)
	time.Sleep(d / 2)
}

// goesOn checks that Black's move was in time.
func (g *chessGame) goesOn() {
	g.t.Helper()
	if a, ok := g.black.answer().(wire.Ack); !ok {
		g.t.Fatalf("Black's move was answered %+v", a)
	}
	g.black.write(wire.AppendResync(nil, wire.JSON))
	var v chess.View
	if err := json.Unmarshal(hear[wire.State](g.black).View, &v); err != nil {
		g.t.Fatal(err)
	}
	if v.Status != "playing" || v.Moves[1] != "e4 c5" || v.Clock.BlackMS <= 0 {
		g.t.Errorf("after Black's move: %+v", v)
	}
}
