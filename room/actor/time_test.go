//go:build !race

package actor_test

import (
	"encoding/json"
	"errors"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// countingClock counts the timers that are set.
type countingClock struct {
	clock.Clock
	mu  sync.Mutex
	set map[*countedTimer]bool
}

type countedTimer struct {
	clock.Timer
	clock *countingClock
}

func newCountingClock() *countingClock {
	return &countingClock{Clock: clock.System(), set: map[*countedTimer]bool{}}
}

func (c *countingClock) AfterFunc(d time.Duration, f func()) clock.Timer {
	t := &countedTimer{clock: c}
	t.Timer = c.Clock.AfterFunc(d, func() { t.mark(false); f() })
	t.mark(true)
	return t
}

func (t *countedTimer) mark(set bool) {
	t.clock.mu.Lock()
	defer t.clock.mu.Unlock()
	if t.clock.set[t] = set; !set {
		delete(t.clock.set, t)
	}
}

func (t *countedTimer) Reset(d time.Duration) bool { t.mark(true); return t.Timer.Reset(d) }
func (t *countedTimer) Stop() bool                 { t.mark(false); return t.Timer.Stop() }

func (c *countingClock) count() int {
	c.mu.Lock()
	defer c.mu.Unlock()
	return len(c.set)
}

func TestIdleRoomHoldsNoTimer(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		clock := newCountingClock()
		n := newNode(t, func(o *setup) { o.Clock = clock })
		defer n.stop()
		var ids []room.ID
		for range 10 {
			id := n.create(actor.Create{Game: "counter"})
			n.player(id, "a").act(`{"add":1}`)
			ids = append(ids, id)
		}
		synctest.Wait()
		const watchdogs = 2 // of the steps, and of the journal
		if set := clock.count(); set != watchdogs {
			t.Errorf("10 idle rooms hold %d timers", set-watchdogs)
		}
		a := n.player(ids[0], "a2")
		a.act(`{"timer":1000}`)
		if set := clock.count(); set != watchdogs+1 {
			t.Errorf("one room with a timer holds %d", set-watchdogs)
		}
		a.next("turn") // rang: its own turn came before the ack
		synctest.Wait()
		if set := clock.count(); set != watchdogs {
			t.Errorf("after the timer rang %d are set", set-watchdogs)
		}
	})
}

func TestSlowReaderGoesOnFromTheWholeView(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		id := n.create(actor.Create{Game: "counter"})
		a := n.player(id, "a")
		slow := newClient(t, actor.OutboxOptions{MaxBytes: 2000})
		n.attachClient(id, hello("b"), slow)
		slow.next("state")
		pad := strings.Repeat("x", 300)
		for range 50 {
			a.act(`{"add":1,"pad":"` + pad + `"}`)
		}
		slow.send(`{"add":1}`)
		a.act(`{"add":1}`)
		synctest.Wait()
		slow.read() // what was kept, and then nothing: the room is asked
		synctest.Wait()
		a.act(`{"add":1}`)
		slow.read()
		events, state, ack := 0, message(nil), 0
		sum := 0.0
		for _, m := range slow.got {
			switch m.kind() {
			case "ack":
				ack++
			case "state":
				state = m
				sum = m["view"].(map[string]any)["sum"].(float64)
			case "turn":
				if state == nil {
					t.Fatalf("a turn before the whole view: %v", m)
				}
				if m.num("seq") <= state.num("seq") {
					t.Errorf("turn %d after the whole view of %d", m.num("seq"), state.num("seq"))
				}
				events += len(m["events"].([]any))
				sum = m["patch"].(map[string]any)["sum"].(float64)
			}
		}
		if state == nil || ack != 1 {
			t.Fatalf("a slow reader got %v", slow.got)
		}
		if all := state.num("lost") + events; all != 53 {
			t.Errorf("%d events lost and %d seen, of 53", state.num("lost"), events)
		}
		if sum != 53 {
			t.Errorf("the slow reader's view ends at %v, want 53", sum)
		}
	})
}

func TestStuckReaderIsClosed(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		id := n.create(actor.Create{Game: "counter"})
		a := n.player(id, "a")
		stuck := newClient(t, actor.OutboxOptions{MaxBytes: 500})
		n.attachClient(id, hello("b"), stuck)
		pad := strings.Repeat("x", 300)
		for range 5 {
			a.act(`{"add":1,"pad":"` + pad + `"}`)
		}
		time.Sleep(9 * time.Second)
		if _, over := stuck.box.End(); over {
			t.Fatal("closed after 9 s")
		}
		time.Sleep(2 * time.Second)
		if err, over := stuck.box.End(); !over || err.Code != wire.CloseTooSlow {
			t.Errorf("after 11 s: %v, %v; want 4101", err, over)
		}
		synctest.Wait()
		if info, _ := n.Info(id); info.Seats[1].Online {
			t.Error("the stuck player counts as online")
		}
	})
}

func TestJournalFails(t *testing.T) {
	for _, refuse := range []bool{false, true} {
		synctest.Test(t, func(t *testing.T) {
			n := newNode(t)
			defer n.stop()
			n.journal.refuse = refuse
			id := n.create(actor.Create{Game: "counter"})
			a := n.player(id, "a")
			a.act(`{"add":1,"timer":10000}`)
			n.journal.fail(errors.New("no space left on device"))
			a.send(`{"add":1}`)
			time.Sleep(time.Minute) // far beyond the timer
			if code := a.closed(); code != wire.CloseUnreachable {
				t.Errorf("closed %d, want 4103", code)
			}
			for _, m := range a.got {
				if m.kind() == "ack" && m.num("cseq") == 2 {
					t.Error("acknowledged what was not saved")
				}
			}
			if err := attachError(t, n, id, hello("b")); err.Code != wire.CloseUnreachable || !strings.Contains(err.Reason, "saved") {
				t.Errorf("attach: %d %s", err.Code, err.Reason)
			}
			if _, err := n.Create(t.Context(), actor.Create{Game: "counter"}); err != actor.ErrUnreachable {
				t.Errorf("create: %v", err)
			}
			n.journal.fail(nil)
			time.Sleep(5 * time.Second)
			h := hello("a")
			h.Attempt = 1
			a = n.attach(id, h)
			if hi := a.next("welcome"); hi.num("cseq") != 2 {
				t.Errorf("after the recovery: %v", hi)
			}
			a.resend(2, `{"add":1}`)
			a.next("ack")
			look, _ := n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator})
			if !strings.Contains(string(look.View), `"sum":2`) || !strings.Contains(string(look.View), `"rings":0`) {
				t.Errorf("the view is %s: an act was lost or doubled, or time went on", look.View)
			}
			time.Sleep(10 * time.Second)
			look, _ = n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator})
			if !strings.Contains(string(look.View), `"rings":1`) {
				t.Errorf("the view is %s: time did not go on", look.View)
			}
		})
	}
}

func TestSeatIsKeptForTheGrace(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		id := n.create(actor.Create{Game: "counter"})
		n.player(id, "b")
		a := n.player(id, "a")
		a.Detach()
		time.Sleep(50 * time.Second)
		if info, _ := n.Info(id); len(info.Seats) != 2 || info.Seats[1].Online {
			t.Errorf("within the grace: %+v", info.Seats)
		}
		time.Sleep(20 * time.Second)
		if info, _ := n.Info(id); len(info.Seats) != 1 {
			t.Errorf("after the grace: %+v", info.Seats)
		}
	})
}

func TestRoomsEndByThemselves(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		never := n.create(actor.Create{Game: "counter"})
		left := n.create(actor.Create{Game: "counter"})
		n.player(left, "a").Detach()
		time.Sleep(5*time.Minute + time.Second)
		if _, err := n.Info(never); err != actor.ErrNotFound {
			t.Errorf("a room nobody joined: %v", err)
		}
		time.Sleep(5 * time.Minute)
		if _, err := n.Info(left); err != actor.ErrNotFound {
			t.Errorf("an empty room: %v", err)
		}
		if f, ok := n.results.get(never); !ok || f.End != record.Closed {
			t.Errorf("its end is %+v", f)
		}
	})
}

func TestFinishedRoomLingersUntilStored(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		n.results.shut = true
		id := n.create(actor.Create{Game: "counter"})
		a := n.player(id, "a")
		a.send(`{"finish":true}`)
		if over := a.next("over"); over["end"] != "finished" || over["result"] == nil {
			t.Errorf("over %v", over)
		}
		w := n.attach(id, actor.Hello{Client: "w", Spectate: true})
		w.next("state")
		w.next("over")
		if err := attachError(t, n, id, hello("z")); err.Code != wire.CloseOver || err.Over == nil {
			t.Errorf("a newcomer: %+v", err)
		}
		time.Sleep(61 * time.Second)
		if code := a.closed(); code != wire.CloseOver {
			t.Errorf("closed %d after the linger, want 4410", code)
		}
		if _, err := n.Info(id); err != nil || !n.journal.has(id) {
			t.Errorf("the room is gone before its result is stored: %v", err)
		}
		if err := attachError(t, n, id, hello("a")); err.Code != wire.CloseOver || err.Over == nil {
			t.Errorf("attach after the linger: %+v", err)
		}
		n.results.open()
		synctest.Wait()
		if _, err := n.Info(id); err != actor.ErrNotFound || n.journal.has(id) {
			t.Errorf("the room stays after its result is stored: %v", err)
		}
	})
}

func TestRematch(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		id := n.create(actor.Create{Game: "counter", Name: "cup", Private: true})
		info, _ := n.Inspect(t.Context(), id, actor.Look{})
		ha, hb := hello("a"), hello("b")
		ha.Code, hb.Code = info.Info.Code, info.Info.Code
		a, b := n.attach(id, ha), n.attach(id, hb)
		a.act(`{"finish":true}`)
		b.next("over")
		a.send(`{"rematch":true}`)
		b.send(`{"rematch":true}`)
		next := rematchOf(t, b)
		if info, err := n.Info(next); err != nil || info.Name != "cup" || !info.Private {
			t.Errorf("the rematch: %+v, %v", info, err)
		}
		if err := attachError(t, n, next, hello("stranger")); err.Code != wire.CloseForbidden {
			t.Errorf("a stranger: %d", err.Code)
		}
		n.player(next, "a").act(`{"add":1}`)
		n.player(next, "b").act(`{"add":1}`)
	})
}

// rematchOf waits for the event that names the next room.
func rematchOf(t *testing.T, c *client) room.ID {
	t.Helper()
	for {
		turn := c.next("turn")
		for _, e := range turn["events"].([]any) {
			data, _ := e.(map[string]any)["data"].(map[string]any)
			if id, ok := data["room"].(string); ok {
				return room.ID(id)
			}
		}
	}
}

func TestRematchIsAskedForAgainAfterARestart(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t, func(o *setup) { o.MaxRooms = 1 })
		n.results.shut = true
		id := n.create(actor.Create{Game: "counter"})
		a := n.player(id, "a")
		a.send(`{"finish":true}`)
		a.next("over")
		a.act(`{"rematch":true}`)
		found := n.restart(func(o *setup) { o.MaxRooms = 10 })
		defer n.stop()
		if found.Rooms != 1 {
			t.Fatalf("restored %+v", found)
		}
		synctest.Wait()
		if all := n.List(actor.Filter{Game: "counter"}); len(all) != 2 {
			t.Errorf("%d rooms after the restart, want the old one and the rematch", len(all))
		}
		if _, ok := n.results.get(id); !ok {
			t.Error("the unstored result was not sent again")
		}
	})
}

func TestReservationsRunOut(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		n := newNode(t)
		defer n.stop()
		match := func(p, ticket string) room.ID {
			t.Helper()
			info, err := n.Match(t.Context(), actor.Match{Game: "counter", Player: room.PlayerID(p), Ticket: ticket})
			if err != nil {
				t.Fatal(err)
			}
			return info.ID
		}
		first := match("a", "t1")
		if again := match("a", "t1"); again != first {
			t.Error("the same ticket was given another room")
		}
		if second := match("b", ""); second != first {
			t.Error("two players were not put together")
		}
		if third := match("c", ""); third == first {
			t.Error("a third player was put into a room for two")
		}
		if err := attachError(t, n, first, hello("z")); err.Code != wire.CloseForbidden {
			t.Errorf("a stranger took a reserved seat: %d", err.Code)
		}
		time.Sleep(6 * time.Second) // longer than a seat is kept
		n.player(first, "z").next("welcome")
		n.player(first, "b").next("welcome")
		if again := match("a", "t1"); again == first {
			t.Error("a ticket still answers a room that has filled up")
		}
		other, err := n.Match(t.Context(), actor.Match{Game: "counter", Player: "d", Options: json.RawMessage(`{"limit":3}`)})
		if err != nil {
			t.Fatal(err)
		}
		same, err := n.Match(t.Context(), actor.Match{Game: "counter", Player: "e", Options: json.RawMessage(`{ "limit" : 3 }`)})
		if err != nil || same.ID != other.ID {
			t.Errorf("equal options, spelt differently, were not put together: %v", err)
		}
	})
}
