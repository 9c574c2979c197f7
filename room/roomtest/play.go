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

// game is one random game. Method play makes it up, and the other proofs go over its moments.
type game struct {
	p     *prover
	n     int
	calm  bool // nobody leaves or stays away for long, so that the game can finish
	r     *rand.Rand
	cfg   core.Config
	core  *core.Core
	ids   []room.PlayerID
	now   time.Duration
	tries uint64 // attach attempts so far
	data  *tape  // what a fuzzed game is made of; nil: the game is random

	seated  map[room.PlayerID]bool // players who have, or had, a seat
	moments []moment               // after opening, and after every input that entered the log
}

// client is the client id of every player of a random game.
const client record.ClientID = "roomtest"

// newGame is random game n.
func newGame(p *prover, n int) *game {
	r := rand.New(rand.NewPCG(p.o.Seed, uint64(n)))
	g := makeGame(p, n, r, r)
	seats, least := p.o.Players, p.spec.MinPlayers
	if n > 0 {
		seats = least + r.IntN(seats-least+1)
	}
	if n == 1 {
		seats = least
	}
	g.seats(seats)
	if n > 0 && !p.o.FixedOptions {
		g.cfg.Header.Options = p.drawOptions(rand.New(rand.NewPCG(p.o.Seed, 1<<32+uint64(n))))
	}
	return g
}

// makeGame makes a game without players that draws from r, whose room's seed is drawn from luck.
func makeGame(p *prover, n int, r, luck *rand.Rand) *game {
	g := &game{p: p, n: n, calm: n%2 == 1, r: r, seated: map[room.PlayerID]bool{}}
	g.cfg = core.Config{Rules: p.rules, CheckEvery: 1, Header: record.Header{
		ID: "0000000000r00mte", Game: p.spec.Name, Version: p.spec.Version, Runtime: core.RuntimeVersion, Options: p.o.RoomOptions,
	}}
	for i := range g.cfg.Header.Seed {
		g.cfg.Header.Seed[i] = byte(luck.Uint32())
	}
	return g
}

// seats says how many players take part.
func (g *game) seats(n int) {
	for i := range n {
		g.ids = append(g.ids, room.PlayerID("p"+strconv.Itoa(i+1)))
	}
}

// open makes the room of the game, for its play and for every later run.
func (g *game) open() (*core.Core, error) {
	machine, _, err := core.Open(g.cfg, 1)
	if err != nil {
		return nil, fmt.Errorf("the room cannot be opened with options %s: %w", g.cfg.Header.Options, explained(err))
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

// begin plays everything but the end: everybody joins, then random inputs come and time goes by.
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
		if g.over() || g.data.exhausted() {
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
	if g.data != nil && g.r.IntN(6) == 0 {
		return g.drawRare()
	}
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

// joinAgain has the first player without a seat join. If all have seats, one of them acts.
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

// restart does what a new process does to a room: a new epoch begins, and nobody is connected until they come back.
func (g *game) restart() error {
	if err := g.step(core.Input{Kind: core.KindEpoch, Epoch: g.core.Point().Epoch + 1}); err != nil {
		return err
	}
	for _, s := range g.core.Seats() {
		if err := g.step(core.Input{Kind: core.KindDetach, Player: s.Player}); err != nil {
			return err
		}
	}
	return g.reattach()
}

// reattach connects everybody who has a seat and is away.
func (g *game) reattach() error {
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

// act asks players in random order for an action, and plays the first.
func (g *game) act() error {
	if g.p.o.Act == nil {
		return g.actByLegal()
	}
	for _, by := range g.online(g.core) {
		if data, err := g.propose(g.core, by, g.last().viewOf(by.ID)); data != nil || err != nil {
			return g.step(actOf(g.core, by.ID, data))
		}
	}
	return g.pass()
}

// wrongAct sends one player's action as another player.
func (g *game) wrongAct() error {
	players := g.online(g.core)
	if len(players) < 2 {
		return nil
	}
	data, err := g.propose(g.core, players[0], g.last().viewOf(players[0].ID))
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

func (g *game) propose(machine *core.Core, by room.Player, view string) (json.RawMessage, error) {
	if g.p.o.Act == nil {
		legal, err := legalFor(machine, by)
		return play.Choose(g.r, legal), err
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

// encode is v as JSON. A json.RawMessage stays as it is.
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

// mostDue bounds the ticks and timers in a row. After that time stands still until the next input.
const mostDue = 50

// pass lets time go by: some ticks, or up to the next deadline, or less than a second.
func (g *game) pass() error {
	often := 2 // time passes up to the next deadline once in so many calls
	if g.calm {
		often = 8
		if err := g.reattach(); err != nil {
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
		if err := g.stepAndNote(in); err != nil {
			return err
		}
	}
	g.now = g.core.Now()
	return nil
}

// step lets some time go by, and plays in after what is due by then.
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
	return g.stepAndNote(in)
}

// conclude closes a room that is not over. After a finished game everybody asks for a rematch.
func (g *game) conclude() error {
	if !g.over() {
		return g.step(core.Input{Kind: core.KindClose, Reason: "the proof is done"})
	}
	if g.core.Final().End != record.Finished {
		return nil
	}
	return g.rematch()
}

// rematch has everybody ask for another game. It must be possible to open a room with its options.
func (g *game) rematch() error {
	for _, by := range g.online(g.core) {
		in := actOf(g.core, by.ID, json.RawMessage(`{"rematch":true}`))
		if err := g.stepAndNote(in); err != nil {
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
		return fmt.Errorf("the options of a rematch, %s, are refused by Open: %w", brief(string(agreed.Options)), explained(err))
	}
	return nil
}
