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
	ackedAt time.Duration
	epoch   record.Epoch // the newest that anybody has seen
	served  map[record.Epoch]*life

	unwritable bool // the store never accepts its end
	deadly     bool // it has killed a process, or cannot be brought back
	shortened  bool // a disk has lost a part of its log without a trace
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
	if was := t.served[at]; was != nil && was != l {
		s.fail(t.id, "(1) %s and %s both released outputs at epoch %d", was.boot, l.boot, at)
	}
	t.served[at] = l
	if at < t.epoch {
		if !t.acked.holds(g) && !t.damaged {
			s.fail(t.id, "(6) %s acknowledges %d entries at epoch %d, and the owner at epoch %d lacks some of them", l.boot, len(g.entries), at, t.epoch)
		}
		return
	}
	if end, ok := s.store.results[t.id]; ok && !t.damaged && (end.aborted || end.sum != g.endSum()) {
		s.fail(t.id, "(5) it continues at %s after its end was stored", l.boot)
	}
	if t.damaged && t.shortened || (t.damaged || t.power) && at>>32 > t.epoch>>32 {
		t.acked = common(t.acked, g)
	}
	if !g.holds(t.acked) {
		s.fail(t.id, "(3) %s continues at epoch %d from %d entries, which lack some of the %d acknowledged ones", l.boot, at, len(g.entries), len(t.acked.entries))
	}
	s.inOrder(t, g)
	t.epoch, t.acked, t.ackedAt = at, g, s.now
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
	if !kept.holds(t.acked) && !t.damaged {
		s.fail(t.id, "(3) it is released with %d entries, but %d were acknowledged", len(kept.entries), len(t.acked.entries))
	}
}

// checkRemove checks that a removed log was not the last copy. If a disk has already lost a part of the
// owner's log, the removal of another node's copy is not the cause of the loss.
func (t *truth) checkRemove(s *Sim) {
	if !t.excused() && !t.shortened && !t.power && !s.safe(t) {
		s.fail(t.id, "its only log is removed")
	}
}

// excused reports whether the room may have lost something: the loss was reported, or the room promises nothing.
func (t *truth) excused() bool { return t.damaged || t.needsNoOwner() }

// needsNoOwner reports whether the room need not be served again.
func (t *truth) needsNoOwner() bool {
	return t.memory || t.givenUp || t.gone || len(t.acked.entries) == 0
}

// safe reports whether a copy of all that was acknowledged of a room exists, or its end is stored.
func (s *Sim) safe(t *truth) bool {
	if end, ok := s.store.results[t.id]; ok && !end.aborted {
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
	if k := f.rooms[t.id]; k != nil && (t.damaged || k.holds(t.acked)) {
		return true
	}
	return slices.ContainsFunc(f.asides, func(a *aside) bool { return a.id == t.id && (t.damaged || a.log.holds(t.acked)) })
}

// checkEnd checks an end that the store has just taken.
func (t *truth) checkEnd(s *Sim, end result) {
	switch {
	case t.givenUp || t.memory || t.damaged:
	case end.aborted && len(t.acked.entries) > 0 && !t.deadly:
		s.fail(t.id, "(5) it is aborted, but could continue")
	case end.aborted && t.acked.over():
		s.fail(t.id, "(5) it is aborted, but was finished")
	case !end.aborted && (!t.acked.over() || end.sum != t.acked.endSum()):
		s.fail(t.id, "(5) its result differs from its log")
	}
}

func (t *truth) mismatch(s *Sim, was, end result) {
	if !t.givenUp && !t.damaged {
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
		case t.unwritable && (t.acked.over() || t.deadly) && (t.damaged || s.safe(t)):
		case t.damaged && ended: // the end may be that of before the damage, or of after it
		case t.acked.over():
			if !ended || end.aborted {
				s.fail(t.id, "(5) it is finished, but has no result%s", s.where(t))
			}
		case ended && t.deadly:
			if !s.safe(t) && !t.power {
				s.fail(t.id, "it was aborted, but its log is not kept")
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
	if r == nil || r.State != record.RowLive || r.Standby == "" {
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
