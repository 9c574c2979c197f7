package node

import (
	"context"
	"errors"
	"log/slog"
	"path/filepath"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// deaf is a store that takes no events but those of results.
type deaf struct{ persist.Store }

func (deaf) PutEvents(context.Context, []record.Event) error { return errors.New("not now") }

// TestEventsGoWithTheResult has a room end before the store has taken that somebody joined. When the row is over no node runs the room's log
// again, so the join must come with the result.
func TestEventsGoWithTheResult(t *testing.T) {
	s, err := sqlite.OpenWith(t.Context(), filepath.Join(t.TempDir(), "store.db"), sqlite.Options{Subscribers: persisttest.Told})
	if err != nil {
		t.Fatal(err)
	}
	defer s.Close()
	n := &Node{log: slog.New(slog.DiscardHandler), store: s, results: persist.NewFlusher(s, persist.FlusherOptions{})}
	n.hooks.queue = persist.NewEventQueue(deaf{s}, nil, persist.EventQueueOptions{Subscribers: persisttest.Told})
	f, other := persisttest.Game("chess", "ann", "bob"), persisttest.Game("chess", "cy", "dan")
	var joined []record.Event
	for i, final := range []record.Final{f, f, other} {
		joined = append(joined, record.NewEvent(record.PlayerJoined, final.Room, "chess", record.Point{Epoch: 1, Seq: room.Index(3 + i)}, 0))
	}
	n.hooks.queue.Happened(joined)
	stored := make(chan error, 1)
	if err := n.storeEnd(f, func(err error) { stored <- err }); err != nil {
		t.Fatal(err)
	}
	if err := testwait.Receive(t, "the result is stored", stored); err != nil {
		t.Fatal(err)
	}
	got, err := s.Deliveries(t.Context(), record.DeliveryFilter{Target: "all"})
	if err != nil || len(got) != 4 { // two joins, the end, the result
		t.Errorf("the outbox has %+v, %v", got, err)
	}
	for _, d := range got {
		if d.Event.Room != f.Room {
			t.Errorf("%s of another room came too", d.Event.ID)
		}
	}
	gone, cancel := context.WithCancel(t.Context())
	cancel()
	_ = n.hooks.queue.Close(gone) // it waits in vain
	_ = n.results.Close(gone)
}
