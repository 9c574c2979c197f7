package room

import (
	"cmp"
	"crypto/sha256"
	"encoding/binary"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"
)

// effects is what one call of a game asked of the runtime.
type effects struct {
	events []event
	timers []timer
	seats  int // 0: as they are
	lock   *bool
	wait   bool
	begin  bool
	grace  *time.Duration // 0: as in the spec
	empty  *time.Duration // likewise
	result *Result
	abort  bool // the result is none
}

// event waits for the next turn. An empty To is everybody.
type event struct {
	To   PlayerID        `cbor:"1,keyasint,omitempty"`
	Name string          `cbor:"2,keyasint"`
	Data json.RawMessage `cbor:"3,keyasint,omitempty"`
}

// timer is due at At in room time; in effects an At of zero stops it.
type timer struct {
	Name string        `cbor:"1,keyasint"`
	At   time.Duration `cbor:"2,keyasint"`
}

func (fx *effects) emit(to PlayerID, name string, data any) {
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

// take makes the effects of a call that was not refused part of the room.
func (c *Core) take(fx *effects) {
	c.s.Events = append(c.s.Events, fx.events...)
	for _, t := range fx.timers {
		c.setTimer(t)
	}
	if fx.seats > 0 {
		c.s.Limit = min(fx.seats, c.rules.spec.MaxPlayers)
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
		c.finish(*fx.result, fx.abort)
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

// random draws the present input's source from the room's seed and the index: nothing of it needs to
// be kept in a snapshot.
func (c *Core) random() *rand.Rand {
	var block [40]byte
	copy(block[:], c.header.Seed[:])
	binary.BigEndian.PutUint64(block[32:], uint64(c.s.Index))
	return rand.New(rand.NewChaCha8(sha256.Sum256(block[:])))
}
