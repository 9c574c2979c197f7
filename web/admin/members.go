package admin

import (
	"errors"
	"net/http"
	"slices"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

// Copies sums up the copies of a node's rooms elsewhere, and of others' rooms here.
type Copies struct {
	Owned      int        `json:"owned"`       // its rooms with a standby
	Lone       int        `json:"lone"`        // its rooms that should have one and have none
	Learners   int        `json:"learners"`    // copies of its rooms that are being filled elsewhere
	LagEntries room.Index `json:"lag_entries"` // the most that a standby has not confirmed
	Lag        float64    `json:"lag_ms"`      // how long the oldest of those of any standby has waited
	Followed   int        `json:"followed"`    // whole copies of others' rooms
	Partial    int        `json:"partial"`     // copies of others' rooms that are being filled
	Unsure     int        `json:"unsure"`      // copies whose end may have been lost with its machine's power
}

// Milliseconds is a duration as the API tells it.
func Milliseconds(d time.Duration) float64 { return float64(d) / float64(time.Millisecond) }

// Loss is what would happen if a node died now.
type Loss struct {
	Node     string        `json:"node"`
	Rooms    int           `json:"rooms"` // that it has and that are not over
	GoOn     []NodeRooms   `json:"go_on"` // of them, those whose standby would go on with them, by its node
	Wait     []LossReason  `json:"wait"`  // of them, those that would wait for the node or its disk, and why
	Lost     int           `json:"lost"`  // of them, those that are kept in memory only
	Bare     []NodeRooms   `json:"bare"`  // rooms of other nodes that would have no standby until they find one
	Examples []LossExample `json:"examples"`
}

// NodeRooms is a number of rooms of a node.
type NodeRooms struct {
	Node  string `json:"node"`
	Rooms int    `json:"rooms"`
}

// LossReason says why rooms would wait: waits-lone (nobody has a copy), waits-copy (the only copy is not whole), waits-silent (the
// standby's node is not there), or waits-local (they are to be kept on one machine).
type LossReason struct {
	Why   string `json:"why"`
	Rooms int    `json:"rooms"`
}

// LossExample is one of the rooms. Fate is goes-on, lost-memory, or a LossReason's Why.
type LossExample struct {
	Room room.ID `json:"room"`
	Game string  `json:"game"`
	Fate string  `json:"fate"`
	Node string  `json:"node,omitempty"` // that would go on with it
}

// membersBody is who keeps a room's log beside its owner.
type membersBody struct {
	Standby *memberBody `json:"standby,omitempty"`
	Learner *memberBody `json:"learner,omitempty"`
	Alone   *float64    `json:"alone_ms,omitempty"` // how long there has been no standby where there should be one
}

type memberBody struct {
	Node       string     `json:"node"`
	Folder     string     `json:"folder"`
	Whole      bool       `json:"whole"`
	Linked     bool       `json:"linked"`
	LagEntries room.Index `json:"lag_entries"`
	Lag        float64    `json:"lag_ms"`
}

func membersOf(m *record.Members) *membersBody {
	if m == nil {
		return nil
	}
	out := &membersBody{Standby: memberOf(m.Standby), Learner: memberOf(m.Learner)}
	if m.Alone > 0 {
		out.Alone = new(Milliseconds(m.Alone))
	}
	return out
}

func memberOf(m *record.Member) *memberBody {
	if m == nil {
		return nil
	}
	return &memberBody{m.Node, m.Folder, m.Whole, m.Linked, m.Lag.Entries, Milliseconds(m.Lag.Oldest)}
}

func (a *handler) getLoss(w http.ResponseWriter, r *http.Request) error {
	name := r.PathValue("name")
	nodes, err := a.opts.Cluster.Nodes(r.Context())
	if err != nil {
		return err
	}
	if !slices.ContainsFunc(nodes, func(n Node) bool { return n.Name == name }) {
		return rest.NotFound("There is no such node: GET /admin/v1/nodes lists them.")
	}
	loss, err := a.opts.Cluster.Loss(r.Context(), name)
	if errors.Is(err, actor.ErrNotFound) {
		return rest.NotFound("There is no such node: GET /admin/v1/nodes lists them.")
	}
	if err != nil {
		return err
	}
	loss.GoOn, loss.Wait, loss.Bare, loss.Examples = body.NonNil(loss.GoOn), body.NonNil(loss.Wait), body.NonNil(loss.Bare), body.NonNil(loss.Examples)
	rest.WriteJSON(w, http.StatusOK, loss)
	return nil
}
