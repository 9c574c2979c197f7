package cluster

import (
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock/clocktest"
)

// TestPatienceGoesByTheClock gives nodes an hour to answer where a room is, and turns the clock.
func TestPatienceGoesByTheClock(t *testing.T) {
	turned := clocktest.New()
	g := newGrid(t)
	for _, name := range []string{"a", "b", "c"} {
		g.add(name, func(o *Options, ro *actor.Options) {
			o.Clock, ro.Clock = turned, turned
			o.Ask, o.Forward = time.Hour, 2*time.Hour
		})
	}
	g.set(func() { g.hung["c"] = true })
	took, err := turning(turned, func() error {
		_, err := g.nodes["a"].Locate(t.Context(), randomID())
		return err
	})
	if !errors.Is(err, actor.ErrUnreachable) || took < time.Hour {
		t.Errorf("a room that a silent node may have: %v after %v, want an ErrUnreachable after an hour", err, took)
	}
}

// turning turns the clock by minutes until something is done.
func turning(turned *clocktest.Manual, do func() error) (took time.Duration, err error) {
	began, done := turned.Now(), make(chan error, 1)
	go func() { done <- do() }()
	for {
		select {
		case err := <-done:
			return turned.Now() - began, err
		case <-time.After(time.Millisecond): // for those who were woken
			turned.Advance(time.Minute)
		}
	}
}
