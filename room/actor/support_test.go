package actor_test

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/match"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// counter is a turn-based game that everybody sees: a sum.
type counter struct {
	Sum   int
	Acts  int
	Rings int
}

type counterAct struct {
	Add    int    `json:"add"`
	Pad    string `json:"pad"`
	Timer  int    `json:"timer"` // milliseconds
	Lock   *bool  `json:"lock"`
	Panic  bool   `json:"panic"`
	Finish bool   `json:"finish"`
	Block  bool   `json:"block"` // until unblock is sent to
}

type counterView struct {
	Sum   int    `json:"sum"`
	Pad   string `json:"pad"`
	Rings int    `json:"rings"`
}

var unblock = make(chan struct{})

func (c *counter) Act(t *room.Turn, by room.Player, a counterAct) error {
	switch {
	case a.Panic:
		panic("the counter broke")
	case a.Block:
		<-unblock
	case a.Finish:
		r := room.Result{Reason: "counted", Summary: "done"}
		for _, p := range t.Players() {
			r.Outcomes = append(r.Outcomes, room.Outcome{Player: p.ID, Name: p.Name, Seat: p.Seat, Rank: 1})
		}
		t.Finish(r)
	case a.Add < 0:
		return room.Refuse("negative", "only upwards")
	}
	if a.Timer > 0 {
		t.StartTimer("ring", time.Duration(a.Timer)*time.Millisecond)
	}
	if a.Lock != nil {
		t.Lock(*a.Lock)
	}
	c.Sum += a.Add
	c.Acts++
	t.Broadcast("added", map[string]any{"by": by.ID, "n": a.Add, "pad": a.Pad})
	return nil
}

func (c *counter) Timer(t *room.Turn, name string) {
	c.Rings++
	t.Broadcast("rang", name)
}

func (c *counter) Signal(_ *room.Turn, name string, _ json.RawMessage) error {
	if name != "reset" {
		return room.Refuse("unknown", "no such signal")
	}
	c.Sum = 0
	return nil
}

func (c *counter) View(room.Viewer) counterView {
	return counterView{Sum: c.Sum, Rings: c.Rings}
}

type options struct {
	Limit int `json:"limit"`
}

func (c *counter) Open(t *room.Turn, _ json.RawMessage) error {
	var o options
	return t.Options(&o)
}

// hand is a game of hidden cards: each player sees their own.
type hand struct {
	Cards map[room.PlayerID]int
}

type handView struct {
	Mine int `json:"mine"`
	Sum  int `json:"sum"`
}

func (h *hand) Act(t *room.Turn, by room.Player, n int) error {
	if h.Cards == nil {
		h.Cards = map[room.PlayerID]int{}
	}
	h.Cards[by.ID] = n
	t.Send(by.ID, "drew", n)
	return nil
}

func (h *hand) View(v room.Viewer) handView {
	out := handView{Sum: len(h.Cards)}
	if !v.Spectating() {
		out.Mine = h.Cards[v.Player]
	}
	return out
}

// ticker counts its ticks.
type ticker struct{ N int }

func (k *ticker) Act(*room.Turn, room.Player, struct{}) error { return nil }
func (k *ticker) Tick(*room.Turn)                             { k.N++ }
func (k *ticker) View(room.Viewer) map[string]int             { return map[string]int{"n": k.N} }

// quiet ticks and says nothing.
type quiet struct{}

func (*quiet) Act(*room.Turn, room.Player, struct{}) error { return nil }
func (*quiet) Tick(*room.Turn)                             {}
func (*quiet) View(room.Viewer) struct{}                   { return struct{}{} }

func games(t testing.TB) *core.Games {
	t.Helper()
	g, err := core.NewGames(
		room.MustDefine(room.Spec{Name: "counter", Version: 1, MinPlayers: 1, MaxPlayers: 2, SharedView: true, Grace: time.Minute, Linger: time.Minute},
			func() *counter { return &counter{} }),
		room.MustDefine(room.Spec{Name: "pair", Version: 1, MinPlayers: 2, SharedView: true}, func() *counter { return &counter{} }),
		room.MustDefine(room.Spec{Name: "trio", Version: 1, MinPlayers: 2, MaxPlayers: 3, SharedView: true}, func() *counter { return &counter{} }),
		room.MustDefine(room.Spec{Name: "hand", Version: 1, MaxPlayers: 2}, func() *hand { return &hand{} }),
		room.MustDefine(room.Spec{Name: "ticker", Version: 1, MaxPlayers: 2, TickRate: 10, SharedView: true}, func() *ticker { return &ticker{} }),
		room.MustDefine(room.Spec{Name: "quiet", Version: 1, MaxPlayers: 2, TickRate: 20, SharedView: true}, func() *quiet { return &quiet{} }),
		room.MustDefine(room.Spec{Name: "slow", Version: 1, MaxPlayers: 2, TickRate: 1, SharedView: true}, func() *quiet { return &quiet{} }),
	)
	if err != nil {
		t.Fatal(err)
	}
	return g
}

// journal keeps logs in memory, and fails and waits on demand.
type journal struct {
	clock clock.Clock

	mu      sync.Mutex
	rooms   map[room.ID]*logged
	waiting []func()
	held    bool
	failing error
	refuse  bool // answer appends with the failure, where a kinder journal would keep them
	aside   map[room.ID]string
	appends int
}

type logged struct {
	kept     record.Kept
	offset   time.Duration
	imported bool
	broken   error // the answer of Load
	refused  error // the answer of Append
}

func newJournal(c clock.Clock) *journal {
	return &journal{clock: c, rooms: map[room.ID]*logged{}, aside: map[room.ID]string{}}
}

func (j *journal) Create(ctx context.Context, h record.Header, e record.Epoch) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if err := cmp.Or(j.failing, ctx.Err()); err != nil {
		return err
	}
	j.rooms[h.ID] = &logged{kept: record.Kept{Header: h, Epoch: e}}
	return nil
}

func (j *journal) Append(b record.Batch, snap *record.Snapshot, done func(error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failing != nil && j.refuse {
		return j.failing
	}
	j.appends++
	if l := j.rooms[b.Room]; l != nil && l.refused != nil {
		return l.refused
	}
	write := func() {
		l := j.rooms[b.Room]
		if l == nil {
			done(errors.New("no such room"))
			return
		}
		l.imported = false
		if b.Last > 0 {
			if n := len(l.kept.Batches); n > 0 && l.kept.Batches[n-1].Last+1 != b.First {
				panic(fmt.Sprintf("batch %d-%d follows %d", b.First, b.Last, l.kept.Batches[n-1].Last))
			}
			if b.Begins {
				l.kept.Batches = nil
				l.kept.Snapshots = slices.DeleteFunc(l.kept.Snapshots, func(s record.Snapshot) bool { return s.Index < b.First })
			}
			l.kept.Batches = append(l.kept.Batches, b)
			l.kept.Epoch = b.Epoch
		}
		if snap != nil {
			l.kept.Snapshots = append(l.kept.Snapshots, *snap)
			l.kept.Snapshots = l.kept.Snapshots[max(len(l.kept.Snapshots)-2, 0):]
		}
		done(nil)
	}
	if j.held || j.failing != nil {
		j.waiting = append(j.waiting, write)
		return nil
	}
	write()
	return nil
}

// hold lets appends wait, or writes those that wait.
func (j *journal) hold(held bool) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.held = held
	j.land()
}

func (j *journal) fail(err error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.failing = err
	j.land()
}

func (j *journal) land() {
	if j.held || j.failing != nil {
		return
	}
	for _, w := range j.waiting {
		w()
	}
	j.waiting = nil
}

// crash loses what was never durable, as the death of the process does.
func (j *journal) crash() *journal {
	j.mu.Lock()
	defer j.mu.Unlock()
	next := newJournal(j.clock)
	for id, l := range j.rooms {
		kept := l.kept
		kept.Batches = slices.Clone(kept.Batches)
		kept.Snapshots = slices.Clone(kept.Snapshots)
		kept.Time = j.clock.Now() - l.offset
		next.rooms[id] = &logged{kept: kept}
	}
	return next
}

func (j *journal) SetClock(id room.ID, offset time.Duration) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if l := j.rooms[id]; l != nil {
		l.offset = offset
	}
	return nil
}

func (j *journal) Rooms(ctx context.Context) iter.Seq2[record.Kept, error] {
	j.mu.Lock()
	all := slices.Collect(maps.Values(j.rooms))
	j.mu.Unlock()
	return func(yield func(record.Kept, error) bool) {
		for _, l := range all {
			kept, err := l.kept, ctx.Err()
			if err != nil {
				kept = record.Kept{Header: record.Header{ID: l.kept.Header.ID}}
			}
			if !yield(kept, err) {
				return
			}
		}
	}
}

func (j *journal) Load(_ context.Context, id room.ID) (record.Kept, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	l := j.rooms[id]
	if l == nil {
		return record.Kept{}, errors.New("no such room")
	}
	if l.broken != nil {
		return record.Kept{}, l.broken
	}
	kept := l.kept
	kept.Batches = slices.Clone(kept.Batches)
	kept.Snapshots = slices.Clone(kept.Snapshots)
	kept.Time = j.clock.Now() - l.offset
	return kept, nil
}

func (j *journal) Import(_ context.Context, kept record.Kept) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.failing != nil {
		return j.failing
	}
	if old := j.rooms[kept.Header.ID]; old != nil && !old.imported {
		return errors.New("that room is here already")
	}
	j.rooms[kept.Header.ID] = &logged{kept: kept, imported: true}
	return nil
}

func (j *journal) Claimed(_ context.Context, id room.ID, e record.Epoch) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.rooms[id].kept.Epoch = e
	return nil
}

func (j *journal) Mark(id room.ID, e record.Epoch, d record.Doubt, done func(error)) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	kept := &j.rooms[id].kept
	kept.Epoch, kept.Doubt = max(kept.Epoch, e), d
	return nil
}

func (j *journal) Remove(_ context.Context, id room.ID) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.rooms, id)
	return nil
}

func (j *journal) SetAside(_ context.Context, id room.ID, why string) error {
	j.mu.Lock()
	defer j.mu.Unlock()
	delete(j.rooms, id)
	j.aside[id] = why
	return nil
}

func (j *journal) Failing() error {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.failing
}

func (j *journal) has(id room.ID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.rooms[id] != nil
}

func (j *journal) isAside(id room.ID) bool {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.aside[id] != ""
}

// results remembers ends. While it is shut it does not answer that they are stored.
type results struct {
	mu     sync.Mutex
	finals map[room.ID]record.Final
	shut   bool
	later  []func()
}

func (r *results) Add(f record.Final, stored func()) {
	r.mu.Lock()
	if r.finals == nil {
		r.finals = map[room.ID]record.Final{}
	}
	r.finals[f.Room] = f
	if r.shut {
		r.later = append(r.later, stored)
		stored = func() {}
	}
	r.mu.Unlock()
	stored()
}

func (r *results) open() {
	r.mu.Lock()
	later := r.later
	r.shut, r.later = false, nil
	r.mu.Unlock()
	for _, stored := range later {
		stored()
	}
}

func (r *results) get(id room.ID) (record.Final, bool) {
	r.mu.Lock()
	defer r.mu.Unlock()
	f, ok := r.finals[id]
	return f, ok
}

// node is a directory under test with all that it needs.
type node struct {
	*actor.Directory
	*match.Maker
	t       testing.TB
	owner   *lifecycle.Owner
	logs    *actor.JournalLogs // nil: only memory rooms
	journal *journal
	results *results
	options setup
	give    func(ctx context.Context, kept record.Kept) error // the store's answer to releases; nil: it takes them
	taken   record.Kept                                       // what the store holds for who claims it
	moved   atomic.Pointer[record.Row]                        // the row of a room that another node has; nil: none has
	reads   atomic.Int64                                      // of rows
}

// setup is what a node under test is made of.
type setup struct {
	actor.Options
	Journal actor.Journal // nil: only memory rooms
	Check   time.Duration // how often the journal is asked whether it works
	Rows    rows          // nil: all is granted

	Through func(actor.Logs) actor.Logs // what stands between the rooms and their logs; nil: nothing
}

// rows answer for rows in the store.
type rows interface {
	create(row record.Row) error
	claim(c record.Claim) record.RowResult
}

// store is the store of a node under test.
type store struct{ n *node }

func (s store) CreateRows(_ context.Context, _ record.BootID, all []record.Row) ([]record.RowResult, error) {
	for _, row := range all {
		if s.n.options.Rows != nil {
			if err := s.n.options.Rows.create(row); err != nil {
				return nil, err
			}
		}
	}
	return make([]record.RowResult, len(all)), nil
}

func (s store) ClaimRows(_ context.Context, _ record.BootID, claims []record.Claim) ([]record.RowResult, error) {
	out := make([]record.RowResult, len(claims))
	for i, c := range claims {
		if s.n.options.Rows != nil {
			out[i] = s.n.options.Rows.claim(c)
		}
	}
	return out, nil
}

func (s store) ReleaseRow(ctx context.Context, _ record.BootID, r record.Release) (record.RowResult, error) {
	if s.n.give == nil {
		return record.RowResult{}, nil
	}
	kept, err := core.DecodeKept(r.Checkpoint.Data)
	if err == nil {
		err = s.n.give(ctx, kept)
	}
	return record.RowResult{}, err
}

func (s store) Checkpoint(context.Context, room.ID) (record.Checkpoint, error) {
	data, err := core.EncodeKept(s.n.taken)
	return record.Checkpoint{Data: data}, err
}

// Rows says that no room has a row but those that are released or have moved: what is found in the journal is the node's own.
func (s store) Rows(_ context.Context, ids []room.ID) ([]record.Row, error) {
	rows := make([]record.Row, len(ids))
	for i, id := range ids {
		s.n.reads.Add(1)
		if row := s.n.moved.Load(); row != nil && row.Room == id {
			rows[i] = *row
		}
		if s.n.taken.Header.ID == id {
			rows[i] = record.Row{Room: id, State: record.RowReleased, Epoch: s.n.taken.Epoch}
		}
	}
	return rows, nil
}

func (s store) Row(_ context.Context, id room.ID) (record.Row, error) {
	if s.n.taken.Header.ID != id {
		return record.Row{}, record.ErrNotFound
	}
	return record.Row{Room: id, State: record.RowReleased, Epoch: s.n.taken.Epoch}, nil
}

func (s store) Result(context.Context, room.ID) (record.StoredResult, error) {
	return record.StoredResult{}, record.ErrNotFound
}

func (s store) storeEnd(f record.Final, done func(error)) error {
	s.n.results.Add(f, func() { done(nil) })
	return nil
}

// release drains the node: all rooms go into the store.
func (n *node) release(ctx context.Context, give func(ctx context.Context, kept record.Kept) error) error {
	n.give = give
	return n.owner.Drain(ctx)
}

func newNode(t testing.TB, change ...func(o *setup)) *node {
	clock := clock.System()
	n := &node{t: t, journal: newJournal(clock), results: &results{}}
	n.options.Options = actor.Options{Games: games(t), Clock: clock, Node: "n1"}
	n.options.Journal = n.journal
	for _, c := range change {
		c(&n.options)
	}
	n.boot()
	return n
}

func (n *node) boot() {
	n.t.Helper()
	journal, _ := n.options.Journal.(lifecycle.Journal)
	n.owner = lifecycle.NewOwner(lifecycle.OwnerOptions{
		Self: ownership.Self{Boot: "b1", Folder: "f1"}, Journal: journal, Store: store{n}, StoreEnd: store{n}.storeEnd, Clock: n.options.Clock, Log: n.options.Log,
	})
	o := n.options.Options
	o.Owner = n.owner
	if n.options.Journal != nil {
		n.logs = actor.NewJournalLogs(n.options.Journal, actor.JournalOptions{Clock: o.Clock, Check: n.options.Check})
		o.Logs = n.logs
		if n.options.Through != nil {
			o.Logs = n.options.Through(n.logs)
		}
	}
	d, err := actor.NewDirectory(o)
	if err != nil {
		n.t.Fatal(err)
	}
	n.owner.Serve(d)
	n.Directory, n.Maker = d, match.New(match.Options{Pool: d.Pool, Clock: o.Clock}, match.Local(d))
}

func (n *node) stop() {
	n.t.Helper()
	ctx, cancel := context.WithTimeout(context.Background(), 30*time.Second)
	defer cancel()
	if err := n.Shutdown(ctx); err != nil {
		n.t.Errorf("shutdown: %v", err)
	}
	n.owner.Close()
	if n.logs != nil {
		n.logs.Close()
	}
}

// restart ends the directory as a kill would and brings its rooms back from the journal.
func (n *node) restart(change ...func(o *setup)) lifecycle.Restored {
	n.t.Helper()
	next := n.journal.crash()
	n.journal.hold(false)
	n.stop() // its goroutines must end; what it writes now goes to the dead journal
	n.journal = next
	n.options.Journal = next
	for _, c := range change {
		c(&n.options)
	}
	n.boot()
	found, err := n.owner.Restore(context.Background())
	if err != nil {
		n.t.Fatal(err)
	}
	return found
}

func (n *node) create(c actor.Create) room.ID {
	n.t.Helper()
	info, err := n.Create(context.Background(), c)
	if err != nil {
		n.t.Fatal(err)
	}
	return info.ID
}

// client is what an edge does for one socket: it reads all it is sent.
type client struct {
	actor.Session
	t    testing.TB
	box  *actor.Outbox
	wake chan struct{}
	got  []message
	cseq uint64
}

type message map[string]any

func (m message) kind() string { return m["t"].(string) }

func (m message) num(field string) int {
	f, _ := m[field].(float64)
	return int(f)
}

func newClient(t testing.TB, o actor.OutboxOptions) *client {
	c := &client{t: t, wake: make(chan struct{}, 1)}
	o.Wake = func() {
		select {
		case c.wake <- struct{}{}:
		default:
		}
	}
	c.box = actor.NewOutbox(o)
	return c
}

func (n *node) attach(id room.ID, h actor.Hello) *client {
	n.t.Helper()
	c := newClient(n.t, actor.OutboxOptions{})
	n.attachClient(id, h, c)
	return c
}

func (n *node) attachClient(id room.ID, h actor.Hello, c *client) {
	n.t.Helper()
	s, err := n.Attach(context.Background(), id, h, c.box)
	if err != nil {
		n.t.Fatal(err)
	}
	c.Session = s
}

// player attaches a player with a client named after it.
func (n *node) player(id room.ID, p string) *client {
	n.t.Helper()
	return n.attach(id, hello(p))
}

func hello(p string) actor.Hello {
	return actor.Hello{Player: room.PlayerID(p), Name: strings.ToUpper(p), Client: record.ClientID("c-" + p)}
}

// read takes what is queued.
func (c *client) read() {
	for {
		b, n := c.box.Take(nil, 32<<10)
		if n == 0 {
			return
		}
		for line := range strings.SplitSeq(string(b), "\n") {
			c.got = append(c.got, decodeMessage(c.t, line))
		}
	}
}

func decodeMessage(t testing.TB, line string) message {
	t.Helper()
	var m message
	if err := json.Unmarshal([]byte(line), &m); err != nil {
		t.Fatalf("%q: %v", line, err)
	}
	return m
}

// next waits for the next message of a kind and skips what comes before it.
func (c *client) next(kind string) message {
	c.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		c.read()
		for i, m := range c.got {
			if m.kind() == kind {
				c.got = c.got[i+1:]
				return m
			}
		}
		select {
		case <-c.wake:
		case <-deadline:
			c.t.Fatalf("no %s came; there is %v", kind, c.got)
		}
	}
}

// closed waits for the end and returns its code.
func (c *client) closed() wire.CloseCode {
	c.t.Helper()
	deadline := time.After(30 * time.Second)
	for {
		c.read()
		if err, over := c.box.End(); over {
			if err == nil {
				return 0
			}
			return err.Code
		}
		select {
		case <-c.wake:
		case <-deadline:
			c.t.Fatalf("the session did not end; there is %v", c.got)
		}
	}
}

func (c *client) send(act string) {
	c.t.Helper()
	c.cseq++
	c.resend(c.cseq, act)
}

func (c *client) resend(cseq uint64, act string) {
	c.t.Helper()
	if err := c.Act(context.Background(), wire.Act{CSeq: cseq, Data: json.RawMessage(act)}); err != nil {
		c.t.Fatal(err)
	}
}

// act sends and waits for the ack.
func (c *client) act(act string) message {
	c.t.Helper()
	c.send(act)
	return c.next("ack")
}

func attachError(t testing.TB, n *node, id room.ID, h actor.Hello) *actor.CloseError {
	t.Helper()
	_, err := n.Attach(context.Background(), id, h, actor.NewOutbox(actor.OutboxOptions{}))
	refused, ok := errors.AsType[*actor.CloseError](err)
	if !ok {
		t.Fatalf("Attach: %v, want a CloseError", err)
	}
	return refused
}
