package cluster_test

import (
	"encoding/json"
	"errors"
	"log/slog"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

func TestAnInfoCrossesALinkWhole(t *testing.T) {
	g := grid.New(t, "a", "b")
	for _, options := range []json.RawMessage{nil, json.RawMessage(`{"n":3}`)} {
		made := g.Nodes["a"].Make(actor.Create{Game: "pair", Name: "one", Options: options, Private: true})
		here, err := g.Nodes["a"].Rooms().Info(t.Context(), made.ID)
		if err != nil {
			t.Fatal(err)
		}
		there, err := g.Nodes["b"].Rooms().Info(t.Context(), made.ID)
		if err != nil || !reflect.DeepEqual(there, here) {
			t.Errorf("%+v became %+v (%v)", here, there, err)
		}
	}
}

func TestAListIsOfAllNodes(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	var all []room.ID
	for i := range 37 {
		n := g.All()[i%3]
		all = append(all, n.Make(actor.Create{Game: []string{"pair", "party"}[i%2], Private: i%5 == 0}).ID)
	}
	slices.Sort(all)
	for _, n := range g.All() {
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
			t.Errorf("%s lists %v, want %v", n.Name, got, all)
		}
	}
	g.Separate("a", "c")
	if l, err := g.Nodes["a"].Rooms().List(t.Context(), actor.Filter{Private: true}); err != nil || !l.Partial || len(l.Rooms) >= len(all) {
		t.Errorf("without c: %d rooms, partial %v, %v", len(l.Rooms), l.Partial, err)
	}
	if l, err := g.Nodes["b"].Rooms().List(t.Context(), actor.Filter{Private: true}); err != nil || l.Partial {
		t.Errorf("b reaches both: partial %v, %v", l.Partial, err)
	}
}

func TestAListIsPartialWhileANodeIsNotHeard(t *testing.T) {
	g := grid.New(t, "a", "b")
	partial := func(boots ...cluster.Boot) bool {
		g.Store.Set(func() { g.Store.Processes = boots })
		g.Later(time.Minute)
		l, err := g.Nodes["a"].Rooms().List(t.Context(), actor.Filter{})
		if err != nil {
			t.Fatal(err)
		}
		return l.Partial
	}
	if partial(cluster.Boot{ID: "boot-a", Node: "a"}, cluster.Boot{ID: "boot-b", Node: "b"}) {
		t.Error("all alive are heard")
	}
	if !partial(cluster.Boot{ID: "boot-a", Node: "a"}, cluster.Boot{ID: "boot-x", Node: "x", Silent: time.Hour}) {
		t.Error("x is not heard: its rooms are missing")
	}
	if partial(cluster.Boot{ID: "a-boot-before", Node: "b"}) {
		t.Error("b is back under a newer boot")
	}
	g.Nodes["b"].Locate.Complete(false)
	if !partial() {
		t.Error("b is still bringing its rooms back")
	}
	g.Nodes["b"].Locate.Complete(true)
	g.Store.Set(func() { g.Store.Away = errors.New("away") })
	if partial() {
		t.Error("nothing is known of others")
	}
}

func TestAPrivateRoomIsFoundFromEveryNode(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	made := g.Nodes["b"].Make(actor.Create{Game: "pair", Private: true})
	for _, n := range g.All() {
		if info, err := n.Rooms().Find(t.Context(), made.Code); err != nil || info.ID != made.ID || info.Code != "" {
			t.Errorf("%s finds %+v, %v", n.Name, info, err)
		}
		if _, err := n.Rooms().Find(t.Context(), "wrong"); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("a wrong code at %s: %v", n.Name, err)
		}
		if _, err := n.Rooms().Find(t.Context(), ""); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("no code at %s: %v", n.Name, err)
		}
	}
	g.Nodes["c"].Locate.Complete(false)
	if _, err := g.Nodes["a"].Rooms().Find(t.Context(), "wrong"); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("while rooms are brought back at c: %v", err)
	}
	g.Nodes["c"].Locate.Complete(true)
	g.Store.Set(func() {
		g.Store.Rows[made.ID] = record.Row{Room: made.ID, State: record.RowLive, Boot: "boot-b", Code: made.Code}
	})
	hasty := g.Add("d", func(s *grid.Setup) { s.Cluster.Ask, s.Cluster.Gather = 100*time.Millisecond, 100*time.Millisecond })
	g.Set(func() { g.Hung["b"] = true })
	if _, err := hasty.Rooms().Find(t.Context(), made.Code); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("its node is silent: %v", err)
	}
	if _, err := hasty.Rooms().Find(t.Context(), "wrong"); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("nobody can say that there is none: %v", err)
	}
}

func TestTheOperatorReachesEveryRoom(t *testing.T) {
	g := grid.New(t, "a", "b")
	id := g.Nodes["a"].Make(actor.Create{Game: "pair"}).ID
	s, err := g.Nodes["a"].Directory.Attach(t.Context(), id, actor.Hello{Player: "p", Name: "P", Client: "c"}, actor.NewOutbox(actor.OutboxOptions{}))
	if err != nil {
		t.Fatal(err)
	}
	defer s.Detach()
	far := g.Nodes["b"].Rooms()
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
	if err := far.Close(t.Context(), grid.RandomID(), "enough"); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("close of none: %v", err)
	}
}

// A question goes after a room that is not where it was thought to be.
func TestAQuestionFollowsARoom(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	id := g.Nodes["b"].Make(actor.Create{Game: "pair"}).ID
	g.Nodes["a"].Locate.Remember(id, "c")
	if info, err := g.Nodes["a"].Rooms().Info(t.Context(), id); err != nil || info.Node != "b" {
		t.Errorf("after a wrong guess: %+v, %v", info, err)
	}
	if p, node, epoch, err := g.Nodes["a"].Where(t.Context(), id); err != nil || node != "b" || epoch != 1 || p.Nodes[0] != "b" {
		t.Errorf("where: %+v %s %d %v", p, node, epoch, err)
	}
}

// What the operator does at one node with a room of another is in the log of that one, too.
func TestActsOfTheOperatorAreLoggedWhereTheyAreDone(t *testing.T) {
	g := grid.New(t, "a")
	var log testwait.Log
	b := g.Add("b", func(s *grid.Setup) { s.Cluster.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	made := b.Make(actor.Create{Game: "pair"})
	asked := g.Nodes["a"].Rooms()
	if err := asked.Signal(t.Context(), made.ID, "sing", nil); err == nil {
		t.Error("an unknown signal was taken")
	}
	if why, ok := errors.AsType[*room.Refusal](asked.ActFor(t.Context(), made.ID, "ann", []byte(`{}`))); !ok || why.Code != "no_dev_tools" || why.Reason == "" {
		t.Errorf("acting for a player: %v", why)
	}
	if err := asked.Close(t.Context(), made.ID, "enough"); err != nil {
		t.Fatal(err)
	}
	if err := g.Nodes["a"].Nodes.DrainNode(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	for _, want := range []string{
		`action=signal room=` + string(made.ID) + ` signal=sing node=b by="the operator at node a" outcome="no such signal"`,
		`action=act room=` + string(made.ID) + ` player=ann node=b by="the operator at node a" outcome="refused: no_dev_tools"`,
		`action=close room=` + string(made.ID) + ` reason=enough node=b by="the operator at node a" outcome=done`,
		`action=drain target=b node=b by="the operator at node a" outcome=done`,
	} {
		if !strings.Contains(log.String(), want) {
			t.Errorf("the log lacks %s:\n%s", want, log.String())
		}
	}
	before := strings.Count(log.String(), "admin action")
	if err := b.Nodes.DrainNode(t.Context(), "b"); err != nil {
		t.Fatal(err)
	}
	if strings.Count(log.String(), "admin action") != before {
		t.Error("what is done where it is asked is logged twice")
	}
}
