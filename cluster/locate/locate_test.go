package locate_test

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/cluster/locate"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

func TestARoomIsFoundWhereverTheRingPutsIt(t *testing.T) {
	g := grid.New(t, "a", "b")
	at := map[room.ID]string{}
	for _, n := range g.All() {
		for range 20 {
			at[n.Make(actor.Create{Game: "pair"}).ID] = n.Name
		}
	}
	find := func(when string) {
		t.Helper()
		for _, n := range g.All() {
			for id, want := range at {
				if node, err := n.Locate.Locate(t.Context(), id); node != want || err != nil {
					t.Errorf("%s: %s says that %s is at %q (%v), it is at %s", when, n.Name, id, node, err, want)
				}
			}
		}
	}
	find("at first")
	for _, name := range []string{"c", "d", "e", "f"} {
		g.Add(name)
	}
	find("after four nodes have joined")
	g.Set(func() { g.Nodes["a"].Member.State = members.Draining })
	find("while one drains")
}

func TestABurstMakesOneQuestion(t *testing.T) {
	g := grid.New(t, "a", "b", "c", "d", "e")
	id := g.Nodes["a"].Make(actor.Create{Game: "pair"}).ID
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			if node, err := g.Nodes["b"].Locate.Locate(t.Context(), id); node != "a" || err != nil {
				t.Errorf("it is at %q: %v", node, err)
			}
		})
	}
	wg.Wait()
	if n := g.Asked("rooms.where"); n > locate.RingFirst {
		t.Errorf("500 at once asked %d times", n)
	}
	g.Nodes["b"].Locate.Forget(id, "c") // not where it was thought to be
	before := g.Asked("rooms.where")
	g.Nodes["b"].Locate.Locate(t.Context(), id)
	if g.Asked("rooms.where") != before {
		t.Error("the answer was forgotten for another node's sake")
	}
	g.Nodes["b"].Locate.Forget(id, "a")
	g.Nodes["b"].Locate.Locate(t.Context(), id)
	if g.Asked("rooms.where") == before {
		t.Error("what is forgotten is not asked again")
	}
}

func TestOneWhoGivesUpStopsNoOther(t *testing.T) {
	g := grid.New(t, "a", "b")
	g.Set(func() { g.Hung["b"] = true })
	id := g.Nodes["a"].Place("pair")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.Nodes["a"].Locate.Locate(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
	g.Set(func() { g.Hung["b"] = false })
	testwait.Until(t, "the search is over", func() bool {
		_, err := g.Nodes["a"].Locate.Locate(t.Context(), id)
		return errors.Is(err, actor.ErrNotFound)
	})
}

// A node that was cut off may believe that it still has a room.
func TestTheHighestEpochWins(t *testing.T) {
	g := grid.New(t, "a", "b", "c", "d")
	id := g.Nodes["a"].Place("pair")
	epochs := map[string]record.Epoch{"b": 3, "c": 9, "d": 4}
	for name, e := range epochs {
		rpc.Serve(g.Nodes[name].Calls, locate.Where, func(context.Context, room.ID) (locate.Presence, error) {
			return locate.Presence{Here: true, Epoch: e}, nil
		})
	}
	asked := g.Nodes["a"].Nodes.Ring().First(id, locate.RingFirst)
	want := ""
	for _, n := range asked {
		if n != "a" && (want == "" || epochs[n] > epochs[want]) {
			want = n
		}
	}
	if node, err := g.Nodes["a"].Locate.Locate(t.Context(), id); node != want || err != nil {
		t.Errorf("found at %q (%v), want %s", node, err, want)
	}
}

func TestASilentNodeHidesNoRoom(t *testing.T) {
	g := grid.New(t, "a", "b", "c", "d", "e")
	id := g.Nodes["b"].Make(actor.Create{Game: "pair"}).ID
	g.Set(func() { g.Hung["c"], g.Hung["d"] = true, true })
	if node, err := g.Nodes["a"].Locate.Locate(t.Context(), id); node != "b" || err != nil {
		t.Errorf("found at %q: %v", node, err)
	}
}

func TestTheStoreSaysWhatBecameOfARoom(t *testing.T) {
	short := func(s *grid.Setup) { s.Cluster.Ask, s.Cluster.Gather = 100*time.Millisecond, 100*time.Millisecond }
	g := grid.New(t)
	for _, n := range []string{"a", "b", "c"} {
		g.Add(n, short)
	}
	ask := func() (room.ID, error) {
		g.Later(time.Minute)
		id := grid.RandomID()
		_, err := g.Nodes["a"].Locate.Locate(t.Context(), id)
		return id, err
	}
	standby := ""
	row := func(state record.RowState, boot record.BootID) (room.ID, error) {
		id := grid.RandomID()
		g.Store.Set(func() { g.Store.Rows[id] = record.Row{Room: id, State: state, Boot: boot, Epoch: 4, Standby: standby} })
		g.Later(time.Minute)
		_, err := g.Nodes["a"].Locate.Locate(t.Context(), id)
		return id, err
	}
	unreachable := func(what string, err error, says string) {
		t.Helper()
		if !errors.Is(err, actor.ErrUnreachable) || !strings.Contains(err.Error(), says) {
			t.Errorf("%s: %v, want an ErrUnreachable that says %q", what, err, says)
		}
	}
	if _, err := ask(); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("no row: %v", err)
	}
	g.Nodes["b"].Locate.Complete(false)
	_, starting := ask()
	unreachable("no row, but a node that has not read its journal yet", starting, "")
	g.Nodes["b"].Locate.Complete(true)
	g.Store.Set(func() { g.Store.Processes = []cluster.Boot{{ID: "boot-x", Node: "x", Silent: time.Second}} })
	_, err := ask()
	unreachable("no row, but a node that nobody hears", err, "")
	g.Store.Set(func() { g.Store.Processes[0].Silent = time.Hour })
	if _, err := ask(); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("no row, and a node that is long dead: %v", err)
	}
	_, err = row(record.RowLive, "boot-x")
	unreachable("live at a dead node", err, "node x is down: the room comes back with it")
	standby = "folder-y"
	_, err = row(record.RowLive, "boot-x")
	unreachable("live at a dead node, with a standby", err, "node x is down: the room goes on at its standby")
	standby = ""
	_, err = row(record.RowLive, "boot-unknown")
	unreachable("live at an unknown boot", err, "node is down")
	_, err = row(record.RowLive, "boot-b")
	unreachable("live at a node that has it not", err, "")
	g.Set(func() { g.Hung["b"] = true })
	_, err = row(record.RowLive, "boot-b")
	unreachable("live at a node that is silent", err, "node b does not answer")
	_, err = ask()
	unreachable("no row, and a node is silent", err, "")
	g.Set(func() { g.Hung["b"] = false })
	g.Store.Set(func() { g.Store.Processes = []cluster.Boot{{ID: "before", Node: "b"}} })
	_, err = row(record.RowLive, "before")
	unreachable("live at a boot before", err, "node b has restarted")

	id, err := row(record.RowOver, "boot-b")
	if !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("over, and its result is gone: %v", err)
	}
	g.Store.Set(func() {
		g.Store.Ended[id] = actor.Info{ID: id, Phase: core.PhaseOver, Final: &record.Final{End: record.Finished, Result: room.Result{Reason: "won"}}}
	})
	_, err = g.Nodes["a"].Locate.Locate(t.Context(), id)
	if end, ok := errors.AsType[*actor.CloseError](err); !ok || end.Code != wire.CloseOver || end.Over == nil || end.Over.End != "finished" {
		t.Errorf("over: %v", err)
	}
	if info, err := g.Nodes["a"].Rooms().Info(t.Context(), id); err != nil || info.Final == nil || info.Final.Result.Reason != "won" {
		t.Errorf("what is known of it: %+v, %v", info, err)
	}
	if err := g.Nodes["a"].Rooms().Kick(t.Context(), id, "p"); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("kicked out of it: %v", err)
	}
	g.Store.Set(func() { g.Store.Away = errors.New("the disk is on fire") })
	_, err = ask()
	unreachable("the store is away", err, "")
	if strings.Contains(err.Error(), "fire") {
		t.Errorf("a client is told %v", err)
	}
}

// TestTheLogIsNotFlooded has the clients of many rooms look for them while the store is away.
func TestTheLogIsNotFlooded(t *testing.T) {
	g := grid.New(t)
	var log bytes.Buffer
	n := g.Add("a", func(s *grid.Setup) { s.Cluster.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	g.Store.Set(func() { g.Store.Away = errors.New("the disk is on fire") })
	const rooms = 200
	for range rooms {
		if _, err := n.Locate.Locate(t.Context(), grid.RandomID()); !errors.Is(err, actor.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if said := strings.Count(log.String(), "on fire"); said == 0 || said > rooms/4 {
		t.Errorf("%d lines of %d rooms that are looked for", said, rooms)
	}
}

func TestAReleasedRoomIsFoundWhereItIsClaimed(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	var mu sync.Mutex
	tries, there := map[room.ID]int{}, map[room.ID]string{}
	for _, n := range g.All() {
		rpc.Serve(n.Calls, locate.Where, func(_ context.Context, id room.ID) (locate.Presence, error) {
			mu.Lock()
			defer mu.Unlock()
			return locate.Presence{Here: there[id] == n.Name, Epoch: 5}, nil
		})
	}
	g.Claim = func(_ context.Context, owner string, id room.ID) error {
		mu.Lock()
		defer mu.Unlock()
		if tries[id]++; tries[id] == 1 {
			return record.ErrMovedOn // somebody else is at it
		}
		there[id] = owner
		return nil
	}
	released := func() room.ID {
		id := grid.RandomID()
		for g.Nodes["a"].Nodes.Ring().Owner(id) == "a" {
			id = grid.RandomID()
		}
		g.Store.Set(func() { g.Store.Rows[id] = record.Row{Room: id, State: record.RowReleased, Epoch: 4} })
		return id
	}
	for range 5 {
		id := released()
		want := g.Nodes["a"].Nodes.Ring().Owner(id)
		if node, err := g.Nodes["a"].Locate.Locate(t.Context(), id); node != want || err != nil {
			t.Errorf("found at %q (%v), want %s", node, err, want)
		}
	}
	for _, refused := range []error{errors.New("no such version"), &actor.UnreachableError{Reason: "it needs version 7"}, actor.ErrDraining} {
		g.Claim = func(context.Context, string, room.ID) error { return refused }
		_, err := g.Nodes["a"].Locate.Locate(t.Context(), released())
		if !errors.Is(err, actor.ErrUnreachable) || errors.Is(refused, actor.ErrUnreachable) && err != refused {
			t.Errorf("claim: %v; locate: %v", refused, err)
		}
		if refused == actor.ErrDraining && !strings.Contains(err.Error(), "stopping") {
			t.Errorf("nobody who stays could take the room on, and the client is told: %v", err)
		}
	}
}
