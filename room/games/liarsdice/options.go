package liarsdice

import (
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
)

// Options are a room's settings, all of them optional. Times are in milliseconds.
type Options struct {
	Players  int   `json:"players"`   // seats at the table, built-in opponents included: 2 to 6, default 6
	Dice     int   `json:"dice"`      // each player's at the start: 1 to 10, default 5
	WildOnes bool  `json:"wild_ones"` // ones count as every face; default true
	SpotOn   bool  `json:"spot_on"`   // an exact bid may be called; default true
	TurnMS   int64 `json:"turn_ms"`   // for a turn: 100 to 600000, default 30000
	RevealMS int64 `json:"reveal_ms"` // for looking at all dice: 100 to 60000, default 8000
	StartMS  int64 `json:"start_ms"`  // the countdown from the first ready player to the start: 100 to 300000, default 20000
	Bots     int   `json:"bots"`      // built-in opponents: 0 to players-1, default 0
}

func defaults() Options {
	return Options{Players: maxPlayers, Dice: 5, WildOnes: true, SpotOn: true, TurnMS: 30_000, RevealMS: 8000, StartMS: 20_000}
}

// decodeOptions reads and checks a room's options. Its errors are refusals that name the field.
func decodeOptions(t *room.Turn) (Options, error) {
	o := defaults()
	if err := t.Options(&o); err != nil {
		return o, room.Refuse("bad_options", err.Error())
	}
	for _, f := range []struct {
		name            string
		value, from, to int64
	}{
		{"players", int64(o.Players), minPlayers, maxPlayers},
		{"dice", int64(o.Dice), 1, 10},
		{"turn_ms", o.TurnMS, 100, 600_000},
		{"reveal_ms", o.RevealMS, 100, 60_000},
		{"start_ms", o.StartMS, 100, 300_000},
		{"bots", int64(o.Bots), 0, int64(o.Players) - 1},
	} {
		if f.value < f.from || f.value > f.to {
			return o, room.Refuse("bad_options", fmt.Sprintf("field %q: choose %d to %d", f.name, f.from, f.to))
		}
	}
	return o, nil
}

// lowest is the lowest face that can be bid.
func (o *Options) lowest() int {
	if o.WildOnes {
		return 2
	}
	return 1
}

func ms(n int64) time.Duration { return time.Duration(n) * time.Millisecond }
