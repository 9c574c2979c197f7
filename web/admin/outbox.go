package admin

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// Outbox is what the store keeps of events for programs outside. Any error but record.ErrNotFound means that the store is away.
type Outbox interface {
	Deliveries(ctx context.Context, f record.DeliveryFilter) ([]record.Delivery, error)
	OutboxStats(ctx context.Context) ([]record.OutboxStat, error)
	// ReplayEvent has a row delivered again.
	ReplayEvent(ctx context.Context, number int64) error
}

// delivery is one row of the outbox as the operator sees it.
type delivery struct {
	ID      int64                `json:"id"`
	Target  string               `json:"target"`
	Event   string               `json:"event"`
	Kind    record.EventKind     `json:"kind"`
	Room    room.ID              `json:"room"`
	Game    string               `json:"game"`
	At      time.Time            `json:"at"`
	State   record.DeliveryState `json:"state"`
	Tries   int                  `json:"tries"`
	Due     time.Time            `json:"due,omitzero"`
	Settled time.Time            `json:"settled,omitzero"`
	Error   string               `json:"error,omitempty"`
}

func deliveryOf(d record.Delivery) delivery {
	out := delivery{
		ID: d.Number, Target: d.Target, Event: d.Event.ID, Kind: d.Event.Kind, Room: d.Event.Room, Game: d.Event.Game, At: d.Event.At,
		State: d.State, Tries: d.Tries, Settled: d.Settled, Error: d.Error,
	}
	if d.State == record.EventWaiting {
		out.Due = d.Due
	}
	return out
}

// targetCounts counts the rows of one target.
type targetCounts struct {
	Target    string  `json:"target"`
	Waiting   int     `json:"waiting"`
	Delivered int     `json:"delivered"`
	Failed    int     `json:"failed"`
	OldestMS  float64 `json:"oldest_ms"` // of those that wait
}

func countsOf(stats []record.OutboxStat) []targetCounts {
	out := []targetCounts{} // stats are by target
	for _, s := range stats {
		if len(out) == 0 || out[len(out)-1].Target != s.Target {
			out = append(out, targetCounts{Target: s.Target})
		}
		t := &out[len(out)-1]
		switch s.State {
		case record.EventWaiting:
			t.Waiting, t.OldestMS = s.Count, float64(s.Oldest.Microseconds())/1000
		case record.EventDelivered:
			t.Delivered = s.Count
		case record.EventFailed:
			t.Failed = s.Count
		}
	}
	return out
}

func (a *handler) getOutbox(w http.ResponseWriter, r *http.Request) error {
	q := rest.QueryOf(r)
	f := record.DeliveryFilter{
		State: record.DeliveryState(q.Text("state")), Target: q.Text("target"),
		Before: int64(q.Number("before", 1, 1<<53)), Limit: q.Number("limit", 1, record.MaxDeliveries),
	}
	switch f.State {
	case "", record.EventWaiting, record.EventDelivered, record.EventFailed:
	default:
		q.Fail("state", "Give waiting, delivered or failed.")
	}
	if !text.Valid(f.Target, 0, text.MaxName) {
		q.Fail("target", "That is no target's name.")
	}
	if id := q.Text("room"); id != "" {
		var err error
		if f.Room, err = record.ParseID(id); err != nil {
			q.Fail("room", "It is no room's id: "+err.Error()+".")
		}
	}
	if q.Err != nil {
		return q.Err
	}
	out := struct {
		Events  []delivery     `json:"events"`
		Next    int64          `json:"next,omitempty"`
		Targets []targetCounts `json:"targets"`
	}{Events: []delivery{}, Targets: []targetCounts{}}
	if a.opts.Outbox != nil {
		rows, err := a.opts.Outbox.Deliveries(r.Context(), f)
		if err != nil {
			return rest.StoreAway(a.opts.Log, err)
		}
		stats, err := a.opts.Outbox.OutboxStats(r.Context())
		if err != nil {
			return rest.StoreAway(a.opts.Log, err)
		}
		for _, d := range rows {
			out.Events = append(out.Events, deliveryOf(d))
		}
		if len(rows) == f.Max() {
			out.Next = rows[len(rows)-1].Number
		}
		out.Targets = countsOf(stats)
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *handler) postReplayEvent(w http.ResponseWriter, r *http.Request) error {
	missing := rest.NotFound("There is no such event: GET /admin/v1/outbox lists them.")
	number, err := strconv.ParseInt(r.PathValue("id"), 10, 64)
	if err != nil || number < 1 || a.opts.Outbox == nil {
		return missing
	}
	if err := rest.ReadJSON(w, r, a.opts.MaxBody, &struct{}{}); err != nil {
		return err
	}
	err = a.opts.Outbox.ReplayEvent(r.Context(), number)
	a.audit(r, err, "replay event", slog.Int64("event", number))
	switch {
	case errors.Is(err, record.ErrNotFound):
		return missing
	case err != nil:
		return rest.StoreAway(a.opts.Log, err)
	}
	rest.WriteJSON(w, http.StatusAccepted, struct {
		ID int64 `json:"id"`
	}{number})
	return nil
}
