package relay

import (
	"context"
	"errors"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// adding is a game that everybody sees: a sum, and an event for each added.
type adding struct{ Sum, Acts int }

type added struct {
	Add int    `json:"add"`
	Pad string `json:"pad,omitempty"`
}

func (a *adding) Act(t *room.Turn, by room.Player, x added) error {
	if x.Add < 0 {
		return room.Refuse("negative", "only upwards")
	}
	a.Sum += x.Add
	a.Acts++
	t.Broadcast("added", map[string]any{"acts": a.Acts, "pad": x.Pad})
	return nil
}

func (a *adding) View(room.Viewer) adding { return *a }

func addingGames(t testing.TB) *core.Games {
	t.Helper()
	spec := room.Spec{Name: "adding", Version: 1, MaxPlayers: 16, SharedView: true, Grace: time.Hour, Linger: time.Minute}
	ticking := spec
	ticking.Name, ticking.TickRate = "ticking", 20
	g, err := core.NewGames(
		room.MustDefine(spec, func() *adding { return &adding{} }),
		room.MustDefine(ticking, func() *tickingAdding { return &tickingAdding{} }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// tickingAdding speaks at its ticks.
type tickingAdding struct{ adding }

func (*tickingAdding) Tick(*room.Turn) {}

// keeper is a journal in memory, that two directories may have one after the other.
type keeper struct {
	mu    sync.Mutex
	rooms map[room.ID]*record.Kept
	fails error
}

func (k *keeper) Create(_ context.Context, h record.Header, e record.Epoch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[h.ID] = &record.Kept{Header: h, Epoch: e}
	return nil
}

func (k *keeper) Append(b record.Batch, snap *record.Snapshot, done func(error)) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	if k.fails != nil {
		return k.fails
	}
	kept := k.rooms[b.Room]
	if b.Last > 0 {
		kept.Batches, kept.Epoch, kept.Time = append(kept.Batches, b), b.Epoch, b.Time
	}
	if snap != nil {
		kept.Snapshots = append(kept.Snapshots, *snap)
	}
	done(nil)
	return nil
}

func (k *keeper) Rooms(context.Context) iter.Seq2[record.Kept, error] {
	return func(yield func(record.Kept, error) bool) {
		for _, kept := range k.rooms {
			if !yield(*kept, nil) {
				return
			}
		}
	}
}

func (k *keeper) Claimed(_ context.Context, id room.ID, e record.Epoch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[id].Epoch = e
	return nil
}

func (k *keeper) Mark(room.ID, record.Epoch, record.Doubt, func(error)) error { return nil }

func (k *keeper) Load(_ context.Context, id room.ID) (record.Kept, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return *k.rooms[id], nil
}

func (k *keeper) Import(_ context.Context, kept record.Kept) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[kept.Header.ID] = &kept
	return nil
}

func (k *keeper) SetClock(room.ID, time.Duration) error                  { return nil }
func (k *keeper) Remove(context.Context, room.ID) error                  { return nil }
func (k *keeper) SetAside(_ context.Context, id room.ID, w string) error { return errors.New(w) }
func (k *keeper) Failing() error                                         { return nil }

// world is a few nodes, their links, and where rooms are.
type world struct {
	t     testing.TB
	keep  *keeper
	mu    sync.Mutex
	where map[room.ID]string
	err   error // of Locate, when it is set
	nodes map[string]*peer
}

type peer struct {
	*actor.Directory
	ownership *lifecycle.Owner
	name      string
	edge      *Edge
	owner     *Owner
}

func newWorld(t testing.TB, names ...string) *world {
	w := &world{t: t, keep: &keeper{rooms: map[room.ID]*record.Kept{}}, where: map[room.ID]string{}, nodes: map[string]*peer{}}
	for _, name := range names {
		w.start(name)
	}
	t.Cleanup(w.close)
	return w
}

func (w *world) start(name string) *peer {
	w.t.Helper()
	owner := lifecycle.NewOwner(lifecycle.OwnerOptions{Self: ownership.Self{Boot: record.BootID(name)}, Journal: w.keep})
	logs := actor.NewJournalLogs(w.keep, actor.JournalOptions{})
	w.t.Cleanup(logs.Close)
	d, err := actor.NewDirectory(actor.Options{Games: addingGames(w.t), Owner: owner, Logs: logs, Node: name})
	if err != nil {
		w.t.Fatal(err)
	}
	owner.Serve(d)
	p := &peer{Directory: d, ownership: owner, name: name}
	p.owner = NewOwner(OwnerOptions{Rooms: d})
	p.edge = NewEdge(EdgeOptions{Node: name, Rooms: d, Locator: w, Reattach: 20 * time.Second})
	w.nodes[name] = p
	return p
}

func (w *world) close() {
	for _, p := range w.nodes {
		p.edge.Close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, p := range w.nodes {
		p.owner.Close()
		if err := p.Shutdown(ctx); err != nil {
			w.t.Errorf("%s does not stop: %v", p.name, err)
		}
	}
}

func (w *world) Locate(_ context.Context, id room.ID) (string, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	if w.err != nil {
		return "", w.err
	}
	if at, ok := w.where[id]; ok {
		return at, nil
	}
	return "", actor.ErrNotFound
}

func (w *world) Forget(room.ID, string) {}

func (w *world) Remember(room.ID, string) {}

func (w *world) put(id room.ID, node string, err error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.where[id], w.err = node, err
}

// create makes a room at a node.
func (w *world) create(node, game string) room.ID {
	w.t.Helper()
	info, err := w.nodes[node].Create(context.Background(), actor.Create{Game: game})
	if err != nil {
		w.t.Fatal(err)
	}
	w.put(info.ID, node, nil)
	return info.ID
}

// cable is one stream from an edge to an owner. Each side takes frames on a goroutine of its own, as they would come
// off a wire.
type cable struct {
	edge, owner     string
	toOwner         *pipe[*linkpb.EdgeFrame]
	toEdge          *pipe[*linkpb.OwnerFrame]
	ownerH          link.Handler[*linkpb.EdgeFrame]
	edgeH           link.Handler[*linkpb.OwnerFrame]
	said, addressed atomic.Int64 // frames of turns, and how many they were for
}

type edgeSide struct{ c *cable }

func (e edgeSide) Peer() link.Peer          { return link.Peer{Node: e.c.owner} }
func (e edgeSide) Send(f *linkpb.EdgeFrame) { e.c.toOwner.send(f) }

type ownerSide struct{ c *cable }

func (o ownerSide) Peer() link.Peer            { return link.Peer{Node: o.c.edge} }
func (o ownerSide) Defer(f *linkpb.OwnerFrame) { o.Send(f) }
func (o ownerSide) Send(f *linkpb.OwnerFrame) {
	if s := f.GetSay(); s != nil && s.Fate == linkpb.Fate_DROP {
		o.c.said.Add(1)
		o.c.addressed.Add(int64(len(f.Sessions)))
	}
	o.c.toEdge.send(f)
}

func (w *world) connect(edge, owner string) *cable {
	c := &cable{edge: edge, owner: owner}
	c.toOwner, c.toEdge = newPipe[*linkpb.EdgeFrame](), newPipe[*linkpb.OwnerFrame]()
	c.ownerH = w.nodes[owner].owner.open(ownerSide{c})
	c.edgeH = w.nodes[edge].edge.open(edgeSide{c})
	go c.toOwner.run(c.ownerH)
	go c.toEdge.run(c.edgeH)
	return c
}

// cut breaks the cable: what is under way in either direction is lost. The owner may notice late.
func (c *cable) cut(late time.Duration) {
	c.toOwner.stop()
	c.toEdge.stop()
	err := errors.New("cut")
	c.edgeH.Down(err)
	if late == 0 {
		c.ownerH.Down(err)
		return
	}
	time.AfterFunc(late, func() { c.ownerH.Down(err) })
}

// pipe is one direction.
type pipe[F proto.Message] struct {
	mu      sync.Mutex
	queue   []F
	wake    chan struct{}
	stopped bool
	over    chan struct{}
}

func newPipe[F proto.Message]() *pipe[F] {
	return &pipe[F]{wake: make(chan struct{}, 1), over: make(chan struct{})}
}

func (p *pipe[F]) send(f F) {
	p.mu.Lock()
	if !p.stopped {
		p.queue = append(p.queue, f)
	}
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
}

func (p *pipe[F]) run(h link.Handler[F]) {
	defer close(p.over)
	for range p.wake {
		for {
			p.mu.Lock()
			if p.stopped {
				p.mu.Unlock()
				return
			}
			if len(p.queue) == 0 {
				p.mu.Unlock()
				break
			}
			f := p.queue[0]
			p.queue = p.queue[1:]
			p.mu.Unlock()
			b, err := proto.Marshal(f)
			if err != nil {
				panic(err)
			}
			f = f.ProtoReflect().New().Interface().(F)
			if err := proto.Unmarshal(b, f); err != nil {
				panic(err)
			}
			h.Frame(f)
		}
	}
}

func (p *pipe[F]) stop() {
	p.mu.Lock()
	p.stopped, p.queue = true, nil
	p.mu.Unlock()
	select {
	case p.wake <- struct{}{}:
	default:
	}
	<-p.over
}
