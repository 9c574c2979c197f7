package balance_test

import (
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
)

// model is a cluster whose changes take a while: each node has a Balancer, and looks every 250 ms.
type model struct {
	t     *testing.T
	now   time.Duration
	nodes map[string]*balance.Balancer
	ring  *ring.Ring
	turn  uint64 // version of the ring
	rooms map[room.ID]*owned
	takes time.Duration // one change
	stuck map[string]bool
	moved map[room.ID]time.Duration
}

type owned struct {
	balance.Room
	owner   string
	clients int
	next    balance.Change
	at      time.Duration // when next is done; 0: nothing is under way
}

func newModel(t *testing.T, rooms int, nodes ...ring.Node) *model {
	m := &model{
		t: t, nodes: map[string]*balance.Balancer{}, rooms: map[room.ID]*owned{}, takes: 200 * time.Millisecond,
		stuck: map[string]bool{}, moved: map[room.ID]time.Duration{},
	}
	m.setRing(nodes...)
	for i := range rooms {
		id := room.ID(fmt.Sprintf("room-%d", i))
		to := m.Place(id)
		m.rooms[id] = &owned{owner: to.Owner, Room: balance.Room{ID: id, Standby: to.Standby}, clients: i % 3}
	}
	return m
}

func (m *model) setRing(nodes ...ring.Node) {
	m.ring, m.turn = ring.New(nodes), m.turn+1
	for _, n := range nodes {
		if m.nodes[n.Name] == nil {
			m.nodes[n.Name] = balance.New(balance.Options{Self: n.Name})
		}
	}
}

func (m *model) Place(id room.ID) balance.Place {
	return balance.Place{Owner: m.ring.Owner(id), Standby: m.ring.Standby(id)}
}

func (m *model) Clients(id room.ID) (int, bool) { return m.rooms[id].clients, true }

func (m *model) of(node string) (rooms []balance.Room) {
	for _, r := range m.rooms {
		if r.owner == node {
			rooms = append(rooms, r.Room)
		}
	}
	return rooms
}

// run lets time pass, and checks what must always hold.
func (m *model) run(d time.Duration) {
	for end := m.now + d; m.now < end; m.now += 250 * time.Millisecond {
		for _, r := range m.rooms {
			if r.at > 0 && m.now >= r.at {
				m.finish(r)
			}
		}
		for node, b := range m.nodes {
			b.Look(m.now, m.turn)
			for _, c := range b.Step(m.now, m.of(node), m) {
				m.begin(node, c)
			}
			if n := b.Underway(); n > 16 {
				m.t.Fatalf("%d changes are under way at %s", n, node)
			}
		}
	}
}

func (m *model) begin(node string, c balance.Change) {
	r := m.rooms[c.Room]
	switch {
	case r.at > 0 && !m.stuck[r.next.To]:
		m.t.Fatalf("%v is begun, and %v is under way", c, r.next)
	case c.What == balance.Yield && (c.To != r.Standby || r.owner != node):
		m.t.Fatalf("%v of a room at %s with standby %s", c, r.owner, r.Standby)
	case c.What == balance.Yield:
		if last, ok := m.moved[c.Room]; ok && m.now-last < time.Minute {
			m.t.Fatalf("%s moves twice within %v", c.Room, m.now-last)
		}
	}
	if r.next, r.at = c, m.now+m.takes; m.stuck[c.To] {
		r.at = 1 << 62
	}
}

func (m *model) finish(r *owned) {
	r.at = 0
	if r.next.What == balance.Recruit {
		r.Standby = r.next.To
		return
	}
	r.owner, r.Standby, r.Came = r.next.To, r.owner, m.now
	m.moved[r.ID] = m.now
}

// wrong counts the rooms that are not as the ring has them.
func (m *model) wrong() (n int) {
	for id, r := range m.rooms {
		if m.Place(id) != (balance.Place{Owner: r.owner, Standby: r.Standby}) {
			n++
		}
	}
	return n
}

func nodes(names ...string) (list []ring.Node) {
	for _, n := range names {
		list = append(list, ring.Node{Name: n})
	}
	return list
}

// TestAFourthNodeGetsItsShare has a node join three with 500 rooms: 10 s later rooms begin to move, and 15 s after that all are as the
// ring has them.
func TestAFourthNodeGetsItsShare(t *testing.T) {
	m := newModel(t, 500, nodes("n1", "n2", "n3")...)
	m.run(20 * time.Second)
	if m.wrong() > 0 || len(m.moved) > 0 {
		t.Fatalf("rooms moved without a reason: %d are wrong, %d moved", m.wrong(), len(m.moved))
	}
	m.setRing(nodes("n1", "n2", "n3", "n4")...)
	share := m.wrong()
	m.run(10 * time.Second)
	if m.wrong() != share {
		t.Error("rooms moved before the ring had stood still for 10 s")
	}
	m.run(15 * time.Second)
	if m.wrong() > 0 || len(m.of("n4")) < 80 {
		t.Errorf("after 15 s %d rooms of %d are wrong, and the new node has %d", m.wrong(), share, len(m.of("n4")))
	}
}

// TestNothingMovesWhileNodesComeAndGo changes the ring every five seconds.
func TestNothingMovesWhileNodesComeAndGo(t *testing.T) {
	m := newModel(t, 200, nodes("n1", "n2", "n3")...)
	for range 6 {
		m.setRing(nodes("n1", "n2", "n3", "n4")...)
		m.run(5 * time.Second)
		m.setRing(nodes("n1", "n2", "n3")...)
		m.run(5 * time.Second)
	}
	if len(m.moved) > 0 {
		t.Errorf("%d rooms moved", len(m.moved))
	}
}

// TestNoRoomMovesTwiceWithinAMinute has a node join and leave again after each time that it has got its share; begin checks the minute.
func TestNoRoomMovesTwiceWithinAMinute(t *testing.T) {
	m := newModel(t, 200, nodes("n1", "n2", "n3")...)
	for range 4 {
		m.setRing(nodes("n1", "n2", "n3", "n4")...)
		m.run(20 * time.Second)
		m.setRing(nodes("n1", "n2", "n3")...)
		m.run(20 * time.Second)
	}
	m.run(2 * time.Minute)
	if m.wrong() > 0 {
		t.Errorf("%d rooms are not as the ring has them in the end", m.wrong())
	}
}

// TestANodeThatTakesNothingDoesNotHoldUpTheOthers has a node join on which every change hangs: the others still heal.
func TestANodeThatTakesNothingDoesNotHoldUpTheOthers(t *testing.T) {
	m := newModel(t, 200, nodes("n1", "n2", "n3")...)
	for _, r := range m.rooms {
		r.owner, r.Standby = "n1", "n2" // as after many deaths
	}
	m.stuck["n3"] = true
	m.run(4 * time.Minute)
	for id, r := range m.rooms {
		if to := m.Place(id); to.Owner == "n2" && r.owner != "n2" {
			t.Fatalf("%s waits behind a node that takes nothing", id)
		}
	}
}

// TestZonesComeBeforeTheRingsOrder has three nodes in two zones: wherever a room is, its standby comes to be in the other zone.
func TestZonesComeBeforeTheRingsOrder(t *testing.T) {
	m := newModel(t, 300, ring.Node{Name: "n1", Zone: "a"}, ring.Node{Name: "n2", Zone: "a"}, ring.Node{Name: "n3", Zone: "b"})
	for _, r := range m.rooms { // n1 and n2 have ignored the zones
		if r.owner != "n3" {
			r.Standby = map[string]string{"n1": "n2", "n2": "n1"}[r.owner]
		}
	}
	m.run(30 * time.Second)
	for id, r := range m.rooms {
		if (r.owner == "n3") == (r.Standby == "n3") {
			t.Fatalf("%s is at %s with its standby at %s", id, r.owner, r.Standby)
		}
	}
}

// table is a Lookup.
type table map[room.ID]struct {
	owner, standby string
	clients        int // -1: the room is over
}

func (t table) Place(id room.ID) balance.Place {
	return balance.Place{Owner: t[id].owner, Standby: t[id].standby}
}

func (t table) Clients(id room.ID) (int, bool) { return t[id].clients, t[id].clients >= 0 }

func TestThePlanPutsStandbysOfPlayedRoomsFirstAndMovesEmptyRoomsFirst(t *testing.T) {
	b := balance.New(balance.Options{Self: "n1"})
	look := table{
		"move-empty": {"n2", "n1", 0}, "move-played": {"n2", "n1", 2}, "move-later": {"n3", "n1", 1},
		"heal-empty": {"n1", "n3", 0}, "heal-played": {"n1", "n3", 4}, "well": {"n1", "n2", 1},
		"alone": {"n2", "n1", 1}, "nowhere": {"", "", 1}, "over": {"n2", "n1", -1},
	}
	var rooms []balance.Room
	for id := range look {
		if id != "alone" {
			rooms = append(rooms, balance.Room{ID: id, Standby: "n2"})
		}
	}
	plan := b.Plan(append(rooms, balance.Room{ID: "alone"}), look)
	want := []balance.Change{
		{Room: "heal-played", What: balance.Recruit, From: "n2", To: "n3", Why: balance.WrongStandby},
		{Room: "heal-empty", What: balance.Recruit, From: "n2", To: "n3", Why: balance.WrongStandby},
		{Room: "move-empty", What: balance.Yield, To: "n2", Why: balance.WrongOwner},
		{Room: "move-later", What: balance.Recruit, From: "n2", To: "n3", Why: balance.WrongOwner},
		{Room: "move-played", What: balance.Yield, To: "n2", Why: balance.WrongOwner},
	}
	if !slices.Equal(plan, want) {
		t.Errorf("the plan is\n%v\nand should be\n%v", plan, want)
	}
	groups := balance.Groups("n1", plan)
	if len(groups) != 3 || groups[0].What != balance.Yield || groups[0].To != "n2" || groups[0].Rooms != 2 || groups[2].Rooms != 2 || groups[2].From != "n2" {
		t.Errorf("summed up it is %+v", groups)
	}
	b.Look(0, 1)
	if began := b.Step(time.Second, rooms, look); len(began) > 0 {
		t.Errorf("%v begin before the ring has settled", began)
	}
	b.Hurry()
	if began := b.Step(time.Second, rooms, look); !slices.Equal(began, want) {
		t.Errorf("%v begin when an operator wants it", began)
	}
}

// TestARoomThatIsAloneGoesFirst lets nothing begin while a standby is being filled for a room that has none.
func TestARoomThatIsAloneGoesFirst(t *testing.T) {
	b := balance.New(balance.Options{Self: "n1"})
	look := table{"a": {"n1", "n2", 1}, "b": {"n1", "n2", 1}}
	rooms := []balance.Room{{ID: "a", Standby: "n3"}, {ID: "b", Busy: true}}
	b.Look(0, 1)
	if began := b.Step(time.Minute, rooms, look); len(began) > 0 {
		t.Errorf("%v begin", began)
	}
	rooms[1].Fresh = true
	if began := b.Step(time.Minute, rooms, look); len(began) != 1 {
		t.Errorf("%v begin beside a room that was just made", began)
	}
	b = balance.New(balance.Options{Self: "n1"})
	b.Look(0, 1)
	rooms[1] = balance.Room{ID: "b", Standby: "n2"}
	if began := b.Step(time.Minute, rooms, look); len(began) != 1 {
		t.Errorf("%v begin", began)
	}
}
