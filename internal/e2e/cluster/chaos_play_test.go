package cluster_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"net/http"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// play starts players of every kind of game. Each plays one game after another until it is calm.
func (x *chaos) play(wg *sync.WaitGroup) {
	games := e2e.SteadyGames(x.T, 200)
	for i, kind := range []struct {
		name  string
		at    int // how many at the same time
		round func(rng *rand.Rand) error
	}{
		{"chess", e2e.Sized(4, 12, 12), func(rng *rand.Rand) error { return x.chess(games[rng.IntN(len(games))], rng) }},
		{"tally", e2e.Sized(2, 4, 4), x.tally},
		{"liarsdice", e2e.Sized(2, 4, 4), x.dice},
		{"snakes", e2e.Sized(1, 2, 2), x.snakes},
	} {
		for place := range kind.at {
			wg.Go(func() {
				rng := x.rand(uint64(1000*(i+1) + place))
				for {
					if err := kind.round(rng); err != nil {
						x.T.Errorf("%7.3fs %s: %v", time.Since(x.began).Seconds(), kind.name, err)
						return
					}
					x.mu.Lock()
					x.played[kind.name]++
					x.mu.Unlock()
					if x.quiet(0) {
						return
					}
				}
			})
		}
	}
}

// create makes a room at any node.
func (x *chaos) create(game string, options map[string]any) (info e2e.RoomInfo, err error) {
	body := map[string]any{"game": game}
	if options != nil {
		body["options"] = options
	}
	err = x.post("/v1/rooms", body, &info)
	return info, err
}

// post sends a POST to any node and repeats it until it succeeds.
func (x *chaos) post(path string, body, into any) error {
	for {
		code, err := x.front.TryCallAt(x.front.URL, "POST", path, "", body, into)
		switch {
		case err == nil && code == http.StatusCreated:
			return nil
		case err == nil && code < http.StatusInternalServerError:
			return fmt.Errorf("POST %s: %d", path, code)
		case x.ctx.Err() != nil:
			return fmt.Errorf("POST %s: %d %w", path, code, err)
		}
		time.Sleep(50 * time.Millisecond)
	}
}

// player is a client that records what must never happen to it.
type player struct {
	*client.Client
	seq  atomic.Uint64 // of the newest view
	back atomic.Uint64 // how many views were older than one before
}

// join connects a guest that was made before: a guest made by a welcome that is lost would hold a seat for nobody. If check is not nil,
// it sees each view of the player and returns what is wrong with it.
func (x *chaos) join(info e2e.RoomInfo, name string, e wire.Encoding, check func(player string, view any) error) (*player, error) {
	var g e2e.Guest
	if err := x.post("/v1/guest", map[string]string{"name": name}, &g); err != nil {
		return nil, err
	}
	p := new(player)
	c, err := client.Dial(x.ctx, client.Options{
		URL: info.URL, Token: g.Token, Encoding: e, MaxDelay: 250 * time.Millisecond, HTTP: &http.Client{Transport: x.front.Transport},
		OnView: func(view any, seq uint64) {
			if p.seq.Swap(seq) > seq {
				p.back.Add(1)
			}
			if check == nil {
				return
			}
			if err := check(g.Player, view); err != nil {
				x.T.Errorf("room %s, %s at %d: %v", info.ID, name, seq, err)
			}
		},
	})
	if err != nil {
		return nil, fmt.Errorf("room %s, %s joins: %w", info.ID, name, err)
	}
	p.Client = c
	x.mu.Lock()
	defer x.mu.Unlock()
	x.clients = append(x.clients, c)
	return p, nil
}

// table connects players to a room.
func (x *chaos) table(info e2e.RoomInfo, names ...string) (all []*player, err error) {
	for i, name := range names {
		p, err := x.join(info, name, e2e.EncodingOf(i), nil)
		if err != nil {
			return nil, err
		}
		all = append(all, p)
	}
	return all, nil
}

// part closes clients that are done, and returns what must not have happened to them.
func (x *chaos) part(info e2e.RoomInfo, players []*player) error {
	for i, p := range players {
		st := p.Stats()
		if st.Mismatches > 0 || p.back.Load() > 0 {
			return fmt.Errorf("room %s, player %d: %d checksums differ, %d times it went back", info.ID, i, st.Mismatches, p.back.Load())
		}
		p.Close()
		x.mu.Lock()
		x.clients = slices.DeleteFunc(x.clients, func(c *client.Client) bool { return c == p.Client })
		x.mu.Unlock()
	}
	return nil
}

// stored returns a room's result, if it is there.
func (x *chaos) stored(info e2e.RoomInfo) (r e2e.StoredResult, err error) {
	for {
		var raw []byte
		code, err := x.front.TryCallAt(x.front.URL, "GET", "/v1/results/"+info.ID, "", nil, &raw)
		switch {
		case err == nil && code == http.StatusOK:
			return r, json.Unmarshal(raw, &r)
		case err == nil && code < http.StatusInternalServerError && code != http.StatusAccepted:
			return r, fmt.Errorf("the result of room %s: %d", info.ID, code)
		case x.ctx.Err() != nil:
			return r, fmt.Errorf("the result of room %s: %d %w", info.ID, code, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

// counted returns how many games of one kind the store has counted for a player.
func (x *chaos) counted(player string) (int, error) {
	var profile struct {
		Games []struct{ Games int }
	}
	for {
		code, err := x.front.TryCallAt(x.front.URL, "GET", "/v1/players/"+player, "", nil, &profile)
		switch {
		case err == nil && code == http.StatusOK && len(profile.Games) == 1:
			return profile.Games[0].Games, nil
		case err == nil && code < http.StatusInternalServerError:
			return 0, fmt.Errorf("player %s: %d %+v", player, code, profile)
		case x.ctx.Err() != nil:
			return 0, fmt.Errorf("player %s: %d %w", player, code, err)
		}
		time.Sleep(100 * time.Millisecond)
	}
}

func (x *chaos) chess(g e2e.RecordedGame, rng *rand.Rand) error {
	info, err := x.create("chess", map[string]any{"white": "first", "clock": map[string]any{"initial_ms": 3_600_000}})
	if err != nil {
		return err
	}
	players, err := x.table(info, "White", "Black")
	if err != nil {
		return err
	}
	m := &e2e.Match{Server: x.front, Game: g, Room: info, Players: [2]*client.Client{players[0].Client, players[1].Client}}
	m.Think, m.Hurry = between(rng, 10*time.Millisecond, 150*time.Millisecond), x.calm
	if err := m.Players[1].WaitView(x.ctx, func(v any) bool { return e2e.Field(v, "status") == "playing" }); err != nil {
		return fmt.Errorf("room %s, row %d, waiting for the start: %w", info.ID, g.Row, err)
	}
	err = m.Play(x.ctx)
	if err != nil && (!e2e.IsRoomOver(err) || int(m.Played.Load()) < len(strings.Fields(g.Moves))-1) {
		return fmt.Errorf("room %s, row %d: %w", info.ID, g.Row, err)
	}
	if err := m.Finish(x.ctx); err != nil && !e2e.IsRoomOver(err) {
		return fmt.Errorf("room %s, row %d, the end: %w", info.ID, g.Row, err)
	}
	r, err := x.stored(info)
	if err != nil {
		return err
	}
	if r.End != "finished" || r.Result.Reason != g.Reason() || e2e.BoardAndTurn(r.Result.Data.FEN) != e2e.BoardAndTurn(g.FinalFEN) {
		return fmt.Errorf("row %d, room %s is stored as %+v, should be %s %s", g.Row, info.ID, r, g.Reason(), g.FinalFEN)
	}
	for _, o := range r.Result.Outcomes {
		if o.Rank != g.Score()[o.Seat] {
			return fmt.Errorf("row %d is stored with ranks %+v", g.Row, r.Result.Outcomes)
		}
		if n, err := x.counted(o.Player); err != nil || n != 1 {
			return fmt.Errorf("row %d, room %s: a player of one game is counted %d (%v)", g.Row, info.ID, n, err)
		}
	}
	return x.part(info, players)
}

// tally counts in one room from several clients, with many acts in flight. Each answered act must count once.
func (x *chaos) tally(rng *rand.Rand) error {
	const people, hands = 3, 6
	info, err := x.create("tally", nil)
	if err != nil {
		return err
	}
	players, err := x.table(info, "Ann", "Ben", "Cid")
	if err != nil {
		return err
	}
	var counted atomic.Int64
	errs := make([]error, people*hands)
	end := time.Now().Add(between(rng, 2*time.Second, 6*time.Second))
	var wg sync.WaitGroup
	for i := range errs {
		wg.Go(func() {
			for time.Now().Before(end) && errs[i] == nil && !x.quiet(10*time.Millisecond) {
				if _, errs[i] = players[i%people].Act(x.ctx, e2e.TallyAction{Add: 1 + i}); errs[i] == nil {
					counted.Add(int64(1 + i))
				} else if r, ok := errors.AsType[*client.Rejected](errs[i]); ok && r.Code == "too_many" && i >= 9 {
					errs[i] = nil // as it should be: answered, and without effect
				}
			}
		})
	}
	wg.Wait()
	if err := errors.Join(errs...); err != nil {
		return fmt.Errorf("room %s: %w", info.ID, err)
	}
	for i, p := range players {
		if err := p.WaitView(x.ctx, func(v any) bool { return e2e.Field(v, "count") == float64(counted.Load()) }); err != nil {
			var v e2e.TallyView
			_ = p.View(&v)
			return fmt.Errorf("room %s, player %d sees %d, and %d were acknowledged: %w", info.ID, i, v.Count, counted.Load(), err)
		}
	}
	if _, err := players[0].Act(x.ctx, e2e.TallyAction{Finish: true}); err != nil && !e2e.IsRoomOver(err) {
		return fmt.Errorf("room %s, the end: %w", info.ID, err)
	}
	r, err := x.stored(info)
	if err != nil {
		return err
	}
	if want := fmt.Sprintf("They counted to %d", counted.Load()); r.End != "finished" || r.Result.Summary != want {
		return fmt.Errorf("room %s is stored as %+v, not with: %s", info.ID, r, want)
	}
	return x.part(info, players)
}

// hand is what one player of liar's dice has seen of their own dice.
type hand struct {
	round any
	dice  string
}

// check reports a view in which the player's dice change within a round, or in which all dice are shown while they must be hidden.
func (h *hand) check(player string, view any) error {
	if e2e.Field(view, "status") != "bidding" {
		return nil
	}
	round, dice := e2e.Field(view, "round"), fmt.Sprint(e2e.Field(view, "mine"))
	turn := e2e.Field(view, "players", fmt.Sprint(e2e.Field(view, "turn")), "player")
	switch {
	case e2e.Field(view, "reveal") != nil:
		return fmt.Errorf("%v is shown while dice are hidden", e2e.Field(view, "reveal"))
	case turn == player && e2e.Field(view, "mine") == nil:
		return fmt.Errorf("the player is to act and has no dice: %v", view)
	case round == h.round && dice != h.dice:
		return fmt.Errorf("the dice were %s, and are %s in the same round", h.dice, dice)
	}
	h.round, h.dice = round, dice
	return nil
}

// bidder is a client of liar's dice whose turns never run out. Only being ready for the next round may come too late.
type bidder struct{ e2e.DrivenClient }

func (b bidder) Act(ctx context.Context, action json.RawMessage) error {
	err := b.DrivenClient.Act(ctx, action)
	if r, refused := errors.AsType[*room.Refusal](err); refused && r.Code != "not_now" {
		return fmt.Errorf("it is legal, and is refused: %s", r.Reason)
	}
	return err
}

// dice plays liar's dice. Every player has dice that nobody else sees, and keeps them through a round.
func (x *chaos) dice(rng *rand.Rand) error {
	info, err := x.create("liarsdice", map[string]any{"players": 3, "dice": 2, "reveal_ms": 150, "turn_ms": 600_000})
	if err != nil {
		return err
	}
	var players []*player
	var clients []play.Client
	for i, name := range []string{"Ann", "Ben", "Cid"} {
		p, err := x.join(info, name, e2e.EncodingOf(i), new(hand).check)
		if err != nil {
			return err
		}
		players, clients = append(players, p), append(clients, bidder{e2e.DrivenClient{Client: p.Client}})
	}
	pause := between(rng, 10*time.Millisecond, 200*time.Millisecond)
	if _, err := play.Drive(x.ctx, x.front.Guide(info), clients, play.Options{Rand: rng, Pause: pause}); err != nil {
		return fmt.Errorf("room %s: %w", info.ID, err)
	}
	r, err := x.stored(info)
	if err != nil {
		return err
	}
	if r.End != "finished" || len(r.Result.Outcomes) != 3 {
		return fmt.Errorf("room %s is stored as %+v", info.ID, r)
	}
	return x.part(info, players)
}

// snakes plays a game that ticks: two players steer, and then leave.
func (x *chaos) snakes(rng *rand.Rand) error {
	info, err := x.create("snakes", map[string]any{"bots": 2, "start_s": 1, "rounds": 20})
	if err != nil {
		return err
	}
	players, err := x.table(info, "Ann", "Ben")
	if err != nil {
		return err
	}
	// A player who leaves before the first round only frees a seat.
	if err := players[0].WaitView(x.ctx, func(v any) bool { return e2e.Field(v, "phase") == "playing" }); err != nil {
		return fmt.Errorf("room %s never starts: %w", info.ID, err)
	}
	end := time.Now().Add(between(rng, 3*time.Second, 8*time.Second))
	var clients []play.Client
	for _, p := range players {
		clients = append(clients, e2e.DrivenClient{Client: p.Client, Enough: func() bool { return time.Now().After(end) || x.quiet(0) }})
	}
	if _, err := play.Drive(x.ctx, x.front.Guide(info), clients, play.Options{Rand: rng, Pause: 50 * time.Millisecond}); err != nil {
		return fmt.Errorf("room %s: %w", info.ID, err)
	}
	for i, p := range players {
		at := p.seq.Load()
		if err := p.Wait(x.ctx, func(*client.Client) bool { return p.seq.Load() > at+10 }); err != nil {
			return fmt.Errorf("room %s, player %d hears nothing after %d: %w", info.ID, i, at, err)
		}
	}
	for i, p := range players {
		if err := x.leave(p); err != nil {
			return fmt.Errorf("room %s, player %d leaves: %w", info.ID, i, err)
		}
	}
	r, err := x.stored(info)
	if err != nil {
		return err
	}
	if r.Result.Reason != "abandoned" {
		return fmt.Errorf("room %s is stored as %+v", info.ID, r)
	}
	return x.part(info, players)
}

// leave gives up a seat and tries until it succeeds: a client does not send this again by itself.
func (x *chaos) leave(p *player) error {
	for p.Err() == nil && x.ctx.Err() == nil {
		ctx, cancel := context.WithTimeout(x.ctx, time.Second)
		_ = p.Leave(ctx)
		cancel()
		time.Sleep(20 * time.Millisecond)
	}
	if closed, ok := errors.AsType[*client.Closed](p.Err()); ok && (closed.Code == wire.CloseNormal || closed.Code == wire.CloseOver) {
		return nil
	}
	return errors.Join(p.Err(), x.ctx.Err())
}
