package actor

import (
	"sync"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// Pools tell which requests may be put together: those of one game whose options come to the same. They may be used by
// many goroutines.
type Pools struct {
	games *core.Games
	black BlackBox

	mu    sync.Mutex // held for moments only
	known map[string]string
}

// Bounds of what Pools remember.
const (
	knownPools      = 1024
	longestKnownKey = 1 << 10 // bytes
)

// NewPools makes Pools of games, which are opened under the eyes of a black box.
func NewPools(games *core.Games, black BlackBox) *Pools {
	return &Pools{games: games, black: black, known: map[string]string{}}
}

// Key is the same for requests that may be put together. The first of its spelling costs what opening a game costs.
func (p *Pools) Key(want Match) string {
	spelt := want.spelt()
	rules, ok := p.games.Lookup(want.Game)
	if !ok {
		return spelt // nodes with the game have the rooms
	}
	p.mu.Lock()
	key, ok := p.known[spelt]
	p.mu.Unlock()
	if ok {
		return key
	}
	key = want.Game + " " + p.read(rules, want)
	if len(spelt) <= longestKnownKey {
		p.mu.Lock()
		if len(p.known) >= knownPools {
			clear(p.known)
		}
		p.known[spelt] = key
		p.mu.Unlock()
	}
	return key
}

// read opens the game for its options alone: there is no room to be named, should that be fatal.
func (p *Pools) read(rules *room.Rules, want Match) string {
	mark := p.black.BeginOpen("", want.Game)
	defer mark.Release()
	return core.Pool(rules, want.Options)
}

// spelt is the same for requests that say the same. Defaults that are spelt out make another.
func (m *Match) spelt() string { return m.Game + " " + core.CanonicalOptions(m.Options) }
