package admin

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/timeline"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// Forks make rooms of other rooms' logs, at this node.
type Forks interface {
	// ForkHeader returns the header of a new room that goes on from a log of h's room. Errors are those of actor.Directory.
	ForkHeader(h record.Header) (record.Header, error)
	// Fork has a log go on as a room of its own; the error is a *room.Refusal if the room is not alive at the log's end.
	Fork(ctx context.Context, kept record.Kept) error
}

const (
	maxIndex   = 1<<53 - 1 // that JSON's readers hold exactly
	maxEntries = 1000      // of a log, in one answer
	maxViewers = 8         // in one answer
)

// logBody is a part of a room's log.
type logBody struct {
	Room     room.ID     `json:"room"`
	Game     string      `json:"game"`
	Version  int         `json:"version"` // that opened the room
	Name     string      `json:"name,omitempty"`
	ForkOf   room.ID     `json:"fork_of,omitempty"`
	First    room.Index  `json:"first"`
	Last     room.Index  `json:"last"`          // the last that is committed
	End      record.End  `json:"end,omitempty"` // of a room that is over
	DevTools bool        `json:"dev_tools"`     // this node lets the operator act for players
	Entries  []entryBody `json:"entries"`
}

// entryBody is an input as the log has it.
type entryBody struct {
	Index    room.Index      `json:"index"`
	Epoch    record.Epoch    `json:"epoch"`
	Kind     string          `json:"kind"`
	At       int64           `json:"at_ms"` // room time
	Player   room.PlayerID   `json:"player,omitempty"`
	Seat     *int            `json:"seat,omitempty"`   // of the player
	Name     string          `json:"name,omitempty"`   // of a player, a timer or a signal
	Reason   string          `json:"reason,omitempty"` // of a leave or a close
	Data     json.RawMessage `json:"data,omitempty"`   // refused acts may stand in the log without it
	Bytes    int             `json:"bytes,omitempty"`  // of a state, which is not shown as data
	Outcome  string          `json:"outcome,omitempty"`
	Code     string          `json:"code,omitempty"` // of the refusal
	Detail   string          `json:"detail,omitempty"`
	Operator bool            `json:"operator,omitempty"` // an act by the operator on behalf of the player
	Events   []eventTold     `json:"events,omitempty"`   // of its turn, if they were asked for
}

var outcomes = map[core.StepResult]string{core.StepAccepted: "accepted", core.StepRefused: "refused", core.StepEnded: "ended", core.StepFailed: "failed"}

func entryOf(e core.Entry, seat int) entryBody {
	b := entryBody{
		Index: e.Index, Epoch: e.Epoch, Kind: e.Kind.Name(), At: e.At.Milliseconds(), Player: e.Player, Name: e.Name, Reason: e.Reason,
		Outcome: outcomes[e.Result], Operator: e.Kind == core.KindAct && e.Client == "",
	}
	if seat >= 0 {
		b.Seat = &seat
	}
	if e.Refused != nil {
		b.Code, b.Detail = e.Refused.Code, e.Refused.Reason
	}
	switch {
	case e.Kind == core.KindCut || e.Kind == core.KindUpgrade:
		b.Bytes = len(e.Data)
	case json.Valid(e.Data):
		b.Data = e.Data
	}
	return b
}

func (a *handler) getLog(w http.ResponseWriter, r *http.Request) error {
	id, err := a.pathTimeline(r)
	if err != nil {
		return err
	}
	q := rest.QueryOf(r)
	after, limit := q.Number("after", 0, maxIndex), 100
	if q.Text("limit") != "" {
		limit = q.Number("limit", 0, maxEntries)
	}
	events := q.Flag("events")
	if q.Err != nil {
		return q.Err
	}
	page, err := a.opts.Timelines.Entries(r.Context(), id, room.Index(after), limit, events)
	if err != nil {
		return timelineProblem(err)
	}
	out := logBody{
		Room: id, Game: page.Header.Game, Version: page.Header.Version, Name: page.Header.Name, ForkOf: page.Header.ForkOf,
		First: page.First, Last: page.Last, End: page.Final.End, DevTools: a.opts.DevTools, Entries: make([]entryBody, len(page.Entries)),
	}
	for i, e := range page.Entries {
		out.Entries[i] = entryOf(e, page.Seats[i])
		if events {
			out.Entries[i].Events = make([]eventTold, len(page.Events[i]))
			for n, told := range page.Events[i] {
				out.Entries[i].Events[n] = eventTold(told)
			}
		}
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

func (a *handler) getLogReplay(w http.ResponseWriter, r *http.Request) error {
	id, err := a.pathTimeline(r)
	if err != nil {
		return err
	}
	q := rest.QueryOf(r)
	checked := q.Flag("checked")
	if q.Err != nil {
		return q.Err
	}
	replay, err := a.opts.Timelines.Replay(r.Context(), id, checked)
	if err != nil {
		return timelineProblem(err)
	}
	w.Header().Set("Content-Type", body.OctetStream)
	w.Header().Set("Content-Length", strconv.Itoa(replay.Len()))
	w.Header().Set("Content-Disposition", `attachment; filename="room.log"`)
	_, _ = io.Copy(w, replay.Reader()) // the client has gone if this fails
	return nil
}

// momentBody is a room right after one input.
type momentBody struct {
	Index room.Index      `json:"index"`
	First room.Index      `json:"first"`
	Last  room.Index      `json:"last"`
	Phase core.Phase      `json:"phase"`
	Seats []core.SeatInfo `json:"seats"`
	Entry entryBody       `json:"entry"`
	Panic string          `json:"panic,omitempty"` // of the game, at this index or before
	Views []viewBody      `json:"views"`
}

// viewBody is what one viewer sees.
type viewBody struct {
	Viewer      string            `json:"viewer"`
	View        json.RawMessage   `json:"view,omitempty"`
	Before      json.RawMessage   `json:"before,omitempty"`
	Patch       json.RawMessage   `json:"patch,omitempty"`
	Events      []eventTold       `json:"events,omitempty"`
	Legal       []json.RawMessage `json:"legal,omitempty"`
	Unavailable string            `json:"unavailable,omitempty"`
}

// eventTold is an event of a turn.
type eventTold struct {
	To   room.PlayerID   `json:"to,omitempty"` // empty: everybody
	Name string          `json:"name"`
	Data json.RawMessage `json:"data,omitempty"`
}

func (a *handler) getMoment(w http.ResponseWriter, r *http.Request) error {
	id, err := a.pathTimeline(r)
	if err != nil {
		return err
	}
	index, bad := strconv.ParseUint(r.PathValue("index"), 10, 53)
	if bad != nil || index == 0 {
		return rest.BadField("index", "An index is a whole number from 1 on.")
	}
	q := rest.QueryOf(r)
	names, eyes := readViewers(q)
	before := q.Flag("before")
	if q.Err != nil {
		return q.Err
	}
	m, err := a.opts.Timelines.At(r.Context(), id, room.Index(index), eyes)
	if err != nil {
		return timelineProblem(err)
	}
	out := momentBody{
		Index: room.Index(index), First: m.First, Last: m.Last, Phase: m.Phase, Seats: body.NonNil(m.Seats), Entry: entryOf(m.Entry, m.Seat),
		Views: make([]viewBody, len(m.Views)),
	}
	if m.Panic != nil {
		out.Panic = fmt.Sprintf("%s: %s", m.Panic.Call, m.Panic.Value)
	}
	for i, v := range m.Views {
		b := viewBody{Viewer: names[i], View: v.Now, Patch: v.Patch, Legal: v.Legal, Unavailable: v.Unavailable, Events: toldOf(v.Events)}
		if before {
			b.Before = v.Before
		}
		out.Views[i] = b
	}
	rest.WriteJSON(w, http.StatusOK, out)
	return nil
}

func toldOf(events []wire.Event) []eventTold {
	out := make([]eventTold, len(events))
	for i, e := range events {
		out[i] = eventTold{Name: e.Name, Data: e.Data}
	}
	return out
}

// readViewers reads viewer=whole, viewer=spectator and viewer=player:ID, in any number up to maxViewers. The default is whole.
func readViewers(q *rest.Query) (names []string, eyes []timeline.Eyes) {
	names = slices.Clone(q.Values["viewer"])
	if len(names) == 0 {
		names = []string{"whole"}
	}
	if len(names) > maxViewers {
		q.Fail("viewer", fmt.Sprintf("Give at most %d viewers.", maxViewers))
	}
	for _, name := range names {
		switch player, isPlayer := strings.CutPrefix(name, "player:"); {
		case name == "whole":
			eyes = append(eyes, timeline.Eyes{Whole: true})
		case name == "spectator":
			eyes = append(eyes, timeline.Eyes{})
		case isPlayer && text.Valid(player, 1, room.MaxPlayerID):
			eyes = append(eyes, timeline.Eyes{Player: room.PlayerID(player)})
		default:
			q.Fail("viewer", "Give whole, spectator or player:ID.")
		}
	}
	return names, eyes
}

func (a *handler) postFork(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Index uint64 `json:"index"`
	}
	id, err := a.pathTimeline(r)
	if err == nil {
		err = rest.ReadJSON(w, r, a.opts.MaxBody, &in)
	}
	switch {
	case err != nil:
		return err
	case in.Index == 0 || in.Index > maxIndex:
		return rest.BadField("index", "Say behind which input the fork begins: a whole number from 1 on.")
	case a.opts.Forks == nil:
		return rest.NotFound("This server makes no forks.")
	}
	kept, err := a.opts.Timelines.Fork(r.Context(), id, room.Index(in.Index), a.opts.Forks.ForkHeader)
	if err == nil {
		err = a.opts.Forks.Fork(r.Context(), kept)
	}
	h := kept.Header
	a.audit(r, err, "fork", slog.String("room", string(id)), slog.Uint64("index", in.Index), slog.String("as", string(h.ID)))
	if err != nil {
		return timelineProblem(err)
	}
	rest.WriteJSON(w, http.StatusCreated, struct {
		ID   room.ID `json:"id"`
		Name string  `json:"name"`
		Code string  `json:"code"`
		Game string  `json:"game"`
		Node string  `json:"node"`
	}{h.ID, h.Name, h.Code, h.Game, a.opts.Cluster.Self()})
	return nil
}

func (a *handler) postAct(w http.ResponseWriter, r *http.Request) error {
	var in struct {
		Player string          `json:"player"`
		Action json.RawMessage `json:"action"`
	}
	id, err := a.action(w, r, &in)
	if err != nil {
		return err
	}
	if !a.opts.DevTools {
		return rest.NewProblem(http.StatusForbidden, "no-dev-tools", "This server lets nobody act for players: roomring dev does.")
	}
	if !text.Valid(in.Player, 1, room.MaxPlayerID) {
		return rest.BadField("player", "Say for which player: 1 to 128 bytes of UTF-8.")
	}
	action, bad := wire.CheckedJSON(in.Action, wire.MaxDepth)
	if len(in.Action) == 0 || bad != nil {
		return rest.BadField("action", "Give the action as the player's client would send it.")
	}
	err = a.opts.Rooms.ActFor(r.Context(), id, room.PlayerID(in.Player), action)
	told := err
	if why, ok := errors.AsType[*room.Refusal](err); ok {
		told = errors.New("refused: " + why.Code) // the reason may quote what was played
	}
	a.audit(r, told, "act", slog.String("room", string(id)), slog.String("player", in.Player))
	if err == nil {
		w.WriteHeader(http.StatusNoContent)
	}
	return err
}

// pathTimeline is the room that a request names, if timelines are shown here.
func (a *handler) pathTimeline(r *http.Request) (room.ID, error) {
	id, err := body.PathRoom(r, "id")
	if err == nil && a.opts.Timelines == nil {
		err = rest.NotFound("This server shows no logs.")
	}
	return id, err
}

// timelineProblem is what errors of timelines mean to the operator.
func timelineProblem(err error) error {
	if none, ok := errors.AsType[*timeline.NoIndexError](err); ok {
		return rest.NotFound(fmt.Sprintf("There is no such input: %v.", none))
	}
	if far, ok := errors.AsType[*timeline.BudgetError](err); ok {
		return rest.RetryLater("not-there-yet", far.Error(), 0)
	}
	return err
}
