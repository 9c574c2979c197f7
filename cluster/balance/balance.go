// Package balance is the policy by which living rooms come to the nodes that the ring names: to its first node the room itself, to the
// next one in another zone its standby. Each node decides for the rooms that it owns. The package is pure: it is told what there is, and
// says what to begin. Whatever it says is only when somebody tries; the rows of the store decide who has a room.
package balance

import (
	"cmp"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// Options bound what a node begins.
type Options struct {
	Self   string        // this node
	Settle time.Duration // how long the ring must have stood still; 0 means 10 s
	Rest   time.Duration // how long a room stays that has come to this node; 0 means a minute
	AtOnce int           // the most changes under way; 0 means 8. Half of them may go to one node, so that one that hangs does not hold up the others
	Each   time.Duration // the shortest time between the beginnings of two changes; 0 means 10 ms, so 100 a second at most
	GiveUp time.Duration // a change that takes longer counts as failed, and its room is left alone for Rest; 0 means 15 s
}

// Room is a room that this node owns, as it is.
type Room struct {
	ID      room.ID
	Standby string        // the node that has the standby; "": it is alone, or nobody knows which node serves the standby's folder
	Busy    bool          // a standby is being filled
	Fresh   bool          // it was made a moment ago, and waits for its first standby
	Came    time.Duration // when it came here from another node or another process; 0: it was made here
}

// Lookup answers for a room. It is asked again and again, and must be cheap.
type Lookup interface {
	// Place is where the ring wants a room.
	Place(id room.ID) Place
	// Clients counts the sessions in a room that is not as the ring has it. False: the room is over, or on its way.
	Clients(id room.ID) (n int, lives bool)
}

// Place is where the ring wants a room.
type Place struct {
	Owner   string // "": leave the room alone
	Standby string // "": there is no other node
}

// What is a kind of Change.
type What string

// The kinds of changes. A room that is not at its node gets a standby there first, and is yielded to it then.
const (
	Recruit What = "recruit" // To becomes the standby, in the place of From
	Yield   What = "yield"   // To is the standby and becomes the owner
)

// Reason is why a room is not as the ring has it.
type Reason string

// The reasons.
const (
	WrongOwner   Reason = "the ring names another node for the room"
	WrongStandby Reason = "the ring names another node for the standby"
)

// Change is one step of one room towards the ring.
type Change struct {
	Room room.ID
	What What
	From string // the standby that To replaces; Yield: ""
	To   string
	Why  Reason
}

// Balancer decides for the rooms of one node. Its methods must not be called concurrently.
type Balancer struct {
	o       Options
	ring    uint64        // the version of the ring that was seen last
	changed time.Duration // when it changed
	seen    bool
	hurried bool          // nobody need wait for the ring to settle
	last    time.Duration // when a change began last
	calm    bool
	begun   map[room.ID]attempt
	resting map[room.ID]time.Duration // rooms whose change has failed, until then
}

type attempt struct {
	change Change
	at     time.Duration
}

// New makes a Balancer.
func New(o Options) *Balancer {
	o.Settle = cmp.Or(o.Settle, 10*time.Second)
	o.Rest = cmp.Or(o.Rest, time.Minute)
	o.AtOnce = cmp.Or(o.AtOnce, 8)
	o.Each = cmp.Or(o.Each, 10*time.Millisecond)
	o.GiveUp = cmp.Or(o.GiveUp, 15*time.Second)
	return &Balancer{o: o, begun: map[room.ID]attempt{}, resting: map[room.ID]time.Duration{}}
}

// Hurry lets the present ring count as settled.
func (b *Balancer) Hurry() { b.hurried = true }

// Look tells the version of the ring, which differs whenever a node has come, gone or restarted. It returns how long the ring must
// stand still before rooms move.
func (b *Balancer) Look(now time.Duration, ring uint64) (left time.Duration) {
	if !b.seen || b.ring != ring {
		b.seen, b.ring, b.changed, b.hurried = true, ring, now, false
		b.calm = false
	}
	if b.hurried {
		return 0
	}
	return max(b.changed+b.o.Settle-now, 0)
}

// Plan lists all rooms that are not as the ring has them, with the next change of each, in the order in which they are begun. Standbys
// come first, those of rooms with clients before the others: they are what a room is safe by, and nobody notices a change. Then
// rooms move. Those without clients go first: that costs nobody anything, and if the ring changes again meanwhile, fewer players have
// been moved for nothing.
func (b *Balancer) Plan(rooms []Room, look Lookup) []Change {
	type ranked struct {
		Change
		rank, clients int
	}
	var all []ranked
	for _, r := range rooms {
		c, ok := b.next(r, look.Place(r.ID))
		if !ok {
			continue
		}
		clients, lives := look.Clients(r.ID)
		if !lives {
			continue
		}
		one := ranked{c, 0, -clients}
		if c.Why == WrongOwner {
			one.rank, one.clients = 1, clients
		}
		all = append(all, one)
	}
	slices.SortFunc(all, func(a, b ranked) int {
		return cmp.Or(cmp.Compare(a.rank, b.rank), cmp.Compare(a.clients, b.clients), cmp.Compare(a.Room, b.Room))
	})
	out := make([]Change, len(all))
	for i, one := range all {
		out[i] = one.Change
	}
	return out
}

// next is the next change of a room.
func (b *Balancer) next(r Room, to Place) (c Change, ok bool) {
	switch {
	case r.Standby == "", to.Owner == "": // whoever tends the room finds it a standby first
		return c, false
	case to.Owner == r.Standby:
		return Change{Room: r.ID, What: Yield, To: to.Owner, Why: WrongOwner}, true
	case to.Owner != b.o.Self:
		return Change{Room: r.ID, What: Recruit, From: r.Standby, To: to.Owner, Why: WrongOwner}, true
	case to.Standby != "" && r.Standby != to.Standby:
		return Change{Room: r.ID, What: Recruit, From: r.Standby, To: to.Standby, Why: WrongStandby}, true
	}
	return c, false
}

// Step returns the changes to begin now. Look must have been called with the present ring. While rooms that are
// alone are being given a standby nothing else begins; rooms that were made a moment ago do not count, for there may always be some.
func (b *Balancer) Step(now time.Duration, rooms []Room, look Lookup) []Change {
	plan := b.Plan(rooms, look)
	b.settle(now, plan)
	alone := slices.ContainsFunc(rooms, func(r Room) bool { return r.Standby == "" && r.Busy && !r.Fresh })
	if alone || b.Look(now, b.ring) > 0 {
		return nil
	}
	came, busy := map[room.ID]time.Duration{}, map[room.ID]bool{}
	for _, r := range rooms {
		came[r.ID], busy[r.ID] = r.Came, r.Busy
	}
	most, to := int((now-b.last)/b.o.Each), map[string]int{}
	for _, a := range b.begun {
		to[a.change.To]++
	}
	var out []Change
	for _, c := range plan {
		if len(out) >= most || len(b.begun) >= b.o.AtOnce {
			break
		}
		_, begun := b.begun[c.Room]
		_, failed := b.resting[c.Room]
		fresh := c.Why == WrongOwner && came[c.Room] > 0 && now < came[c.Room]+b.o.Rest
		if begun || failed || fresh || busy[c.Room] || to[c.To] >= max(b.o.AtOnce/2, 1) {
			continue
		}
		to[c.To]++
		b.begun[c.Room] = attempt{c, now}
		out = append(out, c)
	}
	if len(out) > 0 {
		b.last = now
	}
	b.calm = len(plan) == 0
	return out
}

// Calm reports whether the last Step found every room as the ring has it, so that the next one is not urgent.
func (b *Balancer) Calm() bool { return b.calm }

// settle ends the changes that are done, because the plan has them no longer, and those that take too long.
func (b *Balancer) settle(now time.Duration, plan []Change) {
	for id, until := range b.resting {
		if now >= until {
			delete(b.resting, id)
		}
	}
	if len(b.begun) == 0 {
		return
	}
	open := map[room.ID]Change{}
	for _, c := range plan {
		open[c.Room] = c
	}
	for id, a := range b.begun {
		switch {
		case open[id] != a.change:
			delete(b.begun, id)
		case now >= a.at+b.o.GiveUp:
			delete(b.begun, id)
			b.resting[id] = now + b.o.Rest
		}
	}
}

// Underway counts the changes that were begun and are not done.
func (b *Balancer) Underway() int { return len(b.begun) }
