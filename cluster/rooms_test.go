package cluster

import (
	"bytes"
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

func TestAnInfoCrossesALinkWhole(t *testing.T) {
	g := newGrid(t, "a", "b")
	for _, options := range []json.RawMessage{nil, json.RawMessage(`{"n":3}`)} {
		made := g.nodes["a"].make(actor.Create{Game: "pair", Name: "one", Options: options, Private: true})
		here, err := g.nodes["a"].Rooms().Info(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		there, err := g.nodes["b"].Rooms().Info(t.Context(), made.ID)
		if err != nil || !reflect.DeepEqual(there, here) {
			t.Errorf("%+v became %+v (%v)", here, there, err)
		}
	}
}

func TestAListIsOfAllNodes(t *testing.T) {
	g := newGrid(t, "a", "b", "c")
	var all []room.ID
	for i := range 37 {
		n := g.all()[i%3]
		all = append(all, n.make(actor.Create{Game: []string{"pair", "party"}[i%2], Private: i%5 == 0}).ID)
	}
	slices.Sort(all)
	for _, n := range g.all() {
		var got []room.ID
		for f := (actor.Filter{Private: true, Limit: 5}); ; f.After = got[len(got)-1] {
			page, err := n.Rooms().List(t.Context(), f)
			if err != nil || page.Partial || len(page.Rooms) > 5 {
				t.Fatalf("a page of %d, partial %v: %v", len(page.Rooms), page.Partial, err)
			}
			if len(page.Rooms) == 0 {
				break
			}
			for _, i := range page.Rooms {
				got = append(got, i.ID)
			}
		}
		if !slices.Equal(got, all) {
			t.Errorf("%s lists %v, want %v", n.Cluster.self, got, all)
		}
	}
	g.separate("a", "c")
	if l, err := g.nodes["a"].Rooms().List(t.Context(), actor.Filter{Private: true}); err != nil || !l.Partial || len(l.Rooms) >= len(all) {
		t.Errorf("without c: %d rooms, partial %v, %v", len(l.Rooms), l.Partial, err)
	}
	if l, err := g.nodes["b"].Rooms().List(t.Context(), actor.Filter{Private: true}); err != nil || l.Partial {
		t.Errorf("b reaches both: partial %v, %v", l.Partial, err)
	}
}

func TestAListIsPartialWhileANodeIsNotHeard(t *testing.T) {
	g := newGrid(t, "a", "b")
	partial := func(boots ...Boot) bool {
		g.store.set(func() { g.store.boots = boots })
		g.nodes["a"].boots = bootList{}
		l, err := g.nodes["a"].Rooms().List(t.Context(), actor.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return l.Partial
	}
	if partial(Boot{ID: "boot-a", Node: "a"}, Boot{ID: "boot-b", Node: "b"}) {
		t.Error("all alive are heard")
	}
	if !partial(Boot{ID: "boot-a", Node: "a"}, Boot{ID: "boot-x", Node: "x", Silent: time.Hour}) {
		t.Error("x is not heard: its rooms are missing")
	}
	if partial(Boot{ID: "a-boot-before", Node: "b"}) {
		t.Error("b is back under a newer boot")
	}
	g.nodes["b"].started.Store(false)
	if !partial() {
		t.Error("b is still bringing its rooms back")
	}
	g.nodes["b"].started.Store(true)
	g.store.set(func() { g.store.away = errors.New("away") })
	if partial() {
		t.Error("nothing is known of others")
	}
}

func TestAPrivateRoomIsFoundFromEveryNode(t *testing.T) {
	g := newGrid(t, "a", "b", "c")
	made := g.nodes["b"].make(actor.Create{Game: "pair", Private: true})
	for _, n := range g.all() {
		if info, err := n.Rooms().Find(t.Context(), made.Code); err != nil || info.ID != made.ID || info.Code != "" {
			t.Errorf("%s finds %+v, %v", n.Cluster.self, info, err)
		}
		if _, err := n.Rooms().Find(t.Context(), "wrong"); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("a wrong code at %s: %v", n.Cluster.self, err)
		}
		if _, err := n.Rooms().Find(t.Context(), ""); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("no code at %s: %v", n.Cluster.self, err)
		}
	}
	g.nodes["c"].started.Store(false)
	if _, err := g.nodes["a"].Rooms().Find(t.Context(), "wrong"); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("while rooms are brought back at c: %v", err)
	}
	g.nodes["c"].started.Store(true)
	g.store.set(func() {
		g.store.rows[made.ID] = record.Row{Room: made.ID, State: record.RowLive, Boot: "boot-b", Code: made.Code}
	})
	g.nodes["a"].o.Ask, g.nodes["a"].o.Gather = 100*time.Millisecond, 100*time.Millisecond
	g.set(func() { g.hung["b"] = true })
	if _, err := g.nodes["a"].Rooms().Find(t.Context(), made.Code); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("its node is silent: %v", err)
	}
	if _, err := g.nodes["a"].Rooms().Find(t.Context(), "wrong"); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("nobody can say that there is none: %v", err)
	}
}

func TestTheOperatorReachesEveryRoom(t *testing.T) {
	g := newGrid(t, "a", "b")
	id := g.nodes["a"].make(actor.Create{Game: "pair"}).ID
	s, err := g.nodes["a"].o.Rooms.Attach(t.Context(), id, actor.Hello{Player: "p", Name: "P", Client: "c"}, actor.NewOutbox(actor.OutboxOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Detach()
	far := g.nodes["b"].Rooms()
	in, err := far.Inspect(t.Context(), id, actor.Look{State: true, View: &room.Viewer{Player: "p"}})
	if err != nil || len(in.Sessions) != 1 || string(in.View) != `{"sum":0}` || in.State == nil {
		t.Errorf("inspected: %+v, %v", in, err)
	}
	if err := far.Signal(t.Context(), id, "reset", []byte(`{}`)); err != nil {
		t.Errorf("signal: %v", err)
	}
	if refused, ok := errors.AsType[*room.Refusal](far.Signal(t.Context(), id, "sing", nil)); !ok || refused.Code != "unknown" {
		t.Errorf("an unknown signal: %v", refused)
	}
	if err := far.Kick(t.Context(), id, "nobody"); !errors.Is(err, actor.ErrNotSeated) {
		t.Errorf("kick of nobody: %v", err)
	}
	if err := far.Kick(t.Context(), id, "p"); err != nil {
		t.Errorf("kick: %v", err)
	}
	if err := far.Close(t.Context(), id, "enough"); err != nil {
		t.Errorf("close: %v", err)
	}
	if err := far.Close(t.Context(), randomID(), "enough"); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("close of none: %v", err)
	}
}

// A question goes after a room that is not where it was thought to be.
func TestAQuestionFollowsARoom(t *testing.T) {
	g := newGrid(t, "a", "b", "c")
	id := g.nodes["b"].make(actor.Create{Game: "pair"}).ID
	g.nodes["a"].known.put(id, "c")
	if info, err := g.nodes["a"].Rooms().Info(t.Context(), id); err != nil || info.Node != "b" {
		t.Errorf("after a wrong guess: %+v, %v", info, err)
	}
	if p, node, epoch, err := g.nodes["a"].Where(t.Context(), id); err != nil || node != "b" || epoch != 1 || p.Nodes[0] != "b" {
		t.Errorf("where: %+v %s %d %v", p, node, epoch, err)
	}
}

func TestNodesAreAllThatAreThereOrHeldToBe(t *testing.T) {
	g := newGrid(t, "a", "b", "c")
	g.set(func() { g.nodes["c"].self.State = members.Draining })
	g.separate("a", "b")
	g.store.set(func() { g.store.boots = []Boot{{ID: "boot-a", Node: "a"}, {ID: "boot-x", Node: "x", Host: "far"}} })
	nodes, err := g.nodes["a"].Nodes(t.Context())
	if err != nil || len(nodes) != 4 {
		t.Fatalf("%+v, %v", nodes, err)
	}
	for i, want := range []struct {
		name, state string
		answers     bool
	}{{"a", "active", true}, {"b", "active", false}, {"c", "draining", true}, {"x", "silent", false}} {
		n := nodes[i]
		if n.Name != want.name || n.State != want.state || (n.Version != "") != want.answers || (len(n.Unready) == 0) != want.answers {
			t.Errorf("%+v, want %+v", n, want)
		}
	}
	if err := g.nodes["a"].DrainNode(t.Context(), "nobody"); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("drain of nobody: %v", err)
	}
}

func TestANodeThatReachesNobodySaysWhy(t *testing.T) {
	g := newGrid(t)
	n := g.add("a", func(o *Options, _ *actor.Options) { o.Members.Join = []string{"10.0.0.9:7946"} })
	g.set(func() { n.self.State = members.Joining })
	g.store.set(func() {
		g.store.boots = []Boot{{ID: "boot-a", Node: "a"}, {ID: "before", Node: "a"}, {ID: "boot-x", Node: "x", Host: "far"}, {ID: "ancient", Node: "y", Silent: time.Hour}}
	})
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	why := strings.Join(n.Unready(), " ")
	for _, part := range []string{"10.0.0.9:7946", "boot-x", "connection refused"} {
		if !strings.Contains(why, part) {
			t.Errorf("it is not ready for %q, which does not name %s", why, part)
		}
	}
	if strings.Contains(why, "ancient") || n.members.Self().State != members.Joining {
		t.Errorf("%v: %q", n.members.Self().State, why)
	}
	g.store.set(func() { g.store.away = errors.New("no route") })
	until(t, "it says that the store is away", func() bool { return strings.Contains(strings.Join(n.Unready(), " "), "no route") })
	g.store.set(func() { g.store.away, g.store.boots = nil, g.store.boots[:1] })
	until(t, "it goes on alone when the other is gone", func() bool { return n.members.Self().State == members.Active })
	if len(n.Unready()) != 0 {
		t.Errorf("it is active and not ready: %v", n.Unready())
	}
}

func TestANodeThatReachesOthersIsReady(t *testing.T) {
	for name, change := range map[string]func(*gridNode){
		"others answered": func(n *gridNode) { n.joined, n.o.Members.Join = 2, []string{"x:1"} },
		"nobody to join":  func(n *gridNode) { n.o.Members.Join = nil },
	} {
		g := newGrid(t)
		g.store.boots = []Boot{{ID: "boot-x", Node: "x"}}
		n := g.add("a")
		n.self.State = members.Joining
		change(n)
		if err := n.Start(t.Context()); err != nil || len(n.Unready()) > 0 || n.members.Self().State != members.Active {
			t.Errorf("%s: %v, %v, state %v", name, err, n.Unready(), n.members.Self().State)
		}
	}
}

// What the operator does at one node with a room of another is in the log of that one, too.
func TestActsOfTheOperatorAreLoggedWhereTheyAreDone(t *testing.T) {
	g := newGrid(t, "a")
	var log syncBuffer
	b := g.add("b", func(o *Options, _ *actor.Options) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	made := b.make(actor.Create{Game: "pair"})
	asked := g.nodes["a"].Rooms()
	if err := asked.Signal(t.Context(), made.ID, "sing", nil); err == nil {
		t.Error("an unknown signal was taken")
	}
	if err := asked.Close(t.Context(), made.ID, "enough"); err != nil {
		t.Fatal(err)
	}
	if err := g.nodes["a"].DrainNode(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`action=signal room=` + string(made.ID) + ` signal=sing node=b by="the operator at node a" outcome="no such signal"`,
		`action=close room=` + string(made.ID) + ` reason=enough node=b by="the operator at node a" outcome=done`,
		`action=drain target=b node=b by="the operator at node a" outcome=done`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
	before := strings.Count(log.String(), "admin action")
	if err := b.DrainNode(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if strings.Count(log.String(), "admin action") != before {
		t.Error("what is done where it is asked is logged twice")
	}
}

type syncBuffer struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (b *syncBuffer) Write(p []byte) (int, error) {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.Write(p)
}

func (b *syncBuffer) String() string {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.buf.String()
}
