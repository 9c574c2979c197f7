package roomtest

import (
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
)

// Fuzz adds seeds and fuzzes a game: bytes become options, players and inputs of a game (actions, legal and rubbish, timers, signals, leaves,
// lost connections), which is proved as Prove proves its random games. Options.Games and Options.Seed mean nothing here; Inputs bounds
// a game's inputs.
//
//	func FuzzRules(f *testing.F) { roomtest.Fuzz(f, poker.Rules, options) }
func Fuzz(f *testing.F, rules *room.Rules, o Options) {
	f.Helper()
	p := newProver(rules, o)
	if err := p.complete(); err != nil {
		f.Fatalf("game %s: %v", p.spec.Name, err)
	}
	for _, seed := range seeds() {
		f.Add(seed)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		p.report = newReport() // it is not asked for, and would grow
		g := p.gameOf(data)
		if err := g.prove(); err != nil {
			t.Fatalf("game %s with options %s: %v\n%s", p.spec.Name, orNone(g.cfg.Header.Options), err, g.story())
		}
	})
}

// seeds are games of some lengths to begin with.
func seeds() (out [][]byte) {
	r := rand.New(rand.NewPCG(1, 1))
	for _, n := range []int{0, 16, 32, 64, 100, 150, 200, 250, 300} {
		seed := make([]byte, n)
		for i := range seed {
			seed[i] = byte(r.Uint32())
		}
		out = append(out, seed)
	}
	return out
}

// gameOf makes the game that data says: who plays with which options, and what they do.
func (p *prover) gameOf(data []byte) *game {
	source := &tape{data, rand.NewPCG(1, 1)}
	r := rand.New(source)
	g := makeGame(p, r.IntN(256), r, rand.New(rand.NewPCG(r.Uint64(), 1)))
	g.data = source
	g.seats(p.spec.MinPlayers + r.IntN(p.o.Players-p.spec.MinPlayers+1))
	if !p.o.FixedOptions && r.IntN(2) == 0 {
		g.cfg.Header.Options = p.drawOptions(r)
	}
	return g
}

// tape is a random source that takes the most significant byte of each number from data, so that a fuzzer that changes a byte changes
// one draw. The rest of a number, and what is drawn when the data is used up, is the same for all data.
type tape struct {
	left []byte
	rest *rand.PCG
}

// Uint64 implements rand.Source.
func (b *tape) Uint64() uint64 {
	n := b.rest.Uint64()
	if len(b.left) > 0 {
		n = n>>8 | uint64(b.left[0])<<56
		b.left = b.left[1:]
	}
	return n
}

// exhausted reports whether the data is used up. B may be nil, which is never.
func (b *tape) exhausted() bool { return b != nil && len(b.left) == 0 }

// take takes up to n bytes of the data as they are.
func (b *tape) take(n int) []byte {
	n = min(n, len(b.left))
	out := b.left[:n]
	b.left = b.left[n:]
	return out
}

// rubbishAct has a player of a fuzzed game send what no client would: bytes as they come, rubbish, or an action spoilt in one place.
func (g *game) rubbishAct() error {
	players := g.online(g.core)
	if len(players) == 0 {
		return g.pass()
	}
	by := players[0].ID
	send := func(data string) error { return g.step(actOf(g.core, by, json.RawMessage(data))) }
	switch g.r.IntN(3) {
	case 0:
		return send(string(g.data.take(1 + g.r.IntN(24))))
	case 1:
		return send(rubbish[g.r.IntN(len(rubbish))])
	}
	data, err := g.propose(g.core, players[0], g.last().viewOf(by))
	wrong := spoil(g.r, data)
	if err != nil || len(wrong) == 0 {
		return err
	}
	return send(wrong[g.r.IntN(len(wrong))])
}

// storyLines bounds what is told of a game that fails.
const storyLines = 40

// story tells the last inputs of the game.
func (g *game) story() string {
	var b strings.Builder
	from := max(0, len(g.moments)-storyLines)
	fmt.Fprintf(&b, "its inputs from %d on, for %d players:\n", from, len(g.ids))
	for i := range g.moments[from:] {
		fmt.Fprintf(&b, "  %v\n", &g.moments[from+i])
	}
	return b.String()
}

// drawRare plays one input of a kind that random games seldom have or never: rubbish, or a wait until something is due.
func (g *game) drawRare() error {
	at, ok := g.core.Deadline()
	if !ok || g.r.IntN(4) > 0 {
		return g.rubbishAct()
	}
	g.now = max(g.now, at)
	return g.catchUp()
}
