package client_test

import (
	"context"
	"net/http"
	"net/http/httptest"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestMovesAtOnce has a server that asks its clients to move as soon as they act. The act is answered at the other server, without
// backoff, and a server that is gone is not tried twice.
func TestMovesAtOnce(t *testing.T) {
	var here, there atomic.Int64
	var resumed atomic.Bool
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		elsewhere := r.URL.Path == "/there"
		if elsewhere && there.Add(1) > 1 {
			http.Error(w, "gone", http.StatusServiceUnavailable)
			return
		}
		n := here.Add(1)
		converse(w, r, func(m wire.ClientMessage, say func([]byte)) bool {
			switch m := m.(type) {
			case wire.Hello:
				resumed.Store(m.Resume != nil)
				say(wire.AppendWelcome(nil, wire.JSON, wire.Welcome{Epoch: 1, Heartbeat: 60_000, Recovered: m.Resume != nil}))
				say(wire.AppendState(nil, wire.JSON, wire.State{Seq: 1, View: []byte(`{}`)}))
			case wire.Act:
				switch {
				case n == 1:
					say(wire.AppendMove(nil, wire.JSON, wire.Move{URL: "/there", Within: 60_000}))
				case elsewhere && m.CSeq == 2:
					return false
				default:
					say(wire.AppendAck(nil, wire.JSON, wire.Ack{CSeq: m.CSeq, Seq: m.CSeq + 1}))
				}
			}
			return true
		})
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{URL: strings.Replace(server.URL, "http", "ws", 1) + "/here", MaxDelay: 10 * time.Millisecond})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	if _, err := c.Act(ctx, 1); err != nil {
		t.Fatal(err)
	}
	if there.Load() != 1 || !resumed.Load() || c.Stats().Resent != 1 {
		t.Errorf("%d sockets there, resumed %v, %d acts sent again", there.Load(), resumed.Load(), c.Stats().Resent)
	}
	if _, err := c.Act(ctx, 2); err != nil {
		t.Fatal(err)
	}
	if there.Load() != 2 || here.Load() != 3 {
		t.Errorf("%d tries there, %d sockets in all", there.Load(), here.Load())
	}
}

// TestMovesWhileTheOldSocketGoesOn has a server ask its client to move. The client connects there first, reads on meanwhile, resumes after
// what it has read, and closes the old socket only when the new one is welcomed.
func TestMovesWhileTheOldSocketGoesOn(t *testing.T) {
	var early atomic.Bool
	var resumed atomic.Uint64
	old, begun := make(chan struct{}), make(chan struct{})
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path == "/there" {
			<-begun // the old socket says more before this one is open
			converse(w, r, func(m wire.ClientMessage, say func([]byte)) bool {
				if hello, ok := m.(wire.Hello); ok {
					resumed.Store(hello.Resume.Seq)
					select {
					case <-old:
						early.Store(true)
					case <-time.After(50 * time.Millisecond):
					}
					say(wire.AppendWelcome(nil, wire.JSON, wire.Welcome{Epoch: 1, Heartbeat: 60_000, Recovered: true}))
				}
				return true
			})
			return
		}
		defer close(old)
		converse(w, r, func(m wire.ClientMessage, say func([]byte)) bool {
			switch m.(type) {
			case wire.Hello:
				say(wire.AppendWelcome(nil, wire.JSON, wire.Welcome{Epoch: 1, Heartbeat: 60_000}))
				say(wire.AppendState(nil, wire.JSON, wire.State{Seq: 1, View: []byte(`{}`)}))
				say(wire.AppendMove(nil, wire.JSON, wire.Move{URL: "/there", Within: 60_000}))
				say(wire.AppendState(nil, wire.JSON, wire.State{Seq: 7, View: []byte(`{}`)}))
				close(begun)
			case wire.Ping:
				say(wire.AppendPong(nil, wire.JSON, wire.Pong{Time: 1}))
			}
			return true
		})
	}))
	defer server.Close()
	ctx, cancel := context.WithTimeout(t.Context(), time.Minute)
	defer cancel()
	c, err := client.Dial(ctx, client.Options{URL: strings.Replace(server.URL, "http", "ws", 1) + "/here"})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	select {
	case <-old:
	case <-ctx.Done():
		t.Fatal("the old socket stays open")
	}
	if early.Load() || resumed.Load() != 7 || c.Stats().Sockets != 2 {
		t.Errorf("closed early: %v, resumed after %d, %d sockets", early.Load(), resumed.Load(), c.Stats().Sockets)
	}
}
