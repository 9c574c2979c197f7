package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"maps"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// grid is several nodes in one process: real rooms and clusters over gossip and links that a test holds in its hand.
type grid struct {
	t     testing.TB
	store *gridStore

	mu    sync.Mutex
	nodes map[string]*gridNode
	calls map[string]int // by method
	cut   map[[2]string]bool
	hung  map[string]bool // takes questions and never answers
	claim func(ctx context.Context, owner string, id room.ID) error
}

type gridNode struct {
	*Cluster
	g      *grid
	mux    *gridMux
	self   members.Member
	ring   *ring.Ring // nil: that of the grid
	gone   bool       // nobody knows it
	joined int        // what Join answers
	told   float64    // its load
}

func newGrid(t testing.TB, names ...string) *grid {
	g := &grid{
		t: t, store: &gridStore{rows: map[room.ID]record.Row{}, past: map[room.ID]actor.Info{}},
		nodes: map[string]*gridNode{}, calls: map[string]int{}, cut: map[[2]string]bool{}, hung: map[string]bool{},
	}
	for _, n := range names {
		g.add(n)
	}
	return g
}

// add starts a node that is active at once.
func (g *grid) add(name string, change ...func(*Options, *actor.Options)) *gridNode {
	g.t.Helper()
	n := &gridNode{g: g, mux: &gridMux{handlers: map[string]gridHandler{}}}
	n.self = members.Member{Name: name, Boot: record.BootID("boot-" + name), State: members.Active, Link: name + ":1", Weight: 1}
	ro := actor.Options{Games: gridGames(g.t), Node: name}
	ro.NewID = func(game string) room.ID { return n.Place(game) }
	o := Options{
		Members: members.Options{Self: n.self}, Store: g.store,
		Describe: func() NodeInfo { return NodeInfo{Version: "test", Rooms: n.o.Rooms.Count()} },
		Ask:      5 * time.Second, Gather: 5 * time.Second, Forward: 20 * time.Second,
	}
	for _, c := range change {
		c(&o, &ro)
	}
	o.Owner = lifecycle.NewOwner(lifecycle.OwnerOptions{Self: ownership.Self{Boot: n.self.Boot}})
	ro.Owner = o.Owner
	rooms, err := actor.NewDirectory(ro)
	if err != nil {
		g.t.Fatal(err)
	}
	o.Owner.Serve(rooms)
	o.Rooms = rooms
	if n.Cluster, err = newCluster(o, n.mux); err != nil {
		g.t.Fatal(err)
	}
	n.members, n.links = gridTable{n}, gridPeers{n: n}
	n.setUnready(nil)
	n.started.Store(true)
	n.moves = gridMover{n: n}
	g.mu.Lock()
	g.nodes[name] = n
	g.mu.Unlock()
	g.t.Cleanup(func() {
		n.end()
		ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
		defer cancel()
		if err := rooms.Shutdown(ctx); err != nil {
			g.t.Errorf("shutdown: %v", err)
		}
	})
	return n
}

func (g *grid) set(change func()) {
	g.mu.Lock()
	defer g.mu.Unlock()
	change()
}

// separate cuts the link between two nodes, in both directions.
func (g *grid) separate(a, b string) {
	g.set(func() { g.cut[[2]string{a, b}], g.cut[[2]string{b, a}] = true, true })
}

func (g *grid) asked(method string) int {
	g.mu.Lock()
	defer g.mu.Unlock()
	return g.calls[method]
}

func (g *grid) all() []*gridNode {
	g.mu.Lock()
	defer g.mu.Unlock()
	var out []*gridNode
	for _, name := range slices.Sorted(maps.Keys(g.nodes)) {
		out = append(out, g.nodes[name])
	}
	return out
}

// make makes a room at a node, whatever the loads are.
func (n *gridNode) make(c actor.Create) actor.Info {
	n.g.t.Helper()
	info, err := n.o.Rooms.Create(context.Background(), c)
	if err != nil {
		n.g.t.Fatal(err)
	}
	return info
}

type gridTable struct{ n *gridNode }

func (t gridTable) All() []members.Member {
	t.n.g.mu.Lock()
	defer t.n.g.mu.Unlock()
	return t.n.g.membersLocked()
}

func (g *grid) membersLocked() []members.Member {
	var out []members.Member
	for _, name := range slices.Sorted(maps.Keys(g.nodes)) {
		if n := g.nodes[name]; !n.gone {
			out = append(out, n.self)
		}
	}
	return out
}

func (t gridTable) Get(name string) (members.Member, bool) {
	for _, m := range t.All() {
		if m.Name == name {
			return m, true
		}
	}
	return members.Member{}, false
}

func (t gridTable) Ring() *ring.Ring {
	t.n.g.mu.Lock()
	defer t.n.g.mu.Unlock()
	if t.n.ring != nil {
		return t.n.ring
	}
	var nodes []ring.Node
	for _, m := range t.n.g.membersLocked() {
		if m.State == members.Active {
			nodes = append(nodes, ring.Node{Name: m.Name, Weight: m.Weight})
		}
	}
	return ring.New(nodes)
}

func (t gridTable) Self() members.Member {
	t.n.g.mu.Lock()
	defer t.n.g.mu.Unlock()
	return t.n.self
}

func (t gridTable) Join(context.Context) (int, error) { return t.n.joined, nil }
func (t gridTable) SetState(s members.State)          { t.n.g.set(func() { t.n.self.State = s }) }
func (t gridTable) SetLoad(load float64)              { t.n.g.set(func() { t.n.told = load }) }
func (t gridTable) Rotate([][]byte) error             { return nil }
func (t gridTable) Stats() members.Stats              { return members.Stats{JoinErr: "connection refused"} }
func (t gridTable) Leave(context.Context) error       { return nil }
func (t gridTable) Close() error                      { return nil }

type gridPeers struct {
	peers
	n *gridNode
}

func (p gridPeers) States() []link.State { return nil }

func (p gridPeers) Call(ctx context.Context, node, method string, body []byte) ([]byte, error) {
	g := p.n.g
	g.mu.Lock()
	g.calls[method]++
	to := g.nodes[node]
	cut := to == nil || to.gone || g.cut[[2]string{p.n.Cluster.self, node}]
	hung := g.hung[node]
	g.mu.Unlock()
	switch {
	case cut:
		return nil, link.ErrNoPeer
	case hung:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answer, err := to.mux.handlers[method](ctx, link.Peer{Node: p.n.Cluster.self}, slices.Clone(body))
	if err != nil {
		return nil, &link.RemoteError{Body: to.mux.encode(err)}
	}
	return answer, nil
}

type gridHandler = func(ctx context.Context, from link.Peer, body []byte) ([]byte, error)

type gridMux struct {
	handlers map[string]gridHandler
	encode   func(error) []byte
}

func (m *gridMux) Handle(method string, f gridHandler) { m.handlers[method] = f }
func (m *gridMux) HandleWatch(string, func(context.Context, link.Peer, []byte, func([]byte) error) error) {
}
func (m *gridMux) EncodeError(encode func(error) []byte) { m.encode = encode }

// gridStore is one store for all nodes.
type gridStore struct {
	Store

	mu    sync.Mutex
	rows  map[room.ID]record.Row
	past  map[room.ID]actor.Info
	boots []Boot
	away  error
}

func (s *gridStore) set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

func (s *gridStore) Row(_ context.Context, id room.ID) (record.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.rows[id]; ok || s.away != nil {
		return row, s.away
	}
	return record.Row{}, ErrNoRow
}

func (s *gridStore) RowByCode(_ context.Context, code string) (record.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	for _, row := range s.rows {
		if row.Code == code {
			return row, s.away
		}
	}
	if s.away != nil {
		return record.Row{}, s.away
	}
	return record.Row{}, ErrNoRow
}

func (s *gridStore) Past(_ context.Context, id room.ID) (actor.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if info, ok := s.past[id]; ok || s.away != nil {
		return info, s.away
	}
	return actor.Info{}, ErrNoRow
}

func (s *gridStore) Boots(context.Context) ([]Boot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.boots), s.away
}

// gridMover gives a released room to the node that the ring names.
type gridMover struct {
	mover
	n *gridNode
}

func (gridMover) released(room.ID) {}
func (gridMover) start()           {}
func (gridMover) stop()            {}

func (m gridMover) claim(ctx context.Context, id room.ID) error {
	owner := m.n.Ring().Owner(id)
	return m.n.g.claim(ctx, owner, id)
}

func (m gridMover) drain(context.Context) error {
	m.n.o.Rooms.Drain()
	return nil
}

// tally is a game that counts.
type tally struct{ Sum int }

func (c *tally) Act(_ *room.Turn, _ room.Player, n int) error {
	c.Sum += n
	return nil
}

func (c *tally) Open(t *room.Turn, _ json.RawMessage) error {
	var o struct {
		Bad bool `json:"bad"`
		N   int  `json:"n"`
	}
	if err := t.Options(&o); err != nil {
		return err
	}
	if o.Bad {
		return errors.New("bad options")
	}
	return nil
}

func (c *tally) Signal(_ *room.Turn, name string, _ json.RawMessage) error {
	if name != "reset" {
		return room.Refuse("unknown", "no such signal")
	}
	c.Sum = 0
	return nil
}

func (c *tally) View(room.Viewer) map[string]int { return map[string]int{"sum": c.Sum} }

func gridGames(t testing.TB) *core.Games {
	g, err := core.NewGames(
		room.MustDefine(room.Spec{Name: "pair", Version: 1, MaxPlayers: 2}, func() *tally { return &tally{} }),
		room.MustDefine(room.Spec{Name: "party", Version: 1, MaxPlayers: 8}, func() *tally { return &tally{} }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return g
}
