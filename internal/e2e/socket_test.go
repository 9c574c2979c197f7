package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"net/http"
	"testing"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// socket is one WebSocket as a client in any language has it: nothing is kept, resumed or sent again.
type socket struct {
	t        *testing.T
	ws       *websocket.Conn
	encoding wire.Encoding
	next     func() (wire.ServerMessage, error, bool)
	stop     func()
}

// dial opens a socket in the encoding.
func dial(t *testing.T, url string, e wire.Encoding) *socket {
	t.Helper()
	return dialAs(t, url, e, []string{wire.SubprotocolJSON, wire.SubprotocolCBOR}[e])
}

// dialAs offers any subprotocols.
func dialAs(t *testing.T, url string, e wire.Encoding, subprotocols ...string) *socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: subprotocols})
	if err != nil {
		t.Fatalf("dialling %s: %v", url, err)
	}
	return newSocket(t, ws, e)
}

// newSocket takes over an open socket.
func newSocket(t *testing.T, ws *websocket.Conn, e wire.Encoding) *socket {
	ws.SetReadLimit(64 << 20)
	s := &socket{t: t, ws: ws, encoding: e}
	s.next, s.stop = iter.Pull2(s.messages())
	t.Cleanup(func() { s.stop(); _ = ws.CloseNow() })
	return s
}

// read takes one WebSocket message, whatever it holds.
func (s *socket) read() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.t.Context()), ceiling)
	defer cancel()
	_, msg, err := s.ws.Read(ctx)
	return msg, err
}

// messages are all protocol messages until the socket ends, and at last its error.
func (s *socket) messages() iter.Seq2[wire.ServerMessage, error] {
	return func(yield func(wire.ServerMessage, error) bool) {
		for {
			msg, err := s.read()
			if err != nil {
				yield(nil, err)
				return
			}
			for m, err := range wire.DecodeServer(s.encoding, msg) {
				if !yield(m, err) || err != nil {
					return
				}
			}
		}
	}
}

// hear waits for the next message of one type and passes over all others.
func hear[M wire.ServerMessage](s *socket) M {
	s.t.Helper()
	for {
		m, err, ok := s.next()
		if !ok || err != nil {
			s.t.Fatalf("waiting for a %T: %v", *new(M), err)
		}
		if m, is := m.(M); is {
			return m
		}
	}
}

// answer waits for the next ack or reject.
func (s *socket) answer() wire.ServerMessage {
	s.t.Helper()
	for {
		m, err, ok := s.next()
		if !ok || err != nil {
			s.t.Fatalf("waiting for an answer: %v", err)
		}
		switch m.(type) {
		case wire.Ack, wire.Reject:
			return m
		}
	}
}

// closed waits for the end of the socket and returns its code and reason, and what came before it.
func (s *socket) closed() (wire.CloseCode, string, []wire.ServerMessage) {
	s.t.Helper()
	var before []wire.ServerMessage
	for {
		m, err, ok := s.next()
		if closed, is := errors.AsType[websocket.CloseError](err); is {
			return wire.CloseCode(closed.Code), closed.Reason, before
		}
		if !ok || err != nil {
			s.t.Fatalf("the socket ended without a close code: %v", err)
		}
		before = append(before, m)
	}
}

// closesWith checks how the socket ends, and that the reason says what it should.
func (s *socket) closesWith(want wire.CloseCode, words ...string) {
	s.t.Helper()
	code, reason, _ := s.closed()
	if code != want || !mentions(reason, words...) {
		s.t.Errorf("closed %d %q, should be %d with a reason that has %q", code, reason, want, words)
	}
}

func (s *socket) write(msg []byte) {
	s.t.Helper()
	kind := websocket.MessageText
	if s.encoding == wire.CBOR {
		kind = websocket.MessageBinary
	}
	if err := s.tryWrite(kind, msg); err != nil {
		s.t.Fatalf("writing: %v", err)
	}
}

func (s *socket) tryWrite(kind websocket.MessageType, msg []byte) error {
	ctx, cancel := context.WithTimeout(s.t.Context(), ceiling)
	defer cancel()
	return s.ws.Write(ctx, kind, msg)
}

// hello says it and waits for the welcome.
func (s *socket) hello(h wire.Hello) wire.Welcome {
	s.t.Helper()
	s.write(wire.AppendHello(nil, s.encoding, h))
	return hear[wire.Welcome](s)
}

func (s *socket) act(cseq uint64, data string) {
	s.t.Helper()
	s.write(wire.AppendAct(nil, s.encoding, wire.Act{CSeq: cseq, Data: json.RawMessage(data)}))
}

// of is the same process, reporting to a subtest.
func (s *server) of(t *testing.T) *server {
	c := *s
	c.t = t
	return &c
}

// inspected is what the operator sees of a room, as far as tests look at it.
type inspected struct {
	Index  uint64          `json:"index"`
	Commit uint64          `json:"commit"`
	Epoch  uint64          `json:"epoch"`
	Phase  string          `json:"phase"`
	State  json.RawMessage `json:"state"`
	Seats  []seatSeen      `json:"seats"`
}

type seatSeen struct {
	Player string `json:"player"`
	Online bool   `json:"online"`
}

func (s *server) inspect(id string) inspected {
	s.t.Helper()
	var in inspected
	if code := s.admin("GET", "/admin/v1/rooms/"+id, nil, &in); code != http.StatusOK {
		s.t.Fatalf("inspecting %s: %d", id, code)
	}
	return in
}

// offline waits until the room knows that a player's socket has gone.
func (s *server) offline(id, player string) {
	s.t.Helper()
	testwait.Until(s.t, "the room knows that "+player+" has gone", func() bool {
		for _, seat := range s.inspect(id).Seats {
			if seat.Player == player && seat.Online {
				return false
			}
		}
		return true
	})
}

// bye closes the socket as a well-behaved client does, and waits for the server's answer.
func (s *socket) bye() {
	s.t.Helper()
	if err := s.ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		s.t.Errorf("closing: %v", err)
	}
}

// name makes up different names for clients and players of one test.
func name(i int) string { return fmt.Sprintf("n%02d", i) }

func mustDecode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}
