package grid

import (
	"context"
	"crypto/rand"
	"maps"
	"slices"
	"sync"

	"github.com/roomring/roomring/cluster"
	"github.com/roomring/roomring/cluster/claim"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
)

// table is gossip as a node hears it.
type table struct{ n *Node }

func (t table) All() []members.Member {
	t.n.g.mu.Lock()
	defer t.n.g.mu.Unlock()
	return t.n.g.members()
}

func (g *Grid) members() []members.Member {
	var out []members.Member
	for _, name := range slices.Sorted(maps.Keys(g.Nodes)) {
		if n := g.Nodes[name]; !n.Gone {
			out = append(out, n.Member)
		}
	}
	return out
}

func (t table) Get(name string) (members.Member, bool) {
	for _, m := range t.All() {
		if m.Name == name {
			return m, true
		}
	}
	return members.Member{}, false
}

func (t table) Ring() *ring.Ring {
	t.n.g.mu.Lock()
	defer t.n.g.mu.Unlock()
	if t.n.Ring != nil {
		return t.n.Ring
	}
	var nodes []ring.Node
	for _, m := range t.n.g.members() {
		if m.State == members.Active {
			nodes = append(nodes, ring.Node{Name: m.Name, Weight: m.Weight})
		}
	}
	return ring.New(nodes)
}

func (t table) Self() members.Member {
	t.n.g.mu.Lock()
	defer t.n.g.mu.Unlock()
	return t.n.Member
}

func (t table) Join(context.Context) (int, error) { return t.n.joined, nil }
func (t table) SetState(s members.State)          { t.n.g.Set(func() { t.n.Member.State = s }) }
func (table) SetLoad(float64)                     {}
func (table) Rotate([][]byte) error               { return nil }
func (table) Stats() members.Stats                { return members.Stats{JoinErr: "connection refused"} }
func (table) Leave(context.Context) error         { return nil }
func (table) Close() error                        { return nil }

// links are those of a node to all others, in memory.
type links struct{ n *Node }

func (links) Targets([]link.Target)       {}
func (links) Rotate([][]byte) error       { return nil }
func (links) Close(context.Context) error { return nil }
func (l links) States() []link.State {
	g := l.n.g
	g.mu.Lock()
	defer g.mu.Unlock()
	var all []link.State
	for _, m := range g.members() {
		if m.Name != l.n.Name {
			all = append(all, link.State{Peer: link.Peer{Node: m.Name, Boot: m.Boot}, Up: !g.cut[[2]string{l.n.Name, m.Name}], Err: "cut"})
		}
	}
	return all
}

func (links) Watch(context.Context, string, string, []byte, func([]byte) error) error {
	return link.ErrNoPeer
}

func (l links) Call(ctx context.Context, node, method string, body []byte) ([]byte, error) {
	g := l.n.g
	g.mu.Lock()
	g.calls[method]++
	to := g.Nodes[node]
	cut := to == nil || to.Gone || g.cut[[2]string{l.n.Name, node}]
	hung := g.Hung[node]
	g.mu.Unlock()
	switch {
	case cut:
		return nil, link.ErrNoPeer
	case hung:
		<-ctx.Done()
		return nil, ctx.Err()
	}
	answer, err := to.mux.handlers[method](ctx, link.Peer{Node: l.n.Name}, slices.Clone(body))
	if err != nil {
		return nil, &link.RemoteError{Body: to.mux.encode(err)}
	}
	return answer, nil
}

type handler = func(ctx context.Context, from link.Peer, body []byte) ([]byte, error)

type mux struct {
	handlers map[string]handler
	encode   func(error) []byte
}

func (m *mux) Handle(method string, f handler) { m.handlers[method] = f }
func (m *mux) HandleWatch(string, func(context.Context, link.Peer, []byte, func([]byte) error) error) {
}
func (m *mux) EncodeError(encode func(error) []byte) { m.encode = encode }

// Store is one store for all nodes. A test changes its fields by Set.
type Store struct {
	Rows      map[room.ID]record.Row
	Ended     map[room.ID]actor.Info
	Processes []cluster.Boot
	Away      error // that it answers everything with

	mu sync.Mutex
}

// Set changes fields of the store.
func (s *Store) Set(change func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	change()
}

// Row implements cluster.Store.
func (s *Store) Row(_ context.Context, id room.ID) (record.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if row, ok := s.Rows[id]; ok || s.Away != nil {
		return row, s.Away
	}
	return record.Row{}, record.ErrNotFound
}

// RowByCode implements cluster.Store.
func (s *Store) RowByCode(_ context.Context, code string) (record.Row, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.Away != nil {
		return record.Row{}, s.Away
	}
	for _, row := range s.Rows {
		if row.Code == code {
			return row, nil
		}
	}
	return record.Row{}, record.ErrNotFound
}

// Past implements cluster.Store.
func (s *Store) Past(_ context.Context, id room.ID) (actor.Info, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if info, ok := s.Ended[id]; ok || s.Away != nil {
		return info, s.Away
	}
	return actor.Info{}, record.ErrNotFound
}

// Boots implements cluster.Store.
func (s *Store) Boots(context.Context) ([]cluster.Boot, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return slices.Clone(s.Processes), s.Away
}

// Released implements cluster.Store. Nobody sweeps in a grid.
func (*Store) Released(context.Context, room.ID, int) ([]record.Row, error) { return nil, nil }

// claims give a released room to the node that the ring names, as Grid.Claim does it.
type claims struct{ n *Node }

func (claims) Released(room.ID) {}
func (claims) RingChanged()     {}
func (claims) Start()           {}
func (claims) Close()           {}
func (claims) Serve(context.Context, claim.Request) (claim.Answer, error) {
	return claim.Answer{}, nil
}

func (c claims) Claim(ctx context.Context, id room.ID) error {
	return c.n.g.Claim(ctx, c.n.Nodes.Ring().Owner(id), id)
}

func (c claims) Drain(context.Context) error {
	c.n.Directory.Drain()
	return nil
}

// RandomID draws the id of a room.
func RandomID() room.ID {
	var b [10]byte
	rand.Read(b[:])
	return record.NewID(b)
}
