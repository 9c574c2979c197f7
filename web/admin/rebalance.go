package admin

import (
	"log/slog"
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

// Rebalance is what keeps the rooms of one node from being where the ring has them.
type Rebalance struct {
	Node    string          `json:"node"`
	Owned   int             `json:"owned"`           // rooms of this node that have a standby or look for one
	Waits   float64         `json:"waits"`           // seconds until the ring counts as settled, and rooms move by themselves
	Error   string          `json:"error,omitempty"` // why the node has not said
	Changes []RebalanceStep `json:"changes"`
}

// RebalanceStep is changes that are alike.
type RebalanceStep struct {
	Change   string    `json:"change"` // owner: the rooms move; standby: only their standby does
	From     string    `json:"from"`
	To       string    `json:"to"`
	Rooms    int       `json:"rooms"`
	Why      string    `json:"why"`
	Examples []room.ID `json:"examples"`
}

// postRebalance says what would move so that every room is where the ring has it. Without dry_run it begins at once.
func (a *handler) postRebalance(w http.ResponseWriter, r *http.Request) error {
	q := rest.QueryOf(r)
	dry := q.Flag("dry_run")
	if q.Err != nil {
		return q.Err
	}
	nodes, err := a.opts.Cluster.Rebalance(r.Context(), dry)
	if !dry {
		a.audit(r, err, "rebalance", slog.Int("nodes", len(nodes)))
	}
	if err != nil {
		return err
	}
	takes := map[string]int{}
	for i := range nodes {
		nodes[i].Changes = body.NonNil(nodes[i].Changes)
		for j := range nodes[i].Changes {
			c := &nodes[i].Changes[j]
			if c.Examples = body.NonNil(c.Examples); c.Change == "owner" {
				takes[c.To] += c.Rooms
			}
		}
	}
	status := http.StatusAccepted
	if dry {
		status = http.StatusOK
	}
	rest.WriteJSON(w, status, map[string]any{"dry_run": dry, "takes": takes, "nodes": body.NonNil(nodes)})
	return nil
}
