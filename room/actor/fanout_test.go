package actor

import (
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// arena is 20 entities that all move at every tick.
type arena struct{ Entities [20]entity }

type entity struct {
	X    int    `json:"x"`
	Y    int    `json:"y"`
	HP   int    `json:"hp"`
	Name string `json:"name"`
}

type arenaView struct {
	Entities []entity `json:"entities"`
}

func (a *arena) Act(*room.Turn, room.Player, struct{}) error { return nil }
func (a *arena) View(room.Viewer) arenaView                  { return arenaView{a.Entities[:]} }
func (a *arena) Tick(*room.Turn) {
	for i := range a.Entities {
		e := &a.Entities[i]
		e.X, e.Y = (e.X+1)%1000, (e.Y+3)%1000
	}
}

// handClock moves when a test moves it; its timers never fire.
type handClock struct{ now atomic.Int64 }

func (c *handClock) Now() time.Duration                          { return time.Duration(c.now.Load()) }
func (c *handClock) AfterFunc(time.Duration, func()) clock.Timer { return noTimer{} }
func (c *handClock) Use(int)                                     {}
func (c *handClock) Wall() time.Time                             { return time.Time{} }

type noTimer struct{}

func (noTimer) Reset(time.Duration) bool { return true }
func (noTimer) Stop() bool               { return true }

// arenaRoom is a room in memory that runs when its turn is called.
func arenaRoom(tb testing.TB, clock clock.Clock) *liveRoom {
	tb.Helper()
	rules := room.MustDefine(room.Spec{Name: "arena", Version: 1, MaxPlayers: 1, TickRate: 20, SharedView: true}, func() *arena { return &arena{} })
	games, err := core.NewGames(rules)
	if err != nil {
		tb.Fatal(err)
	}
	d, err := NewDirectory(Options{Games: games, Clock: clock, Watchdog: time.Hour})
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = d.Shutdown(tb.Context()) })
	machine, _, err := core.Open(core.Config{Rules: rules, Header: record.Header{
		ID: randomID(), Game: "arena", Version: 1, Runtime: core.RuntimeVersion, Durability: room.Memory,
	}}, 1)
	if err != nil {
		tb.Fatal(err)
	}
	return d.newRoom(machine)
}

// newArena is an arenaRoom with so many sessions: one player, the rest spectators. Tick makes the room tick once and hand
// the turn to every session; drain takes what is queued for every session.
func newArena(tb testing.TB, sessions int) (tick, drain func()) {
	tb.Helper()
	clock := &handClock{}
	r := arenaRoom(tb, clock)
	boxes := make([]*Outbox, sessions)
	for i := range boxes {
		boxes[i] = NewOutbox(OutboxOptions{})
		h := Hello{Player: "p", Client: "c"}
		if i > 0 {
			h = Hello{Client: record.ClientID(fmt.Sprint("c", i)), Spectate: true}
		}
		if err := r.attach(newSession(r, h, NewFeed(boxes[i]))); err != nil {
			tb.Fatal(err)
		}
	}
	buf := make([]byte, 0, 64<<10)
	drain = func() {
		for _, b := range boxes {
			if buf, _ = b.Take(buf[:0], 64<<10); len(buf) == 0 {
				tb.Fatal("a session was told nothing")
			}
		}
	}
	tick = func() {
		clock.now.Add(int64(50 * time.Millisecond))
		r.turn()
	}
	tick()
	drain()
	return tick, drain
}

// TestATickAllocatesForNoViewer compares a room of one session with a room of fifty.
func TestATickAllocatesForNoViewer(t *testing.T) {
	allocations := func(sessions int) float64 {
		tick, drain := newArena(t, sessions)
		for range 600 { // until the buffers for those who come back are as large as they get
			tick()
			drain()
		}
		return testing.AllocsPerRun(512, func() { tick(); drain() })
	}
	if one, fifty := allocations(1), allocations(50); fifty > one {
		t.Errorf("a tick costs %v allocations with one session and %v with 50", one, fifty)
	}
}

// BenchmarkTick measures a tick of 20 moving entities, from the room's timer to the outboxes of its sessions. Their writers
// empty them every 16 ticks. The difference of two lines is what a session costs.
func BenchmarkTick(b *testing.B) {
	for _, sessions := range []int{1, 50} {
		b.Run(fmt.Sprintf("sessions=%d", sessions), func(b *testing.B) {
			tick, drain := newArena(b, sessions)
			b.ReportAllocs()
			n := 0
			for b.Loop() {
				tick()
				if n++; n%16 == 0 {
					b.StopTimer()
					drain()
					b.StartTimer()
				}
			}
		})
	}
}
