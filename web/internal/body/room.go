// Package body is what the APIs for players and for the operator both answer: rooms, results and replays as JSON.
package body

import (
	"cmp"
	"encoding/json"
	"net/http"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/rest"
)

// How many are on a page of a list, unless the client says, and at most.
const (
	PageSize    = 100
	MaxPageSize = 1000
)

// Room is a room as everybody may see it.
type Room struct {
	ID         room.ID         `json:"id"`
	Game       string          `json:"game"`
	Version    int             `json:"version"`
	Name       string          `json:"name,omitempty"`
	Options    json.RawMessage `json:"options,omitempty"`
	Private    bool            `json:"private"`
	Code       string          `json:"code,omitempty"` // only to who made it, and for the admin
	Phase      core.Phase      `json:"phase"`
	Open       bool            `json:"open"`
	Seats      []core.SeatInfo `json:"seats"` // the taken ones
	Players    int             `json:"players"`
	MaxPlayers int             `json:"max_players"`
	Spectators int             `json:"spectators"`
	Epoch      record.Epoch    `json:"epoch"`
	Seq        room.Index      `json:"seq"`
	Node       string          `json:"node"`
	Created    time.Time       `json:"created,omitzero"`
	WSURL      string          `json:"ws_url,omitempty"`
	Final      *Final          `json:"final,omitempty"` // of a room that is over
}

// Final is how a room ended.
type Final struct {
	End      record.End   `json:"end"`
	Rated    bool         `json:"rated"`
	Result   room.Result  `json:"result"`
	Point    record.Point `json:"point"`
	Duration int64        `json:"duration_ms"` // room time
}

func FinalOf(f *record.Final) *Final {
	if f == nil {
		return nil
	}
	return &Final{f.End, f.Rated, withOutcomes(f.Result), f.Point, f.Duration.Milliseconds()}
}

// withOutcomes makes an absent list an empty one, so that JSON has no null for clients to stumble over.
func withOutcomes(r room.Result) room.Result {
	r.Outcomes = NonNil(r.Outcomes)
	return r
}

func NonNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// RoomOf leaves out the join code: whoever may know it gets it by a line of its own.
func RoomOf(i actor.Info) Room {
	return Room{
		ID: i.ID, Game: i.Game, Version: i.Version, Name: i.Name, Options: i.Options, Private: i.Private,
		Phase: i.Phase, Open: i.Open, Seats: NonNil(i.Seats), Players: len(i.Seats), MaxPlayers: i.MaxPlayers,
		Spectators: i.Spectators, Epoch: i.Epoch, Seq: i.Index, Node: i.Node, Created: i.Created.UTC(),
		Final: FinalOf(i.Final),
	}
}

type Rooms struct {
	Rooms   []Room  `json:"rooms"`
	Next    room.ID `json:"next,omitempty"`    // ask for the next page by after=; absent on the last
	Partial bool    `json:"partial,omitempty"` // a node did not answer in time, so rooms may be missing
}

// ReadFilter reads what narrows a list of rooms.
func ReadFilter(q *rest.Query) actor.Filter {
	f := actor.Filter{
		Game:  q.Text("game"),
		Phase: core.Phase(q.Text("phase")),
		Open:  q.Flag("open"),
		Limit: q.Number("limit", 1, MaxPageSize),
	}
	f.Limit = cmp.Or(f.Limit, PageSize)
	switch f.Phase {
	case "", core.PhaseWaiting, core.PhasePlaying, core.PhaseOver:
	default:
		q.Fail("phase", "Give waiting, playing or over.")
	}
	if after := q.Text("after"); after != "" {
		id, err := record.ParseID(after)
		if err != nil {
			q.Fail("after", "Give the next of the page before: "+err.Error()+".")
		}
		f.After = id
	}
	return f
}

// NobodyHas reports whether a list is empty for a game that this node does not have. A newer node may have it, and then
// rooms of it.
func NobodyHas(games map[string]room.Spec, game string, list actor.Listing) bool {
	_, known := games[game]
	return game != "" && !known && len(list.Rooms) == 0 && !list.Partial
}

func NextPage(infos []actor.Info, limit int) room.ID {
	if len(infos) < limit {
		return ""
	}
	return infos[len(infos)-1].ID
}

// PathRoom is the room whose id a part of the path is.
func PathRoom(r *http.Request, part string) (room.ID, error) {
	id, err := record.ParseID(r.PathValue(part))
	if err != nil {
		return "", rest.BadField("id", "That is no room's id: "+err.Error()+".")
	}
	return id, nil
}
