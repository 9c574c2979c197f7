package ws_test

import (
	"context"
	"slices"
	"testing"
	"time"

	"github.com/coder/websocket"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/wire"
)

// TestMoveAsksEverybodyToGo checks that clients leave by themselves, and that those that do not are closed.
func TestMoveAsksEverybodyToGo(t *testing.T) {
	e := newEndpoint(t, nil)
	silent := e.dial(t, wsRoom, wire.JSON) // says no hello
	const n = 12
	var clients []*wsClient
	for i := range n {
		clients = append(clients, e.join(t, []wire.Encoding{wire.JSON, wire.CBOR}[i%2]))
	}
	testwait.Until(t, "all are there", func() bool { return e.sockets.Open() == n+1 })
	const within = 3 * time.Second
	began := time.Now()
	moved := make(chan error, 1)
	go func() { moved <- e.sockets.Move(t.Context(), within) }()
	silent.closed(wire.CloseMoved)
	var left []uint64
	for i, c := range clients {
		m := until[wire.Move](c)
		if m.URL != "" || m.Within > uint64(within.Milliseconds()) {
			t.Errorf("client %d: %+v", i, m)
		}
		left = append(left, m.Within)
		c.act(1, `"still here"`) // the socket goes on
		until[wire.Ack](c)
		if i > 0 { // all but the first go by themselves
			c.ws.Close(websocket.StatusNormalClosure, "")
		}
	}
	clients[0].closed(wire.CloseMoved)
	if err := <-moved; err != nil || e.sockets.Open() != 0 {
		t.Errorf("%v, %d sockets left", err, e.sockets.Open())
	}
	if took := time.Since(began); took < within {
		t.Errorf("the client that stayed was closed after %v", took)
	}
	slices.Sort(left)
	if left[0] == left[n-1] {
		t.Errorf("all were asked at once: %v", left)
	}
}

func TestMoveIsOverWhenAllHaveGone(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.join(t, wire.JSON)
	moved := make(chan error, 1)
	go func() { moved <- e.sockets.Move(t.Context(), time.Hour) }()
	until[wire.Move](c)
	c.ws.Close(websocket.StatusNormalClosure, "")
	select {
	case err := <-moved:
		if err != nil {
			t.Error(err)
		}
	case <-time.After(testwait.Ceiling):
		t.Error("it waits for nobody")
	}
}

func TestMoveEndsWithItsContext(t *testing.T) {
	e := newEndpoint(t, nil)
	c := e.join(t, wire.JSON)
	ctx, cancel := context.WithCancel(t.Context())
	moved := make(chan error, 1)
	go func() { moved <- e.sockets.Move(ctx, time.Hour) }()
	until[wire.Move](c)
	cancel()
	if err := <-moved; err != context.Canceled || e.sockets.Open() != 1 {
		t.Errorf("%v, %d sockets", err, e.sockets.Open())
	}
}
