package admin

import (
	"cmp"
	"context"
	"encoding/json"
	"maps"
	"net/http"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// inspectBody is a room with what is hidden from everybody else. It shows inputs before they are committed: Index is the last that
// was stepped, Commit the last that no crash loses.
type inspectBody struct {
	body.Room
	Durability  room.Durability `json:"durability"`
	Members     *membersBody    `json:"members,omitempty"` // who keeps its log beside the owner
	Index       room.Index      `json:"index"`
	Commit      room.Index      `json:"commit"`
	Time        int64           `json:"time_ms"`               // room time
	Deadline    *int64          `json:"deadline_ms,omitempty"` // room time of what is due next
	Still       string          `json:"still,omitempty"`       // why the room stands still
	LateTicks   uint64          `json:"late_ticks"`
	Stored      bool            `json:"stored"`
	Queues      queuesBody      `json:"queues"`
	Edges       []edgeBody      `json:"edges"`  // the nodes that have its clients' sockets, by name
	Recent      []recentBody    `json:"recent"` // oldest first
	As          string          `json:"as"`
	State       json.RawMessage `json:"state,omitempty"`
	Unavailable string          `json:"unavailable,omitempty"` // why State is not there
	UI          string          `json:"ui,omitempty"`          // the game's own table, relative to this server's address
	Style       string          `json:"style,omitempty"`       // and the style sheet of that

	Panic *actor.PanicInfo `json:"panic,omitempty"` // of the game, which has ended the room
}

// queuesBody is what waits in a room and for its clients.
type queuesBody struct {
	Mailbox  int                 `json:"mailbox"` // messages not yet read
	Pending  int                 `json:"pending"` // inputs not yet handed to the journal
	Held     int                 `json:"held"`    // outputs that wait for commit
	Sessions []actor.SessionInfo `json:"sessions"`
}

// edgeBody is a node that has sockets of a room's clients.
type edgeBody struct {
	Node     string `json:"node"`
	Sessions int    `json:"sessions"`
}

func edgesOf(sessions []actor.SessionInfo) []edgeBody {
	count := map[string]int{}
	for _, s := range sessions {
		count[s.Edge]++
	}
	out := make([]edgeBody, 0, len(count))
	for _, node := range slices.Sorted(maps.Keys(count)) {
		out = append(out, edgeBody{node, count[node]})
	}
	return out
}

// recentBody is one of the last inputs, without its data.
type recentBody struct {
	Index  room.Index    `json:"index"`
	Kind   string        `json:"kind"`
	At     int64         `json:"at_ms"` // room time
	Player room.PlayerID `json:"player,omitempty"`
	CSeq   record.CSeq   `json:"cseq,omitempty"`
	Bytes  int           `json:"bytes"` // of data
}

func (a *handler) getRoom(w http.ResponseWriter, r *http.Request) error {
	id, err := body.PathRoom(r, "id")
	if err != nil {
		return err
	}
	q := rest.QueryOf(r)
	as, player := readViewer(q)
	if q.Err != nil {
		return q.Err
	}
	look, err := a.look(r.Context(), id, as, player)
	if err != nil {
		return err
	}
	in, err := a.opts.Rooms.Inspect(r.Context(), id, look)
	if err != nil {
		return err
	}
	out := inspectionOf(in, as)
	out.UI, out.Style = a.pages.Table(in.Info.Game)
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

// readViewer reads as=whole (the default), as=spectator, or as=player with player=ID.
func readViewer(q *rest.Query) (as string, player room.PlayerID) {
	as = cmp.Or(q.Text("as"), "whole")
	if !slices.Contains([]string{"whole", "player", "spectator"}, as) {
		q.Fail("as", "Give whole, player or spectator.")
	}
	if as == "player" && !text.Valid(q.Text("player"), 1, room.MaxPlayerID) {
		q.Fail("player", "Say which player.")
	}
	return as, room.PlayerID(q.Text("player"))
}

// look is what to ask of a room. It finds the seat of the player whose view is wanted; the error is actor.ErrNotSeated when there is
// none.
func (a *handler) look(ctx context.Context, id room.ID, as string, player room.PlayerID) (actor.Look, error) {
	switch as {
	case "whole":
		return actor.Look{State: true}, nil
	case "spectator":
		return actor.Look{View: new(room.Spectator)}, nil
	}
	in, err := a.opts.Rooms.Inspect(ctx, id, actor.Look{})
	if err != nil {
		return actor.Look{}, err
	}
	i := slices.IndexFunc(in.Info.Seats, func(s core.SeatInfo) bool { return s.Player == player })
	if i < 0 {
		return actor.Look{}, actor.ErrNotSeated
	}
	return actor.Look{View: &room.Viewer{Player: player, Seat: in.Info.Seats[i].Seat}}, nil
}

func inspectionOf(in actor.Inspection, as string) inspectBody {
	b := inspectBody{
		Room: body.RoomOf(in.Info), Durability: in.Durability, Index: in.Point.Seq, Commit: in.Committed,
		Time: in.Time.Milliseconds(), Still: in.Still, LateTicks: in.LateTicks, Stored: in.Stored,
		Queues: queuesBody{in.Mailbox, in.Pending, in.Held, body.NonNil(in.Sessions)}, Edges: edgesOf(in.Sessions),
		Recent: make([]recentBody, len(in.Recent)), As: as, State: in.View, Unavailable: in.Unavailable,
		Panic: in.Panic,
	}
	b.Code = in.Info.Code
	if b.Members = membersOf(in.Members); b.Members != nil && b.Members.Standby != nil {
		b.Standby = cmp.Or(b.Members.Standby.Node, b.Members.Standby.Folder)
	}
	if as == "whole" {
		b.State = in.State
	}
	if in.Deadline != nil {
		b.Deadline = new(in.Deadline.Milliseconds())
	}
	for i, r := range in.Recent {
		b.Recent[i] = recentBody{r.Index, r.Kind, r.At.Milliseconds(), r.Player, r.CSeq, r.Bytes}
	}
	return b
}
