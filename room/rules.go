package room

import (
	"cmp"
	"fmt"
	"reflect"
	"regexp"
	"slices"
	"time"

	"github.com/roomring/roomring/room/internal/fields"
	"github.com/roomring/roomring/room/view"
)

// Rules are a game ready to run: its Spec and its code, without type parameters. Rules never change and may be shared
// by any number of goroutines.
type Rules struct {
	spec   Spec
	differ *view.Differ
	fresh  func() Instance
	unkept []string

	action, view reflect.Type
}

// Define makes rules of a game. Fresh returns a new, unopened game at each call. The error names what is wrong with the
// spec or the view type.
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
	r := &Rules{spec: spec, differ: differ, action: reflect.TypeFor[A](), view: reflect.TypeFor[V]()}
	if game := reflect.TypeFor[G](); !game.Implements(reflect.TypeFor[Snapshotter]()) {
		r.unkept = fields.Unkept(game)
	}
	r.fresh = func() Instance { return typed[A, V]{fresh(), r} }
	return r, nil
}

// MustDefine is Define for package variables and main functions. It panics on an error.
func MustDefine[G Game[A, V], A, V any](spec Spec, fresh func() G) *Rules {
	rules, err := Define(spec, fresh)
	if err != nil {
		panic(err)
	}
	return rules
}

// Spec returns the game's description with every default filled in.
func (r *Rules) Spec() Spec { return r.spec }

// Warnings names the fields that the game's snapshot does not bring back after a restart or a move, each with the cure.
// roomtest fails a game that has any, and a server logs them at its start. This holds for 0.1; from 0.2 on Define
// refuses such a game.
func (r *Rules) Warnings() []string { return slices.Clone(r.unkept) }

// Types returns the Go types of the game's actions and views. Package schema says what they are as JSON.
func (r *Rules) Types() (action, view reflect.Type) { return r.action, r.view }

// Instance returns a new, unopened game. It is for package core and for test kits.
func (r *Rules) Instance() Instance { return r.fresh() }

var gameName = regexp.MustCompile(`^[a-z][a-z0-9]{0,31}$`)

// Limits of a Spec.
const (
	MaxSeats    = 1024 // for Spec.MaxPlayers
	MaxTickRate = 128  // for Spec.TickRate, in ticks a second

	DefaultOptionBytes = 2 << 10  // for Spec.OptionBytes
	MaxOptionBytes     = 48 << 10 // for Spec.OptionBytes: the body of a request must hold them
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

func (s *Spec) completeLog() error {
	switch s.Log {
	case WholeLog:
		if s.LogBytes == 0 {
			s.LogBytes = DefaultLogBytes
		}
	case TailLog:
		if s.LogBytes == 0 {
			s.LogBytes = DefaultTailLog
		}
	default:
		return fmt.Errorf("game %s: Log %q is neither WholeLog nor TailLog", s.Name, s.Log)
	}
	if s.LogBytes < MinLogBytes {
		return fmt.Errorf("game %s: LogBytes must be %d or more", s.Name, MinLogBytes)
	}
	return nil
}
