package cluster

import (
	"bytes"
	"context"
	"errors"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

func TestARoomIsFoundWhereverTheRingPutsIt(t *testing.T) {
	g := newGrid(t, "a", "b")
	at := map[room.ID]string{}
	for _, n := range g.all() {
		for range 20 {
			at[n.make(actor.Create{Game: "pair"}).ID] = n.Cluster.self
		}
	}
	find := func(when string) {
		t.Helper()
		for _, n := range g.all() {
			for id, want := range at {
				if node, err := n.Locate(t.Context(), id); node != want || err != nil {
					t.Errorf("%s: %s says that %s is at %q (%v), it is at %s", when, n.Cluster.self, id, node, err, want)
				}
			}
		}
	}
	find("at first")
	for _, name := range []string{"c", "d", "e", "f"} {
		g.add(name)
	}
	find("after four nodes have joined")
	g.set(func() { g.nodes["a"].self.State = members.Draining })
	find("while one drains")
}

func TestABurstMakesOneQuestion(t *testing.T) {
	g := newGrid(t, "a", "b", "c", "d", "e")
	id := g.nodes["a"].make(actor.Create{Game: "pair"}).ID
	var wg sync.WaitGroup
	for range 500 {
		wg.Go(func() {
			if node, err := g.nodes["b"].Locate(t.Context(), id); node != "a" || err != nil {
				t.Errorf("it is at %q: %v", node, err)
			}
		})
	}
	wg.Wait()
	if n := g.asked("rooms.where"); n > replicas {
		t.Errorf("500 at once asked %d times", n)
	}
	g.nodes["b"].Forget(id, "c") // not where it was thought to be
	before := g.asked("rooms.where")
	g.nodes["b"].Locate(t.Context(), id)
	if g.asked("rooms.where") != before {
		t.Error("the answer was forgotten for another node's sake")
	}
	g.nodes["b"].Forget(id, "a")
	g.nodes["b"].Locate(t.Context(), id)
	if g.asked("rooms.where") == before {
		t.Error("what is forgotten is not asked again")
	}
}

func TestOneWhoGivesUpStopsNoOther(t *testing.T) {
	g := newGrid(t, "a", "b")
	g.set(func() { g.hung["b"] = true })
	id := g.nodes["a"].Place("pair")
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := g.nodes["a"].Locate(ctx, id); !errors.Is(err, context.Canceled) {
		t.Errorf("after its end: %v", err)
	}
	g.set(func() { g.hung["b"] = false })
	until(t, "the search is over", func() bool {
		_, err := g.nodes["a"].Locate(t.Context(), id)
		return errors.Is(err, actor.ErrNotFound)
	})
}

// A node that was cut off may believe that it still has a room.
func TestTheHighestEpochWins(t *testing.T) {
	g := newGrid(t, "a", "b", "c", "d")
	id := g.nodes["a"].Place("pair")
	epochs := map[string]record.Epoch{"b": 3, "c": 9, "d": 4}
	for name, e := range epochs {
		serve(g.nodes[name].Cluster, roomsWhere, func(context.Context, room.ID) (where, error) { return where{true, e}, nil })
	}
	asked := g.nodes["a"].Ring().First(id, replicas)
	want := ""
	for _, n := range asked {
		if n != "a" && (want == "" || epochs[n] > epochs[want]) {
			want = n
		}
	}
	if node, err := g.nodes["a"].Locate(t.Context(), id); node != want || err != nil {
		t.Errorf("found at %q (%v), want %s", node, err, want)
	}
}

func TestASilentNodeHidesNoRoom(t *testing.T) {
	g := newGrid(t, "a", "b", "c", "d", "e")
	id := g.nodes["b"].make(actor.Create{Game: "pair"}).ID
	g.set(func() { g.hung["c"], g.hung["d"] = true, true })
	if node, err := g.nodes["a"].Locate(t.Context(), id); node != "b" || err != nil {
		t.Errorf("found at %q: %v", node, err)
	}
}

func TestTheStoreSaysWhatBecameOfARoom(t *testing.T) {
	short := func(o *Options, _ *actor.Options) { o.Ask, o.Gather = 100*time.Millisecond, 100*time.Millisecond }
	g := newGrid(t)
	for _, n := range []string{"a", "b", "c"} {
		g.add(n, short)
	}
	ask := func() (room.ID, error) {
		g.nodes["a"].boots = bootList{}
		id := randomID()
		_, err := g.nodes["a"].Locate(t.Context(), id)
		return id, err
	}
	row := func(state record.RowState, boot record.BootID) (room.ID, error) {
		id := randomID()
		g.store.set(func() { g.store.rows[id] = record.Row{Room: id, State: state, Boot: boot, Epoch: 4} })
		g.nodes["a"].boots = bootList{}
		_, err := g.nodes["a"].Locate(t.Context(), id)
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
	g.nodes["b"].started.Store(false)
	_, starting := ask()
	unreachable("no row, but a node that has not read its journal yet", starting, "")
	g.nodes["b"].started.Store(true)
	g.store.set(func() { g.store.boots = []Boot{{ID: "boot-x", Node: "x", Silent: time.Second}} })
	_, err := ask()
	unreachable("no row, but a node that nobody hears", err, "")
	g.store.set(func() { g.store.boots[0].Silent = time.Hour })
	if _, err := ask(); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("no row, and a node that is long dead: %v", err)
	}
	_, err = row(record.RowLive, "boot-x")
	unreachable("live at a dead node", err, "node x is down")
	_, err = row(record.RowLive, "boot-unknown")
	unreachable("live at an unknown boot", err, "node is down")
	_, err = row(record.RowLive, "boot-b")
	unreachable("live at a node that has it not", err, "")
	g.set(func() { g.hung["b"] = true })
	_, err = row(record.RowLive, "boot-b")
	unreachable("live at a node that is silent", err, "node b does not answer")
	_, err = ask()
	unreachable("no row, and a node is silent", err, "")
	g.set(func() { g.hung["b"] = false })
	g.store.set(func() { g.store.boots = []Boot{{ID: "before", Node: "b"}} })
	_, err = row(record.RowLive, "before")
	unreachable("live at a boot before", err, "node b has restarted")

	id, err := row(record.RowOver, "boot-b")
	if !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("over, and its result is gone: %v", err)
	}
	g.store.set(func() {
		g.store.past[id] = actor.Info{ID: id, Phase: core.PhaseOver, Final: &record.Final{End: record.Finished, Result: room.Result{Reason: "won"}}}
	})
	_, err = g.nodes["a"].Locate(t.Context(), id)
	if end, ok := errors.AsType[*actor.CloseError](err); !ok || end.Code != wire.CloseOver || end.Over == nil || end.Over.End != "finished" {
		t.Errorf("over: %v", err)
	}
	if info, err := g.nodes["a"].Rooms().Info(t.Context(), id); err != nil || info.Final == nil || info.Final.Result.Reason != "won" {
		t.Errorf("what is known of it: %+v, %v", info, err)
	}
	if err := g.nodes["a"].Rooms().Kick(t.Context(), id, "p"); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("kicked out of it: %v", err)
	}
	g.store.set(func() { g.store.away = errors.New("the disk is on fire") })
	_, err = ask()
	unreachable("the store is away", err, "")
	if strings.Contains(err.Error(), "fire") {
		t.Errorf("a client is told %v", err)
	}
}

// TestTheLogIsNotFlooded has the clients of many rooms look for them while the store is away.
func TestTheLogIsNotFlooded(t *testing.T) {
	g := newGrid(t)
	var log bytes.Buffer
	n := g.add("a", func(o *Options, _ *actor.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	g.store.set(func() { g.store.away = errors.New("the disk is on fire") })
	const rooms = 200
	for range rooms {
		if _, err := n.Locate(t.Context(), randomID()); !errors.Is(err, actor.ErrUnreachable) {
			t.Fatal(err)
		}
	}
	if said := strings.Count(log.String(), "on fire"); said == 0 || said > rooms/4 {
		t.Errorf("%d lines of %d rooms that are looked for", said, rooms)
	}
}

func TestAReleasedRoomIsFoundWhereItIsClaimed(t *testing.T) {
	g := newGrid(t, "a", "b", "c")
	var mu sync.Mutex
	tries, there := map[room.ID]int{}, map[room.ID]string{}
	for _, n := range g.all() {
		serve(n.Cluster, roomsWhere, func(_ context.Context, id room.ID) (where, error) {
			mu.Lock()
			defer mu.Unlock()
			return where{there[id] == n.Cluster.self, 5}, nil
		})
	}
	g.claim = func(_ context.Context, owner string, id room.ID) error {
		mu.Lock()
		defer mu.Unlock()
		if tries[id]++; tries[id] == 1 {
			return actor.ErrMovedOn // somebody else is at it
		}
		there[id] = owner
		return nil
	}
	released := func() room.ID {
		id := randomID()
		for g.nodes["a"].Ring().Owner(id) == "a" {
			id = randomID()
		}
		g.store.set(func() { g.store.rows[id] = record.Row{Room: id, State: record.RowReleased, Epoch: 4} })
		return id
	}
	for range 5 {
		id := released()
		want := g.nodes["a"].Ring().Owner(id)
		if node, err := g.nodes["a"].Locate(t.Context(), id); node != want || err != nil {
			t.Errorf("found at %q (%v), want %s", node, err, want)
		}
	}
	for _, refused := range []error{errors.New("no such version"), &actor.UnreachableError{Reason: "it needs version 7"}, actor.ErrDraining} {
		g.claim = func(context.Context, string, room.ID) error { return refused }
		_, err := g.nodes["a"].Locate(t.Context(), released())
		if !errors.Is(err, actor.ErrUnreachable) || errors.Is(refused, actor.ErrUnreachable) && err != refused {
			t.Errorf("claim: %v; locate: %v", refused, err)
		}
		if refused == actor.ErrDraining && !strings.Contains(err.Error(), "stopping") {
			t.Errorf("nobody who stays could take the room on, and the client is told: %v", err)
		}
	}
}

func TestAnLRUKeepsWhatWasUsedLast(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		l := lru[int, int]{max: rapid.IntRange(1, 5).Draw(t, "max")}
		var used []int // last used last
		values := map[int]int{}
		use := func(k int) {
			for i, u := range used {
				if u == k {
					used = append(used[:i:i], used[i+1:]...)
					break
				}
			}
			used = append(used, k)
		}
		for i := range rapid.IntRange(0, 60).Draw(t, "steps") {
			k := rapid.IntRange(0, 7).Draw(t, "key")
			switch rapid.IntRange(0, 2).Draw(t, "what") {
			case 0:
				l.put(k, i)
				values[k] = i
				use(k)
				if len(used) > l.max {
					delete(values, used[0])
					used = used[1:]
				}
			case 1:
				v, ok := l.get(k)
				want, there := values[k]
				if ok != there || v != want {
					t.Fatalf("get %d: %d %v, want %d %v", k, v, ok, want, there)
				}
				if there {
					use(k)
				}
			case 2:
				v, there := values[k]
				if l.drop(k, func(have int) bool { return have == v && have%2 == 0 }); there && v%2 == 0 {
					delete(values, k)
					used = slices.Clip(used)
					use(k)
					used = used[:len(used)-1]
				}
			}
		}
	})
}
