package replica

import (
	"cmp"
	"maps"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Followed is a room of another node of which this one keeps a copy.
type Followed struct {
	Owner  string       // the node; "": it has not been heard of
	Folder string       // of the owner
	Epoch  record.Epoch // the highest that the copy knows
	Last   room.Index
	Doubt  record.Doubt
}

// owes notes since when a follower has not confirmed something. What was appended on the way to a confirmation counts from
// then, so that nothing need be kept for each entry.
func (l *lead) owes(f *feed) {
	match, last := l.l.Match(f.folder), l.l.Log().Last
	if match >= f.owed {
		f.owed = 0
	}
	if f.owed == 0 && last > match {
		f.owed, f.since = last, l.r.o.Clock.Now()
	}
}

// Members are the members of a room that this node owns. False: it owns no such room, or one that is in memory only.
func (r *Replicas) Members(id room.ID) (record.Members, bool) {
	l := r.room(id)
	if l == nil {
		return record.Members{}, false
	}
	now := r.o.Clock.Now()
	l.mu.Lock()
	defer l.mu.Unlock()
	m := record.Members{Epoch: l.l.Epoch(), Standby: l.member(l.l.Standby(), now), Learner: l.member(l.learner, now)}
	if m.Standby == nil && l.header.Durability == room.Standby {
		m.Alone = now - l.named
	}
	return m, true
}

// member describes a follower; nil if folder is "". The caller holds the lock.
func (l *lead) member(folder string, now time.Duration) *record.Member {
	if folder == "" {
		return nil
	}
	m := &record.Member{Folder: folder, Lag: l.lag(folder, now), Whole: l.l.Whole(folder)}
	m.Node, m.Linked = l.r.nodeOf(folder)
	return m
}

// lag is how far a follower is behind. The caller holds the lock.
func (l *lead) lag(folder string, now time.Duration) (lag record.Lag) {
	match, last := l.l.Match(folder), l.l.Log().Last
	if match >= last {
		return lag
	}
	lag.Entries, lag.Oldest = last-match, now-l.named
	if f := l.feeds[folder]; f != nil && f.owed != 0 {
		lag.Oldest = now - f.since
	}
	return lag
}

// NodeOf is the node that serves a folder; "": it has not been heard of.
func (r *Replicas) NodeOf(folder string) string {
	node, _ := r.nodeOf(folder)
	return node
}

func (r *Replicas) nodeOf(folder string) (node string, linked bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	if folder == r.o.Folder {
		return r.o.Node, true
	}
	if p := r.folders[folder]; p != nil {
		return p.node, p.lead != nil && !p.dead
	}
	return "", false
}

// Followed describes this node's copy of another node's room. False: it has none, or does not follow it now.
func (r *Replicas) Followed(id room.ID) (Followed, bool) {
	c := r.copy(id)
	if c == nil {
		return Followed{}, false
	}
	c.mu.Lock()
	log := c.log()
	f := Followed{Folder: c.owner, Epoch: max(log.Epoch, c.fresh), Last: log.Last, Doubt: log.Doubt}
	c.mu.Unlock()
	f.Owner = r.NodeOf(f.Folder)
	return f, true
}

// freshEnough is how old a summary may be: a scrape asks for it several times, and it visits every room.
const freshEnough = 250 * time.Millisecond

// Summary sums up all rooms. It may be up to a quarter of a second old.
func (r *Replicas) Summary() record.Copies {
	r.summing.Lock()
	defer r.summing.Unlock()
	if now := r.o.Clock.Now(); r.summed == 0 || now > r.summed+freshEnough {
		r.sum, r.summed = r.sumUp(now), now
	}
	return r.sum
}

// all are the rooms that this node owns, and its copies of others'.
func (r *Replicas) all() ([]*lead, []*copied) {
	r.mu.Lock()
	defer r.mu.Unlock()
	return slices.Collect(maps.Values(r.rooms)), slices.Collect(maps.Values(r.copies))
}

func (r *Replicas) sumUp(now time.Duration) (s record.Copies) {
	rooms, copies := r.all()
	for _, l := range rooms {
		l.sumUp(&s, now)
	}
	for _, c := range copies {
		c.mu.Lock()
		doubt := c.c.Doubt
		c.mu.Unlock()
		switch doubt {
		case record.Whole:
			s.Followed++
		case record.Partial:
			s.Partial++
		case record.Unsure:
			s.Unsure++
		}
	}
	return s
}

func (l *lead) sumUp(s *record.Copies, now time.Duration) {
	l.mu.Lock()
	defer l.mu.Unlock()
	switch standby := l.l.Standby(); {
	case l.closed:
		return
	case standby != "":
		s.Owned++
		lag := l.lag(standby, now)
		s.Lag.Entries, s.Lag.Oldest = max(s.Lag.Entries, lag.Entries), max(s.Lag.Oldest, lag.Oldest)
	case l.copying && l.header.Durability == room.Standby:
		s.Lone++
	}
	if l.learner != "" {
		s.Learners++
	}
}

// FollowedFrom counts the rooms that have their standby here, by the node that owns them.
func (r *Replicas) FollowedFrom() map[string]int {
	out := map[string]int{}
	_, copies := r.all()
	for _, c := range copies {
		c.mu.Lock()
		owner, whole := c.owner, c.c.Doubt == record.Whole
		c.mu.Unlock()
		if whole {
			out[cmp.Or(r.NodeOf(owner), owner)]++
		}
	}
	return out
}
