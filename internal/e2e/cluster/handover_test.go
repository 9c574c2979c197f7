package cluster_test

import (
	"bytes"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// watcher is a client of a room that ticks. It measures the longest time between two turns.
type watcher struct {
	room    e2e.RoomInfo
	client  *client.Client
	mu      sync.Mutex
	last    time.Time
	longest time.Duration
	heard   int
}

// watch makes rooms that tick 20 times a second, each with a player who comes through a balancer.
func watch(c *e2e.Team, n int) []*watcher {
	front := newDoor(c)
	all := make([]*watcher, n)
	e2e.ForEach(n, 16, func(i int) {
		w := &watcher{room: c.Nodes[i%len(c.Nodes)].Create("metronome", nil)}
		w.client = front.Join(front.Via(w.room), client.Options{
			Encoding: wire.CBOR, Name: fmt.Sprintf("w%d", i), MaxDelay: 200 * time.Millisecond,
			Trace: &client.Trace{Received: w.received},
		})
		all[i] = w
	})
	c.T.Cleanup(func() {
		for _, w := range all {
			w.client.Close()
		}
	})
	return all
}

func (w *watcher) received(m wire.ServerMessage) {
	w.mu.Lock()
	defer w.mu.Unlock()
	switch m.(type) {
	case wire.State, wire.Turn:
	default:
		return
	}
	now := time.Now()
	if gap := now.Sub(w.last); !w.last.IsZero() && gap > w.longest {
		w.longest = gap
	}
	w.last = now
	w.heard++
}

// begin forgets the gaps before now.
func (w *watcher) begin() {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.longest, w.heard = 0, 0
}

// gaps are the longest times without a turn, one for each watcher, the longest last. It waits until all have heard something.
func gaps(t *testing.T, all []*watcher) (list []time.Duration) {
	t.Helper()
	for _, w := range all {
		w.mu.Lock()
		w.heard = 0
		w.mu.Unlock()
	}
	for _, w := range all {
		for end := time.Now().Add(e2e.Ceiling); ; time.Sleep(20 * time.Millisecond) {
			w.mu.Lock()
			heard, longest := w.heard, w.longest
			w.mu.Unlock()
			if heard > 2 {
				list = append(list, longest)
				break
			}
			if time.Now().After(end) {
				t.Fatalf("a player of %s, made at %s, hears nothing any more: %v", w.room.ID, w.room.Node, w.client.Err())
			}
		}
	}
	slices.Sort(list)
	return list
}

// missedNothing checks that every watcher was welcomed where it left off each time, and that its view is the server's.
func missedNothing(t *testing.T, all []*watcher) {
	t.Helper()
	for _, w := range all {
		if st := w.client.Stats(); st.Recovered < st.Sockets-1 || st.Mismatches > 0 || st.Lost > 0 {
			t.Errorf("the player of %s has missed something: %+v", w.room.ID, st)
		}
	}
}

func spread(list []time.Duration) string {
	at := func(share float64) time.Duration {
		return list[min(int(share*float64(len(list))), len(list)-1)].Round(time.Millisecond)
	}
	return fmt.Sprintf("median %v, 90%% %v, 99%% %v, worst %v of %d", at(0.5), at(0.9), at(0.99), at(1), len(list))
}

// planned is what a rebalance would move, as one node gathers it; -1: not every node has said.
func planned(n *e2e.Server) (rooms int) {
	var body struct {
		Nodes []struct {
			Error   string
			Changes []struct{ Rooms int }
		}
	}
	if code, err := n.TryCallAt(n.AdminAt, "POST", "/admin/v1/rebalance?dry_run=true", "", nil, &body); err != nil || code != http.StatusOK {
		return -1
	}
	for _, of := range body.Nodes {
		if of.Error != "" {
			return -1
		}
		for _, c := range of.Changes {
			rooms += c.Rooms
		}
	}
	return rooms
}

// TestAJoiningNodeGetsItsShareOfLivingRooms starts a fourth node beside three that have rooms. Its share of them comes to it, with those
// in which people play, and no client misses a turn.
func TestAJoiningNodeGetsItsShareOfLivingRooms(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 3).Start()
	empty := e2e.Sized(20, 30, 450)
	rooms := make([]e2e.RoomInfo, empty)
	e2e.ForEach(empty, 16, func(i int) { rooms[i] = c.Nodes[i%3].Create("chess", nil) })
	watchers := watch(c, e2e.Sized(6, 8, 50))
	for _, w := range watchers {
		rooms = append(rooms, w.room)
	}
	n4 := c.Add().Start()
	c.WaitWhole(4)
	for _, w := range watchers {
		w.begin()
	}
	begun := time.Now()
	before := planned(n4)
	var out, errs bytes.Buffer
	if code := e2e.Run([]string{"admin", "--admin", n4.AdminAt, "rebalance", "--dry-run"}, &out, &errs); code != e2e.ExitOK || !e2e.Mentions(out.String(), "owner", "n4", "would move") {
		t.Errorf("a dry run answers %d: %s%s", code, &out, &errs)
	}
	n4.Until(e2e.WaitContext(t), "all rooms are where the ring has them", func() bool { return planned(n4) == 0 })
	took := time.Since(begun)
	moved, list := 0, gaps(t, watchers)
	missedNothing(t, watchers)
	for _, r := range rooms {
		var at struct {
			Where struct {
				Nodes []string
				Node  string
			}
		}
		n4.Until(e2e.WaitContext(t), "a room is where the ring has it", func() bool { // in mid-move nobody says where it is
			n4.CallAdmin("GET", "/admin/v1/ring?id="+r.ID, nil, &at)
			return len(at.Where.Nodes) == 4 && at.Where.Node == at.Where.Nodes[0]
		})
		if at.Where.Node == "n4" {
			moved++
		}
	}
	t.Logf("%d rooms: %d were to change, %d moved, within %v of the join; longest time without a turn: %s", len(rooms), before, moved, took.Round(time.Millisecond), spread(list))
	if moved == 0 || before < moved {
		t.Errorf("%d rooms moved, and %d were planned", moved, before)
	}
	c.Nodes[0].Until(e2e.WaitContext(t), "nothing is left to do", func() bool { return planned(c.Nodes[0]) == 0 })
}

// TestADrainHandsRoomsOver drains nodes of a cluster whose rooms tick: one by the operator's command, and two at once by SIGTERM.
// The rooms go on at their standbys, and no client misses a turn.
func TestADrainHandsRoomsOver(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 4).Start()
	empty := e2e.Sized(20, 30, 450)
	e2e.ForEach(empty, 16, func(i int) { c.Nodes[i%4].Create("chess", nil) })
	watchers := watch(c, e2e.Sized(8, 10, 60))
	gaps(t, watchers)
	drained := func(n *e2e.Server) {
		select {
		case <-n.Ended:
		case <-time.After(60 * time.Second):
			t.Errorf("%s does not end", n.Node)
		}
		if code := n.Cmd.ProcessState.ExitCode(); code != e2e.ExitOK || strings.Contains(n.Log.String(), "level=ERROR") || !strings.Contains(n.Log.String(), "no room is left here") {
			t.Errorf("%s ends with %d", n.Node, code)
		}
	}
	round := func(how string, drain func(n *e2e.Server), nodes ...*e2e.Server) {
		for _, w := range watchers {
			w.begin()
		}
		begun := time.Now()
		for _, n := range nodes {
			drain(n)
		}
		for _, n := range nodes {
			drained(n)
		}
		took := time.Since(begun)
		list := gaps(t, watchers)
		missedNothing(t, watchers)
		t.Logf("%s: %d of %d nodes ended after %v; longest time without a turn: %s", how, len(nodes), len(c.Nodes), took.Round(time.Millisecond), spread(list))
		for _, gap := range list {
			figure(t, "gap", milliseconds(gap))
		}
	}
	sigterm := func(n *e2e.Server) { n.Signal(syscall.SIGTERM) }
	round("roomring admin drain", func(n *e2e.Server) {
		var out, errs bytes.Buffer
		if code := e2e.Run([]string{"admin", "--admin", c.Nodes[1].AdminAt, "drain", n.Node}, &out, &errs); code != e2e.ExitOK {
			t.Errorf("drain: %d %s", code, &errs)
		}
	}, c.Nodes[0])
	c.Nodes[0].Start()
	c.WaitWhole(4)
	round("SIGTERM at two at once", sigterm, c.Nodes[1], c.Nodes[2])
}
