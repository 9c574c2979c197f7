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

// PageSize is how many are on a page of a list unless the client says, and MaxPageSize how many at most.
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
	Code       string          `json:"code,omitempty"` // only for whoever made it, and for the operator
	Phase      core.Phase      `json:"phase"`
	Open       bool            `json:"open"`
	Seats      []core.SeatInfo `json:"seats"` // the taken ones
	Players    int             `json:"players"`
	MaxPlayers int             `json:"max_players"`
	Spectators int             `json:"spectators"`
	Epoch      record.Epoch    `json:"epoch"`
	Seq        room.Index      `json:"seq"`
	Node       string          `json:"node"`
	Standby    string          `json:"standby,omitempty"` // only for the operator
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

// FinalOf is how a room ended; nil when it has not.
func FinalOf(f *record.Final) *Final {
	if f == nil {
		return nil
	}
	result := f.Result
	result.Outcomes = NonNil(result.Outcomes)
	return &Final{f.End, f.Rated, result, f.Point, f.Duration.Milliseconds()}
}

// NonNil makes an absent list an empty one, so that clients find no null in JSON.
func NonNil[T any](l []T) []T {
	if l == nil {
		return []T{}
	}
	return l
}

// RoomOf is a room without its join code, which only some may know.
func RoomOf(i actor.Info) Room {
	return Room{
		ID: i.ID, Game: i.Game, Version: i.Version, Name: i.Name, Options: i.Options, Private: i.Private,
		Phase: i.Phase, Open: i.Open, Seats: NonNil(i.Seats), Players: len(i.Seats), MaxPlayers: i.MaxPlayers,
		Spectators: i.Spectators, Epoch: i.Epoch, Seq: i.Index, Node: i.Node, Created: i.Created.UTC(),
		Final: FinalOf(i.Final),
	}
}

// Rooms are a page of a list of rooms.
type Rooms struct {
	Rooms   []Room  `json:"rooms"`
	Next    room.ID `json:"next,omitempty"`    // ask for the next page by after=; absent on the last
	Partial bool    `json:"partial,omitempty"` // a node did not answer in time, so rooms may be missing
}

// ReadFilter reads the parameters that filter a list of rooms.
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

// UnknownGame reports whether a list was asked for a game that no node has: neither this one, nor a newer one with rooms of it.
func UnknownGame(games map[string]room.Spec, game string, list actor.Listing) bool {
	_, known := games[game]
	return game != "" && !known && len(list.Rooms) == 0 && !list.Partial
}

// NextPage is the id behind which the next page begins; "" on the last page.
func NextPage(infos []actor.Info, limit int) room.ID {
	if len(infos) < limit {
		return ""
	}
	return infos[len(infos)-1].ID
}

// PathRoom is the room whose id is a part of the path.
func PathRoom(r *http.Request, part string) (room.ID, error) {
	id, err := record.ParseID(r.PathValue(part))
	if err != nil {
		return "", rest.BadField("id", "That is no room's id: "+err.Error()+".")
	}
	return id, nil
}
