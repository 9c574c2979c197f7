package api

import (
	"context"
	"encoding/json"
	"errors"
	"iter"
	"net/http"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/internal/body"
	"github.com/roomring/roomring/web/internal/rest"
)

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

// writeViews runs a game again and writes what spectators saw, one line a turn.
func (s *Server) writeViews(ctx context.Context, w http.ResponseWriter, replay *core.ReplayReader) error {
	cfg, err := s.runnable(replay)
	if err != nil {
		return err
	}
	w.Header().Set("Content-Type", body.NDJSON)
	out := json.NewEncoder(w)
	for shown, err := range s.reported(cfg.Header, core.SpectatorTurns(cfg, s.storedLog(ctx, cfg.Header.ID))) {
		if err = errors.Join(err, ctx.Err()); err == nil {
			err = out.Encode(shownOf(shown))
		}
		if err != nil {
			body.AbortReplay(s.opts.Log, cfg.Header.ID, err)
		}
	}
	return nil
}

// reported tells Reruns when the game runs, and not while the reader is waited for.
func (s *Server) reported(h record.Header, run iter.Seq2[core.SpectatorTurn, error]) iter.Seq2[core.SpectatorTurn, error] {
	if s.opts.Reruns == nil {
		return run
	}
	return func(yield func(core.SpectatorTurn, error) bool) {
		mark := s.opts.Reruns.BeginRerun(h.ID, h.Game)
		defer func() { mark.Release() }()
		run(func(shown core.SpectatorTurn, err error) bool {
			mark.Release()
			defer func() { mark = s.opts.Reruns.BeginRerun(h.ID, h.Game) }()
			return yield(shown, err)
		})
	}
}

// storedLog is a log that is read from the store again each time.
func (s *Server) storedLog(ctx context.Context, id room.ID) core.Log {
	return func() iter.Seq2[core.Entry, error] {
		return func(yield func(core.Entry, error) bool) {
			stored, err := s.opts.Records.Replay(ctx, id)
			if err != nil {
				yield(core.Entry{}, err)
				return
			}
			replay, err := core.OpenReplay(stored)
			if err != nil {
				yield(core.Entry{}, err)
				return
			}
			defer replay.Close()
			replay.Entries()(yield)
		}
	}
}

// runnable is the room of a replay that this process can run. A game that was aborted is not run again: it may have used up the
// memory or never returned, and would take the node with it.
func (s *Server) runnable(replay *core.ReplayReader) (core.Config, error) {
	h := replay.Header
	var rules *room.Rules
	known := false
	if s.opts.Rules != nil {
		rules, known = s.opts.Rules.Lookup(h.Game)
	}
	switch {
	case replay.Final.Failed():
		return core.Config{}, rest.NewProblem(http.StatusConflict, "aborted", "The game failed and is not run again here: `roomring replay` does that from the file.")
	case !known || !core.KnowsRuntime(h.Runtime) || replay.Final.Version != rules.Spec().Version:
		return core.Config{}, rest.NewProblem(http.StatusConflict, "other-version", "The game was played by a version of its rules that this server does not have. Its log can still be had.")
	}
	return core.Config{Header: h, Rules: rules}, nil
}

func shownOf(s core.SpectatorTurn) shownBody {
	b := shownBody{
		T: "turn", Seq: s.Seq, At: s.At.Milliseconds(), Kind: s.Kind.Name(), Player: s.Player,
		View: s.View, Patch: s.Patch, Events: s.Events,
	}
	if s.View != nil {
		b.T = "state"
	}
	return b
}
