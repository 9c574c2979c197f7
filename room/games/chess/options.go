package chess

import (
	"cmp"
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
)

// Options are a room's settings, all of them optional.
type Options struct {
	// White says who plays White: "first" (the player of the first seat), "second", "random" (the
	// default), or "player:" and a player's id, which is "random" if that player does not sit down.
	White string `json:"white,omitempty"`
	// Clock gives both sides a clock. Without it time does not matter.
	Clock *ClockOptions `json:"clock,omitempty"`
	// GraceMS is how long a player may be away in the player's own turn before the game is lost, in milliseconds: 1 second to
	// 14 days, by default one minute. It is only for games without a clock: a clock decides alone.
	GraceMS int64 `json:"grace_ms,omitempty"`
	// Takeback allows players to take moves back by agreement.
	Takeback bool `json:"takeback,omitempty"`
	// Bot is the strength of the built-in opponent, 1 to 3; true means 2. Zero or false means two players.
	Bot Level `json:"bot,omitempty"`
	// FEN is the position to start from instead of the usual one.
	FEN string `json:"fen,omitempty"`
}

// ClockOptions are the time that a side has and that each of its moves adds, in milliseconds.
type ClockOptions struct {
	InitialMS   int64 `json:"initial_ms"`             // 1 to 14 days
	IncrementMS int64 `json:"increment_ms,omitempty"` // 0 to 1 hour
}

// Bounds of ClockOptions.
const (
	MaxInitial   = 14 * 24 * time.Hour
	MaxIncrement = time.Hour
)

// Bounds and default of Options.GraceMS.
const (
	MinGrace     = time.Second
	MaxGrace     = 14 * 24 * time.Hour
	defaultGrace = time.Minute
)

func (o *Options) grace() time.Duration { return cmp.Or(ms(o.GraceMS), defaultGrace) }

// The values of Options.White. A player's id follows byID.
const (
	byFirst  = "first"
	bySecond = "second"
	byRandom = "random"
	byID     = "player:"
)

// Level is the strength of the built-in opponent.
type Level int

// MaxLevel is the strongest level.
const MaxLevel Level = 3

// UnmarshalJSON reads a number, true for the middle level, or false for no opponent.
func (l *Level) UnmarshalJSON(raw []byte) error {
	switch string(raw) {
	case "true":
		*l = 2
	case "false":
		*l = 0
	default:
		var n int
		if err := json.Unmarshal(raw, &n); err != nil || n < 0 || n > int(MaxLevel) {
			return fmt.Errorf("field \"bot\": choose true, false, or a level from 1 to %d", MaxLevel)
		}
		*l = Level(n)
	}
	return nil
}

// decodeOptions reads and checks a room's options. Its errors are refusals that name the field.
func decodeOptions(t *room.Turn) (Options, *line, error) {
	o := Options{White: byRandom, FEN: startFEN, GraceMS: defaultGrace.Milliseconds()}
	if err := t.Options(&o); err != nil {
		return o, nil, room.Refuse("bad_options", err.Error())
	}
	if t.Runtime() >= fair && len(o.White) > len(byID)+room.MaxPlayerID {
		return o, nil, badOption("white", fmt.Sprintf("a player's id has %d bytes at most", room.MaxPlayerID))
	}
	if !knownWhite(o.White) {
		return o, nil, badOption("white", `choose "first", "second", "random", or "player:" and an id`)
	}
	if err := o.Clock.check(); err != nil {
		return o, nil, err
	}
	switch {
	case o.GraceMS == defaultGrace.Milliseconds():
	case o.Clock != nil:
		return o, nil, badOption("grace_ms", "leave it out where there is a clock: the clock decides what absence costs")
	case o.GraceMS < MinGrace.Milliseconds() || o.GraceMS > MaxGrace.Milliseconds():
		return o, nil, badOption("grace_ms", fmt.Sprintf("choose %d to %d", MinGrace.Milliseconds(), MaxGrace.Milliseconds()))
	}
	l, err := newLine(o.FEN)
	if err != nil {
		return o, nil, badOption("fen", err.Error())
	}
	return o, l, nil
}

func badOption(field, why string) error {
	return room.Refuse("bad_options", fmt.Sprintf("field %q: %s", field, why))
}

func knownWhite(s string) bool {
	return s == byFirst || s == bySecond || s == byRandom || strings.HasPrefix(s, byID)
}

func (c *ClockOptions) check() error {
	switch {
	case c == nil:
	case c.InitialMS < 1 || c.InitialMS > MaxInitial.Milliseconds():
		return badOption("clock.initial_ms", fmt.Sprintf("choose 1 to %d", MaxInitial.Milliseconds()))
	case c.IncrementMS < 0 || c.IncrementMS > MaxIncrement.Milliseconds():
		return badOption("clock.increment_ms", fmt.Sprintf("choose 0 to %d", MaxIncrement.Milliseconds()))
	}
	return nil
}
