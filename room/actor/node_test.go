package actor_test

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"runtime"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/clock/clocktest"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

func TestRestoreGoesOn(t *testing.T) {
	n := newNode(t)
	id := n.create(actor.Create{Game: "counter"})
	a, b := n.player(id, "a"), n.player(id, "b")
	b.next("welcome")
	first := a.act(`{"add":3}`)
	second := a.act(`{"add":4}`)
	n.journal.hold(true)
	a.send(`{"add":100}`) // never acknowledged
	if _, err := n.Inspect(t.Context(), id, actor.Look{}); err != nil {
		t.Fatal(err)
	}
	found := n.restart()
	defer n.stop()
	if found.Rooms != 1 {
		t.Fatalf("restored %+v", found)
	}
	info, err := n.Info(id)
	testwait.Until(t, "the room is there", func() bool { info, err = n.Info(id); return err == nil })
	if info.Epoch != 2 || info.Seats[0].Online || info.Seats[1].Online {
		t.Errorf("after the restart: %+v", info)
	}
	h := hello("a")
	h.Attempt = 1
	h.Resume = &record.Point{Epoch: 1, Seq: room.Index(first.num("seq"))}
	a = n.attach(id, h)
	if hi := a.next("welcome"); hi["recovered"] != true || hi.num("epoch") != 2 || hi.num("cseq") != 2 {
		t.Errorf("welcome back: %v", hi)
	}
	if turn := a.next("turn"); turn.num("seq") != second.num("seq") {
		t.Errorf("the first missed turn: %v", turn)
	}
	a.resend(2, `{"add":4}`)
	if again := a.next("ack"); again.num("seq") != second.num("seq") {
		t.Errorf("the answer after the restart: %v, before it was %v", again, second)
	}
	a.resend(3, `{"add":100}`)
	a.next("ack")
	look, _ := n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator})
	if !strings.Contains(string(look.View), `"sum":107`) {
		t.Errorf("the view is %s", look.View)
	}
}

func TestRestoreHoldsWhatItCannotRun(t *testing.T) {
	n := newNode(t)
	id := n.create(actor.Create{Game: "counter"})
	n.player(id, "a").act(`{"add":1}`)
	all := n.options.Games
	only, err := core.NewGames(room.MustDefine(room.Spec{Name: "hand", Version: 1, MaxPlayers: 2}, func() *hand { return &hand{} }))
	if err != nil {
		t.Fatal(err)
	}
	if found := n.restart(func(o *setup) { o.Games = only }); found.Held != 1 || found.Rooms != 0 {
		t.Errorf("restored %+v", found)
	}
	if held := n.owner.Held(); len(held) != 1 || !strings.Contains(held[0].Why, "counter version 1") {
		t.Errorf("held %+v", held)
	}
	if _, err := n.Info(id); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("info: %v", err)
	}
	if err := attachError(t, n, id, hello("a")); err.Code != wire.CloseUnreachable {
		t.Errorf("attach: %d %s", err.Code, err.Reason)
	}
	if found := n.restart(func(o *setup) { o.Games = all }); found.Rooms != 1 {
		t.Errorf("with the game again: %+v", found)
	}
	n.stop()
}

// toldRows answers claims as a test says.
type toldRows struct {
	answer  func(c record.Claim) record.RowResult
	creates atomic.Int32
	away    atomic.Bool
}

func (r *toldRows) create(record.Row) error {
	if r.away.Load() {
		return errors.New("the store is away")
	}
	r.creates.Add(1)
	return nil
}

func (r *toldRows) claim(c record.Claim) record.RowResult { return r.answer(c) }

func TestRestoreObeysTheRows(t *testing.T) {
	row := func(row record.Row) func(record.Claim) record.RowResult {
		return func(c record.Claim) record.RowResult {
			row.Epoch += c.Epoch
			return record.RowResult{Err: record.ErrMovedOn, Row: row}
		}
	}
	for _, c := range []struct {
		name   string
		answer func(record.Claim) record.RowResult
		want   lifecycle.Restored
	}{
		{"this boot's, later", row(record.Row{State: record.RowLive, Boot: "b1", Folder: "f1", Epoch: 10}), lifecycle.Restored{Rooms: 1}},
		{"another's", row(record.Row{State: record.RowLive, Boot: "b2", Folder: "f2"}), lifecycle.Restored{Aside: 1}},
		{"released", row(record.Row{State: record.RowReleased}), lifecycle.Restored{Aside: 1}},
		{"over", row(record.Row{State: record.RowOver}), lifecycle.Restored{Over: 1}},
	} {
		store := &toldRows{answer: c.answer}
		n := newNode(t, func(o *setup) { o.Rows = store })
		id := n.create(actor.Create{Game: "counter"})
		n.player(id, "a").act(`{"add":1}`)
		if found := n.restart(); found != c.want {
			t.Errorf("the row is %s: restored %+v, want %+v", c.name, found, c.want)
		}
		testwait.Until(t, "its log is where it belongs", func() bool { return n.journal.isAside(id) == (c.want.Rooms == 0) })
		if c.want.Rooms == 1 {
			testwait.Until(t, "the room is there", func() bool { info, err := n.Info(id); return err == nil && info.Epoch == 12 })
		}
		n.stop()
	}
}

func TestFinishedRoomLingersAcrossARestart(t *testing.T) {
	n := newNode(t, func(o *setup) { o.Rows = allOver{} })
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	ack := a.act(`{"finish":true}`)
	if found := n.restart(); found.Over != 1 {
		t.Errorf("restored %+v", found)
	}
	defer n.stop()
	h := hello("a")
	h.Attempt = 1
	a = n.attach(id, h)
	if hi := a.next("welcome"); hi.num("cseq") != 1 {
		t.Errorf("welcome %v", hi)
	}
	a.next("over")
	a.resend(1, `{"finish":true}`)
	if again := a.next("ack"); again.num("seq") != ack.num("seq") {
		t.Errorf("the answer after the restart: %v, before it was %v", again, ack)
	}
}

func TestRowIsWrittenWhenTheStoreIsBack(t *testing.T) {
	store := &toldRows{}
	store.away.Store(true)
	n := newNode(t, func(o *setup) { o.Rows = store })
	defer n.stop()
	n.create(actor.Create{Game: "counter"})
	store.away.Store(false)
	testwait.Until(t, "the row is written", func() bool { return store.creates.Load() == 1 })
}

type poison struct{ id room.ID }

type step struct{}

func (step) Release() {}

func (p *poison) Begin(room.ID, uint64) actor.Step      { return step{} }
func (p *poison) BeginOpen(room.ID, string) actor.Step  { return step{} }
func (p *poison) BeginRerun(room.ID, string) actor.Step { return step{} }
func (p *poison) BeginReplay(room.ID) actor.Step        { return step{} }
func (p *poison) Suspected(id room.ID) bool             { return id == p.id }
func (p *poison) Poisoned(id room.ID) (string, bool)    { return "two processes died in it", id == p.id }
func (*poison) Fatal(room.ID) bool                      { return false }

// neverMade puts a room into the journal as a process leaves it that dies after the header and before the first inputs.
func (n *node) neverMade() room.ID {
	n.t.Helper()
	id := n.create(actor.Create{Game: "counter"})
	n.journal.mu.Lock()
	h := n.journal.rooms[id].kept.Header
	n.journal.mu.Unlock()
	h.ID = record.NewID([10]byte{7})
	if err := n.journal.Create(n.t.Context(), h, 1); err != nil {
		n.t.Fatal(err)
	}
	return h.ID
}

func TestRoomThatWasNeverMade(t *testing.T) {
	var log testwait.Log
	n := newNode(t, func(o *setup) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	id := n.neverMade()
	if found := n.restart(); found != (lifecycle.Restored{Rooms: 1}) {
		t.Errorf("restored %+v", found)
	}
	defer n.stop()
	testwait.Until(t, "its end is stored, and nothing of it is kept", func() bool {
		f, ok := n.results.get(id)
		return ok && f.End == record.Aborted && !n.journal.has(id)
	})
	if aside := n.journal.aside[id]; aside != "" || strings.Contains(log.String(), "level=ERROR") {
		t.Errorf("set aside because %q; the log:\n%s", aside, log.String())
	}
}

// TestRoomThatWasNeverMadeAndIsOver starts after a process that died between storing the room's end and removing its log.
func TestRoomThatWasNeverMadeAndIsOver(t *testing.T) {
	n := newNode(t)
	id := n.neverMade()
	if found := n.restart(func(o *setup) { o.Rows = allOver{} }); found.Over != 2 {
		t.Errorf("restored %+v", found)
	}
	defer n.stop()
	testwait.Until(t, "the journal has forgotten it", func() bool { return !n.journal.has(id) })
	if n.journal.isAside(id) {
		t.Error("it is set aside")
	}
}

// TestCreateThatNobodyWaitsFor cancels a Create: nothing is wrong with this node.
func TestCreateThatNobodyWaitsFor(t *testing.T) {
	var log testwait.Log
	n := newNode(t, func(o *setup) { o.Log = slog.New(slog.NewTextHandler(&log, nil)) })
	defer n.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.Create(ctx, actor.Create{Game: "counter"}); !errors.Is(err, context.Canceled) {
		t.Errorf("answered %v", err)
	}
	if text := log.String(); strings.Contains(text, "level=ERROR") {
		t.Errorf("the log says %s", text)
	}
}

// TestRestoreThatIsCutShort cancels a restore while it reads rooms: no room is at fault.
func TestRestoreThatIsCutShort(t *testing.T) {
	n := newNode(t)
	n.create(actor.Create{Game: "counter"})
	n.journal = n.journal.crash()
	n.stop()
	n.options.Journal = n.journal
	n.boot()
	defer n.stop()
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, err := n.owner.Restore(ctx); !errors.Is(err, context.Canceled) || len(n.owner.Held()) > 0 {
		t.Errorf("restored with %v; held are %v", err, n.owner.Held())
	}
}

func TestPoisonedRoomIsSetAside(t *testing.T) {
	n := newNode(t)
	bad, good := n.create(actor.Create{Game: "counter"}), n.create(actor.Create{Game: "counter"})
	n.player(bad, "a").act(`{"add":1}`)
	n.player(good, "b").act(`{"add":1}`)
	found := n.restart(func(o *setup) { o.Black = &poison{bad} })
	defer n.stop()
	if found.Rooms != 1 || found.Aside != 1 {
		t.Errorf("restored %+v", found)
	}
	testwait.Until(t, "the poisoned room's end is stored and its log set aside", func() bool {
		f, ok := n.results.get(bad)
		return ok && f.End == record.Aborted && f.Point.Seq > 2 && len(f.Replay) > 0 && !n.journal.has(bad)
	})
	replay, err := core.ReadReplay(mustFinal(t, n, bad).Replay.Reader())
	if err != nil || len(replay.Entries) != int(replay.Final.Point.Seq) {
		t.Errorf("its replay: %d entries, %v", len(replay.Entries), err)
	}
	n.player(good, "b2").act(`{"add":1}`)
}

// deadlyAfterwards is a black box of a room in which processes died while it was over: its log may be run, or not.
type deadlyAfterwards struct {
	poison
	fatal bool
}

func (d *deadlyAfterwards) Fatal(room.ID) bool { return d.fatal }

// TestPoisonAfterTheEnd: a finished room in which processes die before its end is stored keeps that end, and is stepped no further. If
// its log kills when it is run, nobody can know the end, and no other is stored.
func TestPoisonAfterTheEnd(t *testing.T) {
	for _, fatal := range []bool{false, true} {
		n := newNode(t)
		n.results.shut = true
		id := n.create(actor.Create{Game: "counter"})
		a := n.player(id, "ann")
		a.act(`{"add":3}`)
		a.act(`{"finish":true}`)
		a.send(`{"add":4}`) // behind the end
		last := func() (e core.Entry) {
			n.journal.mu.Lock()
			defer n.journal.mu.Unlock()
			for _, b := range n.journal.rooms[id].kept.Batches {
				for one := range core.DecodeEntries(b.Entries) {
					e = one
				}
			}
			return e
		}
		testwait.Until(t, "there is an input behind the end", func() bool { e := last(); return e.Kind == core.KindAct && e.Result == core.StepRefused })
		behind := last().Index
		n.restart(func(o *setup) { // by then the old process has ended
			n.results = &results{}
			o.Black = &deadlyAfterwards{poison{id}, fatal}
		})
		testwait.Until(t, "its log is set aside", func() bool { return n.journal.isAside(id) })
		switch f, stored := n.results.get(id); {
		case stored == fatal:
			t.Errorf("its log may not be run: %v; its end is stored: %v", fatal, stored)
		case stored && (f.End != record.Finished || f.Result.Reason != "counted" || f.Point.Seq >= behind || f.Hash != f.Sum() || f.By.Epoch < 2):
			t.Errorf("its end is %+v", f)
		}
		n.stop()
	}
}

// replays is a black box that suspects one room, and notes which rooms are replayed at the same time.
type replays struct {
	poison
	mu       sync.Mutex
	suspect  room.ID
	now      map[room.ID]bool
	together int
	accused  []room.ID // were replayed beside the suspect
}

func (r *replays) Suspected(id room.ID) bool             { return id == r.suspect }
func (r *replays) Poisoned(room.ID) (why string, _ bool) { return "", false }
func (*replays) Fatal(room.ID) bool                      { return false }

func (r *replays) BeginReplay(id room.ID) actor.Step {
	r.mu.Lock()
	r.now[id] = true
	r.together = max(r.together, len(r.now))
	if r.now[r.suspect] {
		for beside := range r.now {
			if beside != r.suspect {
				r.accused = append(r.accused, beside)
			}
		}
	}
	r.mu.Unlock()
	time.Sleep(5 * time.Millisecond)
	return replayed(func() {
		r.mu.Lock()
		defer r.mu.Unlock()
		delete(r.now, id)
	})
}

type replayed func()

func (f replayed) Release() { f() }

// TestRoomsComeBackOnAllProcessors restores rooms side by side, and alone the room in which a process died.
func TestRoomsComeBackOnAllProcessors(t *testing.T) {
	n := newNode(t)
	ids := make([]room.ID, 12)
	for i := range ids {
		ids[i] = n.create(actor.Create{Game: "counter"})
	}
	box := &replays{suspect: slices.Sorted(slices.Values(ids))[6], now: map[room.ID]bool{}}
	found := n.restart(func(o *setup) { o.Black = box })
	defer n.stop()
	if found.Rooms != len(ids) {
		t.Errorf("restored %+v", found)
	}
	if box.together < min(2, runtime.GOMAXPROCS(0)) || len(box.accused) > 0 {
		t.Errorf("%d were replayed at once, and beside the suspect %v", box.together, box.accused)
	}
	for _, id := range ids {
		n.player(id, "a").act(`{"add":1}`)
	}
}

func mustFinal(t *testing.T, n *node, id room.ID) record.Final {
	t.Helper()
	f, ok := n.results.get(id)
	if !ok {
		t.Fatalf("room %s has no end", id)
	}
	return f
}

func TestShutdown(t *testing.T) {
	n := newNode(t)
	const rooms = 300
	ids := make([]room.ID, rooms)
	clients := make([]*client, rooms)
	for i := range ids {
		ids[i] = n.create(actor.Create{Game: "counter"})
		clients[i] = n.player(ids[i], "a")
		clients[i].act(`{"add":1}`)
	}
	old := n.journal
	n.stop()
	for _, c := range clients {
		if code := c.closed(); code != wire.CloseMoved {
			t.Fatalf("closed %d, want 4100", code)
		}
	}
	for _, l := range old.rooms {
		if len(l.kept.Snapshots) == 0 {
			t.Fatal("a room was left without a snapshot")
		}
	}
	if _, err := n.Create(t.Context(), actor.Create{Game: "counter"}); err != actor.ErrDraining {
		t.Errorf("create after the shutdown: %v", err)
	}
	n.journal = old.crash()
	n.options.Journal = n.journal
	n.boot()
	defer n.stop()
	if found, err := n.owner.Restore(t.Context()); err != nil || found.Rooms != rooms {
		t.Fatalf("restored %+v, %v", found, err)
	}
	h := hello("a")
	h.Attempt = 1
	a := n.attach(ids[7], h)
	a.cseq = 1
	a.act(`{"add":1}`)
}

func TestMatchNeverOversells(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	const players = 100
	var wg sync.WaitGroup
	var mu sync.Mutex
	seats := map[room.ID]int{}
	for i := range players {
		wg.Go(func() {
			p := fmt.Sprint("p", i)
			info, err := n.Match(context.Background(), actor.Match{Game: "counter", Player: room.PlayerID(p), Ticket: p})
			if err != nil {
				t.Errorf("match: %v", err)
				return
			}
			if _, err := n.Attach(context.Background(), info.ID, hello(p), actor.NewOutbox(actor.OutboxOptions{})); err != nil {
				t.Errorf("attach to the matched room: %v", err)
				return
			}
			mu.Lock()
			seats[info.ID]++
			mu.Unlock()
		})
	}
	wg.Wait()
	if len(seats) != players/2 {
		t.Errorf("%d players were put into %d rooms of two", players, len(seats))
	}
	for id, taken := range seats {
		if taken != 2 {
			t.Errorf("room %s has %d players", id, taken)
		}
	}
}

func TestMatchPrefersTheFullest(t *testing.T) {
	n := newNode(t)
	defer n.stop()
	empty := n.create(actor.Create{Game: "counter"})
	half := n.create(actor.Create{Game: "counter"})
	n.create(actor.Create{Game: "counter", Private: true})
	n.player(half, "a")
	info, err := n.Match(t.Context(), actor.Match{Game: "counter", Player: "b"})
	if err != nil || info.ID != half {
		t.Errorf("matched into %s (%v), want %s; %s is empty", info.ID, err, half, empty)
	}
	if info, err = n.Match(t.Context(), actor.Match{Game: "counter", Player: "c"}); err != nil || info.ID != empty {
		t.Errorf("matched into %s (%v), want the other open room", info.ID, err)
	}
}

func TestWatchdogNamesASlowStep(t *testing.T) {
	named := make(chan string, 1)
	n := newNode(t, func(o *setup) {
		o.SlowStep, o.Watchdog = 30*time.Millisecond, 5*time.Millisecond
		o.Metrics.SlowSteps = func(game string) { named <- game }
	})
	stuck, other := n.create(actor.Create{Game: "counter"}), n.create(actor.Create{Game: "counter"})
	a, b := n.player(stuck, "a"), n.player(other, "b")
	a.send(`{"block":true}`)
	if game := testwait.Receive(t, "the name of a step that does not return", named); game != "counter" {
		t.Errorf("named %q", game)
	}
	b.act(`{"add":1}`)
	unblock <- struct{}{}
	a.next("ack")
	n.stop()
}

// TestWatchdogSparesAStepOfAFrozenProcess lets time pass all at once, as after SIGSTOP.
func TestWatchdogSparesAStepOfAFrozenProcess(t *testing.T) {
	const watch, slow = 100 * time.Millisecond, time.Second
	turned := clocktest.New()
	var named atomic.Int32
	n := newNode(t, func(o *setup) {
		o.Clock, o.SlowStep, o.Watchdog = clock.New(turned), slow, watch
		o.Metrics.SlowSteps = func(string) { named.Add(1) }
	})
	a := n.player(n.create(actor.Create{Game: "counter"}), "a")
	a.send(`{"block":true}`)
	look := func() { // waits until the watchdogs of steps and journal, and the clock itself, have set their timers again
		testwait.Until(t, "the watchdog has looked", func() bool { return turned.Pending() == 3 })
	}
	turned.Jump(time.Hour)
	look()
	for range slow/watch - 1 {
		turned.Jump(watch)
		look()
	}
	if named.Load() != 0 {
		t.Error("a step was named that had no time to return")
	}
	testwait.Until(t, "the step is named", func() bool {
		turned.Jump(watch)
		look()
		return named.Load() == 1
	})
	unblock <- struct{}{}
	a.next("ack")
	n.stop()
}

func TestLateTicks(t *testing.T) {
	clock := clocktest.New()
	var late atomic.Uint64
	n := newNode(t, func(o *setup) {
		o.Clock = clock
		o.Metrics.LateTicks = func(_ string, n uint64) { late.Add(n) }
	})
	defer n.stop()
	id := n.create(actor.Create{Game: "ticker"})
	a := n.player(id, "a")
	a.next("state")
	count := func(turn message) int { return int(turn["patch"].(map[string]any)["n"].(float64)) }
	for i := range 10 {
		clock.Jump(100 * time.Millisecond)
		if got := count(a.next("turn")); got != i+1 {
			t.Fatalf("tick %d says %d", i+1, got)
		}
	}
	clock.Jump(3 * time.Second)
	testwait.Until(t, "the late ticks are counted", func() bool { return late.Load() > 0 })
	look, err := n.Inspect(t.Context(), id, actor.Look{})
	if err != nil {
		t.Fatal(err)
	}
	a.read()
	last := 0
	for _, m := range a.got {
		last = count(m)
	}
	if made := last - 10; made < 1 || made > 6 || uint64(made)+late.Load() != 30 {
		t.Errorf("of 30 late ticks %d were made up and %d left out", made, late.Load())
	}
	if look.Time != 4*time.Second {
		t.Errorf("room time is %v", look.Time)
	}
}

func TestLogsHoldNoSecrets(t *testing.T) {
	var mu sync.Mutex
	var out strings.Builder
	n := newNode(t, func(o *setup) {
		o.Log = slog.New(slog.NewTextHandler(writer(func(b []byte) { mu.Lock(); out.Write(b); mu.Unlock() }), nil))
	})
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	a.act(`{"add":424242}`)
	a.send(`{"panic":true,"add":424242,"pad":"private words"}`)
	a.closed()
	n.stop()
	mu.Lock()
	defer mu.Unlock()
	log := out.String()
	if !strings.Contains(log, "panicked") || !strings.Contains(log, "kind=act") || !strings.Contains(log, "stack=") {
		t.Errorf("the panic is not told: %s", log)
	}
	for _, secret := range []string{"424242", "private words", "the counter broke"} {
		if strings.Contains(log, secret) {
			t.Errorf("the log holds %q", secret)
		}
	}
}

type writer func([]byte)

func (w writer) Write(b []byte) (int, error) { w(b); return len(b), nil }
