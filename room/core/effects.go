package core

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
)

// gameCall is the room.Runtime for one call of a game, and the Turn that the game is lent.
type gameCall struct {
	room.Turn
	core *Core
	fx   effects
	rand *rand.Rand
}

func newTurn(c *Core) *gameCall {
	t := &gameCall{core: c}
	t.Turn = room.NewTurn((*turnRuntime)(t))
	return t
}

// turnRuntime is gameCall with the Runtime's methods. They have the names of the Turn's methods, which gameCall embeds.
type turnRuntime gameCall

func (t *turnRuntime) Now() time.Duration          { return t.core.s.Now }
func (t *turnRuntime) Index() room.Index           { return t.core.s.Index }
func (t *turnRuntime) Players() []room.Player      { return t.core.players() }
func (t *turnRuntime) Online(p room.PlayerID) bool { return t.core.online(p) }
func (t *turnRuntime) Acted(p room.PlayerID) bool  { return t.core.acted(p) }
func (t *turnRuntime) RuntimeVersion() int         { return t.core.header.Runtime }

func (t *turnRuntime) Rand() *rand.Rand {
	if t.rand == nil {
		t.rand = t.core.random()
	}
	return t.rand
}

func (t *turnRuntime) Decode(raw json.RawMessage, into any) error { return t.core.decode(raw, into) }

func (t *turnRuntime) Options(into any) (json.RawMessage, error) {
	c := t.core
	raw := c.header.Options
	if len(raw) > 0 {
		if err := c.decode(raw, into); err != nil {
			return raw, err
		}
	}
	if c.decoded != nil {
		if out, err := json.Marshal(into); err == nil {
			c.decoded = append(c.decoded, out...)
		}
	}
	return raw, nil
}

func (t *turnRuntime) Send(to room.PlayerID, name string, data any) { t.fx.emit(to, name, data) }
func (t *turnRuntime) StopTimer(name string)                        { t.fx.timer(name, 0) }
func (t *turnRuntime) Seats(n int)                                  { t.fx.seats = n }
func (t *turnRuntime) Lock(locked bool)                             { t.fx.lock = &locked }
func (t *turnRuntime) Wait()                                        { t.fx.wait = true }
func (t *turnRuntime) Begin()                                       { t.fx.begin = true }
func (t *turnRuntime) Grace(d time.Duration)                        { t.fx.grace = &d }
func (t *turnRuntime) Empty(d time.Duration)                        { t.fx.empty = &d }
func (t *turnRuntime) Finish(r room.Result, abort bool)             { t.fx.result, t.fx.abort = &r, abort }

// StartTimer sets a timer; one beyond the end of time never comes.
func (t *turnRuntime) StartTimer(name string, after time.Duration) {
	t.fx.timer(name, later(t.core.s.Now, after))
}

// effects is what one call of a game asked of the runtime.
type effects struct {
	events []event
	timers []timer
	seats  int // 0: unchanged
	lock   *bool
	wait   bool
	begin  bool
	grace  *time.Duration // 0: Spec.Grace
	empty  *time.Duration // 0: Spec.Empty
	result *room.Result
	abort  bool // Turn.Abort gave the result
}

// event waits for the next turn. An empty To means everybody.
type event struct {
	To   room.PlayerID   `cbor:"1,keyasint,omitempty"`
	Name string          `cbor:"2,keyasint"`
	Data json.RawMessage `cbor:"3,keyasint,omitempty"`
}

// timer is due at At in room time. In effects, an At of zero stops the timer.
type timer struct {
	Name string        `cbor:"1,keyasint"`
	At   time.Duration `cbor:"2,keyasint"`
}

func (fx *effects) emit(to room.PlayerID, name string, data any) {
	e := event{To: to, Name: name}
	if data != nil {
		raw, err := json.Marshal(data)
		if err != nil {
			panic(fmt.Sprintf("event %s: %v", name, err))
		}
		e.Data = raw
	}
	fx.events = append(fx.events, e)
}

func (fx *effects) timer(name string, at time.Duration) {
	fx.timers = append(fx.timers, timer{name, at})
}

// apply changes the room by the effects of a call that the game did not refuse.
func (c *Core) apply(fx *effects) {
	c.s.Events = append(c.s.Events, fx.events...)
	for _, t := range fx.timers {
		c.setTimer(t)
	}
	if fx.seats > 0 {
		c.s.Limit = min(fx.seats, c.spec.MaxPlayers)
	}
	if fx.lock != nil {
		c.s.Locked = *fx.lock
	}
	c.s.Waits = c.s.Waits || fx.wait
	c.s.Started = c.s.Started || fx.begin
	if fx.grace != nil {
		c.s.Grace = *fx.grace
	}
	if fx.empty != nil {
		c.s.Empty = *fx.empty
	}
	if fx.result != nil && c.s.Final == nil {
		c.finishGame(*fx.result, fx.abort)
	}
}

func (c *Core) setTimer(t timer) {
	c.s.Timers = slices.DeleteFunc(c.s.Timers, func(o timer) bool { return o.Name == t.Name })
	if t.At == 0 || c.s.Final != nil {
		return
	}
	at, _ := slices.BinarySearchFunc(c.s.Timers, t, func(a, b timer) int {
		return cmp.Or(cmp.Compare(a.At, b.At), cmp.Compare(a.Name, b.Name))
	})
	c.s.Timers = slices.Insert(c.s.Timers, at, t)
}

// random returns the present input's random source. It depends on the room's seed and the index alone, so snapshots
// need not keep it.
func (c *Core) random() *rand.Rand {
	var block [40]byte
	copy(block[:], c.header.Seed[:])
	binary.BigEndian.PutUint64(block[32:], uint64(c.s.Index))
	return rand.New(rand.NewChaCha8(sha256.Sum256(block[:])))
}
