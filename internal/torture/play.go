package torture

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// game is what is played: one of the program's games with a guide.
type game struct {
	rules   *room.Rules
	options json.RawMessage
	players int
}

// chooseGames returns those of the named games that can be played; all that have Legal if none is named. Lacking are games that have none.
func chooseGames(o *Options) (chosen []game, lacking []string, err error) {
	all, names := o.Games, o.Play
	for rules := range all.All() {
		spec := rules.Spec()
		named := slices.Contains(names, spec.Name)
		if len(names) > 0 && !named {
			continue
		}
		if _, advises := rules.Instance().Legal(room.Spectator); !advises {
			lacking = append(lacking, spec.Name)
			continue
		}
		g := game{rules: rules, players: min(spec.MaxPlayers, max(spec.MinPlayers, o.Players))}
		if text := o.Setup[spec.Name]; text != "" {
			g.options = json.RawMessage(text)
			if err := play.CheckOptions(rules, g.options); err != nil {
				return nil, nil, err
			}
		}
		chosen = append(chosen, g)
	}
	for _, name := range names {
		if _, known := all.Lookup(name); !known {
			return nil, nil, fmt.Errorf("this program has no game %q", name)
		}
	}
	if len(chosen) == 0 {
		return nil, lacking, fmt.Errorf("no game to play: %w", play.ErrNoAdvisor)
	}
	return chosen, lacking, nil
}

// live is a room that is being played.
type live struct {
	r       *run
	id      room.ID
	game    game
	born    time.Duration
	clients []*gamer
	watcher *gamer // nil: nobody watches

	mu     sync.Mutex
	owners []owner
	joined []*gamer // who is in by now
}

// gamer is one client of a room.
type gamer struct {
	*client.Client
	log  *clientLog
	edge *edge
	room *live
}

// playAll plays one game after another in each of so many places until it is time to stop. It returns when all rooms are over and checked.
func (r *run) playAll(ctx context.Context) {
	var wg sync.WaitGroup
	for place := range r.o.Rooms {
		g := r.games[place%len(r.games)]
		rng := r.rand(1000 + uint64(place))
		wg.Go(func() {
			for !r.enough() && ctx.Err() == nil {
				r.playOne(ctx, g, rng)
			}
		})
	}
	wg.Wait()
}

// playOne makes a room, plays it to its end and checks it.
func (r *run) playOne(ctx context.Context, g game, rng *rand.Rand) {
	l, err := r.create(ctx, g)
	if err != nil {
		r.note("%s: no room is made: %v", g.rules.Spec().Name, err)
		r.pause(ctx, time.Second)
		return
	}
	defer r.end(l)
	if err := l.seat(ctx, rng); err != nil {
		r.note("room %s: not everybody is in: %v", l.id, err)
	}
	if err := l.play(ctx, rng); err != nil {
		r.note("room %s: %v", l.id, err)
	}
	l.close(ctx)
	r.judge(l)
}

// create makes a room at any node. A room that was made while the answer was lost is nobody's, and is not counted.
func (r *run) create(ctx context.Context, g game) (*live, error) {
	body := map[string]any{"game": g.rules.Spec().Name}
	if g.options != nil {
		body["options"] = g.options
	}
	var made struct{ ID room.ID }
	if err := r.insist(ctx, request{method: http.MethodPost, path: "/v1/rooms", body: body, into: &made, token: r.o.Token}, http.StatusCreated); err != nil {
		return nil, err
	}
	l := &live{r: r, id: made.ID, game: g, born: r.since()}
	r.began(l)
	return l, nil
}

// insist asks any node until the answer is the wanted one. The error is the answer to a mistake, or ctx's.
func (r *run) insist(ctx context.Context, ask request, want int) error {
	for {
		code, err := r.cluster.askAny(ctx, ask)
		switch {
		case err == nil && code == want:
			return nil
		case err == nil && code != http.StatusTooManyRequests && code < http.StatusInternalServerError:
			return fmt.Errorf("%s %s is answered with %d", ask.method, ask.path, code)
		case ctx.Err() != nil || r.enough():
			return fmt.Errorf("%s %s: %d %w", ask.method, ask.path, code, errors.Join(err, ctx.Err()))
		}
		r.pause(ctx, 100*time.Millisecond)
	}
}

// seat connects the players, and somebody who watches every second room.
func (l *live) seat(ctx context.Context, rng *rand.Rand) error {
	for i := range l.game.players {
		g, err := l.join(ctx, fmt.Sprintf("player %d", i+1), wire.Encoding(i%2), false)
		if err != nil {
			return err
		}
		l.clients = append(l.clients, g)
	}
	if rng.IntN(2) == 0 {
		g, err := l.join(ctx, "spectator", wire.CBOR, true)
		if err != nil {
			return err
		}
		l.watcher = g
	}
	return nil
}

// join connects one client. Its guest is made before: one that is made by a welcome that is lost would hold a seat for nobody.
func (l *live) join(ctx context.Context, name string, e wire.Encoding, spectate bool) (*gamer, error) {
	r := l.r
	var guest struct{ Token string }
	if !spectate {
		if err := r.insist(ctx, request{method: http.MethodPost, path: "/v1/guest", body: map[string]string{"name": name}, into: &guest}, http.StatusCreated); err != nil {
			return nil, err
		}
	}
	g := &gamer{log: &clientLog{Name: name, since: r.since}, edge: &edge{c: r.cluster}, room: l}
	o := client.Options{
		URL: socketURL(string(l.id)), Encoding: e, Token: guest.Token, Name: name, Spectate: spectate,
		HTTP: &http.Client{Transport: g.edge},
	}
	o.Trace, o.OnView = g.log.trace()
	c, err := client.Dial(ctx, o)
	if err != nil {
		return nil, err
	}
	g.Client = c
	l.mu.Lock()
	defer l.mu.Unlock()
	l.joined = append(l.joined, g)
	return g, nil
}

// Viewer implements play.Client.
func (g *gamer) Viewer() room.Viewer {
	w := g.Welcome()
	return room.Viewer{Player: room.PlayerID(w.Player), Seat: w.Seat}
}

// Act implements play.Client. It goes on without an answer when the run is to end.
func (g *gamer) Act(ctx context.Context, action json.RawMessage) error {
	_, err := g.Client.Act(ctx, action)
	if r, ok := errors.AsType[*client.Rejected](err); ok {
		return &room.Refusal{Code: r.Code, Reason: r.Reason}
	}
	return err
}

// Done implements play.Client.
func (g *gamer) Done() bool { return g.Over() || g.Err() != nil }

// play plays the room to its end, or until it has lived long enough, or the run's patience ends.
func (l *live) play(ctx context.Context, rng *rand.Rand) error {
	clients := make([]play.Client, len(l.clients))
	for i, g := range l.clients {
		clients[i] = g
	}
	ctx, cancel := context.WithTimeout(ctx, l.r.o.Longest)
	defer cancel()
	defer context.AfterFunc(l.r.patience, cancel)()
	_, err := play.Drive(ctx, play.StateGuide(l.game.rules, l.state), clients, play.Options{Rand: rng, Pause: l.r.o.Pause})
	if ctx.Err() != nil {
		return nil // it is closed
	}
	return err
}

// state asks the admin API for the game's state; it returns nothing while nobody can tell.
func (l *live) state(ctx context.Context) (json.RawMessage, error) {
	var in struct{ State json.RawMessage }
	code, err := l.r.cluster.askAny(ctx, request{method: http.MethodGet, path: "/admin/v1/rooms/" + string(l.id), into: &in})
	switch {
	case err == nil && code == http.StatusOK:
		return in.State, nil
	case err != nil || code == http.StatusNotFound || code == http.StatusTooManyRequests || code >= http.StatusInternalServerError:
		return nil, nil
	}
	return nil, fmt.Errorf("the admin API answers %d for the state of a room", code)
}

// close ends the room if its game has not ended it, waits until its clients have heard of the end, and closes them.
func (l *live) close(ctx context.Context) {
	defer func() {
		for _, g := range l.everybody() {
			g.Close()
		}
	}()
	ctx, cancel := context.WithTimeout(ctx, l.r.o.Settle)
	defer cancel()
	all := l.everybody()
	over := func() bool { return !slices.ContainsFunc(all, func(g *gamer) bool { return !g.Done() }) }
	if !over() || len(all) == 0 {
		body := map[string]string{"reason": "the run is over"}
		_ = until(ctx, func() bool {
			code, err := l.r.cluster.askAny(ctx, request{method: http.MethodPost, path: "/admin/v1/rooms/" + string(l.id) + "/close", body: body})
			return err == nil && code < http.StatusInternalServerError || over() && len(all) > 0
		}) // that it has no end is found by its missing result
	}
	_ = until(ctx, over) // who has not heard of the end has nothing to compare
}

// everybody is all clients of the room.
func (l *live) everybody() []*gamer {
	if l.watcher == nil {
		return l.clients
	}
	return append(slices.Clip(l.clients), l.watcher)
}

// present is who is in by now. Others than the goroutine that plays the room ask this.
func (l *live) present() []*gamer {
	l.mu.Lock()
	defer l.mu.Unlock()
	return slices.Clone(l.joined)
}

// logs are those of all clients.
func (l *live) logs() (all []*clientLog) {
	for _, g := range l.everybody() {
		all = append(all, g.log)
	}
	return all
}
