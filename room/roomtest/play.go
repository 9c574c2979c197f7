package roomtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// game is one random game: play makes it up, the other proofs go over what it noted.
type game struct {
	p     *prover
	n     int
	calm  bool // nobody leaves or stays away for long, so that the game comes to its own end
	r     *rand.Rand
	cfg   core.Config
	core  *core.Core
	ids   []room.PlayerID
	now   time.Duration
	tries uint64 // attach attempts so far

	seated  map[room.PlayerID]bool // who has had a seat
	moments []moment               // after opening, and after every input that entered the log
}

// client is the one client id that every player of a random game uses.
const client record.ClientID = "roomtest"

func newGame(p *prover, n int) *game {
	g := &game{p: p, n: n, calm: n%2 == 1, r: rand.New(rand.NewPCG(p.o.Seed, uint64(n))), seated: map[room.PlayerID]bool{}}
	spec := p.spec
	g.cfg = core.Config{Rules: p.rules, CheckEvery: 1, Header: record.Header{
		ID: "0000000000r00mte", Game: spec.Name, Version: spec.Version, Runtime: core.RuntimeVersion, Options: p.o.RoomOptions,
	}}
	for i := range g.cfg.Header.Seed {
		g.cfg.Header.Seed[i] = byte(g.r.Uint32())
	}
	seats := p.o.Players
	if n > 0 {
		seats = spec.MinPlayers + g.r.IntN(seats-spec.MinPlayers+1)
	}
	for i := range seats {
		g.ids = append(g.ids, room.PlayerID("p"+strconv.Itoa(i+1)))
	}
	return g
}

// open makes the game's room, as every run of it begins.
func (g *game) open() (*core.Core, error) {
	machine, _, err := core.Open(g.cfg, 1)
	if err != nil {
		return nil, fmt.Errorf("the room cannot be opened with options %s: %w", g.cfg.Header.Options, told(err))
	}
	return machine, nil
}

// play makes up the game.
func (g *game) play() error {
	if err := g.begin(); err != nil {
		return err
	}
	if err := g.admits(); err != nil {
		return err
	}
	return g.conclude()
}

// begin plays all but the end: everybody joins, then random inputs come and time goes by.
func (g *game) begin() (err error) {
	if g.core, err = g.open(); err != nil {
		return err
	}
	if err := watch(g.core); err != nil {
		return fmt.Errorf("after opening: %w", err)
	}
	if err := g.note(core.Input{Kind: core.KindOpen}); err != nil {
		return err
	}
	for _, id := range g.ids {
		if err := g.join(id); err != nil {
			return err
		}
	}
	for range g.p.o.Inputs {
		if g.over() {
			break
		}
		if err := g.draw(); err != nil {
			return err
		}
	}
	return nil
}

func (g *game) over() bool { return g.core.Final() != nil }

// draw plays one random input.
func (g *game) draw() error {
	id := g.ids[g.r.IntN(len(g.ids))]
	switch dice := g.r.IntN(100); {
	case dice < 70 && g.p.advises && g.r.IntN(2) == 0:
		return g.actByLegal()
	case dice < 70:
		return g.act()
	case dice < 78:
		return g.pass()
	case dice < 82:
		return g.step(core.Input{Kind: core.KindDetach, Player: id, Client: client})
	case dice < 86:
		return g.attach(id)
	case dice < 89 && !g.calm:
		why := []room.LeaveReason{room.Left, room.Left, room.Left, room.Kicked}[g.r.IntN(4)]
		return g.step(core.Input{Kind: core.KindLeave, Player: id, Reason: string(why)})
	case dice < 95:
		return g.joinAgain()
	case dice < 96:
		return g.restart()
	case dice < 98:
		return g.signal()
	}
	return g.wrongAct()
}

// joinAgain lets the first who has no seat join, or if there is none does what players do mostly.
func (g *game) joinAgain() error {
	for _, id := range g.ids {
		if !slices.ContainsFunc(g.core.Seats(), func(s core.SeatInfo) bool { return s.Player == id }) {
			return g.join(id)
		}
	}
	return g.act()
}

func (g *game) join(id room.PlayerID) error {
	if err := g.step(core.Input{Kind: core.KindJoin, Player: id, Name: "Player " + strings.TrimPrefix(string(id), "p")}); err != nil {
		return err
	}
	return g.attach(id)
}

func (g *game) attach(id room.PlayerID) error {
	g.tries++
	return g.step(core.Input{Kind: core.KindAttach, Player: id, Client: client, Attempt: g.tries})
}

// restart is what a new process does to a room: another epoch, and nobody is connected any more.
func (g *game) restart() error {
	if err := g.step(core.Input{Kind: core.KindEpoch, Epoch: g.core.Point().Epoch + 1}); err != nil {
		return err
	}
	for _, s := range g.core.Seats() {
		if err := g.step(core.Input{Kind: core.KindDetach, Player: s.Player}); err != nil {
			return err
		}
	}
	return g.comeBack()
}

// comeBack attaches everybody who has a seat and is away.
func (g *game) comeBack() error {
	for _, s := range g.core.Seats() {
		if s.Online {
			continue
		}
		if err := g.attach(s.Player); err != nil {
			return err
		}
	}
	return nil
}

func (g *game) signal() error {
	if g.p.o.Signals == nil {
		return nil
	}
	name, data := g.p.o.Signals(g.r)
	raw, err := encode(data)
	if err != nil {
		return fmt.Errorf("the data of signal %s is no JSON: %w", name, err)
	}
	return g.step(core.Input{Kind: core.KindSignal, Name: name, Data: raw})
}

// act lets the first player who has something to do do it, in random order.
func (g *game) act() error {
	for _, by := range g.online(g.core) {
		if data, err := g.propose(g.core, by, g.last().sightOf(by.ID)); data != nil || err != nil {
			return g.step(actOf(g.core, by.ID, data))
		}
	}
	return g.pass()
}

// wrongAct gives one player's action to another.
func (g *game) wrongAct() error {
	players := g.online(g.core)
	if len(players) < 2 {
		return nil
	}
	data, err := g.propose(g.core, players[0], g.last().sightOf(players[0].ID))
	if data == nil || err != nil {
		return err
	}
	return g.step(actOf(g.core, players[1].ID, data))
}

// online are the connected players, in random order.
func (g *game) online(machine *core.Core) []room.Player {
	var out []room.Player
	for _, s := range machine.Seats() {
		if s.Online {
			out = append(out, room.Player{ID: s.Player, Name: s.Name, Seat: s.Seat})
		}
	}
	g.r.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// actByLegal lets a player do what the game says is legal, which it must take.
func (g *game) actByLegal() error {
	for _, by := range g.online(g.core) {
		action, err := legalOf(g.core, by, g.r)
		if err != nil {
			return err
		}
		if action == nil {
			continue
		}
		before := g.p.report.Refused
		in := actOf(g.core, by.ID, action)
		if err := g.enter(in); err != nil {
			return err
		}
		if g.p.report.Refused > before {
			return fmt.Errorf("Legal names %s for %s, and Act refuses it (%s): name only what Act takes at that moment", brief(string(action)), by.ID, g.p.lastRefusal)
		}
		g.p.report.Legal++
		return nil
	}
	return g.pass()
}

// legalOf draws what a player may do by the game's own word; nil is nothing.
func legalOf(machine *core.Core, by room.Player, r *rand.Rand) (json.RawMessage, error) {
	actions, err := play.Legal(machine, room.Viewer{Player: by.ID, Seat: by.Seat})
	if err != nil {
		return nil, fmt.Errorf("Legal for %s: %w", by.ID, told(err))
	}
	return play.Choose(r, actions), nil
}

func (g *game) propose(machine *core.Core, by room.Player, view string) (json.RawMessage, error) {
	if g.p.o.Act == nil {
		return legalOf(machine, by, g.r)
	}
	action := g.p.o.Act(g.r, by, json.RawMessage(view))
	if action == nil {
		return nil, nil
	}
	data, err := encode(action)
	if err != nil {
		return nil, fmt.Errorf("what Options.Act proposes is no JSON: %w", err)
	}
	return data, nil
}

// encode is v's JSON; JSON given as it is stays so.
func encode(v any) (json.RawMessage, error) {
	switch v := v.(type) {
	case nil:
		return nil, nil
	case json.RawMessage:
		return v, nil
	}
	return json.Marshal(v)
}

// actOf is the next act of a player's client.
func actOf(machine *core.Core, by room.PlayerID, data json.RawMessage) core.Input {
	in := core.Input{Kind: core.KindAct, At: machine.Now(), Player: by, Client: client, CSeq: 1, Data: data}
	for _, c := range machine.Clients() {
		if c.Player == by && c.Client == client {
			in.CSeq = c.CSeq + 1
		}
	}
	return in
}

// mostDue bounds what time brings at once; then it stands still until the next input.
const mostDue = 50

// pass lets time go by: some ticks, or up to the next thing that is due, or a moment.
func (g *game) pass() error {
	often := 2 // one in so many times up to the next deadline
	if g.calm {
		often = 8
		if err := g.comeBack(); err != nil {
			return err
		}
	}
	g.now += time.Duration(g.r.IntN(1000)) * time.Millisecond
	if rate := g.p.spec.TickRate; rate > 0 {
		g.now = g.core.Now() + time.Duration(1+g.r.IntN(3))*time.Second/time.Duration(rate)
	} else if at, ok := g.core.Deadline(); ok && g.r.IntN(often) == 0 {
		g.now = max(g.now, at)
	}
	return g.catchUp()
}

// catchUp steps what is due by now.
func (g *game) catchUp() error {
	for range mostDue {
		in, ok := g.core.Due(g.now)
		if !ok || g.over() {
			return nil
		}
		if err := g.enter(in); err != nil {
			return err
		}
	}
	g.now = g.core.Now()
	return nil
}

// step plays in after what is due before it.
func (g *game) step(in core.Input) error {
	g.now = max(g.now, g.core.Now())
	switch rate := g.p.spec.TickRate; {
	case rate > 0 && g.r.IntN(2) == 0:
		g.now += time.Second / time.Duration(rate)
	case rate == 0 && g.r.IntN(4) == 0:
		g.now += time.Duration(g.r.IntN(300)) * time.Millisecond
	}
	if err := g.catchUp(); err != nil || g.over() {
		return err
	}
	in.At = g.now
	return g.enter(in)
}

// conclude brings the room to its end: by a rematch if the game is finished, else by closing it.
func (g *game) conclude() error {
	if !g.over() {
		return g.step(core.Input{Kind: core.KindClose, Reason: "the proof is done"})
	}
	if g.core.Final().End != record.Finished {
		return nil
	}
	g.p.report.Finished++
	return g.rematch()
}

// rematch lets everybody agree to another game, which must be possible to open.
func (g *game) rematch() error {
	for _, by := range g.online(g.core) {
		in := actOf(g.core, by.ID, json.RawMessage(`{"rematch":true}`))
		if err := g.enter(in); err != nil {
			return err
		}
	}
	agreed, ok := g.core.RematchPending()
	if !ok {
		return nil
	}
	cfg := g.cfg
	cfg.Header.Options = agreed.Options
	if _, _, err := core.Open(cfg, 1); err != nil {
		return fmt.Errorf("the options of a rematch, %s, are refused by Open: %w", brief(string(agreed.Options)), told(err))
	}
	return nil
}
