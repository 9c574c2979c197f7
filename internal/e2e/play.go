package e2e

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"

	"github.com/roomring/roomring/internal/play"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/web/client"
)

// DrivenClient is a client over a socket that internal/play drives.
type DrivenClient struct {
	*client.Client
	Enough func() bool // reports whether it stops before the game is over; nil: never
}

// Viewer implements play.Client.
func (d DrivenClient) Viewer() room.Viewer {
	w := d.Welcome()
	return room.Viewer{Player: room.PlayerID(w.Player), Seat: w.Seat}
}

// Act implements play.Client.
func (d DrivenClient) Act(ctx context.Context, action json.RawMessage) error {
	_, err := d.Client.Act(ctx, action)
	if r, ok := errors.AsType[*client.Rejected](err); ok {
		return &room.Refusal{Code: r.Code, Reason: r.Reason}
	}
	return err
}

// Done implements play.Client.
func (d DrivenClient) Done() bool {
	return d.Over() || IsRoomOver(d.Err()) || d.Enough != nil && d.Enough()
}

// Guide returns a guide to what is legal in a room. It reads the room's state from the admin API. Nothing is legal while the server is
// away or after the room is gone.
func (s *Server) Guide(info RoomInfo) play.Guide {
	all := games()
	rules := all[slices.IndexFunc(all, func(r *room.Rules) bool { return r.Spec().Name == info.Game })]
	return play.StateGuide(rules, func(context.Context) (json.RawMessage, error) {
		var in inspected
		code, err := s.TryCallAt(s.AdminAt, "GET", "/admin/v1/rooms/"+info.ID, "", nil, &in)
		switch {
		case err == nil && code == http.StatusOK:
			return in.State, nil
		case err != nil || code == http.StatusNotFound || code >= http.StatusInternalServerError:
			return nil, nil
		}
		return nil, fmt.Errorf("the admin API answers %d for the state of room %s", code, info.ID)
	})
}
