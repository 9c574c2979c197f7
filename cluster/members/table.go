package members

import (
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/hashicorp/memberlist"

	"github.com/roomring/roomring/cluster/ring"
)

const (
	rememberLost = time.Hour // how long the address of a lost node is tried again
	maxLost      = 256       // lost nodes; when there are more, the oldest is forgotten
)

// event is a copy of one of memberlist's events.
type event struct {
	node   string // its gossip name
	gone   bool
	member Member
}

// events is the queue between memberlist and the goroutine that keeps the table. It is unbounded, because memberlist calls
// it under its own lock and must never wait. Gossip from strangers does not get here.
type events struct {
	mu   sync.Mutex
	list []event
	told uint64 // events so far
	wake chan struct{}
}

func (q *events) NotifyJoin(n *memberlist.Node)   { q.add(n, false) }
func (q *events) NotifyUpdate(n *memberlist.Node) { q.add(n, false) }
func (q *events) NotifyLeave(n *memberlist.Node)  { q.add(n, true) }

func (q *events) add(n *memberlist.Node, gone bool) {
	name, boot, ok := splitGossipName(n.Name)
	if !ok {
		return
	}
	m := decodeMeta(n.Meta)
	m.Name, m.Boot = name, boot
	m.Gossip = hostPort(n.Addr, int(n.Port))
	q.mu.Lock()
	q.list = append(q.list, event{node: n.Name, gone: gone, member: m})
	q.told++
	q.mu.Unlock()
	wake(q.wake)
}

// drain empties the queue. Told is the number of events ever.
func (q *events) drain() (list []event, told uint64) {
	q.mu.Lock()
	defer q.mu.Unlock()
	list, q.list = q.list, nil
	return list, q.told
}

func wake(c chan struct{}) {
	select {
	case c <- struct{}{}:
	default:
	}
}

// lost is a node that has left or died.
type lost struct {
	member Member
	at     time.Time
}

// table is all that is known of nodes, by gossip name. Its user locks it.
type table struct {
	self Member
	here map[string]Member // other processes that are there
	lost map[string]lost   // processes that have left or died
}

// apply applies an event and reports whether anything but a load changed.
func (t *table) apply(e event, now time.Time) bool {
	if e.node == gossipName(t.self.Name, t.self.Boot) {
		return false
	}
	old, was := t.here[e.node]
	if e.gone {
		delete(t.here, e.node)
		t.lost[e.node] = lost{e.member, now}
		t.forget(now)
		return was
	}
	delete(t.lost, e.node)
	t.here[e.node] = e.member
	old.Load = e.member.Load
	return !was || old != e.member
}

func (t *table) forget(now time.Time) {
	for node, l := range t.lost {
		if now.Sub(l.at) > rememberLost {
			delete(t.lost, node)
		}
	}
	for len(t.lost) > maxLost {
		oldest := ""
		for node, l := range t.lost {
			if oldest == "" || l.at.Before(t.lost[oldest].at) {
				oldest = node
			}
		}
		delete(t.lost, oldest)
	}
}

// reconcile makes the table agree with the gossip names of memberlist's live nodes.
func (t *table) reconcile(names []string, now time.Time) (changed bool) {
	for node, m := range t.here {
		if !slices.Contains(names, node) {
			changed = t.apply(event{node: node, gone: true, member: m}, now) || changed
		}
	}
	for _, node := range names {
		if l, ok := t.lost[node]; ok {
			changed = t.apply(event{node: node, member: l.member}, now) || changed
		}
	}
	return changed
}

// newer returns the process with this node's name and the newest boot, if that is newer than this process's.
func (t *table) newer() (by Member, ok bool) {
	by = t.self
	for _, m := range t.here {
		if m.Name == by.Name && m.Boot > by.Boot {
			by, ok = m, true
		}
	}
	return by, ok
}

// view is an immutable copy of the table for readers.
type view struct {
	members []Member // sorted by name; of one name the newest boot
	ring    *ring.Ring
}

func (v *view) get(name string) (Member, bool) {
	i, ok := slices.BinarySearchFunc(v.members, name, func(m Member, name string) int { return strings.Compare(m.Name, name) })
	if !ok {
		return Member{}, false
	}
	return v.members[i], true
}

// look makes a view. It keeps the ring of the previous view if the active nodes are the same, because making a ring is costly and loads
// change every other second.
func (t *table) look(before *view) *view {
	best := map[string]Member{t.self.Name: t.self}
	for _, m := range t.here {
		if b, ok := best[m.Name]; !ok || m.Boot > b.Boot {
			best[m.Name] = m
		}
	}
	v := &view{}
	for _, m := range best {
		v.members = append(v.members, m)
	}
	slices.SortFunc(v.members, func(a, b Member) int { return strings.Compare(a.Name, b.Name) })
	nodes := v.active()
	if before != nil && slices.Equal(nodes, before.active()) {
		v.ring = before.ring
	} else {
		v.ring = ring.New(nodes)
	}
	return v
}

func (v *view) active() []ring.Node {
	var nodes []ring.Node
	for _, m := range v.members {
		if m.State == Active {
			nodes = append(nodes, ring.Node{Name: m.Name, Weight: m.Weight, Zone: m.Zone})
		}
	}
	return nodes
}
