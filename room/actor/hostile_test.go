package actor_test

import (
	"context"
	"encoding/json"
	"log/slog"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// withGame adds a game to those of the tests.
func withGame(t testing.TB, r *room.Rules) func(o *setup) {
	return func(o *setup) {
		t.Helper()
		all := []*room.Rules{r}
		for g := range o.Games.All() {
			all = append(all, g)
		}
		games, err := core.NewGames(all...)
		if err != nil {
			t.Fatal(err)
		}
		o.Games = games
	}
}

// slug is a ticking game that cannot keep up with its own rate.
type slug struct{ N int }

func (s *slug) Act(*room.Turn, room.Player, struct{}) error { return nil }
func (s *slug) Tick(*room.Turn)                             { s.N++; time.Sleep(20 * time.Millisecond) }
func (s *slug) View(room.Viewer) map[string]int             { return map[string]int{"n": s.N} }

// TestSlowTicksDoNotStarveActs: a game that is slower than its ticks still answers its players.
func TestSlowTicksDoNotStarveActs(t *testing.T) {
	n := newNode(t, withGame(t, room.MustDefine(
		room.Spec{Name: "slug", Version: 1, TickRate: 100, SharedView: true}, func() *slug { return &slug{} })))
	defer n.stop()
	id := n.create(actor.Create{Game: "slug"})
	ann := n.player(id, "ann")
	ann.next("welcome")
	ann.next("turn")
	start := time.Now()
	ann.act(`{}`)
	if took := time.Since(start); took > 5*time.Second { // hundreds of ticks
		t.Errorf("an act was answered after %v", took)
	}
}

// TestTickingRoomLeavesASnapshotAtItsEnd: a newer version can only go on from a snapshot of the older version's last index.
func TestTickingRoomLeavesASnapshotAtItsEnd(t *testing.T) {
	n := newNode(t)
	id := n.create(actor.Create{Game: "ticker"})
	ann := n.player(id, "ann")
	ann.next("welcome")
	ann.act(`{}`) // something has happened since the last tick
	n.stop()
	n.journal.mu.Lock()
	defer n.journal.mu.Unlock()
	kept := n.journal.rooms[id].kept
	last := kept.Batches[len(kept.Batches)-1].Last
	if k := len(kept.Snapshots); k == 0 || kept.Snapshots[k-1].Index != last {
		t.Errorf("%d snapshots and none of the end, %d", k, last)
	}
}

// blackBox knows which rooms it watches.
type blackBox struct {
	mu   sync.Mutex
	open map[room.ID]int

	opened []string // id and game of the rooms that were made
	rerun  []string // and of those that were run again
}

type blackStep struct {
	b  *blackBox
	id room.ID
}

func (s blackStep) Release() {
	s.b.mu.Lock()
	defer s.b.mu.Unlock()
	s.b.open[s.id]--
}

func (b *blackBox) Begin(id room.ID, _ uint64) actor.Step {
	b.mu.Lock()
	defer b.mu.Unlock()
	if b.open == nil {
		b.open = map[room.ID]int{}
	}
	b.open[id]++
	return blackStep{b, id}
}

func (b *blackBox) BeginOpen(id room.ID, game string) actor.Step {
	step := b.Begin(id, 0)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.opened = append(b.opened, string(id)+" "+game)
	return step
}

func (b *blackBox) BeginRerun(id room.ID, game string) actor.Step {
	step := b.Begin(id, 2)
	b.mu.Lock()
	defer b.mu.Unlock()
	b.rerun = append(b.rerun, string(id)+" "+game)
	return step
}

func (b *blackBox) BeginReplay(id room.ID) actor.Step      { return b.Begin(id, 1) }
func (b *blackBox) Suspected(room.ID) bool                 { return false }
func (b *blackBox) Poisoned(room.ID) (why string, is bool) { return "", false }
func (*blackBox) Fatal(room.ID) bool                       { return false }

func (b *blackBox) watching() bool {
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, n := range b.open {
		if n > 0 {
			return true
		}
	}
	return false
}

// camera is a game that knows whether the black box watches when it is called.
type camera struct{ *shots }

type shots struct {
	box *blackBox

	mu    sync.Mutex
	calls map[string]int
	dark  map[string]int // of the calls, those that nobody watched
}

func (s *shots) shoot(call string) {
	watched := s.box.watching()
	s.mu.Lock()
	defer s.mu.Unlock()
	s.calls[call]++
	if !watched {
		s.dark[call]++
	}
}

func (s *shots) of(call string) (calls, dark int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.calls[call], s.dark[call]
}

func (c *camera) Open(*room.Turn, json.RawMessage) error      { c.shoot("open"); return nil }
func (c *camera) Act(*room.Turn, room.Player, struct{}) error { return nil }
func (c *camera) View(room.Viewer) map[string]int             { c.shoot("view"); return map[string]int{} }
func (c *camera) Restore([]byte) error                        { return nil }

func (c *camera) Snapshot() ([]byte, error) {
	c.shoot("snapshot")
	return []byte("{}"), nil
}

// TestGameIsUnderTheBlackBox: the black box names a room that kills the process, wherever the game was called. A room whose
// snapshot is fatal kills every next process too.
func TestGameIsUnderTheBlackBox(t *testing.T) {
	box := &blackBox{}
	seen := &shots{box: box, calls: map[string]int{}, dark: map[string]int{}}
	n := newNode(t, withGame(t, room.MustDefine(room.Spec{Name: "camera", Version: 1},
		func() *camera { return &camera{seen} })), func(o *setup) { o.Black = box })
	id := n.create(actor.Create{Game: "camera"})
	if len(box.opened) != 2 || box.opened[0] != string(id)+" camera" || box.opened[1] != " camera" { // the other is for its options
		t.Errorf("the black box has seen these opened: %q", box.opened)
	}
	ann := n.player(id, "ann")
	ann.next("welcome")
	ann.act(`{}`)
	views, _ := seen.of("view")
	snapshots, _ := seen.of("snapshot")
	if _, err := n.Inspect(t.Context(), id, actor.Look{View: &room.Viewer{}, State: true}); err != nil {
		t.Fatal(err)
	}
	if more, _ := seen.of("view"); more == views {
		t.Error("the inspection has not asked for the view")
	}
	if more, _ := seen.of("snapshot"); more == snapshots {
		t.Error("the inspection has not asked for the state")
	}
	ann.act(`{}`)
	kept, err := n.journal.Load(t.Context(), id)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := n.owner.Reopen(t.Context(), kept); err != nil {
		t.Fatal(err)
	}
	if len(box.rerun) != 1 || box.rerun[0] != string(id)+" camera" {
		t.Errorf("the black box has seen these run again: %q", box.rerun)
	}
	n.stop()
	for _, call := range []string{"open", "view", "snapshot"} {
		if calls, dark := seen.of(call); calls == 0 || dark > 0 {
			t.Errorf("%s: %d calls, %d of them unwatched", call, calls, dark)
		}
	}
	if box.watching() {
		t.Error("a mark was never released")
	}
}

// TestLateLeaveOfAReplacedSocket: a leave of an older socket that was replaced must not give up the newer socket's seat.
func TestLateLeaveOfAReplacedSocket(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	bob := n.player(id, "bob")
	bob.next("welcome")
	old := n.player(id, "ann")
	old.next("welcome")

	bob.send(`{"block":true}`) // the room's goroutine stands
	newer := newClient(t, actor.OutboxOptions{})
	h := hello("ann")
	h.Client, h.Attempt = "another", 1
	attached := make(chan error, 1)
	go func() {
		s, err := n.Attach(context.Background(), id, h, newer.box)
		newer.Session = s
		attached <- err
	}()
	time.Sleep(50 * time.Millisecond) // the attach waits in the mailbox
	if err := old.Leave(context.Background()); err != nil {
		t.Fatal(err)
	}
	unblock <- struct{}{}
	if err := <-attached; err != nil {
		t.Fatal(err)
	}
	newer.next("welcome")
	newer.act(`{"add":1}`)
	if info, _ := n.Info(id); len(info.Seats) != 2 {
		t.Errorf("seats: %v", info.Seats)
	}
}

// TestBatchesCarryRoomTime: the journal reads a room's time from its batches, which are newer than the last time mark.
func TestBatchesCarryRoomTime(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	ann := n.player(id, "ann")
	ann.next("welcome")
	time.Sleep(5 * time.Millisecond)
	ann.act(`{"add":1}`)
	n.journal.mu.Lock()
	defer n.journal.mu.Unlock()
	for _, b := range n.journal.rooms[id].kept.Batches {
		var last core.Entry
		for e, err := range core.DecodeEntries(b.Entries) {
			if err != nil {
				t.Fatal(err)
			}
			last = e
		}
		if b.Time != last.At {
			t.Errorf("the batch to %d says %v, its last entry %v", b.Last, b.Time, last.At)
		}
	}
}

// card hands a hidden number to a function that breaks on it.
type card struct{ Hidden int }

//go:noinline
func reveal(secret, other uint64) uint64 {
	if secret != other {
		panic("broken")
	}
	return secret
}

func (c *card) Act(*room.Turn, room.Player, json.RawMessage) error {
	reveal(0xfeedfacecafe, uint64(c.Hidden))
	return nil
}
func (c *card) View(room.Viewer) map[string]int { return map[string]int{} }

func (c *card) Open(_ *room.Turn, options json.RawMessage) error {
	if len(options) > 2 {
		panic("the seed is feedfacecafe")
	}
	return nil
}

// TestPanicLogHidesArguments: Go's own stack traces print the arguments of functions, which may be hidden facts.
func TestPanicLogHidesArguments(t *testing.T) {
	var log testwait.Log
	n := newNode(t, withGame(t, room.MustDefine(room.Spec{Name: "card", Version: 1}, func() *card { return &card{} })),
		func(o *setup) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	defer n.stop()
	id := n.create(actor.Create{Game: "card"})
	ann := n.player(id, "ann")
	ann.next("welcome")
	ann.send(`1`)
	ann.next("over")
	_, err := n.Create(context.Background(), actor.Create{Game: "card", Options: json.RawMessage(`{"a":1}`)})
	if err == nil || strings.Contains(err.Error(), "feedface") {
		t.Errorf("opening: %v", err)
	}
	testwait.Until(t, "the panic is in the log", func() bool { return strings.Contains(log.String(), "reveal") })
	if strings.Contains(log.String(), "feedface") {
		t.Errorf("the log tells a hidden fact:\n%s", log.String())
	}
}

// allOver is a store in which every room's end has arrived.
type allOver struct{}

func (allOver) create(record.Row) error { return nil }

func (allOver) claim(record.Claim) record.RowResult { return overRow() }

func overRow() record.RowResult {
	return record.RowResult{Err: record.ErrMovedOn, Row: record.Row{State: record.RowOver}}
}

type condemned struct{ *blackBox }

func (condemned) Poisoned(room.ID) (string, bool) { return "it kills", true }
func (condemned) Fatal(room.ID) bool              { return false }

// TestLogOfAnAbortedRoomIsKept starts after a process that died when the abort of a poisoned room was stored and its log not
// yet set aside.
func TestLogOfAnAbortedRoomIsKept(t *testing.T) {
	n := newNode(t)
	defer func() { n.stop() }()
	id := n.create(actor.Create{Game: "counter"})
	n.restart(func(o *setup) { o.Rows, o.Black = allOver{}, condemned{&blackBox{}} })
	testwait.Until(t, "the log is set aside", func() bool { return n.journal.isAside(id) })
}

// TestCreateDuringShutdown: Shutdown also waits for rooms that are being made. Under the race detector this proves that nothing
// is started after Shutdown has returned.
func TestCreateDuringShutdown(t *testing.T) {
	for range 20 {
		n := newNode(t)
		stop := make(chan struct{})
		var wg sync.WaitGroup
		for range 4 {
			wg.Go(func() {
				for {
					select {
					case <-stop:
						return
					default:
					}
					info, err := n.Create(context.Background(), actor.Create{Game: "counter"})
					if err != nil {
						continue
					}
					if s, err := n.Attach(context.Background(), info.ID, hello("ann"), newClient(t, actor.OutboxOptions{}).box); err == nil {
						s.Detach()
					}
				}
			})
		}
		time.Sleep(2 * time.Millisecond)
		n.stop()
		if left := n.Count(); left > 0 {
			t.Errorf("%d rooms run on", left)
		}
		close(stop)
		wg.Wait()
	}
}
