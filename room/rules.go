package room

import (
	"cmp"
	"encoding/json"
	"fmt"
	"iter"
	"maps"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/roomring/roomring/room/view"
)

// Rules is a game ready to be run: its Spec and its code, behind types that the runtime can hold.
// It is immutable and may be shared.
type Rules struct {
	spec   Spec
	differ *view.Differ
	fresh  func() instance
	unkept []string
}

// instance is one game value without its type parameters.
type instance interface {
	act(t *Turn, by Player, raw json.RawMessage) error
	view(v Viewer) any
	game() any
}

type typed[A, V any] struct{ g Game[A, V] }

func (t typed[A, V]) act(turn *Turn, by Player, raw json.RawMessage) error {
	var action A
	if err := turn.core.decode(raw, &action); err != nil {
		return Refuse("bad_action", err.Error())
	}
	return t.g.Act(turn, by, action)
}

func (t typed[A, V]) view(v Viewer) any { return t.g.View(v) }
func (t typed[A, V]) game() any         { return t.g }

// Define makes rules of a game. New returns a fresh, unopened game each time. The error names what
// in the spec or the view type cannot be.
func Define[G Game[A, V], A, V any](spec Spec, fresh func() G) (*Rules, error) {
	spec, err := spec.complete()
	if err != nil {
		return nil, err
	}
	differ, err := view.Compile(reflect.TypeFor[V]())
	if err != nil {
		return nil, fmt.Errorf("game %s: its view: %w", spec.Name, err)
	}
	if _, ticks := any(fresh()).(Ticker); ticks != (spec.TickRate > 0) {
		return nil, fmt.Errorf("game %s: a game with a Tick method needs Spec.TickRate, and the other way round", spec.Name)
	}
	return &Rules{
		spec: spec, differ: differ, unkept: unkept(reflect.TypeFor[G]()),
		fresh: func() instance { return typed[A, V]{fresh()} },
	}, nil
}

// MustDefine is Define for package variables and main functions; it panics on an error.
func MustDefine[G Game[A, V], A, V any](spec Spec, fresh func() G) *Rules {
	rules, err := Define(spec, fresh)
	if err != nil {
		panic(err)
	}
	return rules
}

// Spec is the game's description with every default filled in.
func (r *Rules) Spec() Spec { return r.spec }

// Warnings name the fields of the game's state that its snapshot does not bring back after a restart or a move, each with the
// cure. roomtest fails a game that has any, and a server logs them at its start. That is so in 0.1; from 0.2 on
// Define refuses such a game.
func (r *Rules) Warnings() []string { return slices.Clone(r.unkept) }

// NewGame is a fresh, unopened game value, for test kits.
func (r *Rules) NewGame() any { return r.fresh().game() }

var gameName = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)

// Limits of a Spec.
const (
	MaxSeats    = 1024
	MaxTickRate = 128

	DefaultOptionBytes = 2 << 10  // of Spec.OptionBytes
	MaxOptionBytes     = 48 << 10 // what a request's body has place for
)

func (s Spec) complete() (Spec, error) {
	fill := func(d *time.Duration, to time.Duration) {
		if *d == 0 {
			*d = to
		}
	}
	fill(&s.Grace, time.Minute)
	fill(&s.WaitingGrace, 5*time.Second)
	fill(&s.NeverJoined, 5*time.Minute)
	fill(&s.Empty, 10*time.Minute)
	fill(&s.Linger, time.Minute)
	s.MinPlayers = max(s.MinPlayers, 1)
	s.OptionBytes = cmp.Or(s.OptionBytes, DefaultOptionBytes)
	if s.MaxPlayers == 0 {
		s.MaxPlayers = s.MinPlayers
	}
	switch {
	case !gameName.MatchString(s.Name):
		return s, fmt.Errorf("game name %q: use a-z and 0-9, a letter first, at most 32", s.Name)
	case s.Version < 1:
		return s, fmt.Errorf("game %s: Version must be 1 or more", s.Name)
	case s.MaxPlayers < s.MinPlayers || s.MaxPlayers > MaxSeats:
		return s, fmt.Errorf("game %s: MaxPlayers must be from MinPlayers to %d", s.Name, MaxSeats)
	case s.RatedActs < 0:
		return s, fmt.Errorf("game %s: RatedActs must be 0 or more", s.Name)
	case s.TickRate < 0 || s.TickRate > MaxTickRate:
		return s, fmt.Errorf("game %s: TickRate must be from 0 to %d", s.Name, MaxTickRate)
	case s.OptionBytes < 0 || s.OptionBytes > MaxOptionBytes:
		return s, fmt.Errorf("game %s: OptionBytes must be from 0 to %d", s.Name, MaxOptionBytes)
	}
	if err := s.completeLog(); err != nil {
		return s, err
	}
	if err := s.Durability.Validate(); err != nil {
		return s, fmt.Errorf("game %s: %w", s.Name, err)
	}
	return s, nil
}

// tick is the length of one tick, in whole microseconds so that every processor agrees.
func (s Spec) tick() time.Duration {
	if s.TickRate == 0 {
		return 0
	}
	return (time.Second / time.Duration(s.TickRate)).Truncate(time.Microsecond)
}

// Games is an immutable set of rules by name.
type Games struct{ byName map[string]*Rules }

// NewGames makes a set; two games of one name are an error.
func NewGames(rules ...*Rules) (*Games, error) {
	g := &Games{byName: make(map[string]*Rules, len(rules))}
	for _, r := range rules {
		if _, twice := g.byName[r.spec.Name]; twice {
			return nil, fmt.Errorf("game %s is given twice", r.spec.Name)
		}
		g.byName[r.spec.Name] = r
	}
	return g, nil
}

// Lookup finds rules by the game's name.
func (g *Games) Lookup(name string) (*Rules, bool) {
	r, ok := g.byName[name]
	return r, ok
}

// All goes through the games by name.
func (g *Games) All() iter.Seq[*Rules] {
	return func(yield func(*Rules) bool) {
		for _, name := range slices.Sorted(maps.Keys(g.byName)) {
			if !yield(g.byName[name]) {
				return
			}
		}
	}
}

// optional asks a game for one of the optional interfaces.
func optional[I any](in instance) (I, bool) {
	i, ok := in.game().(I)
	return i, ok
}

// contained calls a method of the game's outside of every input, where a panic must not end the room: nothing
// in the log would say why. The error is a *Panic.
func contained(method string, f func() error) (err error) {
	defer func() {
		if v := recover(); v != nil {
			err = newPanic(method, v)
		}
	}()
	return f()
}

func snapshotGame(in instance) (data []byte, err error) {
	err = contained("Snapshot", func() (err error) {
		if s, ok := optional[Snapshotter](in); ok {
			data, err = s.Snapshot()
			return err
		}
		data, err = json.Marshal(in.game())
		return err
	})
	return data, err
}

func restoreGame(in instance, data []byte) error {
	return contained("Restore", func() error {
		if s, ok := optional[Snapshotter](in); ok {
			return s.Restore(data)
		}
		return json.Unmarshal(data, in.game())
	})
}
