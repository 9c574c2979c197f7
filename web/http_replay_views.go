package web

import (
	"context"
	"encoding/json"
	"errors"
	"net/http"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/wire"
)

const ndjson = "application/x-ndjson"

// replayTime is how long a replay may take to run and to be read.
const replayTime = time.Minute

// shownBody is one line of a replay as spectators saw it.
type shownBody struct {
	T      string          `json:"t"` // state or turn
	Seq    room.Index      `json:"seq"`
	At     int64           `json:"at"`   // ms of room time
	Kind   string          `json:"kind"` // of the input
	Player room.PlayerID   `json:"player,omitempty"`
	View   json.RawMessage `json:"view,omitempty"`
	Patch  json.RawMessage `json:"patch,omitempty"`
	Events []wire.Event    `json:"events,omitempty"`
}

// writeViews runs a game again and writes what spectators saw, a line a turn, as it goes.
func (s *Server) writeViews(w http.ResponseWriter, r *http.Request, data []byte) error {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(r.Context()), replayTime)
	defer cancel()
	select {
	case s.replays <- struct{}{}:
		defer func() { <-s.replays }()
	case <-r.Context().Done():
		return retryLater("busy", "Too many replays are being watched: retry.", 2*time.Second)
	}
	cfg, entries, err := s.runnable(data)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", ndjson)
	out := json.NewEncoder(w)
	for shown, err := range room.Views(cfg, entries) {
		if err = errors.Join(err, ctx.Err()); err == nil {
			err = out.Encode(bodyOfShown(shown))
		}
		if err != nil {
			s.opts.Log.Debug("a replay was cut short", "room", cfg.Header.ID, "err", err)
			panic(http.ErrAbortHandler) // so that the client sees that it is not whole
		}
	}
	return nil
}

// runnable is a replay that this process can run. One that was aborted is not run again: a game that did not
// just panic but used up the memory or never returned would take the node with it.
func (s *Server) runnable(data []byte) (room.Config, []room.Entry, error) {
	replay, err := room.DecodeReplay(data)
	if err != nil {
		return room.Config{}, nil, err
	}
	h := replay.Header
	var rules *room.Rules
	known := false
	if s.opts.Rules != nil {
		rules, known = s.opts.Rules.Lookup(h.Game)
	}
	switch {
	case replay.Final.End == room.Aborted:
		return room.Config{}, nil, problem(http.StatusConflict, "aborted", "The game failed and is not run again here: `roomring replay` does that from the file.")
	case !known || room.CheckRuntime(h) != nil || replay.Final.Version != rules.Spec().Version:
		return room.Config{}, nil, problem(http.StatusConflict, "other-version", "The game was played by a version of its rules that this server does not have. Its log can still be had.")
	}
	return room.Config{Header: h, Rules: rules}, replay.Entries, nil
}

func bodyOfShown(s room.Shown) shownBody {
	b := shownBody{
		T: "turn", Seq: s.Seq, At: s.At.Milliseconds(), Kind: s.Kind.Name(), Player: s.Player,
		View: s.View, Patch: s.Patch, Events: s.Events,
	}
	if s.View != nil {
		b.T = "state"
	}
	return b
}
