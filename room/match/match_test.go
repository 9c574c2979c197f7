package match_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock/clocktest"
	"github.com/roomring/roomring/room/match"
)

// oneRoom has one open room at a time, with a fixed number of seats. Make replaces it by the next one.
type oneRoom struct {
	seats int
	slow  chan struct{} // Make waits for it; nil: Make does not wait

	inside atomic.Int32
	mu     sync.Mutex
	made   int
	in     map[room.ID]map[room.PlayerID]bool
	fail   error
}

func (o *oneRoom) current() room.ID { return room.ID(fmt.Sprint("room", o.made)) }

func (o *oneRoom) Seat(ctx context.Context, want actor.Match) (actor.Info, error) {
	return o.Renew(ctx, o.current(), want)
}

func (o *oneRoom) Renew(_ context.Context, id room.ID, want actor.Match) (actor.Info, error) {
	p := want.Player
	o.mu.Lock()
	defer o.mu.Unlock()
	in := o.in[id]
	if in == nil || !in[p] && len(in) >= o.seats {
		return actor.Info{}, actor.ErrNotFound
	}
	in[p] = true
	return actor.Info{ID: id}, o.fail
}

func (o *oneRoom) Make(ctx context.Context, want actor.Match) (actor.Info, error) {
	if o.inside.Add(1) > 1 {
		panic("two rooms are made at once")
	}
	defer o.inside.Add(-1)
	if o.slow != nil {
		select {
		case <-o.slow:
		case <-ctx.Done():
			return actor.Info{}, ctx.Err()
		}
	}
	o.mu.Lock()
	defer o.mu.Unlock()
	o.made++
	if o.in == nil {
		o.in = map[room.ID]map[room.PlayerID]bool{}
	}
	o.in[o.current()] = map[room.PlayerID]bool{want.Player: true}
	return actor.Info{ID: o.current()}, nil
}

func newMaker(s match.Seats) *match.Maker {
	return match.New(match.Options{Pool: func(want actor.Match) string { return want.Game }}, s)
}

func TestRoomsAreMadeOneAtATime(t *testing.T) {
	seats := &oneRoom{seats: 4}
	m := newMaker(seats)
	var wg sync.WaitGroup
	for i := range 200 {
		wg.Go(func() {
			p := room.PlayerID(fmt.Sprint(i))
			if _, err := m.Match(context.Background(), actor.Match{Game: "g", Player: p, Ticket: "t"}); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if seats.made != 50 {
		t.Errorf("200 players came into %d rooms of 4", seats.made)
	}
}

func TestARequestThatGivesUpHoldsUpNobody(t *testing.T) {
	seats := &oneRoom{seats: 2, slow: make(chan struct{})}
	m := newMaker(seats)
	ctx, cancel := context.WithCancel(t.Context())
	const waiting = 10
	gone := make(chan error, waiting)
	for i := range waiting { // one makes a room and the others wait; each two share a ticket
		want := actor.Match{Game: "g", Player: room.PlayerID(fmt.Sprint(i / 2)), Ticket: "t"}
		go func() {
			_, err := m.Match(ctx, want)
			gone <- err
		}()
	}
	testwait.Until(t, "a room is being made", func() bool { return seats.inside.Load() == 1 })
	cancel()
	for range waiting {
		if err := <-gone; !errors.Is(err, context.Canceled) {
			t.Errorf("a request that gave up: %v", err)
		}
	}
	close(seats.slow)
	if info, err := m.Match(t.Context(), actor.Match{Game: "g", Player: "1", Ticket: "t"}); err != nil || info.ID == "" {
		t.Errorf("the request after them: %+v, %v", info, err)
	}
}

func TestATicketOutlivesAnUnreachableRoom(t *testing.T) {
	seats := &oneRoom{seats: 1}
	m := newMaker(seats)
	want := actor.Match{Game: "g", Player: "p", Ticket: "t"}
	first, err := m.Match(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	seats.fail = actor.ErrUnreachable
	if _, err := m.Match(t.Context(), want); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("while the room is not reachable: %v", err)
	}
	seats.fail = nil
	if again, err := m.Match(t.Context(), want); err != nil || again.ID != first.ID {
		t.Errorf("afterwards: %+v, %v, want %s", again, err, first.ID)
	}
}

// TestTicketsMoveToAnotherMaker exports the answered tickets of one game and imports them into a Maker that knows one of them.
func TestTicketsMoveToAnotherMaker(t *testing.T) {
	c := clocktest.New()
	newMaker := func() *match.Maker {
		return match.New(match.Options{Pool: func(want actor.Match) string { return want.Game }, Clock: c, Tickets: 2}, &oneRoom{seats: 1})
	}
	from, to := newMaker(), newMaker()
	ask := func(m *match.Maker, game string, p room.PlayerID) room.ID {
		info, err := m.Match(t.Context(), actor.Match{Game: game, Player: p, Ticket: "t"})
		if err != nil {
			t.Fatal(err)
		}
		return info.ID
	}
	ask(from, "chess", "forgotten")
	ask(from, "chess", "a")
	c.Advance(time.Minute)
	ask(from, "chess", "b")
	exported := from.Export(func(game string) bool { return game == "chess" })
	want := []match.Ticket{
		{Player: "b", Ticket: "t", Game: "chess", Room: "room3", Left: match.TicketAge},
		{Player: "a", Ticket: "t", Game: "chess", Room: "room2", Left: match.TicketAge - time.Minute},
	}
	if !slices.Equal(exported, want) || len(from.Export(func(string) bool { return true })) != 0 {
		t.Errorf("exported are %+v, want %+v", exported, want)
	}
	ask(to, "chess", "b")
	to.Import(exported)
	if got := to.Export(func(string) bool { return true }); len(got) != 2 || got[0].Player != "a" || got[0] != want[1] || got[1].Room != "room1" {
		t.Errorf("after the import there are %+v", got)
	}
}
