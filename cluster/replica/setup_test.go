package replica_test

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"net"
	"path/filepath"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/balance"
	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/link"
	"github.com/roomring/roomring/cluster/link/linkpb"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replica"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// ceiling is how long anything may take on a machine that is busy.
const ceiling = 60 * time.Second

// patience is how long an owner waits for a follower that does not get on.
const patience = 2 * time.Second

// adder adds what it is told.
type adder struct{ Sum, Acts int }

type add struct {
	Add int    `json:"add"`
	Pad string `json:"pad"`
}

func (a *adder) Act(_ *room.Turn, _ room.Player, x add) error {
	if x.Add == 0 {
		return room.Refuse("zero", "add something")
	}
	a.Sum, a.Acts = a.Sum+x.Add, a.Acts+1
	return nil
}

func (a *adder) View(room.Viewer) map[string]int { return map[string]int{"sum": a.Sum} }

// world is a few nodes over one store.
type world struct {
	t     testing.TB
	store persist.Store
	mu    sync.Mutex
	nodes []*node
	leave map[string]bool
	tune  func(*replica.Options) // nil: the options stay as they are
}

// node is one node: folder, journal, rooms and copies. Its links are real.
type node struct {
	*actor.Directory
	w       *world
	name    string
	dir     string
	boot    record.BootID
	folder  *journal.Folder
	journal *journal.Journal
	owner   *lifecycle.Owner
	copies  *replica.Replicas
	links   *link.Links
	ln      net.Listener
	ended   bool
	failing atomic.Pointer[error] // why its journal saves nothing
}

// failingJournal is a node's journal, which fails on demand.
type failingJournal struct{ n *node }

func (j failingJournal) Failing() error {
	if err := j.n.failing.Load(); err != nil {
		return *err
	}
	return j.n.journal.Failing()
}

func (j failingJournal) Append(b record.Batch, snap *record.Snapshot, done func(error)) error {
	if err := j.Failing(); err != nil {
		return err
	}
	return j.n.journal.Append(b, snap, done)
}

func (j failingJournal) SetClock(id room.ID, offset time.Duration) error {
	return j.n.journal.SetClock(id, offset)
}

func newWorld(t testing.TB, names ...string) *world {
	t.Helper()
	return newTunedWorld(t, nil, names...)
}

func newTunedWorld(t testing.TB, tune func(*replica.Options), names ...string) *world {
	t.Helper()
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	w := &world{t: t, store: store, leave: map[string]bool{}, tune: tune}
	t.Cleanup(func() {
		for _, n := range w.nodes {
			n.end()
		}
		_ = store.Close()
	})
	for _, name := range names {
		w.start(name, t.TempDir())
	}
	w.connect()
	return w
}

type silentEnd[F any] struct{}

func (silentEnd[F]) Frame(F)    {}
func (silentEnd[F]) Down(error) {}

// start starts a node. Connect links it with the others.
func (w *world) start(name, dir string) *node {
	w.t.Helper()
	t, ctx, ticks := w.t, w.t.Context(), clock.System()
	n := &node{w: w, name: name, dir: dir, boot: record.BootID(rand.Text())}
	fatal := func(err error) {
		if err != nil {
			t.Helper()
			t.Fatal(err)
		}
	}
	var err error
	n.folder, err = journal.OpenFolder(dir, journal.FolderOptions{Boot: n.boot})
	fatal(err)
	n.journal, err = journal.Open(ctx, n.folder, journal.Options{Elapsed: ticks.Now, ForgiveAfter: time.Millisecond})
	fatal(err)
	fatal(w.store.StartBoot(ctx, persist.Boot{ID: n.boot, Node: name, Folder: n.folder.ID(), Host: "here", PID: 1, Path: dir, Locked: true}))
	results := persist.NewFlusher(w.store, persist.FlusherOptions{})
	t.Cleanup(func() { _ = results.Close(context.Background()) })
	logs := actor.NewJournalLogs(failingJournal{n}, actor.JournalOptions{Clock: ticks, Check: 50 * time.Millisecond})
	t.Cleanup(logs.Close)
	n.owner = lifecycle.NewOwner(lifecycle.OwnerOptions{
		Self: ownership.Self{Boot: n.boot, Folder: n.folder.ID(), DoubtWait: time.Minute}, Journal: ownerJournal{n.journal}, Store: w.store, Clock: ticks,
		Black: n.journal.BlackBox(),
		StoreEnd: func(f record.Final, done func(error)) error {
			return results.Add(f, func(v persist.Verdict) { done(v.Err()) })
		},
	})
	options := replica.Options{
		Folder: n.folder.ID(), Journal: n.journal, Logs: logs, Deliver: n.owner.Deliver, Black: n.journal.BlackBox(), Clock: ticks,
		Tend: 50 * time.Millisecond, Grace: 500 * time.Millisecond, Patience: patience,
	}
	if w.tune != nil {
		w.tune(&options)
	}
	n.copies = replica.New(options)
	n.owner.Replicate(n.copies)
	games, err := core.NewGames(room.MustDefine(room.Spec{Name: "adder", Version: 1, MaxPlayers: 2, SharedView: true, Grace: time.Hour}, func() *adder { return &adder{} }))
	fatal(err)
	n.Directory, err = actor.NewDirectory(actor.Options{Games: games, Logs: n.copies, Owner: n.owner, Black: blackBox{n.journal.BlackBox()}, Clock: ticks, Node: name, Durability: room.Standby, Reserve: ceiling})
	fatal(err)
	n.owner.Serve(n.Directory)
	n.links, err = link.New(link.Options{
		Self:     &linkpb.Greeting{Node: name, Boot: string(n.boot), Least: link.Least, Latest: link.Latest},
		Security: link.Security{Insecure: true}, Calls: link.NewMux(), Silence: 500 * time.Millisecond, Beat: 50 * time.Millisecond, Retry: 100 * time.Millisecond, Clock: ticks,
		Owner:  func(*link.OwnerEnd) link.Handler[*linkpb.EdgeFrame] { return silentEnd[*linkpb.EdgeFrame]{} },
		Edge:   func(*link.EdgeEnd) link.Handler[*linkpb.OwnerFrame] { return silentEnd[*linkpb.OwnerFrame]{} },
		Leader: n.copies.Leader, Follower: n.copies.Follower, Gone: n.copies.Gone, Silent: n.copies.Silent, Heard: n.copies.Heard,
	})
	fatal(err)
	n.ln, err = net.Listen("tcp", "127.0.0.1:0")
	fatal(err)
	n.copies.Start(others{n})
	if _, err := n.owner.Restore(ctx); err != nil {
		t.Fatal(err)
	}
	n.links.Serve(n.ln)
	w.mu.Lock()
	w.nodes = append(slices.DeleteFunc(w.nodes, func(o *node) bool { return o.name == name }), n)
	w.mu.Unlock()
	return n
}

// ownerJournal forgives what is not there, as a node's does.
type ownerJournal struct{ *journal.Journal }

func (j ownerJournal) Remove(ctx context.Context, id room.ID) error {
	if err := j.Journal.Remove(ctx, id); !errors.Is(err, record.ErrNotFound) {
		return err
	}
	return nil
}

// blackBox is a node's black box as the rooms see it.
type blackBox struct{ *journal.BlackBox }

func (b blackBox) Begin(id room.ID, fingerprint uint64) actor.Step {
	return b.BlackBox.Begin(id, fingerprint)
}
func (b blackBox) BeginOpen(id room.ID, game string) actor.Step {
	return b.BlackBox.BeginOpen(id, game)
}
func (b blackBox) BeginRerun(id room.ID, game string) actor.Step {
	return b.BlackBox.BeginRerun(id, game)
}
func (b blackBox) BeginReplay(id room.ID) actor.Step { return b.BlackBox.BeginReplay(id) }
func (b blackBox) Fatal(id room.ID) bool             { return b.Exhausted(id, journal.Replaying) }

func (b blackBox) Poisoned(id room.ID) (string, bool) {
	_, poisoned := b.BlackBox.Poisoned(id)
	return "processes died in it", poisoned
}

// others are the nodes in the order in which the world has them.
type others struct{ n *node }

func (o others) Order(room.ID) (names []string) {
	o.n.w.mu.Lock()
	defer o.n.w.mu.Unlock()
	for _, n := range o.n.w.nodes {
		if n != o.n && !n.ended {
			names = append(names, n.name)
		}
	}
	return names
}

func (o others) Leaves(name string) bool {
	o.n.w.mu.Lock()
	defer o.n.w.mu.Unlock()
	return o.n.w.leave[name]
}

// connect has all nodes dial each other.
func (w *world) connect() {
	var all []link.Target
	for _, n := range w.nodes {
		if !n.ended {
			all = append(all, link.Target{Peer: link.Peer{Node: n.name, Boot: n.boot}, Addr: n.ln.Addr().String()})
		}
	}
	for _, n := range w.nodes {
		if !n.ended {
			n.links.Targets(all)
		}
	}
}

func (w *world) node(name string) *node {
	for _, n := range w.nodes {
		if n.name == name {
			return n
		}
	}
	return nil
}

func (w *world) row(id room.ID) record.Row {
	w.t.Helper()
	row, err := w.store.Row(w.t.Context(), id)
	if err != nil {
		w.t.Fatal(err)
	}
	return row
}

// cut ends a node's links: for the others its process is gone. The node itself goes on.
func (n *node) cut() {
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	defer cancel()
	_ = n.links.Close(ctx)
}

// end stops a node as a kill would: nothing is given away.
func (n *node) end() {
	if n.ended {
		return
	}
	n.w.mu.Lock()
	n.ended = true
	n.w.mu.Unlock()
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	defer cancel()
	n.cut()
	n.copies.Close()
	n.owner.Close()
	gone, stop := context.WithCancel(ctx)
	stop()
	_ = n.Shutdown(gone)
	if err := errors.Join(n.journal.Close(ctx), n.folder.Close()); err != nil {
		n.w.t.Error(err)
	}
}

// player acts in a room and knows what was acknowledged.
type player struct {
	t    testing.TB
	s    actor.Session
	box  *actor.Outbox
	wake chan struct{}
	cseq uint64
	acks uint64
}

func (n *node) join(id room.ID, client string, cseq uint64) *player {
	n.w.t.Helper()
	p := &player{t: n.w.t, wake: make(chan struct{}, 1), cseq: cseq, acks: cseq}
	p.box = actor.NewOutbox(actor.OutboxOptions{Wake: func() {
		select {
		case p.wake <- struct{}{}:
		default:
		}
	}})
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	defer cancel()
	var err error
	if p.s, err = n.Attach(ctx, id, actor.Hello{Player: "p", Client: record.ClientID(client)}, p.box); err != nil {
		n.w.t.Fatal(err)
	}
	return p
}

// act sends an act and does not wait.
func (p *player) act(data string) {
	p.t.Helper()
	p.cseq++
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	defer cancel()
	if err := p.s.Act(ctx, wire.Act{CSeq: p.cseq, Data: json.RawMessage(data)}); err != nil {
		p.t.Fatal(err)
	}
}

// read takes in what the room has said.
func (p *player) read() {
	buf, _ := p.box.Take(nil, 1<<20)
	for line := range slices.Values(splitLines(buf)) {
		var m struct {
			T    string
			CSeq uint64
		}
		if json.Unmarshal(line, &m) == nil && (m.T == "ack" || m.T == "reject") {
			p.acks = max(p.acks, m.CSeq)
		}
	}
}

func splitLines(b []byte) (lines [][]byte) {
	for len(b) > 0 {
		i := slices.Index(b, '\n')
		if i < 0 {
			return append(lines, b)
		}
		lines, b = append(lines, b[:i]), b[i+1:]
	}
	return lines
}

// acked waits until all acts are acknowledged.
func (p *player) acked() {
	p.t.Helper()
	testwait.Until(p.t, "all acts are acknowledged", func() bool { p.read(); return p.acks == p.cseq })
}

// Place leaves every room where it is.
func (others) Place(room.ID) balance.Place { return balance.Place{} }

// Version never changes.
func (others) Version() uint64 { return 1 }

// yields has a room's owner hand it to its standby. An owner that changes its members just then does not hear that, and is told again.
func (w *world) yields(id room.ID, o, s *node) {
	w.t.Helper()
	testwait.Until(w.t, o.name+" hands the room to "+s.name, func() bool {
		o.owner.Deliver(id, ownership.Event{Kind: ownership.Yield, Folder: s.folder.ID()})
		return w.row(id).Folder == s.folder.ID()
	})
}
