package clients_test

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"slices"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// scripted is a server that says what a test tells it to. It makes guests by itself.
type scripted struct {
	URL     string
	sockets chan *socket // opened, with their hello read
	guests  atomic.Int64
	gone    atomic.Bool // there is no room at all
}

// socket is a client's socket at a scripted server.
type socket struct {
	ws    *websocket.Conn
	room  string
	hello map[string]any
	said  chan map[string]any // by the client after hello, but for pings; closed when the socket is
	mute  atomic.Bool         // pings are not answered
	echo  atomic.Pointer[any] // of the last ping
}

func newScripted(t *testing.T) *scripted {
	s := &scripted{sockets: make(chan *socket, 16)}
	mux := http.NewServeMux()
	mux.HandleFunc("POST /v1/guest", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/json")
		n := s.guests.Add(1)
		fmt.Fprintf(w, `{"token":"guest-%d","player":"g%d","name":"Guest"}`, n, n)
	})
	mux.HandleFunc("GET /v1/rooms/{id}", func(w http.ResponseWriter, r *http.Request) {
		w.Header().Set("Content-Type", "application/problem+json")
		w.WriteHeader(http.StatusNotFound)
		fmt.Fprint(w, `{"title":"Not Found","status":404,"detail":"there is no such room"}`)
	})
	mux.HandleFunc("GET /v1/rooms/{id}/ws", func(w http.ResponseWriter, r *http.Request) {
		if s.gone.Load() { // as a balancer may say it
			http.Error(w, "no such room", http.StatusNotFound)
			return
		}
		s.serve(t, w, r)
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	s.URL = server.URL
	return s
}

func (s *scripted) serve(t *testing.T, w http.ResponseWriter, r *http.Request) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.SubprotocolJSON}})
	if err != nil {
		t.Errorf("a client's upgrade: %v", err)
		return
	}
	defer ws.CloseNow()
	if ws.Subprotocol() != wire.SubprotocolJSON {
		t.Errorf("a client offers %v", r.Header["Sec-Websocket-Protocol"])
	}
	k := &socket{ws: ws, room: r.PathValue("id"), said: make(chan map[string]any, 256)}
	defer close(k.said)
	for {
		_, text, err := ws.Read(context.Background())
		if err != nil {
			return
		}
		for line := range bytes.SplitSeq(text, []byte("\n")) {
			if err := s.heard(k, line); err != nil {
				t.Errorf("a client says %s: %v", line, err)
			}
		}
	}
}

func (s *scripted) heard(k *socket, line []byte) error {
	var m map[string]any
	if err := json.Unmarshal(line, &m); err != nil {
		return err
	}
	switch {
	case k.hello == nil:
		k.hello = m
		s.sockets <- k
	case m["t"] == "ping":
		echo := m["echo"]
		k.echo.Store(&echo)
		if !k.mute.Load() {
			pong, _ := json.Marshal(map[string]any{"t": "pong", "echo": echo, "time": time.Now().UnixMilli()})
			_ = k.ws.Write(context.Background(), websocket.MessageText, pong) // the client may have gone
		}
	default:
		k.said <- m
	}
	return nil
}

// next is the next socket of a client. It keeps those of others for later, if it may.
func (s *scripted) next(t *testing.T, client string, others *[]*socket) *socket {
	t.Helper()
	mine := func(k *socket) bool { return client == "" || k.hello["client"] == client }
	if others != nil {
		if i := slices.IndexFunc(*others, mine); i >= 0 {
			k := (*others)[i]
			*others = slices.Delete(*others, i, i+1)
			return k
		}
	}
	for {
		select {
		case k := <-s.sockets:
			if mine(k) {
				return k
			}
			if others == nil {
				t.Fatalf("client %q is not %q", k.hello["client"], client)
			}
			*others = append(*others, k)
		case <-time.After(e2e.Ceiling):
			t.Fatalf("client %q opens no socket", client)
		}
	}
}

// say sends protocol messages, joined.
func (k *socket) say(t *testing.T, lines ...string) {
	t.Helper()
	ctx, cancel := context.WithTimeout(t.Context(), e2e.Ceiling)
	defer cancel()
	if err := k.ws.Write(ctx, websocket.MessageText, []byte(strings.Join(lines, "\r\n\n"))); err != nil {
		t.Fatalf("saying %s: %v", lines, err)
	}
}

// hear is what the client says next, but for pings.
func (k *socket) hear(t *testing.T) map[string]any {
	t.Helper()
	select {
	case m, ok := <-k.said:
		if !ok {
			t.Fatal("the client closes its socket instead")
		}
		return m
	case <-time.After(e2e.Ceiling):
		t.Fatal("the client says nothing")
		return nil
	}
}

// lastEcho is that of the client's last ping; it waits for the first.
func (k *socket) lastEcho(t *testing.T) any {
	t.Helper()
	testwait.Until(t, "the client pings", func() bool { return k.echo.Load() != nil })
	return *k.echo.Load()
}

// cut breaks the connection, as a network does.
func (k *socket) cut() { _ = k.ws.CloseNow() }

// end closes the socket as a server does.
func (k *socket) end(code int) {
	_ = k.ws.Close(websocket.StatusCode(code), "as the page says") // the client may have gone first
}
