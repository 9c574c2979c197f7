package actor

import (
	"cmp"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"time"

	"go.opentelemetry.io/otel/trace"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Options make a Directory. Games and, for rooms that outlive their process, Owner and Logs are needed; everything else
// has a default.
type Options struct {
	Games *core.Games
	Owner Owner    // nil: Alone
	Logs  Logs     // nil: only memory rooms
	Black BlackBox // nil: none
	// Events is told what happens in rooms. Nil: nobody outside wants to know.
	Events Events
	// Tracer makes the spans of acts that are sampled: see wire.Act.Trace. Nil: there are none.
	Tracer trace.Tracer

	Node string // this node's name, for clients

	Clock   clock.Clock               // nil: clock.System
	Wall    func() time.Time          // for Header.Created; nil: time.Now
	NewID   func(game string) room.ID // draws the ids of new rooms; nil: at random
	Log     *slog.Logger              // nil: discarded
	Metrics Metrics
	Core    core.Config // resume and snapshot budgets of every room; Header and Rules are ignored

	// Durability of games that name none; "" is local, or memory where there are no Logs.
	Durability room.Durability

	// ActFor lets the operator act for players (Directory.ActFor). It is for machines where games are written.
	ActFor bool
	// MaxLog bounds the bytes, compressed, of a live room's log that Directory.Log hands out; 0 means 32 MiB.
	MaxLog int

	// ShowPanics logs the value of a game's panic, which may be hidden from players. It is for machines where games are
	// written; elsewhere Inspect shows the value.
	ShowPanics bool

	MaxRooms int // on this node, finished ones that linger included; 0 means 10,000
	// RoomShare bounds the rooms here that one address (IPv6 /64) has made, and that one player has made; a /48 may have twice
	// as many. Rooms that come from elsewhere, or are brought back, count for nobody. 0 means a tenth of MaxRooms, 1 at least; below 0 there
	// is no bound.
	RoomShare     int
	MaxSpectators int // in one room; 0 means 1,000
	// Full reports that no more rooms can be made that outlive the process: Create answers ErrTooMany. It must not block. Nil
	// means never.
	Full        func() bool
	Mailbox     int // players' messages that wait for one room; 0 means 256
	Uncommitted int // inputs of one room stepped and not yet durable; at the bound the room stands still. 0 means 1,024
	Window      int // batches of one room's log that are handed over and not yet durable; 0 means 4
	WatchData   int // bytes of an act or a signal that a watcher is shown. 0 means 1 KiB
	WatchQueue  int // events that wait for one watcher of a room (Directory.Watch); more are left out and counted. 0 means 256

	Reserve        time.Duration // how long a matched player's seat is kept; 0 means 5 s
	ReserveRematch time.Duration // how long a seat in a rematch is kept; 0 means 60 s
	// Unclaimed bounds the seats that are kept at a time for players of one address (IPv6 /64) who have not come; a /48 may
	// have four times as many. 0 means 8; below 0 there is no bound.
	Unclaimed int

	SlowStep time.Duration // a step that takes longer is named in the log; 0 means 2 s
	Watchdog time.Duration // how often the watchdog looks at the steps; 0 means 500 ms
}

func (o Options) complete() (Options, error) {
	if o.Games == nil {
		return o, errors.New("actor: Options.Games is needed")
	}
	if o.Owner == nil {
		o.Owner = Alone{}
	}
	def := func(d *time.Duration, to time.Duration) { *d = cmp.Or(*d, to) }
	num := func(n *int, to int) { *n = cmp.Or(*n, to) }
	num(&o.MaxRooms, 10_000)
	num(&o.RoomShare, max(o.MaxRooms/10, 1))
	num(&o.MaxSpectators, 1_000)
	num(&o.Mailbox, 256)
	num(&o.Uncommitted, 1_024)
	num(&o.Window, 4)
	num(&o.WatchData, 1<<10)
	num(&o.WatchQueue, 256)
	num(&o.MaxLog, 32<<20)
	num(&o.Unclaimed, 8)
	def(&o.Reserve, 5*time.Second)
	def(&o.ReserveRematch, time.Minute)
	def(&o.SlowStep, 2*time.Second)
	def(&o.Watchdog, 500*time.Millisecond)
	if o.Durability == "" {
		o.Durability = room.Local
		if o.Logs == nil {
			o.Durability = room.Memory
		}
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	if o.Wall == nil {
		o.Wall = time.Now
	}
	if o.NewID == nil {
		o.NewID = func(string) room.ID { return randomID() }
	}
	if o.Log == nil {
		o.Log = slog.New(slog.DiscardHandler)
	}
	if o.Black == nil {
		o.Black = noBlackBox{}
	}
	o.Metrics = o.Metrics.complete()
	return o, o.checkDurability(o.Durability)
}

// checkDurability refuses what this node cannot keep.
func (o *Options) checkDurability(d room.Durability) error {
	switch {
	case d != room.Memory && d.Validate() == nil && o.Logs == nil:
		return fmt.Errorf("durability %s needs a data folder: this node keeps rooms in memory only", d)
	}
	return d.Validate()
}

func randomID() room.ID {
	var b [10]byte
	rand.Read(b[:])
	return record.NewID(b)
}

type noBlackBox struct{}

func (noBlackBox) Begin(room.ID, uint64) Step      { return noStep{} }
func (noBlackBox) BeginOpen(room.ID, string) Step  { return noStep{} }
func (noBlackBox) BeginRerun(room.ID, string) Step { return noStep{} }
func (noBlackBox) BeginReplay(room.ID) Step        { return noStep{} }
func (noBlackBox) Suspected(room.ID) bool          { return false }
func (noBlackBox) Poisoned(room.ID) (string, bool) { return "", false }
func (noBlackBox) Fatal(room.ID) bool              { return false }

type noStep struct{}

func (noStep) Release() {}

func (m Metrics) complete() Metrics {
	if m.Rooms == nil {
		m.Rooms = func(string, int) {}
	}
	if m.Sessions == nil {
		m.Sessions = func(string, int) {}
	}
	if m.Remote == nil {
		m.Remote = func(string, int) {}
	}
	if m.Inputs == nil {
		m.Inputs = func(string, core.Kind) {}
	}
	if m.Sent == nil {
		m.Sent = func(string, int) {}
	}
	if m.StepTime == nil {
		m.StepTime = func(string, time.Duration) {}
	}
	if m.CommitDelay == nil {
		m.CommitDelay = func(room.Durability, time.Duration) {}
	}
	if m.LostEvents == nil {
		m.LostEvents = func(string, uint64) {}
	}
	if m.LateTicks == nil {
		m.LateTicks = func(string, uint64) {}
	}
	if m.Closed == nil {
		m.Closed = func(string, wire.CloseCode) {}
	}
	if m.Ended == nil {
		m.Ended = func(string, record.End) {}
	}
	if m.Panics == nil {
		m.Panics = func(string) {}
	}
	if m.SlowSteps == nil {
		m.SlowSteps = func(string) {}
	}
	return m
}
