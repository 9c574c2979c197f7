// Package play plays any game whose rules say what is legal (room.Advisor). Test kits, bots, torments and load tests share it:
// Choose draws an action, Drive plays clients of a server until their game is over.
package play

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
)

// Guide says what a viewer may do now. It may block for the room it asks.
type Guide interface {
	Legal(ctx context.Context, v room.Viewer) ([]json.RawMessage, error)
}

// GuideFunc is a function as a Guide.
type GuideFunc func(ctx context.Context, v room.Viewer) ([]json.RawMessage, error)

// Legal implements Guide.
func (f GuideFunc) Legal(ctx context.Context, v room.Viewer) ([]json.RawMessage, error) {
	return f(ctx, v)
}

// ErrNoAdvisor says that the game is no room.Advisor.
var ErrNoAdvisor = errors.New("the game does not say what is legal: give it a Legal method (room.Advisor)")

// StateGuide is the Guide of a room elsewhere, of which state returns the game's state, as the admin API shows it.
func StateGuide(rules *room.Rules, state func(ctx context.Context) (json.RawMessage, error)) Guide {
	return GuideFunc(func(ctx context.Context, v room.Viewer) ([]json.RawMessage, error) {
		raw, err := state(ctx)
		if err != nil || len(raw) == 0 {
			return nil, err
		}
		return answer(core.LegalIn(rules, raw, v))
	})
}

// Legal is what a viewer of a room in this process may do now.
func Legal(machine *core.Core, v room.Viewer) ([]json.RawMessage, error) {
	return answer(machine.Legal(v))
}

func answer(actions []json.RawMessage, advises bool, err error) ([]json.RawMessage, error) {
	if err == nil && !advises {
		err = ErrNoAdvisor
	}
	return actions, err
}

// Choose draws one of the legal actions; nil if there is none.
func Choose(r *rand.Rand, legal []json.RawMessage) json.RawMessage {
	if len(legal) == 0 {
		return nil
	}
	return legal[r.IntN(len(legal))]
}

// Client is one player of a room.
type Client interface {
	Viewer() room.Viewer
	// Act sends an action and waits for its answer. A *room.Refusal says that the room has moved on since the action was legal.
	Act(ctx context.Context, action json.RawMessage) error
	// Over reports whether the client has heard of the game's end.
	Over() bool
}

// Options say how Drive plays. The zero value plays as fast as answers come, by chance.
type Options struct {
	Rand  *rand.Rand    // nil: seeded by chance
	Pause time.Duration // between two acts, and while nobody has anything to do; 0 means 1 ms
	Clock clock.Clock   // of the pauses; nil is the system's
}

// Report counts what Drive has done.
type Report struct {
	Accepted int
	Refused  int // for the room had moved on
}

// Drive plays the clients of one room until each has heard of the end, one action at a time, and returns early with the error
// of the guide, of a client or of ctx.
func Drive(ctx context.Context, guide Guide, clients []Client, o Options) (Report, error) {
	var report Report
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	if o.Clock == nil {
		o.Clock = clock.System()
	}
	for anyPlays(clients) {
		for _, i := range o.Rand.Perm(len(clients)) {
			acted, err := report.act(ctx, guide, clients[i], o.Rand)
			if err != nil {
				return report, fmt.Errorf("player %s: %w", clients[i].Viewer().Player, err)
			}
			if acted {
				break
			}
		}
		if !clock.Sleep(ctx, o.Clock, o.Pause) {
			return report, ctx.Err()
		}
	}
	return report, nil
}

func anyPlays(clients []Client) bool {
	return slices.ContainsFunc(clients, func(c Client) bool { return !c.Over() })
}

// act lets a client do something, if there is anything for it to do.
func (r *Report) act(ctx context.Context, guide Guide, c Client, random *rand.Rand) (acted bool, err error) {
	if c.Over() {
		return false, nil
	}
	actions, err := guide.Legal(ctx, c.Viewer())
	action := Choose(random, actions)
	if action == nil || err != nil {
		return false, err
	}
	err = c.Act(ctx, action)
	if _, refused := errors.AsType[*room.Refusal](err); refused {
		r.Refused++
		return true, nil
	}
	if err == nil {
		r.Accepted++
	}
	return true, err
}
