package survive_test

import (
	"bytes"
	"context"
	"errors"
	"net/http"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// TestPoisonDoesNotSpread has games panic, end their process, and loop without end, on a cluster with innocent rooms. The
// clients send their acts again to every new owner, as they must. What has died is started again, and what loops is killed, as an
// orchestrator would.
func TestPoisonDoesNotSpread(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3, e2e.DefaultTimeouts...).Start()
	w := newWard(c, e2e.Sized(20, 40, 100))
	for _, one := range []struct {
		do   string
		most int // deaths
	}{{"panic", 0}, {"exit", 3}, {"loop", 2}} {
		w.poison(one.do, one.most)
	}
	w.recovered()
}

// ward is a team with innocent rooms, whose nodes are looked after.
type ward struct {
	*e2e.Team
	ctx   context.Context
	rooms []*patient
	stop  chan struct{}
	close func() // ends the play, once
	wg    sync.WaitGroup
}

// patient is an innocent room of the same game, with one player.
type patient struct {
	e2e.RoomInfo
	player *client.Client
	acks   atomic.Int64
}

func newWard(c *e2e.Team, rooms int) *ward {
	c.T.Helper()
	ctx, cancel := context.WithTimeout(c.T.Context(), 5*time.Minute)
	w := &ward{Team: c, ctx: ctx, rooms: make([]*patient, rooms), stop: make(chan struct{})}
	w.close = sync.OnceFunc(func() { close(w.stop); w.waitAll(cancel) })
	for i := range w.rooms {
		at, edge := c.Nodes[i%3], c.Nodes[(i/3)%3]
		r := &patient{RoomInfo: at.CreateHere("poison", nil)}
		r.player = edge.Join(edge.Via(r.RoomInfo), client.Options{Encoding: e2e.EncodingOf(i)})
		w.rooms[i] = r
	}
	c.T.Cleanup(w.close)
	for _, r := range w.rooms {
		c.WaitMembers(ctx, r.ID, "two members", func(e2e.Members) bool { return true })
		w.wg.Go(func() { w.play(r) })
	}
	return w
}

// waitAll waits until nobody plays any more. A room that does not answer for long is given up.
func (w *ward) waitAll(giveUp func()) {
	timer := time.AfterFunc(e2e.Ceiling, giveUp)
	defer timer.Stop()
	w.wg.Wait()
}

// play acts until the ward is closed. Each act must be answered.
func (w *ward) play(r *patient) {
	for {
		if _, err := r.player.Act(w.ctx, e2e.PoisonAct{Do: "nothing"}); err != nil {
			select {
			case <-w.stop: // the test has failed already
				return
			default:
			}
			w.T.Errorf("innocent room %s: %v", r.ID, err)
			return
		}
		r.acks.Add(1)
		select {
		case <-w.stop:
			return
		case <-time.After(2 * time.Second):
		}
	}
}

// poison has a client send one act that is fatal, until its room is over. Its log must be kept.
func (w *ward) poison(do string, most int) {
	t := w.T
	t.Helper()
	owner, edge := w.Nodes[0], w.Nodes[1]
	bad := owner.CreateHere("poison", nil)
	player := edge.Join(edge.Via(bad), client.Options{})
	if _, err := player.Act(w.ctx, e2e.PoisonAct{Do: "nothing"}); err != nil {
		t.Fatal(err)
	}
	w.WaitMembers(w.ctx, bad.ID, "two members", func(e2e.Members) bool { return true })
	heard := make(chan error, 1)
	go func() {
		_, err := player.Act(w.ctx, e2e.PoisonAct{Do: do})
		heard <- err
	}()
	deaths := w.nurse(do, bad.ID, heard)
	if deaths > most {
		t.Errorf("%s: %d processes died, not %d at most", do, deaths, most)
	}
	t.Logf("%s: %d processes died", do, deaths)
	w.aborted(do, bad.ID, 4)
	w.WaitWhole(len(w.Nodes))
	w.goOn()
}

// aborted waits until a poisoned room is over. It must have ended so, with a log of so many entries at least.
func (w *ward) aborted(what, id string, entries int) {
	t := w.T
	t.Helper()
	at := w.AnyNode()
	at.Until(w.ctx, "the end of the room is stored", func() bool { return w.Members(id).Row.State == record.RowOver })
	if r := at.Result(id); r.End != string(record.Aborted) {
		t.Errorf("%s: the room ended as %+v", what, r)
	}
	var replay []byte
	if code := at.Call("GET", "/v1/replays/"+id, nil, &replay); code != http.StatusOK {
		t.Fatalf("%s: the log of the room: %d", what, code)
	}
	r, err := core.ReadReplay(bytes.NewReader(replay))
	if err != nil || len(r.Entries) < entries {
		t.Errorf("%s: its log holds %d entries: %v", what, len(r.Entries), err)
	}
}

// nurse starts what has died, and kills what loops, until the player of a room hears that it is over. It counts the deaths.
func (w *ward) nurse(do, id string, heard <-chan error) (deaths int) {
	t := w.T
	t.Helper()
	var at *e2e.Server
	since := time.Now()
	for {
		select {
		case err := <-heard:
			if closed, ok := errors.AsType[*client.Closed](err); (!ok || closed.Code != wire.CloseOver) && (err != nil || do != "panic") {
				t.Fatalf("%s: the player of the poisoned room heard %v", do, err)
			}
			return deaths
		case <-w.ctx.Done():
			t.Fatalf("%s: the player of the poisoned room hears nothing, and %d processes died", do, deaths)
		case <-time.After(20 * time.Millisecond):
		}
		for _, n := range w.Nodes {
			if n.IsRunning() {
				continue
			}
			if code := n.Cmd.ProcessState.ExitCode(); do == "exit" && code != e2e.ExitPoisoned || do == "panic" {
				t.Fatalf("%s: %s ended with %d", do, n.Node, code)
			}
			if deaths++; deaths > 6 {
				t.Fatalf("%s: the poison goes on and on", do)
			}
			n.Start()
		}
		if m := w.Members(id); do == "loop" && m.Owner != nil {
			if m.Owner != at {
				at, since = m.Owner, time.Now()
			} else if time.Since(since) > time.Second && m.Row.State == record.RowLive {
				at.Kill()
				at = nil
			}
		}
	}
}

// goOn waits until every innocent room has answered again.
func (w *ward) goOn() {
	w.T.Helper()
	enough := make([]int64, len(w.rooms))
	for i, r := range w.rooms {
		enough[i] = r.acks.Load() + 1
	}
	for i, r := range w.rooms {
		w.Nodes[0].Until(w.ctx, "innocent room "+r.ID+" answers", func() bool { return r.acks.Load() >= enough[i] || w.T.Failed() })
	}
}

// recovered checks that no innocent room has lost anything.
func (w *ward) recovered() {
	w.T.Helper()
	w.close()
	for _, r := range w.rooms {
		acks := r.acks.Load()
		if err := r.player.WaitView(w.ctx, func(v any) bool { return e2e.Field(v, "n") == float64(acks) }); err != nil {
			w.T.Errorf("innocent room %s has not counted to %d: %v", r.ID, acks, err)
		}
		if st := r.player.Stats(); st.Mismatches > 0 || st.Lost > 0 {
			w.T.Errorf("innocent room %s: %+v", r.ID, st)
		}
	}
}
