package snakes

import (
	"fmt"

	"github.com/roomring/roomring/room"
)

// Options are a room's settings, all of them optional.
type Options struct {
	Width  int `json:"width"`  // cells, 16 to 128; default 64
	Height int `json:"height"` // cells, 16 to 128; default 40
	// Walls says that the edges kill (the default). Without them they lead to the opposite side.
	Walls        bool `json:"walls"`
	Rounds       int  `json:"rounds"`  // 1 to 20; default 3
	RoundSeconds int  `json:"round_s"` // the length of a round at most, 5 to 900; default 120
	StartSeconds int  `json:"start_s"` // the countdown before a round, 1 to 60; default 3
	PauseSeconds int  `json:"pause_s"` // the pause after a round, 1 to 60; default 4
	// Bots is how many built-in snakes play too, 0 to MaxBots; default 0. A game with any is not rated.
	Bots int `json:"bots"`
}

// MaxBots bounds Options.Bots.
const MaxBots = 12

var defaults = Options{Width: 64, Height: 40, Walls: true, Rounds: 3, RoundSeconds: 120, StartSeconds: 3, PauseSeconds: 4}

// decodeOptions reads and checks a room's options. Its errors are refusals that name the field.
func decodeOptions(t *room.Turn) (Options, error) {
	o := defaults
	if err := t.Options(&o); err != nil {
		return o, room.Refuse("bad_options", err.Error())
	}
	for _, f := range []struct {
		name          string
		n, least, top int
	}{
		{"width", o.Width, 16, 128},
		{"height", o.Height, 16, 128},
		{"rounds", o.Rounds, 1, 20},
		{"round_s", o.RoundSeconds, 5, 900},
		{"start_s", o.StartSeconds, 1, 60},
		{"pause_s", o.PauseSeconds, 1, 60},
		{"bots", o.Bots, 0, MaxBots},
	} {
		if f.n < f.least || f.n > f.top {
			return o, room.Refuse("bad_options", fmt.Sprintf("field %q: choose %d to %d", f.name, f.least, f.top))
		}
	}
	return o, nil
}
