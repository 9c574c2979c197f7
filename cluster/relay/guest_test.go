package relay

import (
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
)

// guest is a client that does what docs/PROTOCOL.md asks, and notes what it went through.
type guest struct {
	t       testing.TB
	enc     wire.Encoding
	box     *actor.Outbox
	wake    chan struct{}
	session actor.Session

	mu        sync.Mutex
	paused    bool // reads nothing
	view      any
	epoch     uint64 // told last
	seq       uint64
	cseq      uint64
	pending   []wire.Act
	answers   map[uint64]int
	welcomes  int
	recovered int
	events    []int // "acts" of the events that came
	lost      uint64
	states    int
	turns     int
	closed    *actor.CloseError
	welcome   wire.Welcome
	over      *wire.Over
	wrong     []string
	sock      sync.Mutex // the socket's reader: one call of the session at a time
	stop      chan struct{}
	done      chan struct{}
}

func (w *world) hello(player string) actor.Hello {
	return actor.Hello{Player: room.PlayerID(player), Name: player, Client: record.ClientID("c-" + player), Attempt: 1}
}

func (w *world) join(node string, id room.ID, h actor.Hello, o actor.OutboxOptions) *guest {
	w.t.Helper()
	g, err := w.try(node, id, h, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) try(node string, id room.ID, h actor.Hello, o actor.OutboxOptions) (*guest, error) {
	g := &guest{t: w.t, enc: o.Encoding, wake: make(chan struct{}, 1), answers: map[uint64]int{}, stop: make(chan struct{}), done: make(chan struct{})}
	o.Wake = g.poke
	g.box = actor.NewOutbox(o)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := w.nodes[node].edge.Attach(ctx, id, h, g.box)
	if err != nil {
		return nil, err
	}
	g.session = s
	go g.run()
	w.t.Cleanup(g.leaveQuietly)
	return g, nil
}

func (g *guest) leaveQuietly() {
	select {
	case <-g.done:
		return
	default:
	}
	close(g.stop)
	<-g.done
	g.session.Detach()
}

func (g *guest) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *guest) run() {
	defer close(g.done)
	for {
		select {
		case <-g.wake:
		case <-g.stop:
			return
		}
		if g.read() {
			return
		}
	}
}

func (g *guest) read() (over bool) {
	for {
		g.mu.Lock()
		paused := g.paused
		g.mu.Unlock()
		if paused {
			return false
		}
		b, n := g.box.Take(nil, 32<<10)
		if n == 0 {
			why, over := g.box.End()
			if over {
				g.mu.Lock()
				g.closed = why
				g.mu.Unlock()
				g.session.Detach()
			}
			return over
		}
		for m, err := range wire.DecodeServer(g.enc, b) {
			if err != nil {
				g.note("malformed: %v", err)
				continue
			}
			g.take(m)
		}
	}
}

func (g *guest) note(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wrong = append(g.wrong, fmt.Sprintf(format, args...))
}

func (g *guest) decode(raw []byte) (v any) {
	j, err := wire.ToJSON(g.enc, raw)
	if err == nil {
		err = json.Unmarshal(j, &v)
	}
	if err != nil {
		g.wrong = append(g.wrong, err.Error())
	}
	return v
}

func (g *guest) take(m wire.ServerMessage) {
	if w, ok := m.(wire.Welcome); ok {
		g.sock.Lock()
		defer g.sock.Unlock()
		g.mu.Lock()
		g.welcomes++
		g.epoch = w.Epoch
		g.welcome = w
		if w.Recovered {
			g.recovered++
		} else {
			g.view = nil
		}
		again := append([]wire.Act(nil), g.pending...)
		g.mu.Unlock()
		for _, a := range again {
			g.send(a)
		}
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m := m.(type) {
	case wire.State:
		g.states++
		g.lost += m.Lost
		g.epoch = cmp.Or(m.Epoch, g.epoch)
		g.view, g.seq = g.decode(m.View), m.Seq
	case wire.Turn:
		g.turns++
		if g.view == nil {
			g.wrong = append(g.wrong, "a turn without a view to change")
		}
		if m.Seq <= g.seq {
			g.wrong = append(g.wrong, fmt.Sprintf("turn %d after %d", m.Seq, g.seq))
		}
		g.epoch, g.seq = cmp.Or(m.Epoch, g.epoch), m.Seq
		if len(m.Patch) > 0 {
			g.view = view.Patch(g.view, g.decode(m.Patch))
		}
		for _, e := range m.Events {
			var x struct{ Acts int }
			_ = json.Unmarshal(e.Data, &x)
			g.events = append(g.events, x.Acts)
		}
	case wire.Ack:
		g.answered(m.CSeq)
	case wire.Reject:
		g.answered(m.CSeq)
	case wire.Over:
		g.over = &m
	}
}

func (g *guest) answered(cseq uint64) {
	for i, a := range g.pending {
		if a.CSeq == cseq {
			g.pending = append(g.pending[:i:i], g.pending[i+1:]...)
			g.answers[cseq]++
			return
		}
	}
}

func (g *guest) send(a wire.Act) {
	if err := g.session.Act(context.Background(), a); err != nil && err != actor.ErrEnded {
		g.note("act: %v", err)
	}
}

// act sends an action. It waits while too many have no answer.
func (g *guest) act(x added) {
	testwait.Until(g.t, "an answer makes room for another act", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.pending) < actor.MaxUnanswered || g.closed != nil
	})
	raw, _ := json.Marshal(x)
	g.sock.Lock()
	defer g.sock.Unlock()
	g.mu.Lock()
	g.cseq++
	a := wire.Act{CSeq: g.cseq, Data: raw}
	g.pending = append(g.pending, a)
	welcomed := g.welcomes > 0
	g.mu.Unlock()
	if welcomed { // else the welcome has it sent
		g.send(a)
	}
}

func (g *guest) see(f func(g *guest) bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f(g)
}

func (g *guest) wait(what string, f func(g *guest) bool) {
	g.t.Helper()
	defer func() {
		if g.t.Failed() {
			g.see(func(g *guest) bool {
				g.t.Logf("the view is %v at %d; %d of %d acts have no answer; %d welcomes, closed %+v, wrong %q",
					g.view, g.seq, len(g.pending), g.cseq, g.welcomes, g.closed, g.wrong)
				return true
			})
		}
	}()
	testwait.Until(g.t, what, func() bool { return g.see(f) })
}

func (g *guest) sum() int {
	m, _ := g.view.(map[string]any)
	f, _ := m["Sum"].(float64)
	return int(f)
}

func (g *guest) code() wire.CloseCode {
	if g.closed == nil {
		return 0
	}
	return g.closed.Code
}

func (g *guest) pause(paused bool) {
	g.mu.Lock()
	g.paused = paused
	g.mu.Unlock()
	g.poke()
}

// check reports what went against the protocol.
func (g *guest) check() {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.wrong {
		g.t.Error(w)
	}
	for cseq := uint64(1); cseq <= g.cseq; cseq++ {
		if n := g.answers[cseq]; n != 1 {
			g.t.Errorf("act %d was answered %d times", cseq, n)
		}
	}
}
