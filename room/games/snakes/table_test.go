package snakes_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"reflect"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/games/snakes"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

var rules = snakes.Rules()

// table is a room with a game of snakes, driven as an actor would, and a client that sees patches alone.
type table struct {
	t       testing.TB
	core    *core.Core
	options string
	cseq    map[room.PlayerID]record.CSeq
	seen    any      // the client's view
	patch   int      // bytes of the last patch
	events  []string // heard so far
}

// steer has players take some action.
func (b *table) steer(players ...room.PlayerID) {
	b.t.Helper()
	for _, p := range players {
		if code := b.act(p, `{"boost": false}`); code != "" {
			b.t.Fatalf("%s cannot steer: %s", p, code)
		}
	}
}

func config(options string) core.Config {
	return core.Config{Rules: rules, Header: record.Header{
		ID: record.NewID([10]byte{1}), Game: "snakes", Version: snakes.Version, Runtime: core.RuntimeVersion,
		Options: json.RawMessage(options), Seed: [32]byte{7},
	}}
}

// open makes a room without players.
func open(t testing.TB, options string) *table { return openUnder(t, core.RuntimeVersion, options) }

// openUnder is open with a room of an earlier runtime.
func openUnder(t testing.TB, runtime int, options string) *table {
	t.Helper()
	cfg := config(options)
	cfg.Header.Runtime = runtime
	machine, _, err := core.Open(cfg, 1)
	if err != nil {
		t.Fatalf("options %s: %v", options, err)
	}
	return &table{t: t, core: machine, options: options, cseq: map[room.PlayerID]record.CSeq{}}
}

// seat makes a room with n players, p1 and so on.
func seat(t testing.TB, players int, options string) *table {
	t.Helper()
	b := open(t, options)
	for i := range players {
		b.sit(room.PlayerID(fmt.Sprintf("p%d", i+1)))
	}
	return b
}

func (b *table) game() *snakes.Game { return b.core.Game().(*snakes.Game) }

func (b *table) step(in core.Input) core.Ready {
	b.t.Helper()
	in.At = max(in.At, b.core.Now())
	ready, err := b.core.Step(in)
	if err != nil {
		b.t.Fatal(err)
	}
	if p := b.core.Panicked(); p != nil {
		b.t.Fatalf("the game panicked: %s\n%s", p.Value, p.Stack)
	}
	return ready
}

func (b *table) sit(p room.PlayerID) error {
	b.t.Helper()
	if err := b.step(core.Input{Kind: core.KindJoin, Player: p, Name: strings.ToUpper(string(p))}).Refused; err != nil {
		return err
	}
	b.attach(p)
	return nil
}

func (b *table) attach(p room.PlayerID) {
	b.t.Helper()
	b.step(core.Input{Kind: core.KindAttach, Player: p, Client: "c", Attempt: 1})
	b.hear()
}

func (b *table) detach(p room.PlayerID) {
	b.t.Helper()
	b.step(core.Input{Kind: core.KindDetach, Player: p, Client: "c"})
	b.hear()
}

func (b *table) leave(p room.PlayerID) {
	b.t.Helper()
	b.step(core.Input{Kind: core.KindLeave, Player: p, Reason: string(room.Left)})
	b.hear()
}

// act sends an action and returns the code of its refusal, or nothing.
func (b *table) act(p room.PlayerID, data string) string {
	b.t.Helper()
	b.cseq[p]++
	b.step(core.Input{Kind: core.KindAct, Player: p, Client: "c", CSeq: b.cseq[p], Data: json.RawMessage(data)})
	return b.hear()
}

// tick plays n ticks, or fewer if the game ends.
func (b *table) tick(n int) {
	b.t.Helper()
	for range n {
		if b.core.Final() != nil {
			return
		}
		in, ok := b.core.Due(b.core.Now() + time.Second/15)
		if !ok || in.Kind != core.KindTick {
			b.t.Fatalf("due is %v, want a tick", in)
		}
		b.step(in)
		b.hear()
	}
}

// until plays up to a phase.
func (b *table) until(phase snakes.Phase) {
	b.t.Helper()
	for range 20_000 {
		if b.game().Phase == phase {
			return
		}
		b.tick(1)
	}
	b.t.Fatalf("the phase is still %s, want %s", b.game().Phase, phase)
}

// hear commits all output and returns the code of the refusal in it, if there is one.
func (b *table) hear() (code string) {
	b.t.Helper()
	b.patch = 0
	for _, o := range b.core.Commit(b.core.Point().Seq) {
		switch o := o.(type) {
		case core.Turned:
			b.read(o.Frame)
		case core.Welcome:
			for _, f := range o.Frames {
				b.read(f)
			}
		case core.Answered:
			code = b.read(o.Frame)
		}
	}
	return code
}

func (b *table) read(f *core.Frame) (code string) {
	var m struct {
		T, Code string
		State   json.RawMessage
		View    json.RawMessage
		Patch   json.RawMessage
		Events  []wire.Event
	}
	if err := json.Unmarshal(f.Bytes(wire.JSON), &m); err != nil {
		b.t.Fatal(err)
	}
	switch m.T {
	case "state":
		b.seen = decode(b.t, m.View)
	case "turn":
		if len(m.Patch) > 0 {
			b.patch += len(m.Patch)
			b.seen = merge(b.seen, decode(b.t, m.Patch))
		}
	}
	for _, e := range m.Events {
		b.events = append(b.events, e.Name+string(e.Data))
	}
	return m.Code
}

func decode(t testing.TB, raw []byte) (v any) {
	if err := json.Unmarshal(raw, &v); err != nil {
		t.Fatalf("%s: %v", raw, err)
	}
	return v
}

// merge is RFC 7396.
func merge(target, patch any) any {
	p, ok := patch.(map[string]any)
	if !ok {
		return patch
	}
	object, ok := target.(map[string]any)
	if !ok {
		object = map[string]any{}
	}
	for name, v := range p {
		if v == nil {
			delete(object, name)
		} else {
			object[name] = merge(object[name], v)
		}
	}
	return object
}

// client is the view after all patches.
func (b *table) client() (v snakes.View) {
	b.t.Helper()
	raw, err := json.Marshal(b.seen)
	if err == nil {
		err = json.Unmarshal(raw, &v)
	}
	if err != nil {
		b.t.Fatal(err)
	}
	return v
}

// body draws a snake as the package comment says: its cells, head first.
func body(v snakes.View, s snakes.SnakeView) (cells []int) {
	dx, dy := [4]int{0, 1, 0, -1}, [4]int{-1, 0, 1, 0}
	legs := slices.Sorted(maps.Keys(s.Path))
	end, skip := v.Tick, 0
	for _, at := range slices.Backward(legs) {
		leg := s.Path[at]
		x, y, d := leg[0]%v.Width, leg[0]/v.Width, leg[1]
		for k := (end-leg[2])*leg[3]>>1 - skip; k >= 0 && len(cells) < s.Cells; k-- {
			cx, cy := ((x+dx[d]*k)%v.Width+v.Width)%v.Width, ((y+dy[d]*k)%v.Height+v.Height)%v.Height
			cells = append(cells, cy*v.Width+cx)
		}
		end, skip = leg[2], 1
	}
	return cells
}

// agree fails unless the client sees exactly the game's snakes.
func (b *table) agree() {
	b.t.Helper()
	v, g := b.client(), b.game()
	if len(v.Snakes) != len(g.Snakes) {
		b.t.Fatalf("tick %d: the client sees %d snakes of %d", g.Clock, len(v.Snakes), len(g.Snakes))
	}
	for _, s := range g.Snakes {
		want := slices.Clone(s.Body)
		slices.Reverse(want)
		if got := body(v, v.Snakes[s.Number]); !slices.Equal(got, want) {
			b.t.Fatalf("round %d tick %d: snake %d with path %v is drawn as %v, is %v", g.Round, g.Clock, s.Number, v.Snakes[s.Number].Path, got, want)
		}
	}
	if !reflect.DeepEqual(v.Food, g.Food) {
		b.t.Fatalf("the client sees food %v of %v", v.Food, g.Food)
	}
}

// pilot steers the players as built-in snakes would, before every tick at which slow snakes move, and lets
// them boost now and then.
func (b *table) pilot(n int) {
	if b.game().Clock%2 == 0 {
		return
	}
	for _, s := range slices.Clone(b.game().Snakes) {
		c := b.game().Roster[s.Number-1]
		if c.Bot {
			continue
		}
		b.act(c.ID, fmt.Sprintf(`{"turn": %q}`, snakes.Advise(b.game(), s.Number)))
		if (n+s.Number)%31 == 0 {
			b.act(c.ID, fmt.Sprintf(`{"boost": %t}`, n%4 < 2))
		}
	}
}
