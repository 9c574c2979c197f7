package clustertest

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// truth is what players and operators have seen of a room. No node reads it.
type truth struct {
	id     room.ID
	memory bool
	local  bool // it is kept by its owner alone
	power  bool // a machine with a copy has lost power
	length int  // the room ends after so many acts

	acked   log // what was acknowledged
	shown   log // what a spectator saw last
	ended   log // with which it was aborted
	ackedAt time.Duration
	epoch   record.Epoch // the newest that anybody has seen
	served  map[record.Epoch]*life

	unwritable bool // the store never accepts its end
	deadly     bool // it has killed a process, or cannot be brought back
	told       int  // how many losses were told
	damaged    bool // a loss was reported, or nobody is left who could notice it
	givenUp    bool // by an operator
	gone       bool // its only copy was on a lost disk
}

// commit checks and records that a process acknowledges all of a log.
func (t *truth) commit(l *life, at record.Epoch, g log) {
	s := l.s
	if t.givenUp {
		return
	}
	shown := t.power && g.over() && s.store.results[t.id] == result{sum: g.endSum()} // it cannot change any more
	if shown {
		return
	}
	if was := t.served[at]; was != nil && was != l {
		s.fail(t.id, "(1) %s and %s both released outputs at epoch %d", was.boot, l.boot, at)
	}
	t.served[at] = l
	if at < t.epoch {
		raised := (t.power || t.damaged) && t.epoch>>32 > at>>32 // that epoch tells that what was confirmed before may be lost
		if !t.acked.holds(g) && t.told == 0 && !raised {
			s.fail(t.id, "(6) %s acknowledges %d entries at epoch %d, and the owner at epoch %d lacks some of them", l.boot, len(g.entries), at, t.epoch)
		}
		return
	}
	if end, ok := s.store.results[t.id]; ok && t.told == 0 && (end.aborted && !t.ended.holds(g) || !end.aborted && end.sum != g.endSum()) {
		s.fail(t.id, "(5) it continues at %s after its end was stored", l.boot)
	}
	if !g.holds(t.acked) && (g.short || (t.damaged || t.power) && at>>32 > t.epoch>>32) {
		t.tell(l, g)
	}
	if !g.holds(t.acked) {
		s.fail(t.id, "(3) %s continues at epoch %d from %d entries, which lack some of the %d acknowledged ones", l.boot, at, len(g.entries), len(t.acked.entries))
	}
	s.inOrder(t, g)
	g.told = t.told
	t.epoch, t.acked, t.ackedAt = at, g, s.now
	t.checkMembers(s)
}

// tell notes that players hear of a loss. A loss is a failure if another running member had everything.
func (t *truth) tell(l *life, g log) {
	t.told++
	for _, n := range l.s.nodes {
		k := n.folder.rooms[t.id]
		if n.life == nil || n.life == l || k == nil || k.doubt != record.Whole || k.short || !k.holds(t.acked) || g.short {
			continue
		}
		if c := n.life.copies[t.id]; c != nil && c.owner == l.self && l.s.steady(l, n.life) {
			l.s.fail(t.id, "(3) %s goes on without acknowledged entries, which %s has", l.boot, n.life.boot)
		}
	}
	t.acked = common(t.acked, g)
	l.live[t.id].log.short = false // what was lost is not missing any more
	if k := l.folder.rooms[t.id]; k.holds(g) {
		k.lost, k.short, k.unknown = false, false, false
	}
}

// steady reports whether two processes could have reached each other for longer than doubt waits.
func (s *Sim) steady(a, b *life) bool {
	since := s.now - 2*doubtWait
	for _, l := range [...]*life{a, b} {
		if l.since > since || l.node.paused > since || l.folder.failed > since {
			return false
		}
	}
	return max(s.cuts[[2]*node{a.node, b.node}], s.cuts[[2]*node{b.node, a.node}], s.store.backAt) < since && s.odds.lost == 0 && s.odds.tellLost == 0
}

// checkMembers checks that every member that a row names has all that was acknowledged, or knows that it may not.
func (t *truth) checkMembers(s *Sim) {
	r := s.store.rows[t.id]
	if r == nil || r.State != record.RowLive || r.Epoch>>32 > t.epoch>>32 || t.unwritable || t.needsNoOwner() {
		return
	}
	for _, folder := range [...]string{r.Folder, r.Standby} {
		f := s.folder(folder)
		if folder == "" || f == nil {
			continue
		}
		if k := f.rooms[t.id]; k == nil {
			s.fail(t.id, "(2) the row names %s, which has nothing of it", folder)
		} else if k.doubt == record.Whole && !k.cut && !k.short && !k.holds(t.acked) {
			s.fail(t.id, "(2) the row names %s, which lacks some of the %d acknowledged entries and does not know", folder, len(t.acked.entries))
		}
	}
}

// folder returns the folder of that id, if it is not lost.
func (s *Sim) folder(id string) *folder {
	for _, f := range s.allFolders() {
		if f.id == id {
			return f
		}
	}
	return nil
}

// allFolders returns all folders that are not lost.
func (s *Sim) allFolders() []*folder {
	all := slices.Clone(s.shelf)
	for _, n := range s.nodes {
		all = append(all, n.folder)
	}
	return all
}

// inOrder checks that each act is there once and in order, and that epochs never go back.
func (s *Sim) inOrder(t *truth, g log) {
	last := t.acked.acts()
	epoch := t.acked.epoch
	for _, e := range g.entries[min(len(t.acked.entries), len(g.entries)):] {
		if e.epoch < epoch && len(t.acked.entries) > 0 {
			s.fail(t.id, "(2) the log goes back from epoch %d to %d", epoch, e.epoch)
		}
		epoch = max(epoch, e.epoch)
		if e.act == 0 {
			continue
		}
		if e.act != last+1 {
			s.fail(t.id, "(3) act %d follows act %d", e.act, last)
		}
		last = e.act
	}
}

// common returns the longest common prefix of two logs.
func common(a, b log) log {
	n := min(len(a.entries), len(b.entries))
	for a.sumAt(n) != b.sumAt(n) {
		n--
	}
	return log{epoch: a.epoch, entries: a.entries[:n]}
}

// checkRelease checks the checkpoint that the store was given.
func (t *truth) checkRelease(s *Sim, kept log) {
	if !kept.holds(t.acked) && !kept.unknown && !t.jumped(s) {
		s.fail(t.id, "(3) it is released with %d entries, but %d were acknowledged", len(kept.entries), len(t.acked.entries))
	}
}

// checkRemove checks that a removed log was not the last one with all that was acknowledged.
func (t *truth) checkRemove(s *Sim, removed log) {
	if removed.holds(t.acked) && !t.needsNoOwner() && !t.jumped(s) && !s.safe(t) && !s.goesOnShort(t) {
		s.fail(t.id, "its only log is removed%s", s.where(t))
	}
}

// goesOnShort reports whether the log from which the room goes on, or with which it was aborted, has lost its end to a disk or a lost
// power: that of each of its members, or of the store. Who removes a copy from which the room does not go on has not lost it.
func (s *Sim) goesOnShort(t *truth) bool {
	r := s.store.rows[t.id]
	switch {
	case r == nil:
		return false
	case r.State == record.RowReleased:
		return r.kept.short
	case r.State == record.RowOver:
		return t.endedShort()
	}
	lost := func(member string) bool {
		return s.isDestroyed(member) || slices.ContainsFunc(s.allFolders(), func(f *folder) bool {
			return f.had(member) && slices.ContainsFunc(f.logs(t.id), func(g log) bool { return g.lost })
		})
	}
	return lost(r.Folder) && (r.Standby == "" || lost(r.Standby))
}

// jumped reports whether the room has gone on without what a disk or a lost power took, and nobody has heard of it yet.
func (t *truth) jumped(s *Sim) bool {
	r := s.store.rows[t.id]
	return (t.power || t.damaged) && r != nil && r.Epoch>>32 > t.epoch>>32
}

// needsNoOwner reports whether the room need not be served again.
func (t *truth) needsNoOwner() bool {
	return t.memory || t.givenUp || t.gone || len(t.acked.entries) == 0
}

// safe reports whether a copy of all that was acknowledged of a room exists, or its end is stored.
func (s *Sim) safe(t *truth) bool {
	if end, ok := s.store.results[t.id]; ok && (!end.aborted || t.ended.holds(t.acked)) { // the store has the log as its replay
		return true
	}
	if kept, ok := s.store.checkpoint(t.id); ok && kept.holds(t.acked) {
		return true
	}
	for _, n := range s.nodes {
		if n.folder.safe(t) {
			return true
		}
	}
	return slices.ContainsFunc(s.shelf, func(f *folder) bool { return f.safe(t) })
}

func (f *folder) safe(t *truth) bool {
	return slices.ContainsFunc(f.logs(t.id), func(g log) bool { return g.holds(t.acked) })
}

// logs returns the logs of a room in a folder: the one that goes on, and those that were set aside.
func (f *folder) logs(id room.ID) (all []log) {
	if k := f.rooms[id]; k != nil {
		all = append(all, k.log)
	}
	for _, a := range f.asides {
		if a.id == id {
			all = append(all, a.log)
		}
	}
	return all
}

// checkEnd checks an end that the store has just taken. BrokenOff: its owner could not bring the room back.
func (t *truth) checkEnd(s *Sim, end result, brokenOff bool) {
	switch {
	case t.givenUp || t.memory || t.told > 0:
	case end.aborted && len(t.acked.entries) > 0 && !t.deadly:
		s.fail(t.id, "(5) it is aborted, but could continue")
	case end.aborted && t.ended.holds(t.acked) && t.acked.over():
		s.fail(t.id, "(5) it is aborted, but was finished")
	case end.aborted && !t.ended.holds(t.acked) && !t.jumped(s) && !t.endedShort():
		s.fail(t.id, "(5) it is aborted from %d entries, which lack some of the %d acknowledged ones", len(t.ended.entries), len(t.acked.entries))
	case !end.aborted && t.ended.holds(t.acked) && t.ended.over() && end.sum == t.ended.endSum() && brokenOff:
		// Its owner does not run it, so nobody has committed the end. Nobody else goes on either: that the row is over is what commits it,
		// and that its log has all that was acknowledged is what makes it right.
	case !end.aborted && (!t.acked.over() || end.sum != t.acked.endSum()):
		s.fail(t.id, "(5) its result differs from its log")
	}
}

// endedShort reports whether the room was aborted with a log from which a disk had taken a part without a trace. Nothing in that log tells
// its owner, which does not hear either what its standby has: it runs nothing that it could feed.
func (t *truth) endedShort() bool { return t.ended.short && !t.ended.holds(t.acked) }

// mismatch checks an end that the store refuses because it has another one.
func (t *truth) mismatch(s *Sim, was, end result, by record.Epoch, brokenOff bool) {
	switch at := s.store.rows[t.id].Epoch; {
	case t.givenUp || t.told > 0:
	case brokenOff && by < at: // it comes late, and was not committed: a later owner has brought the room to another end
	case t.jumped(s) && by>>32 < at>>32: // it comes late, after the loss of what it was the end of was told
	default:
		s.fail(t.id, "(5) it has two ends: %+v is stored, %+v is offered", was, end)
	}
}

// checkGone checks that no live row names a drained process that exits.
func (l *life) checkGone() {
	for _, t := range l.s.rooms {
		r := l.s.store.rows[t.id]
		if r == nil || r.State != record.RowLive || r.Boot != l.boot && r.Standby != l.self || t.unwritable || l.states[t.id] == ownership.Held {
			continue
		}
		l.s.fail(t.id, "(8) %s exits, but the row of the room still names it", l.boot)
	}
}

// checkSettled runs after a phase without faults. It checks that one node serves each room, or that its end is stored.
func (s *Sim) checkSettled(within time.Duration) {
	for _, t := range s.rooms {
		if t.needsNoOwner() {
			continue
		}
		end, ended := s.store.results[t.id]
		switch {
		case s.orphaned(t):
		case t.unwritable && (t.acked.over() || t.deadly) && (t.damaged || t.jumped(s) || s.safe(t)):
		case t.told > 0 && ended: // the end may be that of before the damage, or of after it
		case t.acked.over():
			if (!ended || end.aborted && !t.endedShort()) && !t.jumped(s) {
				s.fail(t.id, "(5) it is finished, but has no result%s", s.where(t))
			}
		case ended && t.deadly:
			if !s.safe(t) && !t.jumped(s) && !t.endedShort() {
				s.fail(t.id, "it was aborted, but its log is not kept: %d entries%s", len(t.acked.entries), s.where(t))
			}
		case len(s.serving(t.id)) != 1:
			s.fail(t.id, "(9) it is served by %d nodes%s", len(s.serving(t.id)), s.where(t))
		case t.ackedAt < s.now-within:
			s.fail(t.id, "(9) nothing was acknowledged since %s%s", stamp(t.ackedAt), s.where(t))
		case !s.replicated(t):
			s.fail(t.id, "(7) it has no standby%s", s.where(t))
		}
	}
}

// orphaned reports whether no member that a row names can go on without an operator's word: its folder has another id since
// it was adopted, or its copy is not whole.
func (s *Sim) orphaned(t *truth) bool {
	r := s.store.rows[t.id]
	if r == nil || r.State != record.RowLive || r.Standby == "" || !t.damaged && s.folder(r.Folder) != nil && s.folder(r.Standby) != nil {
		return false
	}
	is := func(f *folder) bool {
		k := f.rooms[t.id]
		return k != nil && k.doubt != record.Partial && (f.id == r.Folder || f.id == r.Standby)
	}
	return !slices.ContainsFunc(s.nodes, func(n *node) bool { return is(n.folder) })
}

// replicated reports whether a room has a standby, if it can have one.
func (s *Sim) replicated(t *truth) bool {
	running := 0
	for _, n := range s.nodes {
		if n.life != nil {
			running++
		}
	}
	r := s.store.rows[t.id]
	return running < 2 || t.local || t.memory || r == nil || r.Standby != ""
}

// serving returns the rooms of that id that processes have in memory.
func (s *Sim) serving(id room.ID) (all []*live) {
	for _, n := range s.nodes {
		if n.life != nil && n.life.live[id] != nil {
			all = append(all, n.life.live[id])
		}
	}
	return all
}

// where describes every copy and owner of a room.
func (s *Sim) where(t *truth) string {
	var b strings.Builder
	if r := s.store.rows[t.id]; r != nil {
		fmt.Fprintf(&b, "; row: %s %d %s %s %s", r.State, r.Epoch, r.Boot, r.Folder, r.Standby)
	}
	for _, n := range s.nodes {
		if n.life == nil {
			continue
		}
		if state, ok := n.life.states[t.id]; ok {
			_, held := n.life.loop.State(t.id)
			fmt.Fprintf(&b, "; %s (%s): %s %s", n.name, n.life.boot, state, held.Why)
		}
		if k := n.folder.rooms[t.id]; k != nil {
			fmt.Fprintf(&b, "; folder %s of %s: epoch %d, %d entries, %s", n.folder.id, n.name, k.epoch, len(k.entries), k.doubt)
		}
		for _, a := range n.folder.asides {
			if a.id == t.id {
				fmt.Fprintf(&b, "; aside at %s: %s", n.name, a.why)
			}
		}
	}
	return b.String()
}
