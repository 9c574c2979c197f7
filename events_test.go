package roomring_test

import (
	"context"
	"errors"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/roomring/roomring"
	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/client"
)

// heard counts what a program is told, by kind and id. It refuses every event at first.
type heard struct {
	mu    sync.Mutex
	tries map[string]int
	last  map[roomring.EventKind]roomring.Event
}

func (h *heard) event(_ context.Context, e roomring.Event) error {
	h.mu.Lock()
	defer h.mu.Unlock()
	if h.tries == nil {
		h.tries, h.last = map[string]int{}, map[roomring.EventKind]roomring.Event{}
	}
	if h.tries[e.ID]++; h.tries[e.ID] == 1 {
		return errors.New("not yet")
	}
	h.last[e.Kind] = e
	return nil
}

func (h *heard) kinds() []roomring.EventKind {
	h.mu.Lock()
	defer h.mu.Unlock()
	return slices.Sorted(maps.Keys(h.last))
}

// A program is told what happens, again after it said no, and after a restart what it has not been told.
func TestEventsOfTheProgram(t *testing.T) {
	t.Parallel()
	ctx, first, second := ceiling(t), &heard{}, &heard{}
	cfg := roomring.Config{DataDir: t.TempDir(), Listen: "127.0.0.1:0", AdminListen: roomring.None, Events: first.event,
		EventKinds: []roomring.EventKind{roomring.RoomCreated, roomring.PlayerJoined, roomring.RoomOver}}
	s, stop := serve(t, cfg)
	r, err := s.Create(ctx, roomring.NewRoom{Game: "tally", Private: true})
	if err != nil {
		t.Fatal(err)
	}
	o := client.Options{URL: "ws://" + s.Addr().String() + "/v1/rooms/" + string(r.ID) + "/ws", Code: r.Code, Name: "Ann"}
	counts(t, o, 1)
	testwait.Until(t, "it is told of the room and its player", func() bool { return len(first.kinds()) == 2 })
	joined := first.last[roomring.PlayerJoined]
	if joined.Player == nil || joined.Player.Name != "Ann" || joined.Room != r.ID || !joined.Private || joined.At.IsZero() || !strings.HasPrefix(joined.ID, string(r.ID)+":1:") {
		t.Errorf("%+v", joined)
	}
	stop()
	cfg.Events = second.event
	s, _ = serve(t, cfg)
	if err := s.Close(ctx, r.ID, "that was all"); err != nil {
		t.Fatal(err)
	}
	testwait.Until(t, "it is told of the end", func() bool { return slices.Contains(second.kinds(), roomring.RoomOver) })
	if over := second.last[roomring.RoomOver]; over.End != "closed" || over.Reason != "that was all" || over.Result != nil {
		t.Errorf("%+v", over)
	}
	if len(second.tries) != 1 {
		t.Errorf("after a restart it is told again: %v", second.tries)
	}
}

func TestEventsThatCannotBe(t *testing.T) {
	t.Parallel()
	for want, cfg := range map[string]roomring.Config{
		"Config.Events":  {EventKinds: []roomring.EventKind{roomring.RoomOver}},
		"room.exploded":  {Events: (&heard{}).event, EventKinds: []roomring.EventKind{"room.exploded"}},
		"--webhook-give": {Events: (&heard{}).event, Settings: map[string]string{"webhook-give-up": "0"}},
	} {
		cfg.DataDir, cfg.Log = t.TempDir(), quiet
		if _, err := roomring.New(cfg, tallyRules); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%v, want %q", err, want)
		}
	}
}
