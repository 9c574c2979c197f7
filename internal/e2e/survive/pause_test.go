package survive_test

import (
	"encoding/json"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/games/chess"
	"github.com/roomring/roomring/room/wire"
)

// These pauses are longer than a player has on the clock, and longer than a client may be silent.
const (
	onTheClock = 6 * time.Second
	stoodStill = 8 * time.Second
)

// TestAPauseCostsNobodyTime pauses the only server while a player thinks. What players send meanwhile counts as if it had been read when
// it was sent: moves, pings, a hello, and more messages than a burst allows.
func TestAPauseCostsNobodyTime(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, "--heartbeat", "2s", "--hello-timeout", "5s", "--messages-per-second", "20").Start()
	g := chessOnTheClock(s)
	late := e2e.Dial(t, g.info.URL, wire.CBOR)

	freeze(s)
	late.Write(wire.AppendHello(nil, wire.CBOR, wire.Hello{Client: "late", As: wire.AsSpectator}))
	for range 8 * 15 { // in bursts that a rate of one a second would allow
		g.white.Write(wire.AppendPing(nil, wire.JSON, wire.Ping{}))
	}
	g.moveDuring(stoodStill)
	s.Signal(syscall.SIGCONT)

	g.goesOn()
	e2e.Hear[wire.Welcome](late)
	g.white.Act(2, `{"move":"Nf3"}`)
	if a, ok := g.white.Answer().(wire.Ack); !ok {
		t.Errorf("White's move was answered %+v", a)
	}
	if n, out := s.Metric("roomring_pauses_total"), s.Metric("roomring_paused_seconds_total"); n < 1 || out < stoodStill.Seconds()-1 {
		t.Errorf("the server counts %v pauses of %v s", n, out)
	}
}

// TestAPausedNodeCostsNobodyTime does the same to one node of three, which the others take for dead meanwhile. No other node has its
// room. Black plays at this node, White through another.
func TestAPausedNodeCostsNobodyTime(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, append(e2e.DefaultTimeouts, e2e.OneJournal...)...).Start()
	owner := c.Nodes[1]
	g := chessOnTheClock(owner, c.Nodes[0])

	freeze(owner)
	g.moveDuring(stoodStill)
	g.white.ClosesWith(wire.CloseUnreachable)
	owner.Signal(syscall.SIGCONT)

	g.goesOn()
	c.WaitWhole(3)
	g.white = e2e.Dial(t, g.info.URL, wire.JSON)
	if w := g.white.Hello(wire.Hello{Client: "w", Attempt: 2, Token: g.token}); w.CSeq != 1 || w.Epoch != g.info.Epoch {
		t.Errorf("White is welcomed by %+v", w)
	}
}

// freeze pauses the process and returns when none of its threads runs any more.
func freeze(s *e2e.Server) {
	s.T.Helper()
	s.Signal(syscall.SIGSTOP)
	var status syscall.WaitStatus
	_, err := syscall.Wait4(s.PID, &status, syscall.WUNTRACED, nil)
	if err != nil || !status.Stopped() {
		s.T.Fatalf("the process does not stop: %v, %v", status, err)
	}
}

// chessGame is a game of chess in which it is Black's turn.
type chessGame struct {
	t            *testing.T
	info         e2e.RoomInfo
	white, black *e2e.Socket
	token        string // White's
}

// chessOnTheClock begins a game at this node. White connects through another node if one is given.
func chessOnTheClock(s *e2e.Server, by ...*e2e.Server) *chessGame {
	s.T.Helper()
	info := s.CreateHere("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": onTheClock.Milliseconds()}})
	g := &chessGame{t: s.T, info: info}
	way := info
	for _, n := range by {
		way = n.Via(info)
	}
	g.white, g.black = e2e.Dial(s.T, way.URL, wire.JSON), e2e.Dial(s.T, info.URL, wire.JSON)
	g.token = g.white.Hello(wire.Hello{Client: "w"}).Token
	g.black.Hello(wire.Hello{Client: "b"})
	g.white.Act(1, `{"move":"e4"}`)
	if _, ok := g.white.Answer().(wire.Ack); !ok {
		s.T.Fatal("White's first move was refused")
	}
	return g
}

// moveDuring sends Black's move in the middle of a time in which nobody reads it.
func (g *chessGame) moveDuring(d time.Duration) {
	time.Sleep(d / 2)
	g.black.Act(1, `{"move":"c5"}`)
	time.Sleep(d / 2)
}

// goesOn checks that Black's move was in time.
func (g *chessGame) goesOn() {
	g.t.Helper()
	if a, ok := g.black.Answer().(wire.Ack); !ok {
		g.t.Fatalf("Black's move was answered %+v", a)
	}
	g.black.Write(wire.AppendResync(nil, wire.JSON))
	var v chess.View
	if err := json.Unmarshal(e2e.Hear[wire.State](g.black).View, &v); err != nil {
		g.t.Fatal(err)
	}
	if v.Status != "playing" || v.Moves[1] != "e4 c5" || v.Clock.BlackMS <= 0 {
		g.t.Errorf("after Black's move: %+v", v)
	}
}
