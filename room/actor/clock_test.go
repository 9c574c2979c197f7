package actor_test

import (
	"context"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/clock/clocktest"
	"github.com/roomring/roomring/room/wire"
)

// pausing is the time of a machine on which a test can stop the process: Jump.
type pausing struct{ *clocktest.Manual }

func newPausing() pausing { return pausing{clocktest.New()} }

// run lets time pass for a process that runs: every timer rings when it is due.
func (p pausing) run(d time.Duration) {
	for end := p.Now() + d; p.Now() < end; {
		p.Jump(min(20*time.Millisecond, end-p.Now()))
		time.Sleep(50 * time.Microsecond) // for those whose timers ring
	}
}

func TestTheClockLeavesOutGaps(t *testing.T) {
	t.Run("one that is in use", func(t *testing.T) {
		p := newPausing()
		c := clock.New(p)
		c.Use(1)
		p.Jump(40 * time.Millisecond)
		before := c.Now()
		p.Jump(8 * time.Second)
		if gap := c.Now() - before; gap != 50*time.Millisecond {
			t.Errorf("8 s in which the process stood still count as %v", gap)
		}
		if n, out := c.LeftOut(); n != 1 || out != 7950*time.Millisecond {
			t.Errorf("left out %v in %d gaps", out, n)
		}
	})
	t.Run("a short one", func(t *testing.T) {
		p := newPausing()
		c := clock.New(p)
		c.Use(1)
		before := c.Now()
		p.Jump(250 * time.Millisecond)
		if gap := c.Now() - before; gap != 250*time.Millisecond {
			t.Errorf("250 ms count as %v", gap)
		}
	})
	t.Run("one that nobody uses", func(t *testing.T) {
		p := newPausing()
		c := clock.New(p)
		p.Jump(time.Hour)
		c.Use(1)
		c.Use(-1)
		if now := c.Now(); now != time.Hour || p.Pending() != 0 {
			t.Errorf("an hour counts as %v, and %d timers are set", now, p.Pending())
		}
		p.Jump(time.Hour)
		c.Use(1)
		if now := c.Now(); now != 2*time.Hour || p.Pending() != 1 {
			t.Errorf("two hours count as %v, and %d timers are set", now, p.Pending())
		}
	})
}

// TestTheClockNeverFalls reads the clock from several goroutines while the process stands still again and again.
func TestTheClockNeverFalls(t *testing.T) {
	p := newPausing()
	c := clock.New(p)
	c.Use(1)
	ctx, cancel := context.WithCancel(t.Context())
	var wg sync.WaitGroup
	for range 4 {
		wg.Go(func() {
			for last := c.Now(); ctx.Err() == nil; {
				now := c.Now()
				if now < last {
					t.Errorf("it was %v and is %v", last, now)
					return
				}
				last = now
			}
		})
	}
	for i := range 2000 {
		p.Jump(time.Duration(i%9) * 40 * time.Millisecond)
	}
	cancel()
	wg.Wait()
}

// TestAnAlarmWaitsForTheProcess lets the machine's timer ring before anybody has read the clock after a gap.
func TestAnAlarmWaitsForTheProcess(t *testing.T) {
	p := newPausing()
	c := clock.New(p)
	c.Use(1)
	rang := make(chan time.Duration, 1)
	c.AfterFunc(5*time.Second, func() { rang <- c.Now() })
	stopped := c.AfterFunc(5*time.Second, func() { t.Error("a timer rang that was stopped") })
	p.run(time.Second)
	p.Jump(time.Minute)
	testwait.Until(t, "the timers are set again", func() bool { return p.Pending() == 3 })
	stopped.Stop()
	select {
	case at := <-rang:
		t.Fatalf("it rang at %v", at)
	default:
	}
	for range 1000 {
		if p.run(10 * time.Millisecond); len(rang) > 0 {
			break
		}
	}
	if at := testwait.Receive(t, "the alarm", rang); at < 5*time.Second {
		t.Errorf("it rang at %v", at)
	}
}

// TestRoomTimeLeavesOutThePause stops the process while a timer, a grace, a reservation and a ticket run, for longer than
// any of them.
func TestRoomTimeLeavesOutThePause(t *testing.T) {
	p := newPausing()
	n := newNode(t, func(o *setup) {
		clock := clock.New(p)
		o.Clock, o.Journal = clock, newJournal(clock)
	})
	defer n.stop()
	id := n.create(actor.Create{Game: "counter"})
	a := n.player(id, "a")
	b := n.player(id, "b")
	a.act(`{"add":1,"timer":5000}`)
	b.Detach()
	want := actor.Match{Game: "counter", Player: "c", Ticket: "t"}
	kept, err := n.Match(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	online := func() bool {
		info, err := n.Info(id)
		return err == nil && len(info.Seats) == 2 && info.Seats[1].Online
	}
	testwait.Until(t, "b is gone", func() bool { return !online() })
	p.run(time.Second)
	before := n.time(id)

	p.Jump(time.Hour)
	a.act(`{"add":1}`)
	if gone := n.time(id) - before; gone > 60*time.Millisecond {
		t.Errorf("%v have gone by while the process stood still", gone)
	}
	if look, _ := n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator}); !strings.Contains(string(look.View), `"rings":0`) {
		t.Errorf("the timer has rung: %s", look.View)
	}
	if info, _ := n.Info(id); len(info.Seats) != 2 {
		t.Errorf("the seat of who was away is gone: %+v", info.Seats)
	}
	n.player(kept.ID, "d")
	if err := attachError(t, n, kept.ID, hello("e")); err.Code != wire.CloseForbidden {
		t.Errorf("a stranger has the seat that was kept for a match: %v", err)
	}
	if again, err := n.Match(t.Context(), want); err != nil || again.ID != kept.ID {
		t.Errorf("the ticket is answered %v, %v", again.ID, err)
	}

	p.run(3 * time.Second)
	if at := n.time(id); at > 5*time.Second {
		t.Fatalf("the test is wrong: room time is %v", at)
	}
	testwait.Until(t, "the timer rings", func() bool {
		p.run(10 * time.Millisecond)
		look, _ := n.Inspect(t.Context(), id, actor.Look{View: &room.Spectator})
		return strings.Contains(string(look.View), `"rings":1`)
	})
}

// time is a room's time.
func (n *node) time(id room.ID) time.Duration {
	n.t.Helper()
	look, err := n.Inspect(context.Background(), id, actor.Look{})
	if err != nil {
		n.t.Fatal(err)
	}
	return look.Time
}
