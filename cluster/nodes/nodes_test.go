package nodes_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room/actor"
)

func TestNodesAreAllThatAreThereOrHeldToBe(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	g.Set(func() { g.Nodes["c"].Member.State = members.Draining })
	g.Separate("a", "b")
	g.Store.Set(func() {
		g.Store.Processes = []cluster.Boot{{ID: "boot-a", Node: "a"}, {ID: "boot-x", Node: "x", Host: "far"}}
	})
	nodes, err := g.Nodes["a"].Nodes.Infos(t.Context())
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
	if err := g.Nodes["a"].Nodes.DrainNode(t.Context(), "nobody"); !errors.Is(err, actor.ErrNotFound) {
		t.Errorf("drain of nobody: %v", err)
	}
}

func TestANodeThatReachesNobodySaysWhy(t *testing.T) {
	g := grid.New(t)
	n := g.Add("a", func(s *grid.Setup) { s.Joining, s.Cluster.Members.Join = true, []string{"10.0.0.9:7946"} })
	g.Store.Set(func() {
		g.Store.Processes = []cluster.Boot{{ID: "boot-a", Node: "a"}, {ID: "before", Node: "a"}, {ID: "boot-x", Node: "x", Host: "far"}, {ID: "ancient", Node: "y", Silent: time.Hour}}
	})
	if err := n.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	why := strings.Join(n.Nodes.Unready(), " ")
	for _, part := range []string{"10.0.0.9:7946", "boot-x", "connection refused"} {
		if !strings.Contains(why, part) {
			t.Errorf("it is not ready for %q, which does not name %s", why, part)
		}
	}
	if strings.Contains(why, "ancient") || n.State() != members.Joining {
		t.Errorf("%v: %q", n.State(), why)
	}
	g.Store.Set(func() { g.Store.Away = errors.New("no route") })
	testwait.Until(t, "it says that the store is away", func() bool { return strings.Contains(strings.Join(n.Nodes.Unready(), " "), "no route") })
	g.Store.Set(func() { g.Store.Away, g.Store.Processes = nil, g.Store.Processes[:1] })
	testwait.Until(t, "it goes on alone when the other is gone", func() bool { return n.State() == members.Active })
	if len(n.Nodes.Unready()) != 0 {
		t.Errorf("it is active and not ready: %v", n.Nodes.Unready())
	}
}

func TestANodeThatReachesOthersIsReady(t *testing.T) {
	for name, change := range map[string]func(*grid.Setup){
		"others answered": func(s *grid.Setup) { s.Joined, s.Cluster.Members.Join = 2, []string{"x:1"} },
		"nobody to join":  func(s *grid.Setup) { s.Cluster.Members.Join = nil },
	} {
		g := grid.New(t)
		g.Store.Processes = []cluster.Boot{{ID: "boot-x", Node: "x"}}
		n := g.Add("a", func(s *grid.Setup) { s.Joining = true }, change)
		if err := n.Start(t.Context()); err != nil || len(n.Nodes.Unready()) > 0 || n.State() != members.Active {
			t.Errorf("%s: %v, %v, state %v", name, err, n.Nodes.Unready(), n.State())
		}
	}
}

// TestANodeThatDoesNotFitStaysOffTheRing starts a node with SQLite on another machine: it says what is needed, and the
// others do not mind.
func TestANodeThatDoesNotFitStaysOffTheRing(t *testing.T) {
	g := grid.Wired(t, "a", "b")
	stranger := g.Wire("c", "another", func(s *grid.Setup) { s.Joined, s.Joining = 2, true })
	g.Reach()
	if err := stranger.Start(t.Context()); err != nil {
		t.Fatal(err)
	}
	if why := stranger.Nodes.Unready(); len(why) != 1 || !strings.Contains(why[0], "nodes on several machines need PostgreSQL") || !strings.Contains(why[0], "--store") {
		t.Errorf("it is not ready because of %q", why)
	}
	if state := stranger.State(); state != members.Joining {
		t.Errorf("its state is %v", state)
	}
	for _, name := range []string{"a", "b"} {
		n := g.Nodes[name]
		testwait.Until(t, "the others know why it has no link", func() bool {
			s := n.Links.States()
			return len(s) == 2 && s[1].Unfit
		})
		if n.Nodes.Fit(); len(n.Nodes.Unready()) > 0 || n.State() != members.Active {
			t.Errorf("%s: %v %q", name, n.State(), n.Nodes.Unready())
		}
		nodes, err := n.Nodes.Infos(t.Context())
		if err != nil || len(nodes) != 3 || nodes[2].State != "joining" || len(nodes[2].Unready) != 1 || !strings.Contains(nodes[2].Unready[0], "PostgreSQL") {
			t.Errorf("%s shows the operator %+v, %v", name, nodes, err)
		}
		if l, err := n.Rooms().List(t.Context(), actor.Filter{}); err != nil || l.Partial {
			t.Errorf("%s: partial %v, %v", name, l.Partial, err)
		}
		if _, err := n.Rooms().Info(t.Context(), grid.RandomID()); !errors.Is(err, actor.ErrNotFound) {
			t.Errorf("%s asks for a room that never was: %v", name, err)
		}
	}
	g.Set(func() { g.Nodes["a"].Gone, g.Nodes["b"].Gone = true, true })
	stranger.Nodes.Reach()
	testwait.Until(t, "it goes on by itself when the others have left", func() bool {
		return len(stranger.Nodes.Unready()) == 0 && stranger.State() == members.Active
	})
}
