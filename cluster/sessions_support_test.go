package cluster

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"google.golang.org/protobuf/proto"

	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
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

func addingGames(t testing.TB) *room.Games {
	t.Helper()
	spec := room.Spec{Name: "adding", Version: 1, MaxPlayers: 16, SharedView: true, Grace: time.Hour, Linger: time.Minute}
	ticking := spec
	ticking.Name, ticking.TickRate = "ticking", 20
	g, err := room.NewGames(
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
	rooms map[room.ID]*room.Kept
	fails error
}

func (k *keeper) Create(_ context.Context, h room.Header, e room.Epoch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[h.ID] = &room.Kept{Header: h, Epoch: e}
	return nil
}

func (k *keeper) Append(b room.Batch, snap *room.Snapshot, done func(error)) error {
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

func (k *keeper) Rooms(context.Context) iter.Seq2[room.Kept, error] {
	return func(yield func(room.Kept, error) bool) {
		for _, kept := range k.rooms {
			if !yield(*kept, nil) {
				return
			}
		}
	}
}

func (k *keeper) Claimed(_ context.Context, id room.ID, e room.Epoch) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[id].Epoch = e
	return nil
}

func (k *keeper) Load(_ context.Context, id room.ID) (room.Kept, error) {
	k.mu.Lock()
	defer k.mu.Unlock()
	return *k.rooms[id], nil
}

func (k *keeper) Import(_ context.Context, kept room.Kept) error {
	k.mu.Lock()
	defer k.mu.Unlock()
	k.rooms[kept.Header.ID] = &kept
	return nil
}

func (k *keeper) SetClock(room.ID, time.Duration) error                  { return nil }
func (k *keeper) Remove(context.Context, room.ID) error                  { return nil }
func (k *keeper) SetAside(_ context.Context, id room.ID, w string) error { return errors.New(w) }
func (k *keeper) Failing() error                                         { return nil }

type noFinals struct{}

func (noFinals) Add(_ room.Final, stored func()) { stored() }

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
	name   string
	edges  *edges
	owners *owners
}

func newWorld(t testing.TB, names ...string) *world {
	w := &world{t: t, keep: &keeper{rooms: map[room.ID]*room.Kept{}}, where: map[room.ID]string{}, nodes: map[string]*peer{}}
	for _, name := range names {
		w.start(name)
	}
	t.Cleanup(w.close)
	return w
}

func (w *world) start(name string) *peer {
	w.t.Helper()
	d, err := actor.NewDirectory(actor.Options{Games: addingGames(w.t), Results: noFinals{}, Journal: w.keep, Node: name, Boot: room.BootID(name)})
	if err != nil {
		w.t.Fatal(err)
	}
	p := &peer{Directory: d, name: name}
	p.owners = newOwners(ownerOptions{Rooms: d})
	p.edges = newEdges(edgeOptions{Node: name, Rooms: d, Locator: w, Reattach: 20 * time.Second})
	w.nodes[name] = p
	return p
}

func (w *world) close() {
	for _, p := range w.nodes {
		p.edges.close()
	}
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	for _, p := range w.nodes {
		p.owners.close()
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

func (o ownerSide) Peer() link.Peer           { return link.Peer{Node: o.c.edge} }
func (o ownerSide) Hush(f *linkpb.OwnerFrame) { o.Send(f) }
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
	c.ownerH = w.nodes[owner].owners.open(ownerSide{c})
	c.edgeH = w.nodes[edge].edges.open(edgeSide{c})
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

// guest is a client that does what docs/PROTOCOL.md asks, and notes what it went through.
type guest struct {
	t       testing.TB
	enc     wire.Encoding
	box     *actor.Outbox
	wake    chan struct{}
	session actor.Session

	mu        sync.Mutex
	paused    bool // reads nothing
	view      any
	seq       uint64
	cseq      uint64
	pending   []wire.Act
	answers   map[uint64]int
	welcomes  int
	recovered int
	events    []int // "acts" of the events that came
	lost      uint64
	states    int
	turns     int
	closed    *actor.CloseError
	welcome   wire.Welcome
	over      *wire.Over
	wrong     []string
	sock      sync.Mutex // the socket's reader: one call of the session at a time
	stop      chan struct{}
	done      chan struct{}
}

func (w *world) hello(player string) actor.Hello {
	return actor.Hello{Player: room.PlayerID(player), Name: player, Client: room.ClientID("c-" + player), Attempt: 1}
}

func (w *world) join(node string, id room.ID, h actor.Hello, o actor.OutboxOptions) *guest {
	w.t.Helper()
	g, err := w.try(node, id, h, o)
	if err != nil {
		w.t.Fatal(err)
	}
	return g
}

func (w *world) try(node string, id room.ID, h actor.Hello, o actor.OutboxOptions) (*guest, error) {
	g := &guest{t: w.t, enc: o.Encoding, wake: make(chan struct{}, 1), answers: map[uint64]int{}, stop: make(chan struct{}), done: make(chan struct{})}
	o.Wake = g.poke
	g.box = actor.NewOutbox(o)
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	s, err := w.nodes[node].edges.Attach(ctx, id, h, g.box)
	if err != nil {
		return nil, err
	}
	g.session = s
	go g.run()
	w.t.Cleanup(g.leaveQuietly)
	return g, nil
}

func (g *guest) leaveQuietly() {
	select {
	case <-g.done:
		return
	default:
	}
	close(g.stop)
	<-g.done
	g.session.Detach()
}

func (g *guest) poke() {
	select {
	case g.wake <- struct{}{}:
	default:
	}
}

func (g *guest) run() {
	defer close(g.done)
	for {
		select {
		case <-g.wake:
		case <-g.stop:
			return
		}
		if g.read() {
			return
		}
	}
}

func (g *guest) read() (over bool) {
	for {
		g.mu.Lock()
		paused := g.paused
		g.mu.Unlock()
		if paused {
			return false
		}
		b, n := g.box.Take(nil, 32<<10)
		if n == 0 {
			why, over := g.box.End()
			if over {
				g.mu.Lock()
				g.closed = why
				g.mu.Unlock()
				g.session.Detach()
			}
			return over
		}
		for m, err := range wire.DecodeServer(g.enc, b) {
			if err != nil {
				g.note("malformed: %v", err)
				continue
			}
			g.take(m)
		}
	}
}

func (g *guest) note(format string, args ...any) {
	g.mu.Lock()
	defer g.mu.Unlock()
	g.wrong = append(g.wrong, fmt.Sprintf(format, args...))
}

func (g *guest) decode(raw []byte) (v any) {
	j, err := wire.ToJSON(g.enc, raw)
	if err == nil {
		err = json.Unmarshal(j, &v)
	}
	if err != nil {
		g.wrong = append(g.wrong, err.Error())
	}
	return v
}

func (g *guest) take(m wire.ServerMessage) {
	if w, ok := m.(wire.Welcome); ok {
		g.sock.Lock()
		defer g.sock.Unlock()
		g.mu.Lock()
		g.welcomes++
		g.welcome = w
		if w.Recovered {
			g.recovered++
		} else {
			g.view = nil
		}
		again := append([]wire.Act(nil), g.pending...)
		g.mu.Unlock()
		for _, a := range again {
			g.send(a)
		}
		return
	}
	g.mu.Lock()
	defer g.mu.Unlock()
	switch m := m.(type) {
	case wire.State:
		g.states++
		g.lost += m.Lost
		g.view, g.seq = g.decode(m.View), m.Seq
	case wire.Turn:
		g.turns++
		if g.view == nil {
			g.wrong = append(g.wrong, "a turn without a view to change")
		}
		if m.Seq <= g.seq {
			g.wrong = append(g.wrong, fmt.Sprintf("turn %d after %d", m.Seq, g.seq))
		}
		g.seq = m.Seq
		if len(m.Patch) > 0 {
			g.view = view.Patch(g.view, g.decode(m.Patch))
		}
		for _, e := range m.Events {
			var x struct{ Acts int }
			_ = json.Unmarshal(e.Data, &x)
			g.events = append(g.events, x.Acts)
		}
	case wire.Ack:
		g.answered(m.CSeq)
	case wire.Reject:
		g.answered(m.CSeq)
	case wire.Over:
		g.over = &m
	}
}

func (g *guest) answered(cseq uint64) {
	for i, a := range g.pending {
		if a.CSeq == cseq {
			g.pending = append(g.pending[:i:i], g.pending[i+1:]...)
			g.answers[cseq]++
			return
		}
	}
}

func (g *guest) send(a wire.Act) {
	if err := g.session.Act(context.Background(), a); err != nil && err != actor.ErrEnded {
		g.note("act: %v", err)
	}
}

// act sends an action. It waits while too many have no answer.
func (g *guest) act(x added) {
	until(g.t, "an answer makes room for another act", func() bool {
		g.mu.Lock()
		defer g.mu.Unlock()
		return len(g.pending) < actor.MaxUnanswered || g.closed != nil
	})
	raw, _ := json.Marshal(x)
	g.sock.Lock()
	defer g.sock.Unlock()
	g.mu.Lock()
	g.cseq++
	a := wire.Act{CSeq: g.cseq, Data: raw}
	g.pending = append(g.pending, a)
	welcomed := g.welcomes > 0
	g.mu.Unlock()
	if welcomed { // else the welcome has it sent
		g.send(a)
	}
}

func (g *guest) see(f func(g *guest) bool) bool {
	g.mu.Lock()
	defer g.mu.Unlock()
	return f(g)
}

func (g *guest) wait(what string, f func(g *guest) bool) {
	g.t.Helper()
	defer func() {
		if g.t.Failed() {
			g.see(func(g *guest) bool {
				g.t.Logf("the view is %v at %d; %d of %d acts have no answer; %d welcomes, closed %+v, wrong %q",
					g.view, g.seq, len(g.pending), g.cseq, g.welcomes, g.closed, g.wrong)
				return true
			})
		}
	}()
	until(g.t, what, func() bool { return g.see(f) })
}

func (g *guest) sum() int {
	m, _ := g.view.(map[string]any)
	f, _ := m["Sum"].(float64)
	return int(f)
}

func (g *guest) code() wire.CloseCode {
	if g.closed == nil {
		return 0
	}
	return g.closed.Code
}

func (g *guest) pause(paused bool) {
	g.mu.Lock()
	g.paused = paused
	g.mu.Unlock()
	g.poke()
}

// check reports what went against the protocol.
func (g *guest) check() {
	g.t.Helper()
	g.mu.Lock()
	defer g.mu.Unlock()
	for _, w := range g.wrong {
		g.t.Error(w)
	}
	for cseq := uint64(1); cseq <= g.cseq; cseq++ {
		if n := g.answers[cseq]; n != 1 {
			g.t.Errorf("act %d was answered %d times", cseq, n)
		}
	}
}
