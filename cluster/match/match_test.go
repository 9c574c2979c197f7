package match_test

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"slices"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/roomring/roomring/cluster/clustertest/grid"
	"github.com/roomring/roomring/cluster/match"
	"github.com/roomring/roomring/cluster/members"
	"github.com/roomring/roomring/cluster/placement"
	"github.com/roomring/roomring/cluster/ring"
	"github.com/roomring/roomring/cluster/rpc"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/record"
)

// meet has players ask at once, each at another node, and tells who came into which room.
func meet(t *testing.T, g *grid.Grid, want actor.Match, players int) map[room.ID]int {
	t.Helper()
	var mu sync.Mutex
	rooms := map[room.ID]int{}
	var wg sync.WaitGroup
	nodes := g.All()
	for i := range players {
		want := want
		want.Player, want.Ticket = room.PlayerID(fmt.Sprint("p", i)), fmt.Sprint("t", i, string(want.Options))
		wg.Go(func() {
			info, err := nodes[i%len(nodes)].Rooms().Match(t.Context(), want)
			if err != nil {
				t.Errorf("match at %s: %v", nodes[i%len(nodes)].Name, err)
			}
			mu.Lock()
			defer mu.Unlock()
			rooms[info.ID]++
		})
	}
	wg.Wait()
	return rooms
}

func TestTwoWhoAskAtTwoNodesMeet(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	for round := range 60 {
		want := actor.Match{Game: "pair", Options: json.RawMessage(fmt.Sprintf(`{"n":%d}`, round))}
		if rooms := meet(t, g, want, 2); len(rooms) != 1 {
			t.Fatalf("round %d: two players are in %d rooms", round, len(rooms))
		}
	}
}

func TestACrowdFillsRoomAfterRoom(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	for game, seats := range map[string]int{"pair": 2, "party": 8} {
		rooms := meet(t, g, actor.Match{Game: game}, 120)
		for id, n := range rooms {
			if n != seats {
				t.Errorf("%s: %d players in %s of %d seats", game, n, id, seats)
			}
		}
		if len(rooms) != 120/seats {
			t.Errorf("%s: %d rooms", game, len(rooms))
		}
	}
}

func TestARoomElsewhereIsFilledFirst(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	g.Nodes["a"].Make(actor.Create{Game: "party"})
	fuller := g.Nodes["b"].Make(actor.Create{Game: "party", Reserve: []room.PlayerID{"x", "y"}})
	g.Nodes["c"].Make(actor.Create{Game: "party", Reserve: []room.PlayerID{"z"}})
	g.Nodes["c"].Make(actor.Create{Game: "party", Private: true, Reserve: []room.PlayerID{"1", "2", "3"}})
	for i, n := range g.All() {
		info, err := n.Rooms().Match(t.Context(), actor.Match{Game: "party", Player: room.PlayerID(fmt.Sprint(i))})
		if err != nil || info.ID != fuller.ID {
			t.Errorf("matched into %s at %s (%v), want the fullest", info.ID, info.Node, err)
		}
	}
}

func TestATicketIsRememberedByTheCluster(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	want := actor.Match{Game: "pair", Player: "p", Ticket: "t"}
	first, err := g.Nodes["a"].Rooms().Match(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	// Others fill the room, and one more.
	if _, err := g.Nodes["b"].Rooms().Match(t.Context(), actor.Match{Game: "pair", Player: "q"}); err != nil {
		t.Fatal(err)
	}
	for _, n := range g.All() {
		if again, err := n.Rooms().Match(t.Context(), want); err != nil || again.ID != first.ID {
			t.Errorf("again at %s: %s, %v, want %s", n.Name, again.ID, err, first.ID)
		}
	}
	if err := g.Nodes["a"].Rooms().Close(t.Context(), first.ID, "enough"); err != nil {
		t.Fatal(err)
	}
	g.Store.Set(func() { g.Store.Rows[first.ID] = record.Row{Room: first.ID, State: record.RowOver} })
	testwait.Until(t, "another room is answered when that one is over", func() bool {
		next, err := g.Nodes["b"].Rooms().Match(t.Context(), want)
		return err == nil && next.ID != first.ID
	})
}

// Whoever is asked and does not make the matches names the node that does.
func TestWhoAsksTheWrongNodeIsLedOn(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	maker := g.Nodes["a"].Match.Maker("pair")
	others := slices.DeleteFunc([]string{"a", "b", "c"}, func(n string) bool { return n == maker })
	asking, wrong := g.Nodes[others[0]], others[1]
	g.Set(func() { asking.Ring = ring.New([]ring.Node{{Name: wrong}}) })
	if _, err := asking.Rooms().Match(t.Context(), actor.Match{Game: "pair", Player: "p"}); err != nil {
		t.Errorf("with an old ring: %v", err)
	}
	if g.Nodes[wrong].Match.Filled(actor.Match{Game: "pair"}) {
		t.Errorf("%s made the match", wrong)
	}
	if !g.Nodes[maker].Match.Filled(actor.Match{Game: "pair"}) {
		t.Errorf("%s did not make the match", maker)
	}
}

// While each node has a ring of its own, and another one every other moment, players who ask anywhere still meet.
func TestPlayersMeetWhileRingsDiffer(t *testing.T) {
	names := []string{"a", "b", "c", "d"}
	g := grid.New(t, names...)
	for _, n := range g.All() {
		rpc.Serve(n.Calls, placement.Create, func(ctx context.Context, want actor.Create) (actor.Info, error) {
			time.Sleep(time.Duration(rand.IntN(3)) * time.Millisecond) // so that there is a moment to get between
			return n.Directory.Create(ctx, want)
		})
	}
	var flips sync.WaitGroup
	defer flips.Wait()
	ctx, settle := context.WithCancel(t.Context())
	defer settle()
	flips.Go(func() {
		for clock.Sleep(ctx, clock.System(), time.Millisecond) {
			n := g.Nodes[names[rand.IntN(len(names))]]
			var on []ring.Node
			for _, i := range rand.Perm(len(names))[:1+rand.IntN(len(names))] {
				on = append(on, ring.Node{Name: names[i]})
			}
			g.Set(func() { n.Ring = ring.New(on) })
		}
	})
	var rounds sync.WaitGroup
	for round := range 40 {
		rounds.Go(func() {
			want := actor.Match{Game: "pair", Options: json.RawMessage(fmt.Sprintf(`{"n":%d}`, round))}
			for id, n := range meet(t, g, want, 4) {
				if n != 2 {
					t.Errorf("round %d: %d players in %s", round, n, id)
				}
			}
		})
	}
	rounds.Wait()
}

// A node that is there and does not answer keeps nobody waiting for long.
func TestASilentNodeHoldsUpNobody(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	maker := g.Nodes["a"].Match.Maker("pair")
	for _, n := range []string{"a", "b", "c"} {
		if n != maker {
			g.Separate(maker, n)
		}
	}
	if _, err := g.Nodes[maker].Rooms().Match(t.Context(), actor.Match{Game: "pair", Player: "p"}); err != nil {
		t.Error(err)
	}
}

// A player who asks again with the same ticket is answered the same by the matchmaker that follows.
func TestTicketsAreHandedOver(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	maker := g.Nodes[g.Nodes["a"].Match.Maker("pair")]
	const players = 20
	var first [players]actor.Info
	want := func(i int) actor.Match {
		return actor.Match{Game: "pair", Player: room.PlayerID(fmt.Sprint("p", i)), Ticket: "t"}
	}
	for i := range first {
		var err error
		if first[i], err = maker.Rooms().Match(t.Context(), want(i)); err != nil {
			t.Fatal(err)
		}
	}
	if err := maker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for i := range first {
		for _, n := range g.All() {
			if again, err := n.Rooms().Match(t.Context(), want(i)); err != nil || again.ID != first[i].ID {
				t.Errorf("player %d again at %s: %s, %v, want %s", i, n.Name, again.ID, err, first[i].ID)
			}
		}
	}
}

// Tickets that nobody takes stay where they are, until somebody does.
func TestTicketsThatCannotBeHandedOverAreKept(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	maker := g.Nodes[g.Nodes["a"].Match.Maker("pair")]
	want := actor.Match{Game: "pair", Player: "p", Ticket: "t"}
	first, err := maker.Rooms().Match(t.Context(), want)
	if err != nil {
		t.Fatal(err)
	}
	g.Set(func() { maker.Member.State = members.Draining })
	next := maker.Match.Maker("pair")
	g.Separate(maker.Name, next)
	if maker.Match.HandTickets(t.Context()) {
		t.Error("tickets crossed a link that was cut")
	}
	g.Mend()
	if !maker.Match.HandTickets(t.Context()) {
		t.Error("tickets were not handed over")
	}
	if left := g.Nodes[next].Match.TakeTickets(); len(left) != 1 || left[0].Room != first.ID {
		t.Errorf("the next matchmaker knows %+v", left)
	}
}

// What a matchmaker has answered outlives it at the nodes that asked. The room is private, so that nothing else leads to it.
func TestTicketsOutliveTheirMatchmaker(t *testing.T) {
	for _, how := range []string{"asked again at the same node", "asked again at another node"} {
		t.Run(how, func(t *testing.T) {
			g := grid.New(t, "a", "b", "c", "d")
			dead := g.Nodes["a"].Match.Maker("pair")
			living := slices.DeleteFunc(g.All(), func(n *grid.Node) bool { return n.Name == dead })
			info := living[0].Make(actor.Create{Game: "pair", Private: true})
			rpc.Serve(g.Nodes[dead].Calls, match.FindQuestion, func(context.Context, match.FindAsk) (actor.Info, error) { return info, nil })
			want := actor.Match{Game: "pair", Player: "p", Ticket: "t"}
			if _, err := living[1].Rooms().Match(t.Context(), want); err != nil {
				t.Fatal(err)
			}
			g.Set(func() { g.Nodes[dead].Gone = true })
			asked := living[1]
			if how == "asked again at another node" {
				asked = living[2]
				if !living[1].Match.HandTickets(t.Context()) {
					t.Fatal("tickets were not handed in")
				}
			}
			if again, err := asked.Rooms().Match(t.Context(), want); err != nil || again.ID != info.ID {
				t.Errorf("answered %s, %v, want %s", again.ID, err, info.ID)
			}
		})
	}
}

// A ticket is handed in once at each matchmaker, and not when it is too old.
func TestTicketsAreHandedInOnce(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	dead := g.Nodes["a"].Match.Maker("pair")
	n := g.Nodes[map[bool]string{true: "b", false: "a"}[dead == "a"]]
	n.Match.See(actor.Match{Game: "pair", Player: "p", Ticket: "t"}, "room", dead)
	n.Match.See(actor.Match{Game: "pair", Player: "p", Ticket: "old"}, "room", dead)
	n.Match.Expire("p", "old")
	g.Set(func() { g.Nodes[dead].Gone = true })
	next := g.Nodes[n.Match.Maker("pair")]
	for _, times := range []int{1, 0} {
		n.Match.HandTickets(t.Context())
		if got := next.Match.TakeTickets(); len(got) != times {
			t.Errorf("the matchmaker was handed %+v, want %d", got, times)
		}
	}
}

// A pair is not split by the first one's room being on its way to another node when the second one asks.
func TestARoomOnItsWayIsWaitedFor(t *testing.T) {
	g := grid.New(t, "a", "b")
	want := func(p room.PlayerID) actor.Match { return actor.Match{Game: "pair", Player: p} }
	first, err := g.Nodes["a"].Rooms().Match(t.Context(), want("p"))
	if err != nil {
		t.Fatal(err)
	}
	moving, asked := atomic.Bool{}, make(chan struct{}, 1000)
	moving.Store(true)
	for _, n := range g.All() {
		rpc.Serve(n.Calls, match.SeatQuestion, func(ctx context.Context, in match.SeatAsk) (actor.Info, error) {
			if moving.Load() {
				asked <- struct{}{}
				return actor.Info{}, &actor.UnreachableError{Reason: "the room is on its way to another node: retry"}
			}
			return n.Directory.Seat(ctx, in.Room, in.Player, in.From)
		})
		rpc.Serve(n.Calls, match.BestQuestion, func(context.Context, actor.Match) (*actor.Candidate, error) { return nil, nil })
	}
	gone, cancel := context.WithCancel(t.Context())
	go func() { <-asked; cancel() }()
	if _, err := g.Nodes["b"].Rooms().Match(gone, want("gone")); !errors.Is(err, context.Canceled) {
		t.Errorf("who went away was answered: %v", err)
	}
	go func() { <-asked; <-asked; moving.Store(false) }()
	if second, err := g.Nodes["b"].Rooms().Match(t.Context(), want("q")); err != nil || second.ID != first.ID {
		t.Errorf("the second is in %s, %v, the first in %s", second.ID, err, first.ID)
	}
	moving.Store(true)
	if third, err := g.Nodes["b"].Rooms().Match(t.Context(), want("r")); err != nil || third.ID == first.ID {
		t.Errorf("a room that stays away was not given up: %v", err)
	}
}

// The matchmaker that follows one that stops knows which rooms wait for more players, wherever they are just then.
func TestRoomsThatWaitAreHandedOver(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	maker := g.Nodes[g.Nodes["a"].Match.Maker("pair")]
	first, err := maker.Rooms().Match(t.Context(), actor.Match{Game: "pair", Player: "p"})
	if err != nil {
		t.Fatal(err)
	}
	if err := maker.Drain(t.Context()); err != nil {
		t.Fatal(err)
	}
	for _, n := range g.All() {
		rpc.Serve(n.Calls, match.BestQuestion, func(context.Context, actor.Match) (*actor.Candidate, error) { return nil, nil })
	}
	if second, err := g.Nodes["a"].Rooms().Match(t.Context(), actor.Match{Game: "pair", Player: "q"}); err != nil || second.ID != first.ID {
		t.Errorf("the second is in %s, %v, the first in %s", second.ID, err, first.ID)
	}
}

// Who waits at a matchmaker that loses its place is served by the next one.
func TestWaitersOfALostMatchmakerAreServedElsewhere(t *testing.T) {
	g := grid.New(t, "a", "b", "c")
	maker := g.Nodes[g.Nodes["a"].Match.Maker("pair")]
	making, goAhead := make(chan struct{}, 100), make(chan struct{})
	for _, n := range g.All() {
		rpc.Serve(n.Calls, placement.Create, func(ctx context.Context, want actor.Create) (actor.Info, error) {
			making <- struct{}{}
			<-goAhead
			return n.Directory.Create(ctx, want)
		})
	}
	done := make(chan map[room.ID]int)
	go func() { done <- meet(t, g, actor.Match{Game: "pair"}, 30) }()
	<-making
	g.Set(func() { maker.Member.State = members.Draining })
	close(goAhead)
	total := 0
	for id, n := range <-done {
		if total += n; n > 2 {
			t.Errorf("%d players in %s", n, id)
		}
	}
	if total != 30 {
		t.Errorf("%d players were matched", total)
	}
	if next := g.Nodes["a"].Match.Maker("pair"); next == maker.Name {
		t.Error("the matchmaker has not moved")
	}
}

func TestNoMatchmakerIsUnreachable(t *testing.T) {
	g := grid.New(t, "a")
	g.Set(func() { g.Nodes["a"].Member.State = members.Draining })
	if _, err := g.Nodes["a"].Rooms().Match(t.Context(), actor.Match{Game: "pair", Player: "p"}); !errors.Is(err, actor.ErrUnreachable) {
		t.Errorf("nobody is active: %v", err)
	}
}
