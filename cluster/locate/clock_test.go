package locate_test

import (
	"errors"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock/clocktest"
)

// TestPatienceGoesByTheClock gives nodes an hour to answer where a room is, and turns the clock.
func TestPatienceGoesByTheClock(t *testing.T) {
	turned := clocktest.New()
	g := grid.New(t)
	for _, name := range []string{"a", "b", "c"} {
		g.Add(name, func(s *grid.Setup) {
			s.Cluster.Clock, s.Rooms.Clock = turned, turned
			s.Cluster.Ask, s.Cluster.Forward = time.Hour, 2*time.Hour
		})
	}
	g.Set(func() { g.Hung["c"] = true })
	took, err := turning(turned, func() error {
		_, err := g.Nodes["a"].Locate.Locate(t.Context(), grid.RandomID())
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
