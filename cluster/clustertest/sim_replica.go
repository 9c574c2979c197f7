package clustertest

import (
	"errors"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

const (
	lookAround = 500 * time.Millisecond // how often a process sees who is silent, and tends its rooms
	silence    = 2                      // so many looks without a sign of life mean that a process is dead
	idleCopy   = 10 * time.Second       // the row of a copy that is not fed for so long is read
)

// following is a copy that an owner elsewhere feeds.
type following struct {
	replication.Copy
	owner     string
	suspected bool         // the machine was told that the owner seems to be dead
	fresh     record.Epoch // the epoch at which the row has shown the owner, after its offer
	fedAt     time.Duration
}

// mustRead reports whether the row has to say that there is an owner at that epoch before the copy takes anything from it.
func (c *following) mustRead(epoch record.Epoch) bool {
	return c.Doubt == record.Unsure && epoch != c.fresh && !without(UnsureReads)
}

// offer is an owner's offer to feed a copy.
type offer struct {
	owner string
	epoch record.Epoch
}

// feed is the feeding of one follower.
type feed struct {
	match room.Index
	at    time.Duration // of the last offer
	boot  record.BootID // of the process that was offered it
}

// send delivers a message to the process that serves a folder, in order, unless the link is cut, the process is dead, or
// the message is lost.
func (l *life) send(folder string, do func(to *life)) {
	s := l.s
	to := s.serves(folder)
	if to == nil || to == l || s.isCut(l, to) || s.chance(s.odds.tellLost/8) {
		return
	}
	key := [2]*life{l, to}
	at := max(s.now+s.between(time.Millisecond, 20*time.Millisecond)+s.lags[[2]*node{l.node, to.node}], s.arrives[key])
	s.arrives[key] = at
	to.after(at-s.now, func() {
		if !s.isCut(l, to) {
			do(to)
		}
	})
}

func (s *Sim) isCut(from, to *life) bool { return s.now < s.cuts[[2]*node{from.node, to.node}] }

// serves returns the process that has a folder; nil: none runs.
func (s *Sim) serves(folder string) *life {
	for _, n := range s.nodes {
		if n.life != nil && n.life.self == folder {
			return n.life
		}
	}
	return nil
}

// usable reports whether a folder has a copy of a room with which its node may go on, after a while.
func (s *Sim) usable(of string, id room.ID) bool {
	has := func(f *folder) bool {
		k := f.rooms[id]
		return f.had(of) && k != nil && k.doubt != record.Partial
	}
	for _, n := range s.nodes {
		if has(n.folder) {
			return true
		}
	}
	return slices.ContainsFunc(s.shelf, has)
}

// replicate executes the effects of links.
func (l *life) replicate(id room.ID, e ownership.Effect) {
	r := l.live[id]
	switch e.Do {
	case ownership.Replicate:
		if r != nil {
			r.copied = !r.t.local && !r.t.memory
		}
	case ownership.Join:
		if r != nil {
			r.leader.Join(e.Folder)
		}
	case ownership.Notify:
		l.send(e.Folder, func(to *life) { to.look(id) })
	case ownership.Pass:
		l.send(e.Folder, func(to *life) {
			to.loop.Deliver(id, ownership.Event{Kind: ownership.Yielded, Folder: l.self, Epoch: e.To, Log: e.Log}, nil)
		})
	case ownership.Decline:
		delete(l.offers, id)
		l.send(e.Folder, func(to *life) {
			if r := to.live[id]; r != nil && r.learner == l.self {
				r.learner = ""
				r.leader.Drop(l.self)
			}
			to.loop.Deliver(id, ownership.Event{Kind: ownership.Declined, Log: e.Log}, nil)
		})
	case ownership.Follow:
		l.follow(id, e.To, e.Folder)
	}
}

func (l *life) look(id room.ID) {
	l.loop.Deliver(id, ownership.Event{Kind: ownership.Look}, nil)
}

// follow takes what the owner sends from now on.
func (l *life) follow(id room.ID, at record.Epoch, owner string) {
	k := l.folder.rooms[id]
	if k == nil {
		return
	}
	if was := l.copies[id]; was != nil && len(k.entries) < int(was.Last) { // a disk has lost a part of it
		l.folder.notice(id)
	}
	k.unknown = k.short // from now on the process goes by what it finds
	c := &following{owner: owner, fresh: at, fedAt: l.s.now}
	c.History, c.Promised, c.Doubt = k.history(), k.epoch, k.doubt
	l.copies[id] = c
	if o, ok := l.offers[id]; ok && o.epoch >= c.Promised && !c.mustRead(o.epoch) {
		delete(l.offers, id)
		l.have(id, o)
	}
}

// offerTo asks a follower what it has.
func (r *live) offerTo(folder string) {
	r.leader.Offer(folder)
	f := feed{match: r.leader.Match(folder), at: r.l.s.now}
	if to := r.l.s.serves(folder); to != nil {
		f.boot = to.boot
	}
	r.fed[folder] = f
	o := offer{r.l.self, r.epoch}
	r.l.send(folder, func(to *life) { to.hearOffer(r.t.id, o) })
}

func (l *life) hearOffer(id room.ID, o offer) {
	if r := l.live[id]; r != nil {
		if o.epoch > r.epoch {
			l.look(id)
		}
		return
	}
	c := l.copies[id]
	if c == nil || c.mustRead(o.epoch) {
		l.offers[id] = o
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Offered, Folder: o.owner, Epoch: o.epoch}, nil)
		return
	}
	if o.epoch < c.Promised {
		l.send(o.owner, func(to *life) { to.look(id) })
		return
	}
	l.have(id, o)
}

func (l *life) have(id room.ID, o offer) {
	has := l.copies[id].History.Clone()
	l.send(o.owner, func(to *life) {
		r := to.live[id]
		if r == nil || r.epoch != o.epoch {
			return
		}
		if _, ok := r.leader.Have(l.self, has); ok {
			r.feed(l.self)
		}
	})
}

// feedAll sends all followers what they do not have.
func (r *live) feedAll() {
	for _, folder := range [...]string{r.leader.Standby(), r.learner} {
		if folder != "" {
			r.feed(folder)
		}
	}
}

func (r *live) feed(folder string) {
	next := int(r.leader.Next(folder))
	if next == 0 || next > len(r.log.entries) || r.gone() {
		return
	}
	last := len(r.log.entries)
	if r.l.s.chance(r.l.s.odds.parts) && last > next {
		last = next + r.l.s.pick(last-next)
	}
	if n := r.l.node.part; n > 0 {
		r.l.node.part, last = 0, min(last, next+n-1)
	}
	before := record.Point{}
	if next > 1 {
		before = record.Point{Epoch: r.log.entries[next-2].epoch, Seq: room.Index(next - 1)}
	}
	full := r.leader.Sent(folder, room.Index(last))
	epoch, some, owner, short := r.epoch, r.log.entries[next-1:last], r.l.self, r.log.short
	r.l.send(folder, func(to *life) { to.take(r.t.id, owner, epoch, before, some, full, short) })
	if last < len(r.log.entries) {
		r.l.after(r.l.s.between(time.Millisecond, 50*time.Millisecond), func() { r.feed(folder) })
	}
}

// take writes what an owner has sent.
func (l *life) take(id room.ID, owner string, epoch record.Epoch, before record.Point, some []entry, full, short bool) {
	c := l.copies[id]
	if c == nil || l.s.now < l.folder.failed || c.mustRead(epoch) {
		return
	}
	if k := l.folder.rooms[id]; len(k.entries) != int(c.Last) { // a disk has lost a part of it
		l.follow(id, c.fresh, c.owner)
		return
	}
	first := int(before.Seq) + 1
	was := c.Doubt
	place, err := c.Take(epoch, before, spans(first, some), full)
	switch {
	case errors.Is(err, replication.ErrOld):
		l.send(owner, func(to *life) { to.look(id) })
		return
	case err != nil:
		l.send(owner, func(to *life) {
			if r := to.live[id]; r != nil && r.leader.Mismatch(l.self, epoch) {
				r.offerTo(l.self)
			}
		})
		return
	}
	from := int(place.From)
	more := some[min(max(from-first, 0), len(some)):]
	keep := len(l.folder.rooms[id].entries)
	if len(more) > 0 {
		keep = from - 1
	}
	l.folder.follow(id, keep, more, c.Copy, short)
	c.owner, c.fedAt = owner, l.s.now
	if was != record.Whole && c.Doubt == record.Whole {
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Filled}, nil)
	}
	index, whole := before.Seq+room.Index(len(some)), c.Doubt == record.Whole
	l.after(l.s.between(0, 3*time.Millisecond), func() {
		l.send(owner, func(to *life) { to.confirmed(id, l.self, epoch, index, whole) })
	})
}

func (l *life) confirmed(id room.ID, folder string, epoch record.Epoch, i room.Index, whole bool) {
	r := l.live[id]
	if r == nil {
		return
	}
	r.leader.Confirm(folder, epoch, i, whole)
	r.commit()
	r.recruit(folder)
}

// recruit asks for a follower as the standby once it is ready.
func (r *live) recruit(folder string) {
	if !r.gone() && r.copied && folder == r.learner && (r.leader.Ready(folder)) {
		r.l.loop.Deliver(r.t.id, ownership.Event{Kind: ownership.Recruit, Folder: folder}, nil)
	}
}

func (l *life) tendOften() {
	l.tend()
	l.after(lookAround, l.tendOften)
}

// tend looks after the rooms of a process: it notices who is silent, finds standbys, and seizes rooms of the dead.
func (l *life) tend() {
	for _, n := range l.s.nodes {
		to := n.life
		switch {
		case to == l:
		case to == nil || l.s.now < n.paused || l.s.isCut(l, to) || l.s.isCut(to, l) || l.s.chance(l.s.odds.suspect):
			l.silent[n.folder.id]++
		default:
			l.silent[n.folder.id] = 0
		}
	}
	for _, t := range l.s.rooms {
		if r := l.live[t.id]; r != nil {
			r.tend()
		}
		if c := l.copies[t.id]; c != nil && !l.dead {
			l.tendCopy(t.id, c)
		}
	}
}

// isSilent reports whether the process of a folder seems to be dead.
func (l *life) isSilent(folder string) bool {
	return l.silent[folder] >= silence || l.s.serves(folder) == nil && !l.s.chance(2000)
}

func (l *life) tendCopy(id room.ID, c *following) {
	switch {
	case l.isSilent(c.owner):
		c.suspected = true
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Suspected}, nil)
	case c.suspected && l.s.serves(c.owner) != nil:
		c.suspected = false
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Heard}, nil)
	case l.s.now > c.fedAt+idleCopy:
		c.fedAt = l.s.now
		l.look(id)
	}
}

func (r *live) tend() {
	l, standby := r.l, r.leader.Standby()
	deliver := func(k ownership.Kind, folder string) {
		l.loop.Deliver(r.t.id, ownership.Event{Kind: k, Folder: folder}, nil)
	}
	leaves := func(folder string) bool { to := l.s.serves(folder); return to != nil && to.draining }
	if l.s.chance(500) || r.acked < len(r.log.entries) && l.s.chance(3000) {
		l.look(r.t.id)
	}
	if len(r.asks) > 0 && !r.gone() {
		r.sendAsk()
	}
	switch {
	case r.gone():
		return
	case standby != "" && l.isSilent(standby):
		deliver(ownership.Dismiss, "")
		return
	case l.s.now < l.folder.failed && standby != "" && l.s.chance(3000):
		l.loop.Deliver(r.t.id, ownership.Event{Kind: ownership.Unable, Why: errDisk.Error()}, nil)
		return
	case standby != "" && l.s.chance(l.s.odds.restless):
		deliver(ownership.Yield, standby)
		return
	}
	if r.learner != "" && (l.isSilent(r.learner) || leaves(r.learner)) {
		r.drop(r.learner)
		r.learner = ""
	}
	if r.learner == "" && r.copied && (standby == "" || leaves(standby) || l.s.chance(l.s.odds.restless)) {
		r.learner = l.s.candidate(l, standby)
		if r.learner == "" && standby != "" && leaves(standby) {
			deliver(ownership.Dismiss, "")
		}
	}
	for _, folder := range [...]string{standby, r.learner} {
		if folder == "" {
			continue
		}
		f := r.fed[folder]
		match := r.leader.Match(folder)
		behind := match < room.Index(len(r.log.entries)) && match == f.match || folder == r.learner && match == f.match
		r.fed[folder] = feed{match, f.at, f.boot}
		to := l.s.serves(folder)
		if linked := to != nil && to.boot != f.boot; linked || behind && l.s.now >= f.at+lookAround {
			r.offerTo(folder)
		}
		r.recruit(folder)
	}
}

func (r *live) drop(folder string) {
	delete(r.fed, folder)
	r.leader.Drop(folder)
}

// candidate returns the folder of a process that could be a room's standby; "": there is none.
func (s *Sim) candidate(l *life, standby string) string {
	var all []string
	for _, n := range s.nodes {
		if n.life != nil && n.life != l && !n.life.draining && n.life.self != standby && !l.isSilent(n.life.self) {
			all = append(all, n.life.self)
		}
	}
	if len(all) == 0 {
		return ""
	}
	return all[s.pick(len(all))]
}
