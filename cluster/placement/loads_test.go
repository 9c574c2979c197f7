package placement

import (
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/roomring/roomring/cluster/members"
)

func TestEveryActiveNodeIsAskedOnce(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		var l loads
		var all []members.Member
		active := map[string]bool{"self": false}
		for _, name := range rapid.SliceOfNDistinct(rapid.SampledFrom([]string{"self", "a", "b", "c", "d", "e"}), 0, 6, rapid.ID).Draw(t, "nodes") {
			m := members.Member{Name: name, State: rapid.SampledFrom([]members.State{members.Joining, members.Active, members.Draining}).Draw(t, "state")}
			m.Load = rapid.Float64Range(0, 100).Draw(t, "load")
			active[name] = m.State == members.Active
			all = append(all, m)
		}
		order := l.order(all, "self", 0)
		seen := map[string]int{}
		for _, n := range order {
			if seen[n]++; seen[n] > 1 || !active[n] && n != "self" {
				t.Fatalf("%v of %v", order, all)
			}
		}
		for n, is := range active {
			if (is || n == "self") && seen[n] != 1 {
				t.Fatalf("%s is not in %v", n, order)
			}
		}
		if len(order) > 1 && active[order[0]] && active[order[1]] && order[1] != "self" {
			if l.nodes[order[0]].told > l.nodes[order[1]].told {
				t.Fatalf("the more loaded of two comes first: %v of %v", order, all)
			}
		}
	})
}

func TestAnEstimateIsTakenBack(t *testing.T) {
	l := loads{nodes: map[string]*load{}}
	m, now := members.Member{Name: "a", Load: 10, Weight: 2}, time.Minute
	l.of(m, now)
	l.add("a", 1)
	l.add("a", 5)
	if got := l.of(m, now); got != 8 {
		t.Errorf("10 told and 6 placed at weight 2 are %v, want 8", got)
	}
	m.Load = 14
	if got := l.of(m, now); got != 7.5 {
		t.Errorf("4 of 6 are told: %v, want half of 14 and half of the other 2", got)
	}
	if got := l.of(m, now+loadsAge+time.Second); got != 7 {
		t.Errorf("nothing changed for long: %v, want 7", got)
	}
}
