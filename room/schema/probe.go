package schema

import (
	"encoding/json"
	"math/rand/v2"
	"reflect"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
)

// probe is a runtime in which a game is opened only to see what it reads its options into.
type probe struct {
	room.Runtime // none: Open may call nothing more before it reads its options than the methods below
	into         reflect.Type
	defaults     []byte // JSON
}

// seen ends Open, because it has shown what it was opened for.
type seen struct{}

// probeOptions opens a game. The probe's type is nil if the game reads no options by Turn.Options.
func probeOptions(rules *room.Rules) (p *probe) {
	p = new(probe)
	game, ok := rules.Instance().Game().(room.Opener)
	if !ok {
		return p
	}
	// Whatever the game panics with: its rooms will tell, and only the options are asked for here.
	defer func() { _ = recover() }()
	turn := room.NewTurn(p)
	_ = game.Open(&turn, json.RawMessage("{}")) // that it refuses a room of nobody is no matter
	return p
}

func (p *probe) Options(into any) (json.RawMessage, error) {
	if t := reflect.TypeOf(into); t != nil && t.Kind() == reflect.Pointer {
		p.into = t
		p.defaults, _ = json.Marshal(into) // without it the options have no defaults
	}
	panic(seen{})
}

func (p *probe) Now() time.Duration               { return 0 }
func (p *probe) Index() room.Index                { return 1 }
func (p *probe) Rand() *rand.Rand                 { return rand.New(rand.NewPCG(1, 1)) }
func (p *probe) Players() []room.Player           { return nil }
func (p *probe) Online(room.PlayerID) bool        { return false }
func (p *probe) Acted(room.PlayerID) bool         { return false }
func (p *probe) RuntimeVersion() int              { return core.RuntimeVersion }
func (p *probe) Grace(time.Duration)              {}
func (p *probe) Empty(time.Duration)              {}
func (p *probe) Seats(int)                        {}
func (p *probe) Lock(bool)                        {}
func (p *probe) Wait()                            {}
func (p *probe) Begin()                           {}
func (p *probe) StopTimer(string)                 {}
func (p *probe) StartTimer(string, time.Duration) {}
func (p *probe) Send(room.PlayerID, string, any)  {}
