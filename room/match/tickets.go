package match

import (
	"slices"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
)

// Ticket is an answered request, in the form that Makers exchange.
type Ticket struct {
	Player room.PlayerID
	Ticket string
	Game   string
	Room   room.ID
	Left   time.Duration // how long it is still remembered
}

// tickets remembers requests and their answers. If there are too many, it forgets the least recently used.
type tickets struct {
	clock clock.Clock
	age   time.Duration

	mu  sync.Mutex // held for moments only
	lru *simplelru.LRU[ticketKey, *ticket]
}

type ticketKey struct {
	player room.PlayerID
	ticket string
}

// ticket is one request that was answered or is being answered.
type ticket struct {
	key     ticketKey
	game    string
	expires time.Duration // in the clock's time
	done    chan struct{} // closed when it is answered
	room    room.ID       // written before done is closed; empty: no room was found
}

func newTickets(c clock.Clock, most int, age time.Duration) *tickets {
	lru, err := simplelru.NewLRU[ticketKey, *ticket](most, nil)
	if err != nil {
		panic(err) // most is below 1
	}
	return &tickets{clock: c, age: age, lru: lru}
}

// get returns the ticket of a request. When it isNew, the caller answers it.
func (s *tickets) get(want actor.Match) (t *ticket, isNew bool) {
	s.mu.Lock()
	defer s.mu.Unlock()
	k := ticketKey{want.Player, want.Ticket}
	now := s.clock.Now()
	if t, ok := s.lru.Get(k); ok && t.expires > now {
		return t, false
	}
	t = &ticket{key: k, game: want.Game, done: make(chan struct{}), expires: now + s.age}
	s.lru.Add(k, t)
	return t, true
}

// forget removes a ticket that has no room, or whose room has ended.
func (s *tickets) forget(t *ticket) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if now, _ := s.lru.Peek(t.key); now == t {
		s.lru.Remove(t.key)
	}
}

// Export removes the answered tickets of the chosen games and returns them, most recently used first. Tickets of requests
// that are being served stay.
func (m *Maker) Export(chosen func(game string) bool) []Ticket {
	s := m.tickets
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	var out []Ticket
	for _, t := range slices.Backward(s.lru.Values()) {
		if !chosen(t.game) || !t.answered() {
			continue
		}
		s.lru.Remove(t.key)
		if left := t.expires - now; left > 0 {
			out = append(out, Ticket{t.key.player, t.key.ticket, t.game, t.room, left})
		}
	}
	return out
}

// Import remembers tickets that another Maker has exported, in the order of Export. A ticket that is already known here stays as it is.
func (m *Maker) Import(all []Ticket) {
	s := m.tickets
	s.mu.Lock()
	defer s.mu.Unlock()
	now := s.clock.Now()
	for _, t := range slices.Backward(all) { // so that the most recently used is the newest here
		k := ticketKey{t.Player, t.Ticket}
		if !s.lru.Contains(k) {
			s.lru.Add(k, &ticket{key: k, game: t.Game, done: closed, room: t.Room, expires: now + min(t.Left, s.age)})
		}
	}
}

// closed is the done channel of imported tickets.
var closed = func() chan struct{} {
	c := make(chan struct{})
	close(c)
	return c
}()

// answered reports whether a room has been found for the ticket.
func (t *ticket) answered() bool {
	select {
	case <-t.done:
		return t.room != ""
	default:
		return false
	}
}
