package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestCountsOnFromWhatTheRoomHasApplied has a room that loses its log after the second act. The next welcome says that nothing is applied,
// and the third act must come as the first.
func TestCountsOnFromWhatTheRoomHasApplied(t *testing.T) {
	var sockets atomic.Uint64
	seen := make(chan uint64, 8)
	url := fakeRoom(t, func(m wire.ClientMessage, say func([]byte)) bool {
		switch m := m.(type) {
		case wire.Hello:
			say(wire.AppendWelcome(nil, wire.JSON, wire.Welcome{Epoch: sockets.Add(1), Heartbeat: 60_000}))
			say(wire.AppendState(nil, wire.JSON, wire.State{Seq: 1, View: []byte(`{}`)}))
		case wire.Act:
			seen <- m.CSeq
			if m.CSeq == 3 {
				return false // the log is lost
			}
			say(wire.AppendAck(nil, wire.JSON, wire.Ack{CSeq: m.CSeq, Seq: m.CSeq + 1}))
		}
		return true
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{URL: url, MaxDelay: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for i := range 3 {
		if _, err := c.Act(ctx, i); err != nil {
			t.Fatalf("act %d: %v", i, err)
		}
	}
	for _, want := range []uint64{1, 2, 3, 1} {
		if got := <-seen; got != want {
			t.Fatalf("an act came with cseq %d, want %d", got, want)
		}
	}
}

// TestManyWelcomesAtOnce has a room that moves several times before the client has read the first welcome.
func TestManyWelcomesAtOnce(t *testing.T) {
	const welcomes = 20
	url := fakeRoom(t, func(m wire.ClientMessage, say func([]byte)) bool {
		switch m := m.(type) {
		case wire.Hello:
			var all []byte
			for i := range welcomes {
				all = wire.AppendWelcome(all, wire.JSON, wire.Welcome{Epoch: uint64(i + 1), Heartbeat: 60_000 + uint64(i)})
				all = wire.AppendState(append(all, '\n'), wire.JSON, wire.State{Seq: 1, View: []byte(`{}`)})
				all = append(all, '\n')
			}
			say(all[:len(all)-1])
		case wire.Act:
			say(wire.AppendAck(nil, wire.JSON, wire.Ack{CSeq: m.CSeq, Seq: 2}))
		}
		return true
	})
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{URL: url})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Act(ctx, 1); err != nil {
		t.Fatal(err)
	}
	for c.Welcome().Epoch < welcomes {
		if ctx.Err() != nil {
			t.Fatalf("it has heard %d welcomes of %d", c.Welcome().Epoch, welcomes)
		}
		time.Sleep(time.Millisecond)
	}
}

// converse is one socket of a fake room.
func converse(w http.ResponseWriter, r *http.Request, hear func(m wire.ClientMessage, say func([]byte)) bool) {
	ws, err := websocket.Accept(w, r, &websocket.AcceptOptions{Subprotocols: []string{wire.SubprotocolJSON}})
	if err != nil {
		return
	}
	defer ws.CloseNow()
	say := func(msg []byte) { _ = ws.Write(r.Context(), websocket.MessageText, msg) }
	for {
		_, msg, err := ws.Read(r.Context())
		if err != nil {
			return
		}
		for m := range wire.DecodeClient(wire.JSON, msg) {
			if !hear(m, say) {
				return
			}
		}
	}
}

// fakeRoom is a server that calls hear with each message of a client, and drops the socket when hear returns false.
func fakeRoom(t *testing.T, hear func(m wire.ClientMessage, say func([]byte)) bool) (url string) {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) { converse(w, r, hear) }))
	t.Cleanup(server.Close)
	return strings.Replace(server.URL, "http", "ws", 1)
}
