package claim

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// adder is a sum that everybody sees; it ticks where its rules say so, and rings.
type adder struct{ Sum, Ticks, Rings int }

type addition struct {
	Add    int  `json:"add"`
	Ring   int  `json:"ring"` // milliseconds
	Block  bool `json:"block"`
	Finish bool `json:"finish"`
}

var unblock = make(chan struct{})

func (a *adder) Act(t *room.Turn, by room.Player, x addition) error {
	if x.Block {
		<-unblock
	}
	if x.Ring > 0 {
		t.StartTimer("ring", time.Duration(x.Ring)*time.Millisecond)
	}
	if x.Finish {
		t.Finish(room.Result{Reason: "counted", Outcomes: []room.Outcome{{Player: by.ID, Name: by.Name, Seat: by.Seat, Rank: 1}}})
	}
	a.Sum += x.Add
	return nil
}
func (a *adder) Timer(*room.Turn, string) { a.Rings++ }
func (a *adder) View(room.Viewer) map[string]int {
	return map[string]int{"sum": a.Sum, "rings": a.Rings}
}

type ticking struct{ adder }

func (a *ticking) Tick(*room.Turn) { a.Ticks++ }

func testGames(t testing.TB) *core.Games {
	t.Helper()
	g, err := core.NewGames(
		room.MustDefine(room.Spec{Name: "adder", Version: 1, MaxPlayers: 2, SharedView: true, Grace: time.Hour, Linger: time.Minute},
			func() *adder { return &adder{} }),
		room.MustDefine(room.Spec{Name: "ticking", Version: 1, MaxPlayers: 2, SharedView: true, TickRate: 20, Grace: time.Hour},
			func() *ticking { return &ticking{} }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// place is one node under test: folder, journal, rooms and what moves them, over a store that others share.
type place struct {
	*actor.Directory
	*Claimer
	owner   *lifecycle.Owner
	t       testing.TB
	name    string
	boot    record.BootID
	folder  *journal.Folder
	journal *journal.Journal
	store   *rowsOf
	results *persist.Flusher
}

// rowsOf is the store as one boot sees it. It fails on demand.
type rowsOf struct {
	persist.Store
	results *persist.Flusher
	away    atomic.Bool
	lose    atomic.Bool // the answer of the next claim or release

	// What stands around the next writes; nil: nothing.
	release, claim func(write func() (record.RowResult, error)) (record.RowResult, error)
}

var errAway = errors.New("the store is away")

func (s *rowsOf) Released(ctx context.Context, after room.ID, limit int) ([]record.Row, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.ListRows(ctx, persist.RowFilter{State: record.RowReleased, After: after, Limit: limit})
}

func (s *rowsOf) CreateRows(ctx context.Context, boot record.BootID, rows []record.Row) ([]record.RowResult, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.Store.CreateRows(ctx, boot, rows)
}

func (s *rowsOf) Rows(ctx context.Context, ids []room.ID) ([]record.Row, error) {
	if s.away.Load() {
		return nil, errAway
	}
	return s.Store.Rows(ctx, ids)
}

func (s *rowsOf) ReleaseRow(ctx context.Context, boot record.BootID, r record.Release) (record.RowResult, error) {
	return s.write(s.release, func() (record.RowResult, error) { return s.Store.ReleaseRow(ctx, boot, r) })
}

func (s *rowsOf) ClaimRows(ctx context.Context, boot record.BootID, claims []record.Claim) (out []record.RowResult, err error) {
	for _, c := range claims {
		one, err := s.write(s.claim, func() (record.RowResult, error) {
			found, err := s.Store.ClaimRows(ctx, boot, []record.Claim{c})
			if err != nil {
				return record.RowResult{}, err
			}
			return found[0], nil
		})
		if err != nil {
			return nil, err
		}
		out = append(out, one)
	}
	return out, nil
}

// write writes one row, with what the test has put around it.
func (s *rowsOf) write(around func(func() (record.RowResult, error)) (record.RowResult, error), row func() (record.RowResult, error)) (record.RowResult, error) {
	write := func() (record.RowResult, error) {
		if s.away.Load() {
			return record.RowResult{}, errAway
		}
		found, err := row()
		if err == nil && s.lose.Swap(false) {
			err = errAway
		}
		return found, err
	}
	if around != nil {
		return around(write)
	}
	return write()
}

func (s *rowsOf) storeEnd(f record.Final, done func(error)) error {
	return s.results.Add(f, func(persist.Verdict) { done(nil) })
}

// placeOptions make a place.
type placeOptions struct {
	actor.Options
	owner lifecycle.OwnerOptions
}

// town is a few nodes over one store. Everything is inherited in the order that ring says.
type town struct {
	t     testing.TB
	store persist.Store
	ring  atomic.Pointer[[]string]
	mu    sync.Mutex
	nodes map[string]*place
}

func newTown(t testing.TB, store persist.Store) *town {
	w := &town{t: t, store: store, nodes: map[string]*place{}}
	w.name()
	return w
}

func (w *town) name(order ...string) { w.ring.Store(&order) }

func (w *town) node(name string, change ...func(o *placeOptions)) *place {
	return w.nodeIn(name, w.t.(*testing.T).TempDir(), change...)
}

func (w *town) nodeIn(name, dir string, change ...func(o *placeOptions)) *place {
	w.t.Helper()
	t, ctx := w.t, w.t.Context()
	p := &place{t: t, name: name, boot: record.BootID(rand.Text())}
	var err error
	if p.folder, err = journal.OpenFolder(dir, journal.FolderOptions{Boot: p.boot}); err != nil {
		t.Fatal(err)
	}
	clock := clock.System()
	if p.journal, err = journal.Open(ctx, p.folder, journal.Options{Elapsed: clock.Now}); err != nil {
		t.Fatal(err)
	}
	p.store = &rowsOf{Store: w.store}
	boot := persist.Boot{ID: p.boot, Node: name, Folder: p.folder.ID(), Host: "here", PID: 1, Path: dir, Locked: true}
	if err := w.store.StartBoot(ctx, boot); err != nil {
		t.Fatal(err)
	}
	p.results = persist.NewFlusher(w.store, persist.FlusherOptions{})
	p.store.results = p.results
	logs := actor.NewJournalLogs(p.journal, actor.JournalOptions{Clock: clock})
	t.Cleanup(logs.Close)
	o := placeOptions{
		Options: actor.Options{Games: testGames(t), Logs: logs, Clock: clock, Node: name},
		owner: lifecycle.OwnerOptions{
			Self: ownership.Self{Boot: p.boot, Folder: p.folder.ID()}, Journal: p.journal, Store: p.store, StoreEnd: p.store.storeEnd, Clock: clock,
			ReleaseWait: 50 * time.Millisecond,
		},
	}
	for _, c := range change {
		c(&o)
	}
	p.owner = lifecycle.NewOwner(o.owner)
	o.Owner = p.owner
	if p.Directory, err = actor.NewDirectory(o.Options); err != nil {
		t.Fatal(err)
	}
	p.owner.Serve(p.Directory)
	if _, err := p.owner.Restore(ctx); err != nil {
		t.Fatal(err)
	}
	p.Claimer = New(Options{
		Here: func(id room.ID) bool { _, err := p.Info(id); return err == nil }, Owner: p.owner, Store: p.store, Node: name,
		Order: func(room.ID) []string { return *w.ring.Load() }, Ask: w.ask, Sweep: 20 * time.Millisecond,
	})
	p.owner.OnRelease(p.Released)
	w.mu.Lock()
	w.nodes[name] = p
	w.mu.Unlock()
	t.Cleanup(p.end)
	return p
}

func (w *town) ask(ctx context.Context, node string, r Request) (Answer, error) {
	w.mu.Lock()
	p := w.nodes[node]
	w.mu.Unlock()
	if p == nil {
		return Answer{}, errors.New("nobody answers")
	}
	return p.Serve(ctx, r)
}

func (p *place) drain(ctx context.Context) error { return p.Claimer.Drain(ctx) }

// end stops the node as its process would; it may be called again.
func (p *place) end() {
	if p.folder == nil {
		return
	}
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	defer cancel()
	p.Claimer.Close()
	err := p.Shutdown(ctx)
	p.owner.Close()
	err = errors.Join(err, p.results.Close(ctx), p.journal.Close(ctx), p.store.EndBoot(ctx, p.boot), p.folder.Close())
	if err != nil {
		p.t.Error(err)
	}
	p.folder = nil
}

const ceiling = 60 * time.Second

func bounded(t testing.TB) context.Context {
	ctx, cancel := context.WithTimeout(context.Background(), ceiling)
	t.Cleanup(cancel)
	return ctx
}

func (p *place) create(game string) room.ID {
	p.t.Helper()
	info, err := p.Create(bounded(p.t), actor.Create{Game: game})
	if err != nil {
		p.t.Fatal(err)
	}
	return info.ID
}

func (p *place) logs(id room.ID) (all []byte) {
	p.t.Helper()
	kept, err := p.journal.Load(bounded(p.t), id)
	if err != nil {
		p.t.Fatal(err)
	}
	for _, b := range kept.Batches {
		all = append(all, b.Entries...)
	}
	return all
}

func (p *place) view(id room.ID) (v map[string]int) {
	p.t.Helper()
	look, err := p.Inspect(bounded(p.t), id, actor.Look{View: &room.Spectator})
	if err != nil {
		p.t.Fatal(err)
	}
	if err := json.Unmarshal(look.View, &v); err != nil {
		p.t.Fatal(err)
	}
	return v
}

// socket is a client in play: it acts one by one and goes where its room is.
type socket struct {
	t       testing.TB
	hello   actor.Hello
	session actor.Session
	box     *actor.Outbox
	wake    chan struct{}
	epoch   float64
	seq     float64
	cseq    uint64
	whole   int // welcomes that did not recover
}

func newSocket(t testing.TB, player string) *socket {
	return &socket{t: t, hello: actor.Hello{Player: room.PlayerID(player), Client: record.ClientID("c-" + player)}}
}

// connect attaches at whichever node has the room, until one does.
func (s *socket) connect(id room.ID, nodes ...*place) bool {
	s.hello.Attempt++
	for range int(ceiling / (5 * time.Millisecond)) {
		for _, n := range nodes {
			s.wake = make(chan struct{}, 1)
			wake := s.wake
			s.box = actor.NewOutbox(actor.OutboxOptions{Wake: func() {
				select {
				case wake <- struct{}{}:
				default:
				}
			}})
			session, err := n.Attach(context.Background(), id, s.hello, s.box)
			if err == nil {
				s.session = session
				return true
			}
		}
		time.Sleep(5 * time.Millisecond)
	}
	s.t.Errorf("no node has room %s", id)
	return false
}

// add acts and waits for the answer, across moves.
func (s *socket) add(id room.ID, act string, nodes ...*place) {
	s.cseq++
	for {
		if s.session == nil && !s.connect(id, nodes...) {
			return
		}
		_ = s.session.Act(context.Background(), wire.Act{CSeq: s.cseq, Data: json.RawMessage(act)})
		if s.answered() {
			return
		}
		s.session = nil
		s.hello.Resume = &record.Point{Epoch: record.Epoch(s.epoch), Seq: room.Index(s.seq)}
	}
}

// answered reads until the act's answer; false: the session ended first.
func (s *socket) answered() bool {
	deadline := time.After(ceiling)
	for {
		b, n := s.box.Take(nil, 32<<10)
		answered := false
		for line := range strings.SplitSeq(string(b), "\n") {
			answered = n > 0 && s.heard(line) || answered
		}
		if answered {
			return true
		}
		if n > 0 {
			continue
		}
		if why, over := s.box.End(); over {
			if why == nil || why.Code != wire.CloseMoved {
				s.t.Errorf("the session ended with %v", why)
			}
			return false
		}
		select {
		case <-s.wake:
		case <-deadline:
			s.t.Errorf("no answer to act %d", s.cseq)
			return true
		}
	}
}

func (s *socket) heard(line string) bool {
	var m map[string]any
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		s.t.Errorf("%q: %v", line, err)
	}
	num := func(k string) float64 { f, _ := m[k].(float64); return f }
	switch m["t"] {
	case "welcome":
		if e := num("epoch"); e < s.epoch {
			s.t.Errorf("epoch %v after %v", e, s.epoch)
		}
		s.epoch = num("epoch")
		if m["recovered"] != true {
			s.whole++
		}
	case "state", "turn":
		if num("seq") < s.seq {
			s.t.Errorf("the room went back from %v to %v", s.seq, num("seq"))
		}
		s.seq = num("seq")
	case "reject":
		s.t.Errorf("rejected: %v", m)
		return true
	case "ack":
		return num("cseq") == float64(s.cseq)
	}
	return false
}

func eachStore(t *testing.T, f func(t *testing.T, store persist.Store)) {
	t.Run("sqlite", func(t *testing.T) {
		s, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		f(t, s)
	})
	t.Run("postgres", func(t *testing.T) {
		s, err := postgres.Open(t.Context(), pgtest.URL(t), postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		t.Cleanup(func() { s.Close() })
		f(t, s)
	})
}

// TestDrainUnderPlay moves rooms from node to node while clients act, and looks whether all that was acknowledged is
// there, once.
func TestDrainUnderPlay(t *testing.T) {
	eachStore(t, func(t *testing.T, store persist.Store) {
		w := newTown(t, store)
		a, b := w.node("a"), w.node("b")
		w.name("b")
		const rooms, acts = 8, 60
		var wg sync.WaitGroup
		ids := make([]room.ID, rooms)
		sockets := make([]*socket, rooms)
		var halfway sync.WaitGroup
		halfway.Add(rooms)
		for i := range rooms {
			ids[i] = a.create([]string{"adder", "ticking"}[i%2])
			sockets[i] = newSocket(t, "p")
			wg.Go(func() {
				for n := range acts {
					if n == acts/2 {
						halfway.Done()
					}
					sockets[i].add(ids[i], `{"add":1}`, a, b)
				}
			})
		}
		idle := a.create("adder") // nobody asks for it: it is claimed all the same
		newSocket(t, "p").add(idle, `{"ring":600}`, a)
		before := a.logs(idle)
		halfway.Wait()
		if err := a.drain(bounded(t)); err != nil {
			t.Fatal(err)
		}
		if n := a.Count(); n != 0 || a.journal.Stats().Rooms != 0 {
			t.Errorf("%d rooms are left, and %d in the journal", n, a.journal.Stats().Rooms)
		}
		wg.Wait()
		for i, id := range ids {
			if v := b.view(id); v["sum"] != acts {
				t.Errorf("room %d: %d of %d acts had their effect", i, v["sum"], acts)
			}
			if info, err := b.Info(id); err != nil || info.Epoch != 3 || info.Node != "b" {
				t.Errorf("room %d: %+v, %v", i, info, err)
			}
			if sockets[i].whole > 1 {
				t.Errorf("room %d: a resume point was lost", i)
			}
		}
		testwait.Until(t, "the idle room's timer rings at b", func() bool {
			_, err := b.Info(idle)
			return err == nil && b.view(idle)["rings"] == 1
		})
		if !strings.HasPrefix(string(b.logs(idle)), string(before)) {
			t.Error("the log at b does not begin with the log at a")
		}
	})
}

// TestRoomsComeBack drains a node into a store that nobody else looks at; its next life claims them.
func TestRoomsComeBack(t *testing.T) {
	eachStore(t, func(t *testing.T, store persist.Store) {
		w := newTown(t, store)
		dir := t.TempDir()
		a := w.nodeIn("a", dir)
		id, s := a.create("adder"), newSocket(t, "p")
		for life := range 3 {
			s.add(id, `{"add":1}`, a)
			w.name()
			if err := a.drain(bounded(t)); err != nil {
				t.Fatal(err)
			}
			a.end()
			a = w.nodeIn("a", dir)
			w.name("a")
			a.Start()
			testwait.Until(t, fmt.Sprintf("life %d has the room", life+2), func() bool { _, err := a.Info(id); return err == nil })
		}
		s.add(id, `{"add":1}`, a)
		if v := a.view(id); v["sum"] != 4 {
			t.Errorf("the sum is %d", v["sum"])
		}
	})
}

// TestOneOfManyClaims has three nodes claim the same rooms at once.
func TestOneOfManyClaims(t *testing.T) {
	eachStore(t, func(t *testing.T, store persist.Store) {
		w := newTown(t, store)
		a := w.node("a")
		var ids []room.ID
		for range 20 {
			ids = append(ids, a.create("adder"))
		}
		if err := a.drain(bounded(t)); err != nil {
			t.Fatal(err)
		}
		others := []*place{w.node("b"), w.node("c"), w.node("d")}
		var wg sync.WaitGroup
		for _, id := range ids {
			for _, n := range others {
				wg.Go(func() {
					if err := n.Claim(bounded(t), id); err != nil && !errors.Is(err, record.ErrMovedOn) {
						t.Errorf("%s: %v", n.name, err)
					}
				})
			}
		}
		wg.Wait()
		for _, id := range ids {
			have := 0
			for _, n := range others {
				testwait.Until(t, "the room has its first commit or is not here", func() bool {
					_, err := n.Info(id)
					return err == nil || errors.Is(err, actor.ErrNotFound)
				})
				if _, err := n.Info(id); err == nil {
					have++
				}
			}
			if have != 1 {
				t.Errorf("room %s is at %d nodes", id, have)
			}
		}
		testwait.Until(t, "who came second has dropped its copies", func() bool {
			held := 0
			for _, n := range others {
				held += n.journal.Stats().Rooms
			}
			return held == len(ids)
		})
	})
}

// TestStoreAway drains while the store is away: nothing is lost, and what cannot be given stays.
func TestStoreAway(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := newTown(t, store)
	dir := t.TempDir()
	a := w.nodeIn("a", dir)
	id, s := a.create("adder"), newSocket(t, "p")
	s.add(id, `{"add":1}`, a)
	a.store.away.Store(true)
	short, cancel := context.WithTimeout(t.Context(), 300*time.Millisecond)
	defer cancel()
	if err := a.drain(short); err == nil {
		t.Fatal("it was drained into a store that is away")
	}
	if _, err := a.Info(id); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("a room that cannot leave: %v", err)
	}
	a.end()
	a = w.nodeIn("a", dir)
	s.add(id, `{"add":1}`, a)
	if v := a.view(id); v["sum"] != 2 {
		t.Errorf("the sum is %d", v["sum"])
	}
	a.store.away.Store(true)
	time.AfterFunc(200*time.Millisecond, func() { a.store.away.Store(false) })
	a.store.lose.Store(true) // the release comes to the store and its answer does not
	if err := a.drain(bounded(t)); err != nil {
		t.Fatal(err)
	}
	b := w.node("b")
	b.store.lose.Store(true) // nor does the claim's
	if err := b.Claim(bounded(t), id); err != nil {
		t.Fatal(err)
	}
	s.add(id, `{"add":1}`, b)
	if v := b.view(id); v["sum"] != 3 {
		t.Errorf("the sum is %d", v["sum"])
	}
}

// TestStuckRoom lets the other rooms go when one is in an endless step.
func TestStuckRoom(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	w := newTown(t, store)
	a := w.node("a", func(o *placeOptions) { o.owner.Releases = 1 })
	stuck, s := a.create("adder"), newSocket(t, "p")
	if !s.connect(stuck, a) {
		return
	}
	_ = s.session.Act(t.Context(), wire.Act{CSeq: 1, Data: json.RawMessage(`{"block":true}`)})
	for range 5 {
		a.create("adder")
	}
	ctx, cancel := context.WithTimeout(t.Context(), ceiling)
	defer cancel()
	drained := make(chan error, 1)
	go func() { drained <- a.drain(ctx) }()
	testwait.Until(t, "all but the stuck room are released", func() bool {
		rows, err := a.store.Released(t.Context(), "", 100)
		return err == nil && len(rows) == 5
	})
	close(unblock)
	if err := <-drained; err != nil {
		t.Error(err)
	}
}

// TestFinishedRoomsDrain stores the results of finished rooms, and needs no node to take them.
func TestFinishedRoomsDrain(t *testing.T) {
	store, err := sqlite.Open(t.Context(), filepath.Join(t.TempDir(), "store.db"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { store.Close() })
	a := newTown(t, store).node("a")
	id := a.create("adder")
	newSocket(t, "p").add(id, `{"finish":true}`, a)
	if err := a.drain(bounded(t)); err != nil {
		t.Fatal(err)
	}
	if r, err := store.Result(t.Context(), id); err != nil || r.End != record.Finished {
		t.Errorf("its result: %+v, %v", r, err)
	}
	testwait.Until(t, "the journal has forgotten it", func() bool { return a.journal.Stats().Rooms == 0 })
	if row, err := store.Row(t.Context(), id); err != nil || row.State != record.RowOver {
		t.Errorf("its row: %+v, %v", row, err)
	}
	if aside, err := a.journal.ListAside(t.Context()); err != nil || len(aside) != 0 {
		t.Errorf("set aside: %v, %v", aside, err)
	}
}
