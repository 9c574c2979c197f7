package loadtest

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
)

// Driver proposes an action for a player who sees a view; nil means that the player has nothing to do now. Many goroutines call it,
// each with an r of its own. The action is sent as its JSON.
type Driver = func(r *rand.Rand, p room.Player, view json.RawMessage) any

// adviser says what each of some players of a room may do, and at which index of the room that is so. The error ends the run.
type adviser func(ctx context.Context, t *table, players []*player) (legal [][]json.RawMessage, seq uint64, err error)

// byDriver asks the program's driver.
func byDriver(drive Driver) adviser {
	return func(_ context.Context, t *table, players []*player) ([][]json.RawMessage, uint64, error) {
		legal := make([][]json.RawMessage, len(players))
		for i, p := range players {
			var view json.RawMessage
			if p.View(&view) != nil {
				continue // it is not there, for the session has ended
			}
			action := drive(t.rng, room.Player{ID: p.viewer.Player, Name: p.name, Seat: p.viewer.Seat}, view)
			if action == nil {
				continue
			}
			raw, err := json.Marshal(action)
			if err != nil {
				return nil, 0, fmt.Errorf("what the driver proposes is no JSON: %w", err)
			}
			if string(raw) != "null" {
				legal[i] = []json.RawMessage{raw}
			}
		}
		return legal, t.seq.Load(), nil
	}
}

// operator asks the admin API of a server or cluster.
type operator struct {
	o    *Options
	http *http.Client

	mu      sync.Mutex
	known   bool // it has told the state of a room
	missing int  // rooms that it did not know
}

// mostMissing is how many rooms an admin API may not know before it is taken for that of another server.
const mostMissing = 20

// advise works out what is legal from the room's state.
func (a *operator) advise(ctx context.Context, t *table, players []*player) ([][]json.RawMessage, uint64, error) {
	viewers := make([]room.Viewer, len(players))
	for i, p := range players {
		viewers[i] = p.viewer
	}
	var seq uint64
	guide := play.StateGuide(a.o.Rules, func(ctx context.Context) (json.RawMessage, error) {
		state, index, err := a.state(ctx, t.id)
		seq = index
		return state, err
	})
	legal, err := guide(ctx, viewers)
	if errors.Is(err, play.ErrNoAdvisor) {
		err = fmt.Errorf("game %s: %w", a.o.Rules.Spec().Name, err)
	}
	return legal, seq, err
}

// state is a room's state; nothing while nobody can tell.
func (a *operator) state(ctx context.Context, id room.ID) (json.RawMessage, uint64, error) {
	var in struct {
		Index uint64
		State json.RawMessage
	}
	base := a.o.Admins[int(rand.Uint32())%len(a.o.Admins)]
	err := a.ask(ctx, base, "/admin/v1/rooms/"+string(id), &in)
	a.mu.Lock()
	defer a.mu.Unlock()
	p, _ := errors.AsType[*problem](err)
	switch {
	case err == nil:
		a.known = true
		return in.State, in.Index, nil
	case p == nil || p.Status >= http.StatusInternalServerError || p.Status == http.StatusTooManyRequests:
		return nil, 0, nil
	case p.Status == http.StatusNotFound:
		if a.missing++; !a.known && a.missing > mostMissing {
			return nil, 0, fmt.Errorf("the admin API at %s knows no room that is played: give --admin that of the server at --url", base)
		}
		return nil, 0, nil
	}
	return nil, 0, a.explain(base, err)
}

// ask asks one admin API.
func (a *operator) ask(ctx context.Context, base, path string, into any) error {
	ctx, cancel := context.WithTimeout(ctx, a.o.Patience)
	defer cancel()
	return ask(ctx, a.http, http.MethodGet, base+path, a.o.AdminToken, nil, into)
}

// explain says what to do about an admin API that does not tell.
func (a *operator) explain(base string, err error) error {
	p, answered := errors.AsType[*problem](err)
	switch {
	case !answered:
		return fmt.Errorf("no admin API answers at %s: %s: give the server's --admin-listen address as --admin", base, plain(err))
	case p.Status == http.StatusUnauthorized:
		return fmt.Errorf("the admin API at %s wants its token: name its file with --admin-token-file", base)
	}
	return fmt.Errorf("the admin API at %s: %w", base, err)
}

// check asks each admin API whether it is there.
func (a *operator) check(ctx context.Context) error {
	for _, base := range a.o.Admins {
		var nodes json.RawMessage
		if err := a.ask(ctx, base, "/admin/v1/nodes", &nodes); err != nil {
			return a.explain(base, err)
		}
	}
	return nil
}
