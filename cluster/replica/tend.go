package replica

import (
	"maps"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
)

// tendAll looks after all rooms until Close.
func (r *Replicas) tendAll() {
	next := time.Duration(0)
	for clock.Sleep(r.ctx, r.o.Clock, min(r.o.Tend, 100*time.Millisecond)) {
		r.sendClocks()
		if now := r.o.Clock.Now(); now >= next {
			next = now + r.o.Tend
			if !r.judge("") {
				next += restfully * r.o.Tend
			}
		}
		r.balance()
	}
}

// restfully is how many rounds are left out after one that has found nothing to do. What must not wait comes by itself: a node that dies, a
// stream that opens, a room that begins.
const restfully = 3

// sendClocks tells every node that copies rooms of this one what time it is here.
func (r *Replicas) sendClocks() {
	now := r.o.Clock.Now()
	r.mu.Lock()
	if len(r.rooms) == 0 {
		r.mu.Unlock()
		return
	}
	var ends []*link.LeaderEnd
	for _, p := range r.peers {
		if p.lead != nil {
			ends = append(ends, p.lead)
		}
	}
	r.mu.Unlock()
	for _, end := range ends {
		end.Defer(&linkpb.LeaderFrame{What: &linkpb.LeaderFrame_Clock{Clock: &linkpb.Clock{ElapsedNs: int64(now)}}})
	}
}

// judge looks after the rooms that have to do with a folder; "": after all. It reports whether anything is under way.
func (r *Replicas) judge(folder string) (busy bool) {
	rooms, copies := r.all()
	for _, c := range copies {
		busy = c.tend(folder) || busy
	}
	busy = r.urgent(rooms) || busy
	for _, l := range rooms {
		if folder == "" || l.concerns(folder) {
			busy = r.tendIn(l, true) || busy
		}
	}
	return busy
}

func (l *lead) concerns(folder string) bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.l.Standby() == folder || l.learner == folder
}

// linked offers the rooms that have to do with a folder over a new stream.
func (r *Replicas) linked(folder string) {
	r.spawn(func() { r.judge(folder) })
}

// isDead reports whether the node of a folder seems to be dead. Of a folder that was never heard of that is so some time
// after it was named.
func (r *Replicas) isDead(folder string, named time.Duration) bool {
	r.mu.Lock()
	defer r.mu.Unlock()
	if p := r.folders[folder]; p != nil {
		return p.dead
	}
	return r.o.Clock.Now() > max(named, r.began)+r.o.Grace
}

// tend suspects the owner if it seems to be dead, and looks at the row if nothing has come for long. It reports whether anything is amiss.
func (c *copied) tend(folder string) (amiss bool) {
	c.mu.Lock()
	owner, fed, broken, idle := c.owner, c.fed, c.broken, len(c.underway) == 0
	c.mu.Unlock()
	if folder != "" && owner != folder {
		return false
	}
	now := c.r.o.Clock.Now()
	dead := c.r.isDead(owner, fed)
	c.mu.Lock()
	heard := c.suspect && !dead
	c.suspect = dead
	look := !dead && now > c.fed+c.r.o.Idle
	if look {
		c.fed = now
	}
	c.mu.Unlock()
	switch {
	case broken && idle:
		c.r.spawn(c.mend)
	case dead:
		c.r.tell(c.id, ownership.Event{Kind: ownership.Suspected})
	case heard:
		c.r.tell(c.id, ownership.Event{Kind: ownership.Heard})
	case look:
		c.r.tell(c.id, ownership.Event{Kind: ownership.Look})
	}
	return broken || dead
}

// tend looks after a room that this node owns: it offers the room to its standby, dismisses one that is dead, and finds one
// where there is none.
func (r *Replicas) tend(l *lead) { r.tendIn(l, false) }

// tendIn is tend; in a round over all rooms only so many get a learner. It reports whether the room has something under way.
func (r *Replicas) tendIn(l *lead, round bool) (busy bool) {
	standby, learner := l.members()
	dead := standby != "" && r.isDead(standby, l.since())
	if dead {
		r.tell(l.id, ownership.Event{Kind: ownership.Dismiss})
	}
	if learner != "" && r.isDead(learner, 0) {
		l.mu.Lock()
		l.forget(learner)
		l.mu.Unlock()
		learner = ""
	}
	later := false
	if learner == "" && (standby == "" || r.leaves(standby)) {
		if later = round && r.full(); !later {
			learner = r.choose(l, standby)
		}
	}
	if learner == "" && !later && standby != "" && !dead && r.leaves(standby) {
		r.tell(l.id, ownership.Event{Kind: ownership.Dismiss})
	}
	for _, folder := range [...]string{standby, learner} {
		if folder == "" {
			continue
		}
		if end := r.stream(folder); end != nil && end.Queued() < 8*r.o.Ahead {
			l.get(folder, end)
		}
	}
	failing := l.unable()
	if failing != nil && standby != "" && !dead {
		r.tell(l.id, ownership.Event{Kind: ownership.Unable, Why: failing.Error()})
	}
	l.unhold(learner != "")
	if l.stalls() {
		r.tell(l.id, ownership.Event{Kind: ownership.Look})
	}
	return dead || failing != nil || learner != "" || standby != "" && r.leaves(standby)
}

// stallLook is how long commits may stall before the row is read, in case another node has the room.
const stallLook = time.Second

// stalls reports, now and then, that something waits for its commit for long.
func (l *lead) stalls() bool {
	l.mu.Lock()
	defer l.mu.Unlock()
	now := l.r.o.Clock.Now()
	switch {
	case l.closed || l.reported >= l.l.Log().Last:
		l.stalled = 0
	case l.stalled == 0:
		l.stalled = now
	case now > l.stalled+stallLook:
		l.stalled = now
		return true
	}
	return false
}

func (l *lead) members() (standby, learner string) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if !l.copying || l.closed {
		return "", ""
	}
	return l.l.Standby(), l.learner
}

// since is when the standby got on last.
func (l *lead) since() time.Duration {
	l.mu.Lock()
	defer l.mu.Unlock()
	if f := l.feeds[l.l.Standby()]; f != nil {
		return f.moved
	}
	return 0
}

// leaves reports whether the node of a folder is draining.
func (r *Replicas) leaves(folder string) bool {
	r.mu.Lock()
	node := ""
	if p := r.folders[folder]; p != nil {
		node = p.node
	}
	r.mu.Unlock()
	return node != "" && r.nodes != nil && r.nodes.Leaves(node)
}

// Wanting implements lifecycle.Replicas.
func (r *Replicas) Wanting(id room.ID) bool {
	l := r.room(id)
	if l == nil || r.nodes == nil {
		return false
	}
	standby, _ := l.members()
	if standby != "" && !r.leaves(standby) && !r.isDead(standby, l.since()) || !r.anyStays(l) {
		return false
	}
	r.tendIn(l, true)
	return true
}

// anyStays reports whether a node could become a room's standby.
func (r *Replicas) anyStays(l *lead) bool {
	l.mu.Lock()
	may := l.copying && !l.closed
	l.mu.Unlock()
	return may && slices.ContainsFunc(r.nodes.Order(l.id), func(node string) bool {
		r.mu.Lock()
		p := r.peers[node]
		there := p != nil && p.lead != nil && !p.dead && p.folder != ""
		r.mu.Unlock()
		return there && !r.nodes.Leaves(node)
	})
}

// choose chooses who is to become a room's standby; "": nobody can now.
func (r *Replicas) choose(l *lead, standby string) string {
	if r.nodes == nil {
		return ""
	}
	l.mu.Lock()
	may := l.copying && !l.closed
	l.mu.Unlock()
	if !may {
		return ""
	}
	now := r.o.Clock.Now()
	for _, node := range r.nodes.Order(l.id) {
		r.mu.Lock()
		p := r.peers[node]
		folder := ""
		if p != nil && p.lead != nil && !p.dead {
			folder = p.folder
		}
		r.mu.Unlock()
		if folder == "" || folder == standby || folder == r.o.Folder || r.nodes.Leaves(node) {
			continue
		}
		l.mu.Lock()
		ok := l.avoid[folder] <= now
		if ok {
			l.learner, l.asked = folder, false
		}
		l.mu.Unlock()
		if ok {
			r.mu.Lock()
			r.free--
			r.mu.Unlock()
			return folder
		}
	}
	return ""
}

// get offers the room over a stream if that has not been done, or if the follower does not get on.
func (l *lead) get(folder string, end *link.LeaderEnd) {
	l.mu.Lock()
	now := l.r.o.Clock.Now()
	f := l.feeds[folder]
	late := f != nil && folder == l.l.Standby() && l.l.Match(folder) < l.l.Log().Last && now > f.on+2*l.r.o.Patience
	stuck := f != nil && now > f.moved+l.r.o.Patience && !f.filling && (l.l.Match(folder) < l.l.Log().Last || folder == l.learner)
	switch {
	case l.closed || !l.copying:
	case late:
	case f == nil || f.end != end:
		l.offer(folder, end)
	case stuck && folder == l.learner:
		l.forget(folder)
	case stuck:
		l.offer(folder, end)
	}
	ready := l.ready(folder)
	if l.asked && now > l.askedAt+l.r.o.Patience {
		l.asked = false // the machine may have been busy
	}
	if ready {
		l.askedAt = now
	}
	l.mu.Unlock()
	if ready {
		l.recruit(folder)
	}
	if late {
		l.r.tell(l.id, ownership.Event{Kind: ownership.Dismiss, Why: "it does not get on"})
	}
}

// unhold lets a room that was made without a standby go on alone after a while.
func (l *lead) unhold(waits bool) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.heldSince > 0 && (!waits && l.copying || l.r.o.Clock.Now() > l.heldSince+l.r.o.Hold) {
		l.heldSince = 0
		l.l.Hold(false)
		l.commit()
	}
}

// LookAtAll has the rows of all rooms read again, those owned here and those copied: the store may have lost a change.
func (r *Replicas) LookAtAll() {
	r.mu.Lock()
	ids := slices.AppendSeq(slices.Collect(maps.Keys(r.rooms)), maps.Keys(r.copies))
	r.mu.Unlock()
	for _, id := range ids {
		r.tell(id, ownership.Event{Kind: ownership.Look})
	}
}
