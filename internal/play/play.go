// Package play plays any game whose rules say what is legal (room.Advisor). The test kit, chaos tests and load tests share it:
// Choose draws an action, and Drive plays the clients of a room until their game is over.
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
	"github.com/roomring/roomring/room/record"
)

// Guide says what each viewer of one room may do now, in the viewers' order. A shorter answer means that the rest may do
// nothing. It may block while it asks the room.
type Guide func(ctx context.Context, viewers []room.Viewer) ([][]json.RawMessage, error)

// ErrNoAdvisor says that the game is no room.Advisor.
var ErrNoAdvisor = errors.New("the game does not say what is legal: give it a Legal method (room.Advisor)")

// StateGuide guides by the state of a room in another process. The function state returns it as the admin API shows it, or
// nothing while the room cannot be asked; then nobody may do anything.
func StateGuide(rules *room.Rules, state func(ctx context.Context) (json.RawMessage, error)) Guide {
	return func(ctx context.Context, viewers []room.Viewer) ([][]json.RawMessage, error) {
		raw, err := state(ctx)
		if err != nil || len(raw) == 0 {
			return nil, err
		}
		all := make([][]json.RawMessage, len(viewers))
		for i, v := range viewers {
			if all[i], err = answer(core.LegalIn(rules, raw, v)); err != nil {
				return nil, err
			}
		}
		return all, nil
	}
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

// Draw draws one of all actions that several viewers may take, each as likely as another, and says whose it is. The action is nil
// if there is none.
func Draw(r *rand.Rand, legal [][]json.RawMessage) (viewer int, action json.RawMessage) {
	all := slices.Concat(legal...)
	if len(all) == 0 {
		return 0, nil
	}
	n := r.IntN(len(all))
	action = all[n]
	for n >= len(legal[viewer]) {
		n -= len(legal[viewer])
		viewer++
	}
	return viewer, action
}

// CheckOptions opens a room with options, and returns why its game refuses them. No options are the game's defaults.
func CheckOptions(rules *room.Rules, options json.RawMessage) error {
	if len(options) > 0 && !json.Valid(options) {
		return fmt.Errorf("the options of %s are no JSON: %s", rules.Spec().Name, options)
	}
	spec := rules.Spec()
	trial := core.Config{Rules: rules, Header: record.Header{Game: spec.Name, Version: spec.Version, Runtime: core.RuntimeVersion, Options: options}}
	if _, _, err := core.Open(trial, 1); err != nil {
		return fmt.Errorf("the options of %s: %w", spec.Name, err)
	}
	return nil
}

// Client is one player of a room.
type Client interface {
	Viewer() room.Viewer
	// Act sends an action and waits for its answer. A *room.Refusal says that the action is no longer legal.
	Act(ctx context.Context, action json.RawMessage) error
	// Done reports whether the client plays no more: it has heard of the game's end, or has played enough.
	Done() bool
}

// Options say how Drive plays. The zero value plays as fast as answers come.
type Options struct {
	Rand  *rand.Rand    // draws who acts and how; nil: a source with a random seed
	Pause time.Duration // after each act, and while nobody can act; 0 means 1 ms
	Clock clock.Clock   // of the pauses; nil: the machine's time
}

// Report counts what Drive has done.
type Report struct {
	Accepted int // actions
	Refused  int // actions that were no longer legal when they reached the room
}

// Drive plays the clients of one room, one action at a time, until all of them are done. It returns early with an error of the
// guide, of a client that is not done, or of ctx.
func Drive(ctx context.Context, guide Guide, clients []Client, o Options) (Report, error) {
	if o.Rand == nil {
		o.Rand = rand.New(rand.NewPCG(rand.Uint64(), rand.Uint64()))
	}
	if o.Pause == 0 {
		o.Pause = time.Millisecond
	}
	var report Report
	for {
		playing := slices.DeleteFunc(slices.Clone(clients), Client.Done)
		if len(playing) == 0 {
			return report, nil
		}
		if err := report.act(ctx, guide, playing, o.Rand); err != nil {
			return report, err
		}
		if !clock.Sleep(ctx, o.Clock, o.Pause) {
			return report, ctx.Err()
		}
	}
}

// act draws one of all actions that the clients may take now, and has its client take it.
func (r *Report) act(ctx context.Context, guide Guide, clients []Client, random *rand.Rand) error {
	viewers := make([]room.Viewer, len(clients))
	for i, c := range clients {
		viewers[i] = c.Viewer()
	}
	legal, err := guide(ctx, viewers)
	i, action := Draw(random, legal)
	if err != nil || action == nil {
		return err
	}
	err = clients[i].Act(ctx, action)
	_, refused := errors.AsType[*room.Refusal](err)
	switch {
	case err == nil:
		r.Accepted++
	case refused:
		r.Refused++
	case !clients[i].Done(): // else the end came before the answer
		return fmt.Errorf("player %s, %s: %w", viewers[i].Player, action, err)
	}
	return nil
}
