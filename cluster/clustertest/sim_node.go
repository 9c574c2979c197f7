package clustertest

import (
	"fmt"
	"slices"
	"time"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

const (
	sweepEvery = 2 * time.Second
	lookEvery  = 10 * time.Second // between requests to other nodes for a released room that is held here
)

// node is a place where processes run, one after another.
type node struct {
	s       *Sim
	name    string
	folder  *folder
	life    *life // nil: none runs
	paused  time.Duration
	program program
	plans   []plan
	part    int // so many entries are all that the next append brings; 0: it brings what there is
}

// program is a node's binary: it decides which rooms the node can run.
type program struct {
	version          string
	odds             int // how many of ten thousand rooms have each fault
	lacking, another map[room.ID]bool
}

func (p program) cannotRead(id room.ID) bool   { return p.lacking[id] || p.is("lacks", id) }
func (p program) readsAnother(id room.ID) bool { return p.another[id] || p.is("diverges", id) }
func (p program) breaks(id room.ID) bool       { return p.is("breaks", id) }

func (p program) is(what string, id room.ID) bool {
	return p.odds > 0 && mix(string(id), p.version+what)%10000 < uint64(p.odds)
}

// plan is a crash that a story has planned.
type plan struct {
	after bool // crash after the effect, before its answer; false: before the effect
	op    ownership.Op
}

func (s *Sim) addNode(name string) *node {
	n := &node{s: s, name: name, folder: s.newFolder()}
	s.nodes = append(s.nodes, n)
	return n
}

// life is one process.
type life struct {
	node     *node
	s        *Sim
	boot     record.BootID
	folder   *folder
	self     string // the folder's id
	loop     *lifecycle.Loop
	live     map[room.ID]*live
	states   map[room.ID]ownership.State
	machines map[room.ID]*lifecycle.Room
	kept     map[room.ID]log // the log that Checkpoint, Load or the start has read last
	looked   map[room.ID]time.Duration
	copies   map[room.ID]*following
	wrote    map[room.ID]int   // the end of a log that was followed
	offers   map[room.ID]offer // that wait for the machine
	silent   map[string]int    // for how many looks a folder's process has not been heard
	ops      map[opKey]ownership.Op
	dead     bool
	draining bool
	since    time.Duration // it runs
}

const doubtWait = 20 * time.Second

type opKey struct {
	id room.ID
	n  uint64
}

// start runs a process as soon as the store answers.
func (n *node) start() {
	if n.life != nil || n.folder.lost {
		return
	}
	if n.s.store.away {
		n.s.after(n.s.between(500*time.Millisecond, 2*time.Second), n.start)
		return
	}
	s := n.s
	s.boots++
	l := &life{
		node: n, s: s, since: s.now, boot: record.BootID(name("p", s.boots)), folder: n.folder, self: n.folder.id,
		live: map[room.ID]*live{}, states: map[room.ID]ownership.State{}, machines: map[room.ID]*lifecycle.Room{}, kept: map[room.ID]log{},
		looked: map[room.ID]time.Duration{}, copies: map[room.ID]*following{}, wrote: map[room.ID]int{}, offers: map[room.ID]offer{}, silent: map[string]int{},
	}
	if s.trace != nil {
		l.ops = map[opKey]ownership.Op{}
	}
	l.loop = lifecycle.New(lifecycle.Options{
		Self:    ownership.Self{Boot: l.boot, Folder: n.folder.id, Former: slices.Clone(n.folder.former), DoubtWait: doubtWait},
		Ports:   l,
		Fail:    func(err error) { l.fail(err) },
		Stepped: l.stepped,
	})
	n.life = l
	s.say(n.name, "", "starts as %s with folder %s", l.boot, n.folder.id)
	s.store.start(l.boot, n.folder)
	for _, id := range slices.Clone(n.folder.order) {
		if k := n.folder.rooms[id]; k != nil && !l.dead {
			if without(DoubtLasts) && k.doubted {
				k.doubt = record.Whole
			}
			k.doubted = k.doubt == record.Unsure
			if k.short { // nobody is left who could notice it
				k.unknown, s.truth(id).damaged = true, true
			}
			l.kept[id] = k.log
			l.loop.Deliver(id, ownership.Event{Kind: ownership.Found, Log: k.facts()}, nil)
		}
	}
	l.after(s.between(0, sweepEvery), l.sweep)
	if s.rng != nil {
		l.after(s.between(0, lookAround), l.tendOften)
	}
}

// after runs do once d has passed. A dead process does nothing; a paused one does it after its pause.
func (l *life) after(d time.Duration, do func()) {
	l.s.after(d, func() { l.awake(do) })
}

func (l *life) awake(do func()) {
	switch {
	case l.dead:
	case l.s.now < l.node.paused:
		l.s.after(l.node.paused-l.s.now, func() { l.awake(do) })
	default:
		do()
	}
}

// crash kills the process. The store may still execute its requests.
func (l *life) crash(why string) {
	if l.dead {
		return
	}
	l.s.say(l.node.name, "", "dies: %s", why)
	l.end()
}

func (l *life) end() {
	l.dead = true
	l.node.life = nil
	l.node.paused = 0
	if l.s.rng != nil {
		l.s.restart(l.node)
	}
}

// fail stops the process because a machine asks for it.
func (l *life) fail(err error) { l.crash("it fails: " + err.Error()) }

// stepped is called after each step of a machine.
func (l *life) stepped(r *lifecycle.Room, e ownership.Event, to ownership.State, effects []ownership.Effect) {
	if to != ownership.Absent {
		l.states[r.ID], l.machines[r.ID] = to, r
	} else if l.machines[r.ID] == r { // else it is a late answer to an earlier one
		delete(l.states, r.ID)
		delete(l.machines, r.ID)
	}
	l.s.sayStep(l, r.ID, e, to, effects)
	for _, e := range effects {
		if l.ops != nil && e.N != 0 && e.Do != ownership.Cancel {
			l.ops[opKey{r.ID, e.N}] = e.Do
		}
	}
}

// describe words an event for a story.
func (l *life) describe(id room.ID, e ownership.Event) string {
	if e.Kind != ownership.Answer {
		return e.String()
	}
	return fmt.Sprintf("%s: %s", l.ops[opKey{id, e.N}], e)
}

// drain gives all rooms away and then exits.
func (l *life) drain(patience time.Duration) {
	if l.dead || l.draining {
		return
	}
	l.s.say(l.node.name, "", "drains")
	l.draining = true
	for _, t := range l.s.rooms {
		if _, ok := l.states[t.id]; ok {
			l.loop.Deliver(t.id, ownership.Event{Kind: ownership.Drain}, nil)
		}
	}
	l.exitWhenDrained(l.s.now + patience)
}

// exitWhenDrained exits as soon as no room is left, or when by has come.
func (l *life) exitWhenDrained(by time.Duration) {
	left := false
	for _, state := range l.states {
		left = left || state != ownership.Held
	}
	switch {
	case !left:
		l.checkGone()
		l.s.say(l.node.name, "", "exits")
		l.end()
	case l.s.now >= by:
		l.s.say(l.node.name, "", "exits with rooms")
		l.end()
	default:
		l.after(100*time.Millisecond, func() { l.exitWhenDrained(by) })
	}
}

// sweep looks for released rooms that the ring gives this node.
func (l *life) sweep() {
	if l.draining {
		return
	}
	var found []room.ID
	l.s.store.call(l, 0, func() ownership.Event {
		found = l.s.store.releasedRows()
		return ownership.Event{}
	}, func(_ ownership.Event, err error) {
		if err == nil {
			l.swept(found)
		}
		l.after(sweepEvery, l.sweep)
	})
}

func (l *life) swept(released []room.ID) {
	for _, id := range released {
		held := l.states[id] == ownership.Held
		ours := l.s.ring(id) == l && l.s.now >= l.looked[id]
		if ours || l.s.chance(l.s.odds.stray) {
			l.want(id)
		}
		if ours && held {
			l.looked[id] = l.s.now + lookEvery
			l.s.wantElsewhere(l, id)
		}
	}
	for _, t := range l.s.rooms {
		if l.states[t.id] == ownership.Held && !slices.Contains(released, t.id) {
			l.loop.Deliver(t.id, ownership.Event{Kind: ownership.Forgot}, nil)
		}
	}
}

// wantElsewhere asks the other nodes for a room that this one cannot run.
func (s *Sim) wantElsewhere(l *life, id room.ID) {
	for _, n := range s.nodes {
		if n.life != nil && n.life != l {
			s.tell(n.life, id)
		}
	}
}

// tell asks a node to want a room. The message may be lost or late.
func (s *Sim) tell(l *life, id room.ID) {
	if s.chance(s.odds.tellLost) {
		return
	}
	l.after(s.between(time.Millisecond, 50*time.Millisecond), func() { l.want(id) })
}

func (l *life) want(id room.ID) {
	if !l.draining {
		l.loop.Deliver(id, ownership.Event{Kind: ownership.Wanted}, nil)
	}
}

// crashes reports whether the process dies at this point.
func (l *life) crashes(id room.ID, op ownership.Op, after bool) bool {
	if l.dead {
		return true
	}
	at := "before"
	if after {
		at = "after"
	}
	for i, p := range l.node.plans {
		if p.op == op && p.after == after {
			l.node.plans = slices.Delete(l.node.plans, i, i+1)
			l.crash(fmt.Sprintf("%s the %s of %s", at, op, id))
			return true
		}
	}
	if l.s.chance(l.s.odds.crash) {
		l.crash(fmt.Sprintf("%s the %s of %s", at, op, id))
		return true
	}
	return false
}

func name(kind string, n int) string { return fmt.Sprintf("%s%d", kind, n) }
