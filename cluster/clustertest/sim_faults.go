package clustertest

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// odds are probabilities of faults, in ten thousandths.
type odds struct {
	crash      int // at each point before, in and after an effect
	late       int // the store executes a request much later
	lost       int // the store never executes a request
	unanswered int // the answer of the store is lost
	stray      int // a node wants a room that the ring gives to another node
	tellLost   int // a message to another node is lost
	poison     int // an act kills the process
	parts      int // an append brings a part of what there is
	suspect    int // a node takes another one for dead
	restless   int // an owner yields a room, or changes its standby, without need
	wrong      int // a program cannot run a room, comes to something else, or breaks

	moved, swapped, destroyed int          // what happens to a node's folder before its next start
	recurring                 []func(*Sim) // faults that happen now and then
}

const (
	faulty = 60 * time.Second // the first phase: faults happen
	calm   = 90 * time.Second // the second phase: no faults; the cluster has recovered by its end
)

// Run runs a seed and passes each line of its story to trace, unless that is nil.
func Run(seed uint64, trace func(Line)) *Failure {
	s := newSim(rand.New(rand.NewPCG(seed, 0x726f6f6d72696e67)))
	s.trace = trace
	s.drawFaults()
	for i := range 1 + s.pick(4) {
		n := s.addNode(string(rune('a' + i)))
		n.program = s.program()
		n.start()
	}
	s.after(0, s.makeRooms)
	s.after(s.between(time.Second, 5*time.Second), s.causeFault)
	s.run(faulty)
	s.endFaults()
	s.run(faulty + calm)
	if s.failed == nil {
		s.checkSettled(calm / 3)
	}
	return s.failed
}

// drawFaults draws which kinds of faults this run has. With all kinds at once a run would seldom get far.
func (s *Sim) drawFaults() {
	some := func(limit int) int {
		if s.pick(2) == 0 {
			return 0
		}
		return 1 + s.pick(limit)
	}
	s.odds = odds{
		crash: some(100), late: some(1000), lost: some(1000), unanswered: some(1000), stray: some(1000), tellLost: some(8000),
		poison: some(50), parts: some(5000), suspect: some(500), restless: some(1000), wrong: some(2000), moved: some(3000), swapped: some(2000), destroyed: some(1000),
	}
	for _, t := range []func(*Sim){
		(*Sim).killOne, (*Sim).pauseOne, (*Sim).drainOne, (*Sim).rollAll, (*Sim).loseStore, (*Sim).slowStore,
		(*Sim).fillDisk, (*Sim).damageOne, (*Sim).reopenOne, (*Sim).powerOne, (*Sim).cutLink, (*Sim).cutLink,
	} {
		if s.pick(2) == 0 {
			s.odds.recurring = append(s.odds.recurring, t)
		}
	}
}

func (s *Sim) hasFaults() bool { return s.now < faulty }

// causeFault causes a fault now and then.
func (s *Sim) causeFault() {
	if !s.hasFaults() || len(s.odds.recurring) == 0 {
		return
	}
	s.odds.recurring[s.pick(len(s.odds.recurring))](s)
	s.after(s.between(time.Second, 8*time.Second), s.causeFault)
}

// endFaults ends all faults: the store answers, each folder that is not lost for good has a node, and each node has a
// program that can run every room.
func (s *Sim) endFaults() {
	s.say("", "", "the faults end")
	s.odds = odds{}
	s.store.away, s.store.slow = false, 0
	clear(s.cuts)
	for i, f := range s.shelf {
		n := &node{s: s, name: name("x", i), folder: f}
		s.nodes = append(s.nodes, n)
		s.after(time.Second, n.start)
	}
	s.shelf = nil
	for _, n := range s.nodes {
		n.program, n.paused, n.folder.failed = program{}, 0, 0
		if n.life != nil {
			n.life.crash("for the calm")
		}
		s.after(time.Second, n.start)
	}
}

func (s *Sim) program() program {
	return program{version: name("v", s.pick(1000)), odds: s.odds.wrong}
}

// restart schedules the next start of a node, perhaps with another folder or program.
func (s *Sim) restart(n *node) {
	if !s.hasFaults() {
		s.after(time.Second, n.start)
		return
	}
	switch old := n.folder; {
	case s.chance(s.odds.moved):
		n.folder.adopt()
	case s.chance(s.odds.swapped):
		n.folder = s.unshelve()
		s.shelf = append(s.shelf, old)
	case s.chance(s.odds.destroyed):
		n.folder = s.newFolder()
		s.destroy(old)
		s.after(s.between(10*time.Second, 40*time.Second), func() { s.forget(old) })
	}
	if s.pick(3) == 0 {
		n.program = s.program()
	}
	s.after(s.between(100*time.Millisecond, 10*time.Second), n.start)
}

func (s *Sim) unshelve() *folder {
	if len(s.shelf) == 0 || s.pick(2) == 0 {
		return s.newFolder()
	}
	i := s.pick(len(s.shelf))
	f := s.shelf[i]
	s.shelf = slices.Delete(s.shelf, i, i+1)
	return f
}

func (s *Sim) destroy(f *folder) {
	s.say("", "", "folder %s is lost for good", f.id)
	f.lost, s.destroyed = true, append(s.destroyed, f)
	for _, t := range s.rooms {
		s.noteLoss(t)
	}
}

// isDestroyed reports whether a folder is lost for good.
func (s *Sim) isDestroyed(id string) bool {
	return slices.ContainsFunc(s.destroyed, func(f *folder) bool { return f.had(id) })
}

// noteLoss records whether a room is lost: its only copy, or the one that its row names, was in a lost folder. The row of an
// aborted room names the folder that keeps its log.
func (s *Sim) noteLoss(t *truth) {
	r := s.store.rows[t.id]
	lost := s.isDestroyed
	named := r != nil && r.State != record.RowReleased && lost(r.Folder) && (r.Standby == "" || lost(r.Standby) || !s.usable(r.Standby, t.id)) ||
		r != nil && r.State == record.RowLive && r.Standby != "" && lost(r.Standby) && !s.usable(r.Folder, t.id)
	t.gone = t.gone || named || r == nil && len(s.destroyed) > 0 && !t.needsNoOwner() && !s.safe(t)
}

// forget is an operator's statement that a folder is lost. It is repeated until the store answers.
func (s *Sim) forget(f *folder) {
	if s.store.away {
		s.after(time.Second, func() { s.forget(f) })
		return
	}
	s.say("", "", "folder %s is forgotten", f.id)
	s.store.forget(f)
}

// anyLife returns the process of a random node; nil: that node does not run.
func (s *Sim) anyLife() *life {
	n := s.nodes[s.pick(len(s.nodes))]
	return n.life
}

func (s *Sim) killOne() {
	if l := s.anyLife(); l != nil {
		l.crash("killed")
	}
}

func (s *Sim) pauseOne() {
	if l := s.anyLife(); l != nil {
		l.node.paused = s.now + s.between(time.Second, 20*time.Second)
		s.say(l.node.name, "", "pauses until %s", stamp(l.node.paused))
	}
}

// powerOne has a machine lose its power.
func (s *Sim) powerOne() {
	if l := s.anyLife(); l != nil {
		l.folder.losePower(func() int { return s.pick(3) })
		l.crash("its machine loses power")
	}
}

// cutLink cuts the links between two nodes, one way or both ways, for a while.
func (s *Sim) cutLink() {
	a, b := s.nodes[s.pick(len(s.nodes))], s.nodes[s.pick(len(s.nodes))]
	if a == b {
		return
	}
	until := s.now + s.between(300*time.Millisecond, 20*time.Second)
	s.cuts[[2]*node{a, b}] = until
	way := "to"
	if s.pick(3) > 0 {
		s.cuts[[2]*node{b, a}] = until
		way = "and"
	}
	s.say("", "", "the link of %s %s %s is cut until %s", a.name, way, b.name, stamp(until))
}

func (s *Sim) drainOne() {
	if l := s.anyLife(); l != nil {
		l.drain(s.between(2*time.Second, 60*time.Second))
	}
}

// rollAll restarts the nodes one after another.
func (s *Sim) rollAll() {
	for i, n := range s.nodes {
		s.after(time.Duration(i)*5*time.Second, func() {
			if n.life != nil && s.hasFaults() {
				n.life.drain(10 * time.Second)
			}
		})
	}
}

func (s *Sim) loseStore() {
	s.say("", "", "the store goes away")
	s.store.away = true
	s.after(s.between(time.Second, 20*time.Second), func() { s.store.away, s.store.backAt = false, s.now; s.say("", "", "the store is back") })
}

func (s *Sim) slowStore() {
	s.store.slow = s.between(100*time.Millisecond, 3*time.Second)
	s.after(s.between(time.Second, 20*time.Second), func() { s.store.slow = 0 })
}

func (s *Sim) fillDisk() {
	n := s.nodes[s.pick(len(s.nodes))]
	n.folder.failed = s.now + s.between(500*time.Millisecond, 10*time.Second)
	s.say(n.name, "", "its disk is full until %s", stamp(n.folder.failed))
}

func (s *Sim) damageOne() {
	n := s.nodes[s.pick(len(s.nodes))]
	f := n.folder
	if len(f.order) == 0 || s.pick(3) > 0 {
		return
	}
	if id := f.order[s.pick(len(f.order))]; len(f.rooms[id].entries) > 0 {
		f.damage(id, 1+s.pick(3), s.pick(2) == 0)
		if n.life != nil && s.pick(2) == 0 {
			n.life.drain(time.Minute)
		}
	}
}

// reopenOne continues a copy that was set aside as another room.
func (s *Sim) reopenOne() {
	if l := s.anyLife(); l != nil && !l.draining {
		for _, a := range l.folder.asides {
			if l.reopen(a, a.id+"c") {
				return
			}
		}
	}
}

// reopen continues a copy as another room. It refuses a copy of a room that lives or was played to its end.
func (l *life) reopen(a *aside, as room.ID) bool {
	r := l.s.store.rows[a.id]
	end, ended := l.s.store.results[a.id]
	lives := r != nil && r.State != record.RowOver || ended && !end.aborted
	if lives || a.reopened || a.log.over() || a.log.cut || l.s.byID[as] != nil {
		return false
	}
	a.reopened = true
	l.kept[as] = a.log
	l.loop.Deliver(as, ownership.Event{Kind: ownership.Copied, Log: a.log.facts()}, nil)
	l.s.client(l.s.truth(as))
	return true
}

// makeRooms makes a room now and then.
func (s *Sim) makeRooms() {
	if !s.hasFaults() {
		return
	}
	s.after(s.between(time.Second, 20*time.Second), s.makeRooms)
	l := s.anyLife()
	if l == nil || l.draining {
		return
	}
	t := s.truth(room.ID(fmt.Sprintf("r%d", len(s.rooms)+1)))
	t.memory, t.unwritable, t.local = s.pick(20) == 0, s.pick(20) == 0, s.pick(4) == 0
	if s.pick(3) > 0 {
		t.length = 1 + s.pick(30)
	}
	l.make(t)
	s.client(t)
	s.spectate(t)
}

func (l *life) make(t *truth) {
	l.loop.Deliver(t.id, ownership.Event{Kind: ownership.Made, Memory: t.memory}, nil)
}

// client acts in a room until it is over. If nobody serves the room, the client sometimes asks a random node for it.
func (s *Sim) client(t *truth) {
	if _, ended := s.store.results[t.id]; ended {
		return
	}
	s.after(s.between(200*time.Millisecond, 3*time.Second), func() { s.client(t) })
	all := s.serving(t.id)
	for _, r := range all {
		if r.l.s.now >= r.l.node.paused {
			r.act(t.acked.acts() + 1)
		}
	}
	if len(all) == 0 && s.chance(1000) {
		for range 1 + s.pick(2) {
			if l := s.anyLife(); l != nil {
				l.want(t.id)
			}
		}
	}
}
