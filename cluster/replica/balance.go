package replica

import (
	"cmp"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
)

// Balance is what keeps this node's rooms from being where the ring has them.
type Balance struct {
	Owned   int             `json:"owned"`   // rooms of this node that are copied
	Settles time.Duration   `json:"settles"` // how long the ring must still stand still before rooms move
	Groups  []balance.Group `json:"groups"`
}

// Rebalance says what would move, and lets it begin at once unless dry is set. Even then no room moves twice within a minute.
func (r *Replicas) Rebalance(dry bool) Balance {
	rooms := r.balanced()
	r.balancing.Lock()
	defer r.balancing.Unlock()
	if r.nodes == nil {
		return Balance{Owned: len(rooms)}
	}
	out := Balance{Owned: len(rooms), Settles: r.balancer.Look(r.o.Clock.Now(), r.nodes.Version())}
	out.Groups = balance.Groups(r.o.Balance.Self, r.balancer.Plan(rooms, lookup{r}))
	if !dry {
		r.balancer.Hurry()
		r.compareAt = 0
	}
	return out
}

const (
	// calmly is how often all rooms are compared with the ring while all are where it wants them.
	calmly = 2 * time.Second
	// spare is how many times as long as a comparison of all rooms the pause behind it is, so that many rooms cost no more than few.
	spare = 20
)

// balance begins the changes that bring this node's rooms to where the ring has them.
func (r *Replicas) balance() {
	now := r.o.Clock.Now()
	r.balancing.Lock()
	waits := r.balancer.Look(now, r.nodes.Version()) > 0 || now < r.compareAt
	r.balancing.Unlock()
	if waits {
		return
	}
	rooms := r.balanced()
	r.balancing.Lock()
	changes := r.balancer.Step(now, rooms, lookup{r})
	took := r.o.Clock.Now() - now
	r.compareAt = now + took + spare*took
	if r.balancer.Calm() {
		r.compareAt = max(r.compareAt, now+calmly)
	}
	r.balancing.Unlock()
	for _, c := range changes {
		folder := r.folderOf(c.To)
		l := r.room(c.Room)
		switch {
		case l == nil || folder == "":
		case c.What == balance.Yield:
			r.tell(c.Room, ownership.Event{Kind: ownership.Yield, Folder: folder})
		default:
			l.mu.Lock()
			if l.learner == "" && l.copying && !l.closed {
				l.learner, l.asked = folder, false
			}
			l.mu.Unlock()
			r.tend(l)
		}
	}
}

// balanced are this node's rooms that are copied.
func (r *Replicas) balanced() []balance.Room {
	r.mu.Lock()
	node := map[string]string{}
	for folder, p := range r.folders {
		node[folder] = p.node
	}
	leads := make([]*lead, 0, len(r.rooms))
	for _, l := range r.rooms {
		leads = append(leads, l)
	}
	r.mu.Unlock()
	rooms := make([]balance.Room, 0, len(leads))
	for _, l := range leads {
		l.mu.Lock()
		if l.copying && !l.closed {
			rooms = append(rooms, balance.Room{ID: l.id, Standby: node[l.l.Standby()], Busy: l.learner != "", Fresh: l.heldSince > 0, Came: l.came})
		}
		l.mu.Unlock()
	}
	return rooms
}

// lookup implements balance.Lookup.
type lookup struct{ *Replicas }

func (r lookup) Clients(id room.ID) (n int, lives bool) { return r.o.Clients(id) }

// Place is where the ring wants a room, as far as it can be brought there now.
func (r lookup) Place(id room.ID) balance.Place {
	to := r.nodes.Place(id)
	if to.Owner != r.o.Balance.Self && r.folderOf(to.Owner) == "" {
		return balance.Place{}
	}
	if r.folderOf(to.Standby) == "" {
		to.Standby = ""
	}
	return to
}

// folderOf is the folder that a node serves, if a stream stands to it and it takes rooms; "": it does not.
func (r *Replicas) folderOf(node string) string {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.peers[node]; p != nil && p.lead != nil && !p.dead {
		return p.folder
	}
	return ""
}

// urgent sorts rooms: those that are alone come first, and among them those with clients. It lets no more than Options.Learners of them
// be filled at once. It reports whether there are rooms that are alone, or held back.
func (r *Replicas) urgent(rooms []*lead) (some bool) {
	rank := map[*lead]int{}
	learners := 0
	for _, l := range rooms {
		l.mu.Lock()
		alone := l.copying && l.l.Standby() == ""
		if l.learner != "" {
			learners++
		}
		some = some || alone || l.heldSince > 0
		l.mu.Unlock()
		if alone {
			clients, _ := r.o.Clients(l.id)
			rank[l] = -1 - clients
		}
	}
	if len(rank) > 0 {
		slices.SortFunc(rooms, func(a, b *lead) int { return cmp.Compare(rank[a], rank[b]) })
	}
	r.mu.Lock()
	r.free = max(r.o.Learners-learners, 0)
	r.mu.Unlock()
	return some
}

// full reports whether no more rooms may get a learner in this round.
func (r *Replicas) full() bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.free <= 0
}

// pace waits so that copies being filled cost no more than Options.FillBytes a second. False: Close has been called.
func (r *Replicas) pace(n int) bool {
	r.mu.Lock()
	now := r.o.Clock.Now()
	begin := max(r.filled, now)
	r.filled = begin + time.Duration(float64(n)/float64(r.o.FillBytes)*float64(time.Second))
	r.mu.Unlock()
	return begin == now || clock.Sleep(r.ctx, r.o.Clock, begin-now)
}
