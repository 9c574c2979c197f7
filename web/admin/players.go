package admin

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/internal/text"
)

// Players is what the operator may do with all that is kept of a player.
type Players interface {
	// RoomsOf is a page of the finished rooms that name a player, by id, behind a room. An empty page is the last.
	RoomsOf(ctx context.Context, player room.PlayerID, after room.ID) ([]room.ID, error)
	// Unfinished is a page of the rooms that name a player and are not in the store yet. Partial means that there may be others.
	Unfinished(ctx context.Context, player room.PlayerID) (rooms []actor.Info, partial bool, err error)
	// ForgetPlayer takes a player out of what is stored. It works at it for about that long.
	ForgetPlayer(ctx context.Context, player room.PlayerID, length time.Duration) (ForgotPlayer, error)
}

// ForgotPlayer is what forgetting a player came to.
type ForgotPlayer struct {
	Done     bool `json:"done"`     // nothing that is stored names the player any more; if false, ask again
	Results  int  `json:"results"`  // that the player was taken out of
	Redacted int  `json:"redacted"` // replays that play on with a tombstone in the player's place
	Dropped  int  `json:"dropped"`  // replays that are gone
	Indexed  int  `json:"indexed"`  // replays of an older program that were looked through
}

// forgetTime is about how long one request works at forgetting a player.
const forgetTime = 5 * time.Second

// pathPlayer is the player that a request names.
func (a *handler) pathPlayer(r *http.Request) (room.PlayerID, error) {
	id := r.PathValue("id")
	if !text.Valid(id, 1, room.MaxPlayerID) {
		return "", rest.NotFound("There is no such player.")
	}
	if a.opts.Players == nil || a.opts.Records == nil {
		return "", rest.NotFound("There is no store.")
	}
	return room.PlayerID(id), nil
}

// The lines of what is kept of a player, each an object with its kind.
type (
	exportedPlayer struct {
		Kind   string               `json:"kind"` // player
		Player room.PlayerID        `json:"player"`
		Name   string               `json:"name,omitempty"` // as last seen in a result
		Games  []record.GameProfile `json:"games"`
	}
	exportedRoom struct {
		Kind string  `json:"kind"` // unfinished
		Room room.ID `json:"room"`
		Game string  `json:"game"`
		Node string  `json:"node"`
	}
	exportedResult struct {
		Kind    string          `json:"kind"` // result
		Room    room.ID         `json:"room"`
		Result  body.Result     `json:"result"`
		Readers []room.PlayerID `json:"readers,omitempty"` // who may read it, where not everybody may
	}
	exportedReplay struct {
		Kind  string  `json:"kind"` // replay
		Room  room.ID `json:"room"`
		Bytes int64   `json:"bytes"`
		Path  string  `json:"path"` // of the whole, at this listener
		Name  string  `json:"name,omitempty"`
	}
	exportedInput struct {
		Kind  string     `json:"kind"` // input
		Room  room.ID    `json:"room"`
		Input body.Entry `json:"input"`
	}
	exportedEnd struct {
		Kind  string `json:"kind"` // end: the rest has arrived
		Rooms int    `json:"rooms"`
	}
)

// export writes the lines of what is kept of a player.
type export struct {
	a      *handler
	ctx    context.Context
	player room.PlayerID
	out    *bufio.Writer
	rooms  int
}

// getPlayer streams all that is kept of a player as JSON lines, of which it holds one room's at a time.
func (a *handler) getPlayer(w http.ResponseWriter, r *http.Request) error {
	player, err := a.pathPlayer(r)
	if err != nil {
		return err
	}
	closeStream, err := a.openStream()
	if err != nil {
		return err
	}
	defer closeStream()
	x := &export{a: a, ctx: r.Context(), player: player, out: bufio.NewWriterSize(newStream(w), 16<<10)}
	profile, err := a.opts.Records.Player(x.ctx, player, true)
	unknown := a.opts.Records.NotFound(err)
	if err != nil && !unknown {
		return rest.StoreAway(a.opts.Log, err)
	}
	page, err := a.opts.Players.RoomsOf(x.ctx, player, "")
	if err != nil {
		return rest.StoreAway(a.opts.Log, err)
	}
	unfinished, partial, err := a.opts.Players.Unfinished(x.ctx, player)
	if err != nil {
		return err
	}
	if unknown && len(page)+len(unfinished) == 0 {
		if partial {
			return rest.RetryLater("partial", "Nothing is stored of this player, and not all nodes answer: retry.", time.Second)
		}
		return rest.NotFound("Nothing is kept of this player.")
	}
	a.audit(r, nil, "export player")
	w.Header().Set("Content-Type", body.NDJSON)
	w.Header().Set("Cache-Control", "no-store")
	x.line(exportedPlayer{"player", player, profile.Name, body.NonNil(profile.Games)})
	for _, info := range unfinished {
		x.line(exportedRoom{"unfinished", info.ID, info.Game, info.Node})
	}
	if err := x.all(page); err != nil {
		a.opts.Log.Warn("an export of what is kept of a player was cut short", "err", err)
		panic(http.ErrAbortHandler) // so that the client sees that it is not whole
	}
	return nil
}

// line writes a line. The flush returns an error of this.
func (x *export) line(v any) {
	data, err := json.Marshal(v)
	if err != nil {
		panic(err) // all are plain, and raw JSON was valid when it came in
	}
	_, _ = x.out.Write(append(data, '\n'))
}

func (x *export) all(page []room.ID) (err error) {
	for len(page) > 0 {
		for _, id := range page {
			if err := x.room(id); err != nil && !x.a.opts.Records.NotFound(err) { // it may have been deleted meanwhile
				return fmt.Errorf("room %s: %w", id, err)
			}
		}
		if page, err = x.a.opts.Players.RoomsOf(x.ctx, x.player, page[len(page)-1]); err != nil {
			return err
		}
	}
	x.line(exportedEnd{"end", x.rooms})
	return x.out.Flush()
}

// room writes a room's result, and the player's own inputs of its replay.
func (x *export) room(id room.ID) error {
	records := x.a.opts.Records
	stored, err := records.Result(x.ctx, id)
	if err != nil {
		return err
	}
	x.rooms++
	x.line(exportedResult{"result", id, body.ResultOf(stored), stored.Readers})
	replay, err := records.Replay(x.ctx, id)
	if err != nil {
		return err
	}
	reader, err := core.OpenReplay(replay)
	if err != nil {
		return err
	}
	defer reader.Close()
	x.line(exportedReplay{"replay", id, replay.Size, "/admin/v1/replays/" + string(id), reader.Header.Name})
	for e, err := range reader.Entries() {
		if err != nil {
			return err
		}
		if e.Player == x.player {
			x.line(exportedInput{"input", id, body.EntryOf(e)})
		}
	}
	return x.out.Flush()
}

// postForgetPlayer takes a player out of all that is stored, or begins to.
func (a *handler) postForgetPlayer(w http.ResponseWriter, r *http.Request) error {
	player, err := a.pathPlayer(r)
	if err != nil {
		return err
	}
	var in struct {
		Anyway bool `json:"anyway"`
	}
	if err := rest.ReadJSON(w, r, a.opts.MaxBody, &in); err != nil {
		return err
	}
	out := newStream(w)
	unfinished, partial, err := a.opts.Players.Unfinished(r.Context(), player)
	if err != nil {
		return err
	}
	if err := mayForget(unfinished, partial); err != nil && !in.Anyway {
		a.audit(r, err, "forget player")
		return err
	}
	got, err := a.opts.Players.ForgetPlayer(r.Context(), player, forgetTime)
	out.extend() // one long game may have taken longer
	if err != nil {
		err = errors.New(strings.ReplaceAll(err.Error(), string(player), "…")) // it goes to the log, which is kept
	}
	a.audit(r, err, "forget player", slog.Bool("done", got.Done), slog.Int("results", got.Results),
		slog.Int("replays", got.Redacted), slog.Int("replays_dropped", got.Dropped), slog.Int("rooms_left", len(unfinished)))
	if err != nil {
		return rest.StoreAway(a.opts.Log, err)
	}
	rooms := make([]room.ID, len(unfinished))
	for i, info := range unfinished {
		rooms[i] = info.ID
	}
	rest.WriteJSON(w, http.StatusOK, struct {
		ForgotPlayer
		Unfinished []room.ID `json:"unfinished"`
		Partial    bool      `json:"partial,omitempty"`
	}{got, rooms, partial})
	return nil
}

// namedRooms is how many rooms a refusal names.
const namedRooms = 5

// mayForget is why a player is not forgotten yet: rooms that are not stored would name the player again.
func mayForget(unfinished []actor.Info, partial bool) error {
	if len(unfinished) > 0 {
		var names []string
		for _, info := range unfinished[:min(len(unfinished), namedRooms)] {
			names = append(names, string(info.ID))
		}
		more := ""
		if len(unfinished) > namedRooms {
			more = " and others"
		}
		return rest.NewProblem(http.StatusConflict, "in-rooms", fmt.Sprintf("The player sits, or has sat, in rooms that are not over, or not stored yet: %s%s. "+
			"Their results and replays would name the player again. Wait for their end or close them, then try again; with anyway, all else is forgotten now.",
			strings.Join(names, ", "), more))
	}
	if partial {
		return rest.NewProblem(http.StatusConflict, "partial", "Not all nodes answer, so that the player may be in rooms of theirs, whose results would name the player again. "+
			"Try again when they do; with anyway, what is stored is forgotten now.")
	}
	return nil
}
