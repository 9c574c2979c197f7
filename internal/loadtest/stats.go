package loadtest

import (
	"errors"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// stats gather what a run comes to. Any goroutine may use them.
type stats struct {
	from, to time.Duration // acts that are due then are measured: players have come by then

	mu      sync.Mutex
	act     Latency
	join    Latency
	late    Latency // of the generator: from when acts were due to when they were dealt
	second  Latency // of all acts since the last line of progress
	answers int     // of all acts, measured or not
	acts    Acts
	joins   Joins
	got     Deliveries
	rooms   Rooms
	seen    map[room.ID]bool // rooms that have been counted; true: as over
	closes  map[string]int
	errs    map[string]int
	limits  map[string]bool // settings of the server that have refused something
	players int             // in a room now
	watch   int             // spectators in a room now
	parted  bool            // what ends from here on has been ended by the run
}

func newStats(from, to time.Duration) *stats {
	return &stats{
		from: from, to: to, act: newLatency(), join: newLatency(), late: newLatency(), second: newLatency(), acts: Acts{Refused: map[string]int{}},
		seen: map[room.ID]bool{}, closes: map[string]int{}, errs: map[string]int{}, limits: map[string]bool{},
	}
}

// locked runs f while nobody else uses the stats.
func (s *stats) locked(f func()) {
	s.mu.Lock()
	defer s.mu.Unlock()
	f()
}

// measures reports whether an act that is due at a time counts.
func (s *stats) measures(due time.Duration) bool { return due >= s.from && due < s.to }

// wasDue counts an act that became due, and how late the generator was with it.
func (s *stats) wasDue(due, late time.Duration) {
	s.locked(func() {
		if s.measures(due) {
			s.acts.Due++
			s.late.record(late)
		}
	})
}

// dropped counts an act that no room could take.
func (s *stats) dropped(due time.Duration) {
	s.locked(func() {
		if s.measures(due) {
			s.acts.Dropped++
		}
	})
}

// acted counts an act and its answer, if any. Over says that its room was over, so that there need not be one.
func (s *stats) acted(act dealt, took time.Duration, err error, over bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	rejected, refused := errors.AsType[*client.Rejected](err)
	if err == nil || refused {
		s.answers++
		s.second.record(took)
	}
	if !s.measures(act.due) || err != nil && s.parted {
		return
	}
	s.acts.Sent++
	if act.waited {
		s.acts.Waited++
	}
	switch {
	case err == nil || refused:
		s.acts.Answered++
		if refused {
			s.acts.Refused[rejected.Code]++
		}
		s.act.record(took)
	case over:
		s.acts.Moot++
	default:
		s.fail("act: " + plain(err))
	}
}

// joined counts an attempt to come into a room.
func (s *stats) joined(took time.Duration, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err != nil && s.parted {
		return
	}
	s.joins.Tried++
	if err != nil {
		s.refusedBy(err)
		s.fail("join: " + plain(err))
		return
	}
	s.joins.Done++
	s.join.record(took)
}

// mostTexts bounds the different errors of a report. More count as others.
const mostTexts = 50

// fail counts an error. The caller holds the lock.
func (s *stats) fail(text string) {
	if _, known := s.errs[text]; !known && len(s.errs) >= mostTexts {
		text = "others"
	}
	s.errs[text]++
}

// entered counts a room that somebody has come into.
func (s *stats) entered(id room.ID) {
	s.locked(func() {
		if _, known := s.seen[id]; !known {
			s.seen[id] = false
			s.rooms.Made++
		}
	})
}

// ended counts the end of a room, once.
func (s *stats) ended(id room.ID, end string) {
	s.locked(func() {
		if s.seen[id] {
			return
		}
		s.seen[id] = true
		switch record.End(end) {
		case record.Finished:
			s.rooms.Finished++
		case record.Aborted:
			s.rooms.Aborted++
		default:
			s.rooms.Closed++
		}
	})
}

// received counts a message from the server.
func (s *stats) received(m wire.ServerMessage) {
	s.locked(func() {
		switch m := m.(type) {
		case wire.State:
			s.got.States++
			s.got.Lost += int(m.Lost)
		case wire.Turn:
			s.got.Turns++
			s.got.Events += len(m.Events)
		}
	})
}

// lost counts the end of a socket by its close code. Those of sockets that go on elsewhere, or whose game is over, are no errors.
func (s *stats) lost(err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	code, reason, ok := closeOf(err)
	if s.parted || !ok {
		return
	}
	s.closes[strconv.Itoa(int(code))]++
	switch code {
	case wire.CloseNormal, wire.CloseMoved, wire.CloseOver:
	default:
		s.refusedBy(err)
		s.fail("closed " + strconv.Itoa(int(code)) + ": " + reason)
	}
}

// brokenSocket is the code of a connection that ended without one (RFC 6455, section 7.1.5).
const brokenSocket wire.CloseCode = 1006

// closeOf is the close code of a socket that has ended; false: it was never open, or the client closed it.
func closeOf(err error) (code wire.CloseCode, reason string, ok bool) {
	if c, is := errors.AsType[*client.Closed](err); is {
		return c.Code, c.Reason, true
	}
	if c, is := errors.AsType[websocket.CloseError](err); is {
		return wire.CloseCode(c.Code), c.Reason, true
	}
	if _, is := errors.AsType[net.Error](err); is {
		return brokenSocket, "the connection broke", true
	}
	return 0, "", false
}

// plain is an error without addresses and ports, so that equal ones count together.
func plain(err error) string {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Err != nil {
		return op.Op + ": " + op.Err.Error()
	}
	return err.Error()
}
