package placement

import (
	"cmp"
	"math/rand/v2"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/cluster/members"
)

// loadsAge is for how long a load counts as told just now: somewhat more than two rounds of gossip.
const loadsAge = 5 * time.Second

// loads estimate how loaded the nodes are. What they tell is seconds old. The rooms that this node has placed since are added, so
// that not all rooms of one moment go to the node that was least loaded before it.
type loads struct {
	mu    sync.Mutex
	nodes map[string]*load
}

type load struct {
	told   float64       // members.Member.Load
	at     time.Duration // by the clock: when told was first seen, or placed was last taken back
	placed float64       // rooms, by this node; probably not in told yet
}

// of is a node's load for its weight. A newly told load takes back of what was placed as much as it has grown by, and half of the rest,
// because rooms end too. A load that stays the same for long takes back all.
func (l *loads) of(m members.Member, now time.Duration) float64 {
	n := l.nodes[m.Name]
	switch {
	case n == nil:
		n = &load{told: m.Load, at: now}
		l.nodes[m.Name] = n
	case m.Load != n.told:
		n.placed = max(n.placed-max(m.Load-n.told, 0), 0) / 2
		n.told, n.at = m.Load, now
	case now-n.at > loadsAge:
		n.placed, n.at = 0, now
	}
	return (n.told + n.placed) / cmp.Or(m.Weight, 1)
}

// add notes rooms that this node has a node make.
func (l *loads) add(node string, rooms float64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.nodes[node]; n != nil {
		n.placed = max(n.placed+rooms, 0)
	}
}

// order is the order in which nodes are asked to make a room: two random active nodes, the less loaded first, then
// this one, then the other active ones, the least loaded first.
func (l *loads) order(all []members.Member, self string, now time.Duration) []string {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.nodes == nil {
		l.nodes = map[string]*load{}
	}
	estimate := map[string]float64{}
	var out []string
	for _, m := range all {
		if m.State == members.Active {
			estimate[m.Name] = l.of(m, now)
			out = append(out, m.Name)
		}
	}
	for name := range l.nodes {
		if _, there := estimate[name]; !there {
			delete(l.nodes, name)
		}
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	less := func(a, b string) int { return cmp.Compare(estimate[a], estimate[b]) }
	two := min(2, len(out))
	slices.SortStableFunc(out[:two], less)
	slices.SortStableFunc(out[two:], less)
	if !slices.Contains(out[:two], self) {
		out = slices.DeleteFunc(out, func(n string) bool { return n == self })
		out = slices.Insert(out, two, self)
	}
	return out
}
