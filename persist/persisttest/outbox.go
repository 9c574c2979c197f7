package persisttest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Told are the subscribers of the stores that RunOutbox tests.
var Told = []persist.Subscriber{
	{Target: "all", Kinds: record.EventKinds},
	{Target: "ends", Kinds: []record.EventKind{record.GameResult, record.RoomOver}},
}

// Aged is an empty store that was opened with Told, and what makes all times in its outbox older by a day.
type Aged struct {
	Store persist.Store
	Age   func()
}

// RunOutbox tests that a backend keeps the promises of persist.Outbox. Each test begins with an empty store.
func RunOutbox(t *testing.T, empty func(t *testing.T) Aged) {
	for name, test := range map[string]func(*testing.T, Aged){
		"put":               testPutEvents,
		"odd text":          testOddEvents,
		"with the result":   testEventsOfResult,
		"not with a refuse": testNoEventsOfRefused,
		"claim":             testClaimEvents,
		"claimed by rivals": testClaimByRivals,
		"settle":            testSettleEvents,
		"replay":            testReplayEvent,
		"trim":              testTrimEvents,
		"prune":             testPruneEvents,
		"forgotten player":  testForgetEvents,
		"list":              testListDeliveries,
		"lost with a node":  testEventsOfLostRoom,
	} {
		t.Run(name, func(t *testing.T) { test(t, empty(t)) })
	}
}

func eventOf(kind record.EventKind, id room.ID, index room.Index) record.Event {
	e := record.NewEvent(kind, id, "chess", record.Point{Epoch: 3, Seq: index}, 1500*time.Millisecond)
	switch kind {
	case record.PlayerJoined:
		e.Player = &record.EventPlayer{ID: room.PlayerID(fmt.Sprint("player", index)), Name: "Ann", Seat: 1}
	case record.RoomCreated:
		e.Created = time.Date(2026, 5, 4, 3, 2, 1, 0, time.UTC)
	}
	return e
}

// claimed takes what is due for a target, and checks that it is n.
func claimed(t *testing.T, s persist.Store, target string, n int) []record.Delivery {
	t.Helper()
	all, err := s.ClaimEvents(t.Context(), target, 1000, time.Hour)
	if err != nil || len(all) != n {
		t.Fatalf("%d events are due for %s, want %d: %v", len(all), target, n, err)
	}
	slices.SortFunc(all, func(a, b record.Delivery) int { return int(a.Number - b.Number) })
	return all
}

func settle(t *testing.T, s persist.Store, state record.DeliveryState, all []record.Delivery) {
	t.Helper()
	var settled []persist.Settled
	for _, d := range all {
		settled = append(settled, persist.Settled{Number: d.Number, Tries: d.Tries, State: state, Error: "why"})
	}
	must(t, s.SettleEvents(t.Context(), settled))
}

func testPutEvents(t *testing.T, a Aged) {
	id := NewRoom()
	events := []record.Event{eventOf(record.RoomCreated, id, 2), eventOf(record.PlayerJoined, id, 3)}
	for range 2 {
		must(t, a.Store.PutEvents(t.Context(), events))
		must(t, a.Store.PutEvents(t.Context(), events[1:]))
	}
	got := claimed(t, a.Store, "all", 2)
	for i, d := range got {
		want := events[i]
		if d.Event.At.IsZero() || time.Since(d.Event.At).Abs() > time.Hour {
			t.Errorf("it was taken at %v", d.Event.At)
		}
		want.At = d.Event.At
		if !reflect.DeepEqual(d.Event, want) || d.Target != "all" || d.Tries != 1 || d.State != record.EventWaiting {
			t.Errorf("%+v, want %+v", d, want)
		}
	}
	claimed(t, a.Store, "ends", 0)
	must(t, a.Store.PutEvents(t.Context(), nil))
}

// testOddEvents writes names that no store holds as they are.
func testOddEvents(t *testing.T, a Aged) {
	e := eventOf(record.PlayerJoined, NewRoom(), 3)
	e.Player.ID, e.Player.Name = "a\x00\xffb", "n\x00\xff"
	must(t, a.Store.PutEvents(t.Context(), []record.Event{e}))
	if got := claimed(t, a.Store, "all", 1)[0].Event; got.ID != e.ID || !strings.HasPrefix(string(got.Player.ID), "a") || !strings.HasPrefix(got.Player.Name, "n") {
		t.Errorf("%+v", got.Player)
	}
}

func testEventsOfResult(t *testing.T, a Aged) {
	finished, aborted := Game("chess", "ann", "bob"), Game("chess", "cy", "dan")
	aborted.End, aborted.Result, aborted.Private = record.Aborted, room.Result{Reason: "closed by hand"}, true
	aborted = Seal(aborted)
	joined := eventOf(record.PlayerJoined, finished.Room, 3)
	must(t, a.Store.PutEvents(t.Context(), []record.Event{joined}))
	finished.Events = []record.Event{joined, eventOf(record.PlayerJoined, finished.Room, 4)}
	finals := []record.Final{finished, aborted, finished}
	wrote(t, a.Store, finals, persist.Written, persist.Written, persist.Already)
	wrote(t, a.Store, finals[:2], persist.Already, persist.Already)
	ends := claimed(t, a.Store, "ends", 3)
	claimed(t, a.Store, "all", 5)
	seen := map[string]record.Event{}
	for _, d := range ends {
		seen[d.Event.ID] = d.Event
	}
	result, over := seen[string(finished.Room)+":2:77:result"], seen[string(finished.Room)+":2:77:over"]
	for _, e := range []record.Event{result, over} {
		if e.End != record.Finished || e.Result == nil || len(e.Result.Outcomes) != 2 || e.Private || !e.Rated || e.TimeMS != 90500 || e.Game != "chess" {
			t.Errorf("%+v", e)
		}
	}
	if result.Kind != record.GameResult || over.Kind != record.RoomOver {
		t.Errorf("kinds %q and %q", result.Kind, over.Kind)
	}
	if e := seen[string(aborted.Room)+":2:77:over"]; e.End != record.Aborted || e.Result != nil || e.Reason != "closed by hand" || !e.Private {
		t.Errorf("%+v", e)
	}
}

// testNoEventsOfRefused has ends that are not stored tell nothing.
func testNoEventsOfRefused(t *testing.T, a Aged) {
	b, other := Started(t, a.Store), Started(t, a.Store)
	late := endOf(created(t, a.Store, b))
	claim(t, a.Store, other, moveOf(get[record.Row](t)(a.Store.Row(t.Context(), late.Room)), other, ""))
	poison := Game("chess", "a\x00", "b")
	wrote(t, a.Store, []record.Final{late, poison}, persist.Moved, persist.Unwritable)
	claimed(t, a.Store, "all", 0)
}

func testClaimEvents(t *testing.T, a Aged) {
	id := NewRoom()
	for i := range 3 {
		must(t, a.Store.PutEvents(t.Context(), []record.Event{eventOf(record.PlayerJoined, id, room.Index(3+i))}))
	}
	first, err := a.Store.ClaimEvents(t.Context(), "all", 2, time.Millisecond)
	if err != nil || len(first) != 2 {
		t.Fatalf("%+v, %v", first, err)
	}
	slices.SortFunc(first, func(a, b record.Delivery) int { return int(a.Number - b.Number) })
	if first[0].Event.Index != 3 || first[1].Event.Index != 4 {
		t.Errorf("the first that are due are %+v", first)
	}
	time.Sleep(5 * time.Millisecond) // their lease ends
	again := claimed(t, a.Store, "all", 3)
	if again[0].Tries != 2 || again[2].Tries != 1 {
		t.Errorf("%+v", again)
	}
	claimed(t, a.Store, "all", 0)
	settle(t, a.Store, record.EventDelivered, first) // comes too late: they were claimed since
	settle(t, a.Store, record.EventWaiting, again)   // at once
	claimed(t, a.Store, "all", 3)
	claimed(t, a.Store, "nobody", 0)
}

func testClaimByRivals(t *testing.T, a Aged) {
	const all = 120
	id := NewRoom()
	var events []record.Event
	for i := range all {
		events = append(events, eventOf(record.PlayerJoined, id, room.Index(i)))
	}
	var group sync.WaitGroup
	for _, some := range [][]record.Event{events, events[30:]} { // two nodes tell the same
		group.Go(func() {
			for batch := range slices.Chunk(some, 40) {
				if err := a.Store.PutEvents(t.Context(), batch); err != nil {
					t.Error(err)
				}
			}
		})
	}
	var mu sync.Mutex
	taken := map[string]int{}
	put := make(chan struct{})
	for range 4 {
		group.Go(func() {
			for last := false; ; {
				got, err := a.Store.ClaimEvents(t.Context(), "all", 7, time.Hour)
				if err != nil {
					t.Error(err)
					return
				}
				mu.Lock()
				for _, d := range got {
					taken[d.Event.ID]++
				}
				mu.Unlock()
				if len(got) > 0 {
					continue
				}
				if last {
					return
				}
				<-put
				last = true
			}
		})
	}
	must(t, a.Store.PutEvents(t.Context(), events))
	close(put)
	group.Wait()
	if len(taken) != all {
		t.Errorf("%d events were claimed, want %d", len(taken), all)
	}
	for id, n := range taken {
		if n != 1 {
			t.Errorf("%s was claimed %d times", id, n)
		}
	}
}

func testSettleEvents(t *testing.T, a Aged) {
	must(t, a.Store.PutEvents(t.Context(), []record.Event{eventOf(record.PlayerJoined, NewRoom(), 3)}))
	d := claimed(t, a.Store, "all", 1)[0]
	must(t, a.Store.SettleEvents(t.Context(), []persist.Settled{{Number: d.Number, Tries: d.Tries, State: record.EventWaiting, Retry: time.Hour, Error: "answered 500"}}))
	claimed(t, a.Store, "all", 0)
	left := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{}))[0]
	if left.Error != "answered 500" || time.Until(left.Due) < time.Minute || left.State != record.EventWaiting {
		t.Errorf("%+v", left)
	}
	settle(t, a.Store, record.EventDelivered, []record.Delivery{d})
	done := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{}))[0]
	if done.State != record.EventDelivered || done.Settled.IsZero() {
		t.Errorf("%+v", done)
	}
	settle(t, a.Store, record.EventFailed, []record.Delivery{d}) // it is done
	claimed(t, a.Store, "all", 0)
	if stats := get[[]record.OutboxStat](t)(a.Store.OutboxStats(t.Context())); len(stats) != 1 || stats[0].State != record.EventDelivered || stats[0].Count != 1 {
		t.Errorf("%+v", stats)
	}
	must(t, a.Store.PutEvents(t.Context(), []record.Event{d.Event}))
	claimed(t, a.Store, "all", 0)
}

func testReplayEvent(t *testing.T, a Aged) {
	must(t, a.Store.PutEvents(t.Context(), []record.Event{eventOf(record.PlayerJoined, NewRoom(), 3)}))
	settle(t, a.Store, record.EventFailed, claimed(t, a.Store, "all", 1))
	a.Age()
	d := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{State: record.EventFailed}))[0]
	if d.Waited < 24*time.Hour {
		t.Errorf("it waited %v", d.Waited)
	}
	must(t, a.Store.ReplayEvent(t.Context(), d.Number))
	again := claimed(t, a.Store, "all", 1)[0]
	if again.Event.ID != d.Event.ID || again.Waited > time.Hour || again.Tries != 2 {
		t.Errorf("%+v", again)
	}
	if err := a.Store.ReplayEvent(t.Context(), d.Number+1); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("an event that is not there: %v", err)
	}
}

func testTrimEvents(t *testing.T, a Aged) {
	wrote(t, a.Store, []record.Final{Game("chess", "ann", "bob")}, persist.Written) // four rows
	id := NewRoom()
	var events []record.Event
	for i := range 6 {
		kind := record.PlayerJoined
		if i < 2 {
			kind = record.RoomCreated
		}
		events = append(events, eventOf(kind, id, room.Index(i)))
		must(t, a.Store.PutEvents(t.Context(), events[i:]))
	}
	trim := func(most, joined, made int) {
		t.Helper()
		gone, err := a.Store.TrimEvents(t.Context(), most)
		if err != nil || gone[record.PlayerJoined] != joined || gone[record.RoomCreated] != made {
			t.Errorf("trimmed %v, %v", gone, err)
		}
	}
	trim(10, 0, 0)
	trim(8, 2, 0)
	left := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{Room: id}))
	if len(left) != 4 || left[0].Event.Index != 5 || left[1].Event.Index != 4 || left[2].Event.Kind != record.RoomCreated {
		t.Errorf("%+v", left)
	}
	trim(5, 2, 1)
	trim(0, 0, 1)
	claimed(t, a.Store, "all", 2)
	claimed(t, a.Store, "ends", 2)
}

func testPruneEvents(t *testing.T, a Aged) {
	b := Started(t, a.Store)
	live, over := created(t, a.Store, b).Room, NewRoom()
	must(t, a.Store.PutEvents(t.Context(), []record.Event{eventOf(record.PlayerJoined, live, 3), eventOf(record.PlayerJoined, over, 3)}))
	settle(t, a.Store, record.EventDelivered, claimed(t, a.Store, "all", 2))
	prune := func(keep, waits time.Duration, want int) {
		t.Helper()
		if n, err := a.Store.PruneEvents(t.Context(), keep, waits); err != nil || n != want {
			t.Errorf("pruned %d, %v, want %d", n, err, want)
		}
	}
	prune(time.Hour, time.Hour, 0)
	a.Age()
	prune(48*time.Hour, 48*time.Hour, 0)
	prune(time.Hour, time.Hour, 1)
	if left := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{})); len(left) != 1 || left[0].Event.Room != live {
		t.Errorf("%+v", left)
	}
	must(t, a.Store.PutEvents(t.Context(), []record.Event{eventOf(record.PlayerJoined, over, 4)}))
	a.Age()
	prune(time.Hour, 48*time.Hour, 0)
	prune(time.Hour, time.Hour, 1)
}

func testForgetEvents(t *testing.T, a Aged) {
	f := Game("chess", "ann", "bob")
	f.Named = []room.PlayerID{"ann", "bob"}
	wrote(t, a.Store, []record.Final{f}, persist.Written)
	elsewhere := eventOf(record.PlayerJoined, NewRoom(), 3)
	elsewhere.Player.ID = "ann"
	must(t, a.Store.PutEvents(t.Context(), []record.Event{elsewhere, eventOf(record.PlayerJoined, elsewhere.Room, 4)}))
	must(t, a.Store.Redact(t.Context(), persist.Redacted{Player: "ann", Final: redacted(f, "ann", "")}))
	must(t, a.Store.DropRecords(t.Context(), "ann"))
	if left := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{})); len(left) != 1 || left[0].Event.Index != 4 {
		t.Errorf("%+v", left)
	}
}

func testListDeliveries(t *testing.T, a Aged) {
	id := NewRoom()
	for i := range 5 {
		must(t, a.Store.PutEvents(t.Context(), []record.Event{eventOf(record.PlayerJoined, id, room.Index(i))}))
	}
	wrote(t, a.Store, []record.Final{Game("chess", "ann", "bob")}, persist.Written)
	settle(t, a.Store, record.EventFailed, claimed(t, a.Store, "all", 7)[:2])
	for _, c := range []struct {
		f    record.DeliveryFilter
		want int
	}{
		{record.DeliveryFilter{}, 9}, {record.DeliveryFilter{Limit: 3}, 3}, {record.DeliveryFilter{Target: "ends"}, 2},
		{record.DeliveryFilter{Room: id}, 5}, {record.DeliveryFilter{State: record.EventFailed}, 2}, {record.DeliveryFilter{State: record.EventFailed, Target: "ends"}, 0},
	} {
		got, err := a.Store.Deliveries(t.Context(), c.f)
		if err != nil || len(got) != c.want {
			t.Errorf("%+v: %d, %v, want %d", c.f, len(got), err, c.want)
		}
		for i, d := range got[:max(len(got)-1, 0)] {
			if d.Number <= got[i+1].Number {
				t.Errorf("%+v: not by number", c.f)
			}
		}
	}
	page := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{Limit: 4}))
	rest := get[[]record.Delivery](t)(a.Store.Deliveries(t.Context(), record.DeliveryFilter{Before: page[3].Number}))
	if len(rest) != 5 || rest[0].Number >= page[3].Number {
		t.Errorf("the next page is %+v", rest)
	}
}

// testEventsOfLostRoom has a room that is given up with its node tell its end.
func testEventsOfLostRoom(t *testing.T, a Aged) {
	lost := NewBoot()
	lost.Node = "lost"
	must(t, a.Store.StartBoot(t.Context(), lost))
	row := created(t, a.Store, lost)
	must(t, a.Store.EndBoot(t.Context(), lost.ID))
	by := Started(t, a.Store)
	if got, err := a.Store.Forget(t.Context(), by.ID, "lost", nil); err != nil || got.Rooms != 1 {
		t.Fatalf("%+v, %v", got, err)
	}
	if d := claimed(t, a.Store, "ends", 1)[0]; d.Event.Room != row.Room || d.Event.Kind != record.RoomOver || d.Event.End != record.Aborted || d.Event.Reason != persist.LostReason {
		t.Errorf("%+v", d.Event)
	}
}
