package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"iter"
	"net/http"
	"path/filepath"
	"strings"
	"testing"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// Socket is a plain WebSocket. Unlike client.Client, it does not resume or send anything again.
type Socket struct {
	T        *testing.T
	Ws       *websocket.Conn
	Encoding wire.Encoding
	Next     func() (wire.ServerMessage, error, bool) // the next message, or the error that ended the socket; false after that
	stop     func()
}

// Dial opens a socket that speaks the encoding.
func Dial(t *testing.T, url string, e wire.Encoding) *Socket {
	t.Helper()
	return DialAs(t, url, e, []string{wire.SubprotocolJSON, wire.SubprotocolCBOR}[e])
}

// DialAs is Dial that offers other subprotocols.
func DialAs(t *testing.T, url string, e wire.Encoding, subprotocols ...string) *Socket {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), Ceiling)
	defer cancel()
	ws, _, err := websocket.Dial(ctx, url, &websocket.DialOptions{Subprotocols: subprotocols})
	if err != nil {
		t.Fatalf("dialling %s: %v", url, err)
	}
	return newSocket(t, ws, e)
}

// newSocket makes a Socket of an open WebSocket.
func newSocket(t *testing.T, ws *websocket.Conn, e wire.Encoding) *Socket {
	ws.SetReadLimit(64 << 20)
	s := &Socket{T: t, Ws: ws, Encoding: e}
	s.Next, s.stop = iter.Pull2(s.messages())
	t.Cleanup(func() { s.stop(); _ = ws.CloseNow() })
	return s
}

// Read returns the next WebSocket message, undecoded.
func (s *Socket) Read() ([]byte, error) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(s.T.Context()), Ceiling)
	defer cancel()
	_, msg, err := s.Ws.Read(ctx)
	return msg, err
}

// messages yields all protocol messages until the socket ends, and then its error.
func (s *Socket) messages() iter.Seq2[wire.ServerMessage, error] {
	return func(yield func(wire.ServerMessage, error) bool) {
		for {
			msg, err := s.Read()
			if err != nil {
				yield(nil, err)
				return
			}
			for m, err := range wire.DecodeServer(s.Encoding, msg) {
				if !yield(m, err) || err != nil {
					return
				}
			}
		}
	}
}

// Hear waits for the next message of type M and returns it. It skips all other messages.
func Hear[M wire.ServerMessage](s *Socket) M {
	s.T.Helper()
	for {
		m, err, ok := s.Next()
		if !ok || err != nil {
			s.T.Fatalf("waiting for a %T: %v", *new(M), err)
		}
		if m, is := m.(M); is {
			return m
		}
	}
}

// Answer waits for the next ack or reject and returns it. It skips all other messages.
func (s *Socket) Answer() wire.ServerMessage {
	s.T.Helper()
	for {
		m, err, ok := s.Next()
		if !ok || err != nil {
			s.T.Fatalf("waiting for an answer: %v", err)
		}
		switch m.(type) {
		case wire.Ack, wire.Reject:
			return m
		}
	}
}

// Closed waits until the server closes the socket. It returns the close code, the reason, and the messages that came before.
func (s *Socket) Closed() (wire.CloseCode, string, []wire.ServerMessage) {
	s.T.Helper()
	var before []wire.ServerMessage
	for {
		m, err, ok := s.Next()
		if closed, is := errors.AsType[websocket.CloseError](err); is {
			return wire.CloseCode(closed.Code), closed.Reason, before
		}
		if !ok || err != nil {
			s.T.Fatalf("the socket ended without a close code: %v", err)
		}
		before = append(before, m)
	}
}

// ClosesWith waits until the server closes the socket, and checks the close code and that the reason has all the words.
func (s *Socket) ClosesWith(want wire.CloseCode, words ...string) {
	s.T.Helper()
	code, reason, _ := s.Closed()
	if code != want || !Mentions(reason, words...) {
		s.T.Errorf("closed %d %q, should be %d with a reason that has %q", code, reason, want, words)
	}
}

// Write sends one WebSocket message, as text for JSON and as binary for CBOR.
func (s *Socket) Write(msg []byte) {
	s.T.Helper()
	kind := websocket.MessageText
	if s.Encoding == wire.CBOR {
		kind = websocket.MessageBinary
	}
	if err := s.TryWrite(kind, msg); err != nil {
		s.T.Fatalf("writing: %v", err)
	}
}

// TryWrite sends one WebSocket message of any kind and returns the error.
func (s *Socket) TryWrite(kind websocket.MessageType, msg []byte) error {
	ctx, cancel := context.WithTimeout(s.T.Context(), Ceiling)
	defer cancel()
	return s.Ws.Write(ctx, kind, msg)
}

// Hello sends a hello and waits for the welcome.
func (s *Socket) Hello(h wire.Hello) wire.Welcome {
	s.T.Helper()
	s.Write(wire.AppendHello(nil, s.Encoding, h))
	return Hear[wire.Welcome](s)
}

// Act sends an act with data in JSON. It does not wait for the answer.
func (s *Socket) Act(cseq uint64, data string) {
	s.T.Helper()
	s.Write(wire.AppendAct(nil, s.Encoding, wire.Act{CSeq: cseq, Data: json.RawMessage(data)}))
}

// ForTest returns the same process, which then reports to t.
func (s *Server) ForTest(t *testing.T) *Server {
	c := *s
	c.T = t
	return &c
}

// inspected is a room as the operator sees it, with the fields that tests read.
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

// Inspect asks the admin API for a room.
func (s *Server) Inspect(id string) inspected {
	s.T.Helper()
	var in inspected
	if code := s.CallAdmin("GET", "/admin/v1/rooms/"+id, nil, &in); code != http.StatusOK {
		s.T.Fatalf("inspecting %s: %d", id, code)
	}
	return in
}

// WaitOffline waits until the room knows that a player is no longer connected.
func (s *Server) WaitOffline(id, player string) {
	s.T.Helper()
	testwait.Until(s.T, "the room knows that "+player+" has gone", func() bool {
		for _, seat := range s.Inspect(id).Seats {
			if seat.Player == player && seat.Online {
				return false
			}
		}
		return true
	})
}

// Bye closes the socket as a well-behaved client does: it waits for the server to answer the close.
func (s *Socket) Bye() {
	s.T.Helper()
	if err := s.Ws.Close(websocket.StatusNormalClosure, ""); err != nil {
		s.T.Errorf("closing: %v", err)
	}
}

// Name returns the name of client or player number i of a test.
func Name(i int) string { return fmt.Sprintf("n%02d", i) }

// MustDecode decodes JSON and fails the test if it cannot.
func MustDecode(t *testing.T, raw []byte, into any) {
	t.Helper()
	if err := json.Unmarshal(raw, into); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
}

// Guest is a guest, as the server answers it.
type Guest struct {
	Token  string `json:"token"`
	Player string `json:"player"`
	Name   string `json:"name"`
}

// Guest makes a guest.
func (s *Server) Guest(name string) Guest {
	s.T.Helper()
	var g Guest
	if code := s.Call("POST", "/v1/guest", map[string]string{"name": name}, &g); code != http.StatusCreated {
		s.T.Fatalf("POST /v1/guest: %d", code)
	}
	return g
}

// Ticket returns a matchmaking ticket that is long enough. Different arguments give different tickets.
func Ticket(of ...any) string { return fmt.Sprintf("a-ticket-of-a-test-%v", of) }

// FolderSize returns the total size of the files in the data folder, in bytes.
func (s *Server) FolderSize() (size int64) {
	s.T.Helper()
	err := filepath.WalkDir(s.Dir, func(_ string, e fs.DirEntry, err error) error {
		if err != nil || !e.Type().IsRegular() {
			return err
		}
		about, err := e.Info()
		if err == nil {
			size += about.Size()
		}
		return err
	})
	if err != nil {
		s.T.Fatal(err)
	}
	return size
}

// notActions maps data that no action can have to the code of its refusal, by encoding. Some client libraries may write such data.
var notActions = [2]map[string]string{
	wire.JSON: {
		`"hello \ud83c"`:              "bad_text",
		`{"move":"e4\udc00"}`:         "bad_text",
		`{"\ud83c":1}`:                "bad_text",
		`{"move":"e4","move":"e4"}`:   "bad_action",
		`{"move":{"a":1,"\u0061":1}}`: "bad_action",
		`{"MOVE":"e4"}`:               "bad_action",
		`{"Move":"e4"}`:               "bad_action",
		`1e999`:                       "bad_action",
		strings.Repeat("9", 400):      "bad_action",
		strings.Repeat("[", 32) + strings.Repeat("]", 32):     "bad_action",
		strings.Repeat("[", 5000) + strings.Repeat("]", 5000): "bad_action",
		`null`: "bad_action",
	},
	wire.CBOR: {
		"\xa1\x64move\x62e\xff":                "bad_text",
		"\xa1\x63\xed\xa0\xbc\x01":             "bad_text", // half a surrogate pair, as some encoders have it
		"\xa2\x64move\x62e4\x64move\x62e4":     "bad_action",
		"\xa1\x64MOVE\x62e4":                   "bad_action",
		"\xfb\x7f\xf0\x00\x00\x00\x00\x00\x00": "bad_action", // infinity
		"\xa1\x64move\xf7":                     "bad_action", // undefined
		"\x42e4":                               "bad_action", // bytes
		"\xc1\x01":                             "bad_action", // a tag
		"\xa1\x01\x02":                         "bad_action", // a number for a key
		"\xa1\x64move\x7f\x61e\x614\xff":       "bad_action", // text in chunks
		strings.Repeat("\x81", 5000) + "\x01":  "bad_action",
		"\xf6":                                 "bad_action",
	},
}

// CheckInvalidActData sends acts whose data cannot be an action. Each must be refused, and must change nothing.
func (s *Server) CheckInvalidActData() {
	for e, all := range notActions {
		s := s
		info := s.Create("chess", map[string]any{"bot": 1, "white": "first"})
		c := Dial(s.T, info.URL, wire.Encoding(e))
		c.Hello(wire.Hello{Client: "a", Name: "Ann"})
		cseq := uint64(0)
		for data, code := range all {
			cseq++
			before := s.Inspect(info.ID)
			c.Write(ActWith(c.Encoding, cseq, data))
			no, refused := c.Answer().(wire.Reject)
			if !refused || no.CSeq != cseq || no.Code != code || no.Reason == "" || no.Seq != before.Index+1 {
				s.T.Errorf("%.60q: answered %+v, should be refused as %s at %d", data, no, code, before.Index+1)
			}
			if now := s.Inspect(info.ID); string(now.State) != string(before.State) {
				s.T.Errorf("%.60q changed the state to %s", data, now.State)
			}
		}
		cseq++
		c.Act(cseq, `{"move":"e4"}`)
		if ack, ok := c.Answer().(wire.Ack); !ok || ack.CSeq != cseq {
			s.T.Errorf("the act after them: %+v", ack)
		}
	}
}

// ActWith encodes an act whose data is encoded already. In CBOR the cseq must be below 24.
func ActWith(e wire.Encoding, cseq uint64, data string) []byte {
	if e == wire.CBOR {
		return append(append([]byte("\xa3\x61t\x63act\x64cseq"), byte(cseq)), append([]byte("\x64data"), data...)...)
	}
	number, _ := json.Marshal(cseq)
	return []byte(`{"t":"act","cseq":` + string(number) + `,"data":` + data + `}`)
}

// CheckNumberSpellings writes whole numbers as 1.0 and 1e0 in messages, actions and options, which the server must accept, and sends other
// numbers, which it must refuse.
func (s *Server) CheckNumberSpellings() {
	t := s.T
	for e, say := range []func(string) []byte{
		func(text string) []byte { return []byte(text) },
		func(text string) []byte { b, _ := wire.AppendCBORFromJSON(nil, []byte(text)); return b },
	} {
		info := s.Create("liarsdice", json.RawMessage(`{"players":2.0,"bots":1e0,"dice":50e-1,"wild_ones":true}`))
		c := Dial(t, info.URL, wire.Encoding(e))
		c.Write(say(`{"t":"hello","client":"x","name":"Ann","attempt":1.0}`))
		w := Hear[wire.Welcome](c)
		// It may be the bot's turn. The code of the refusal then tells whether the numbers were read.
		c.Write(say(`{"t":"act","cseq":1e0,"data":{"bid":{"count":1.0,"face":4.0}}}`))
		if no, refused := c.Answer().(wire.Reject); refused && (no.CSeq != 1 || no.Code == "bad_action") {
			t.Errorf("a bid: %+v", no)
		}
		c.Write(say(`{"t":"act","cseq":2.0,"data":{"bid":{"count":1.5,"face":4}}}`))
		if no, refused := c.Answer().(wire.Reject); !refused || no.Code != "bad_action" {
			t.Errorf("one and a half dice: %+v", no)
		}
		again := Dial(t, info.URL, wire.Encoding(e))
		again.Write(say(`{"t":"hello","client":"x","attempt":2.0,"token":"` + w.Token + `","resume":{"epoch":1.0,"seq":2e0}}`))
		Hear[wire.Welcome](again)
	}
	for _, options := range []string{`{"dice":5.5}`, `{"dice":1e400}`, `{"dice":9007199254740993.0}`, `{"DICE":5}`, `{"dice":5,"dice":5}`} {
		if code := s.Call("POST", "/v1/rooms", map[string]any{"game": "liarsdice", "options": json.RawMessage(options)}, nil); code != http.StatusBadRequest {
			t.Errorf("options %s: %d", options, code)
		}
	}
}
