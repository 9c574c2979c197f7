package roomtest

import (
	"errors"
	"math/rand/v2"
	"reflect"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/view"
)

// Bench measures the game by one that it makes up, in which all players take part and nobody leaves. Its benchmarks report time and
// allocations of one input, and of one view, patch and snapshot, and the bytes of these:
//
//	step      one input, with the views and patches that the room makes of it
//	view      a whole view, as JSON
//	patch     the difference of two views, in both encodings, when the game has moved on by one input
//	snapshot  the room's snapshot
//
// Options.Games, Signals and Hidden mean nothing here; Inputs bounds the inputs of the game.
//
//	func BenchmarkRules(b *testing.B) { roomtest.Bench(b, poker.Rules, options) }
func Bench(b *testing.B, rules *room.Rules, o Options) {
	b.Helper()
	p := newProver(rules, o)
	if err := p.complete(); err != nil {
		b.Fatalf("game %s: %v", p.spec.Name, err)
	}
	r := rand.New(rand.NewPCG(p.o.Seed, 1))
	g := makeGame(p, 1, r, r)
	g.seats(p.o.Players)
	if err := g.begin(); err != nil {
		b.Fatalf("game %s: %v", p.spec.Name, err)
	}
	m := &measured{game: g}
	if err := m.restore(); err != nil {
		b.Fatalf("game %s: %v", p.spec.Name, err)
	}
	b.Run("step", m.step)
	b.Run("view", m.view)
	b.Run("patch", m.patch)
	b.Run("snapshot", m.snapshot)
}

// measured is a game that is measured, with rooms at some of its moments.
type measured struct {
	*game
	pairs []pair
}

// pair is two rooms with one input between them.
type pair struct{ before, after *core.Core }

// mostPairs bounds the moments at which views, patches and snapshots are measured.
const mostPairs = 16

// restore makes rooms at moments that are spread over the game, of which snapshots are there.
func (m *measured) restore() error {
	var at []int
	for i := range len(m.moments) - 1 {
		if m.moments[i].final == "" && len(m.moments[i].snapshot.Data) > 0 && len(m.moments[i+1].snapshot.Data) > 0 {
			at = append(at, i)
		}
	}
	for n := range min(mostPairs, len(at)) {
		i := at[n*len(at)/min(mostPairs, len(at))]
		before, err := m.game.restore(m.moments[i].snapshot)
		if err != nil {
			return err
		}
		after, err := m.game.restore(m.moments[i+1].snapshot)
		if err != nil {
			return err
		}
		m.pairs = append(m.pairs, pair{before, after})
	}
	if len(m.pairs) == 0 {
		return errors.New("the game is over before there is anything to measure")
	}
	return nil
}

func (m *measured) step(b *testing.B) {
	b.ReportAllocs()
	r, err := m.newRun(distinctViews)
	for i := 1; b.Loop(); i++ {
		if i == len(m.moments) {
			b.StopTimer()
			r, err = m.newRun(distinctViews)
			i = 1
			b.StartTimer()
		}
		if err == nil {
			_, err = r.core.Step(m.moments[i].in)
			r.core.Commit(r.core.Point().Seq)
		}
	}
	if err != nil {
		b.Fatal(err)
	}
}

func (m *measured) view(b *testing.B) {
	type look struct {
		core   *core.Core
		viewer room.Viewer
	}
	var all []look
	bytes := 0
	for _, p := range m.pairs {
		for _, v := range viewers(p.before) {
			raw, err := p.before.WholeView(v)
			if err != nil {
				b.Fatal(err)
			}
			all, bytes = append(all, look{p.before, v}), bytes+len(raw)
		}
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		l := all[i%len(all)]
		if _, err := l.core.WholeView(l.viewer); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bytes)/float64(len(all)), "bytes/view")
}

func (m *measured) patch(b *testing.B) {
	type change struct {
		shadow        *view.Shadow
		before, after any
	}
	var all []change
	bytes := 0
	for _, p := range m.pairs {
		for _, v := range viewers(p.after) {
			c := change{m.p.rules.Instance().Differ().New(), viewOf(p.before, v), viewOf(p.after, v)}
			if _, _, _, err := c.shadow.Update(c.before, nil, nil); err != nil {
				b.Fatal(err)
			}
			json, _, _, err := c.shadow.Update(c.after, nil, nil)
			if err != nil {
				b.Fatal(err)
			}
			all, bytes = append(all, c), bytes+len(json)
		}
	}
	var json, cbor []byte
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		c := &all[i%len(all)]
		var err error
		if json, cbor, _, err = c.shadow.Update(c.before, json[:0], cbor[:0]); err != nil {
			b.Fatal(err)
		}
		c.before, c.after = c.after, c.before
	}
	b.ReportMetric(float64(bytes)/float64(len(all)), "bytes/patch")
}

// viewOf is what the game's View returns, before it is encoded.
func viewOf(machine *core.Core, v room.Viewer) any {
	return reflect.ValueOf(machine.Game()).MethodByName("View").Call([]reflect.Value{reflect.ValueOf(v)})[0].Interface()
}

func (m *measured) snapshot(b *testing.B) {
	bytes := 0
	for _, p := range m.pairs {
		s, err := p.after.Snapshot()
		if err != nil {
			b.Fatal(err)
		}
		bytes += len(s.Data)
	}
	b.ReportAllocs()
	for i := 0; b.Loop(); i++ {
		if _, err := m.pairs[i%len(m.pairs)].after.Snapshot(); err != nil {
			b.Fatal(err)
		}
	}
	b.ReportMetric(float64(bytes)/float64(len(m.pairs)), "bytes/snapshot")
}
