package core_test

import (
	"encoding/json"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// arena has 20 entities. A few of them move at every tick.
type arena struct {
	Entities map[string]*entity
	N        int
}

type entity struct {
	X    int    `json:"x"`
	Y    int    `json:"y"`
	HP   int    `json:"hp"`
	Dir  string `json:"dir"`
	Team int    `json:"team"`
	Name string `json:"name"`
}

type arenaView struct {
	Entities map[string]*entity `json:"entities"`
	Tick     int                `json:"tick"`
}

func (a *arena) Open(*room.Turn, json.RawMessage) error {
	for i := range 20 {
		a.Entities[string(rune('a'+i))] = &entity{X: i, Y: i, HP: 100, Dir: "n", Name: "entity"}
	}
	return nil
}
func (a *arena) Act(*room.Turn, room.Player, int) error { return nil }
func (a *arena) View(room.Viewer) arenaView             { return arenaView{a.Entities, a.N} }
func (a *arena) Tick(*room.Turn) {
	a.N++
	for _, e := range a.Entities {
		e.X, e.Y = (e.X+1)%1000, (e.Y+3)%1000
	}
}

func newArena(b *testing.B) *core.Core {
	rules := room.MustDefine(room.Spec{Name: "arena", Version: 1, MaxPlayers: 20, TickRate: 20, SharedView: true}, func() *arena { return &arena{Entities: map[string]*entity{}} })
	c, _, err := core.Open(core.Config{Rules: rules, Header: record.Header{Game: "arena", Version: 1, Runtime: core.RuntimeVersion}}, 1)
	if err != nil {
		b.Fatal(err)
	}
	for _, k := range []core.Kind{core.KindJoin, core.KindAttach} {
		if _, err := c.Step(core.Input{Kind: k, Player: "p", Client: "c"}); err != nil {
			b.Fatal(err)
		}
	}
	c.Commit(c.Point().Seq)
	return c
}

// BenchmarkTick measures a tick of 20 moving entities with one shared view: the step, the difference in both encodings and
// one encoded turn.
func BenchmarkTick(b *testing.B) {
	c := newArena(b)
	b.ReportAllocs()
	for b.Loop() {
		at, _ := c.Deadline()
		if _, err := c.Step(core.Input{Kind: core.KindTick, At: at}); err != nil {
			b.Fatal(err)
		}
		for _, o := range c.Commit(c.Point().Seq) {
			if t, ok := o.(core.Turned); ok {
				t.Frame.Bytes(wire.JSON)
			}
		}
	}
}

// BenchmarkAct measures the smallest act: step, difference, turn and ack.
func BenchmarkAct(b *testing.B) {
	rules := room.MustDefine(room.Spec{Name: "adder", Version: 1, SharedView: true}, func() *adder { return &adder{} })
	c, _, err := core.Open(core.Config{Rules: rules, Header: record.Header{Game: "adder", Version: 1, Runtime: core.RuntimeVersion}}, 1)
	if err != nil {
		b.Fatal(err)
	}
	c.Step(core.Input{Kind: core.KindJoin, Player: "p"})
	c.Step(core.Input{Kind: core.KindAttach, Player: "p", Client: "c"})
	var n record.CSeq
	data := json.RawMessage(`{"by":1}`)
	b.ReportAllocs()
	for b.Loop() {
		n++
		if r, err := c.Step(core.Input{Kind: core.KindAct, Player: "p", Client: "c", CSeq: n, Data: data}); err != nil || r.Entry == nil {
			b.Fatal(err)
		}
		for _, o := range c.Commit(c.Point().Seq) {
			switch o := o.(type) {
			case core.Turned:
				o.Frame.Bytes(wire.JSON)
			case core.Answered:
				o.Frame.Bytes(wire.JSON)
			}
		}
	}
}

type adder struct{ Sum int }

func (c *adder) Act(_ *room.Turn, _ room.Player, a add) error {
	c.Sum = (c.Sum + a.By) % 999
	return nil
}
func (c *adder) View(room.Viewer) sum { return sum{c.Sum} }
