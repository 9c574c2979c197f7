package persist_test

import (
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
)

// A heartbeat tells when another server has taken the store's place, once each time, also when it was away meanwhile.
func TestHeartbeatTellsOfAFailover(t *testing.T) {
	s := newFaulty(t)
	told := make(chan struct{}, 100)
	var log testwait.Log
	h := persist.NewHeartbeat(s, persisttest.Started(t, s).ID, persist.HeartbeatOptions{
		Every: 5 * time.Millisecond, Log: textLog(&log), NewTimeline: func() { told <- struct{}{} }})
	defer h.Close()
	beats := func(n int64) {
		t.Helper()
		from := s.calls.Load()
		testwait.Until(t, "there were heartbeats", func() bool { return s.calls.Load() >= from+n })
	}
	beats(3)
	s.away.Store(true)
	beats(3)
	s.promoted.Add(1)
	beats(3)
	if len(told) != 0 {
		t.Error("told of a failover that nobody can have seen")
	}
	s.away.Store(false)
	testwait.Receive(t, "the failover", told)
	beats(3)
	if len(told) != 0 || log.Count("failed over") != 1 {
		t.Errorf("told again; log:\n%s", &log)
	}
	s.promoted.Add(1)
	testwait.Receive(t, "the second failover", told)
}
