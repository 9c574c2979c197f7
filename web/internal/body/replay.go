package body

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"log/slog"
	"net/http"
	"strconv"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Media types.
const (
	OctetStream = "application/octet-stream"
	NDJSON      = "application/x-ndjson"
)

// WriteReplay answers with the file of a replay, without join code and client ids. An answer that fails when it has begun is
// aborted.
func WriteReplay(w http.ResponseWriter, log *slog.Logger, id room.ID, stored record.StoredReplay) error {
	in := bufio.NewReaderSize(stored, 4<<10)
	head, err := in.Peek(core.AnonymousHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(id)+`.replay"`)
	if core.IsAnonymous(head) {
		w.Header().Set("Content-Type", OctetStream)
		w.Header().Set("Content-Length", strconv.FormatInt(stored.Size, 10))
		if _, err := io.Copy(w, in); err != nil {
			AbortReplay(log, id, err)
		}
		return nil
	}
	replay, err := core.OpenReplay(in)
	if err != nil {
		return err
	}
	defer replay.Close()
	w.Header().Set("Content-Type", OctetStream)
	if err := replay.WriteAnonymous(w); err != nil {
		AbortReplay(log, id, err)
	}
	return nil
}

// AbortReplay ends an answer that has begun, so that the client sees that it is not whole. It panics with http.ErrAbortHandler.
func AbortReplay(log *slog.Logger, id room.ID, err error) {
	log.Debug("a replay was cut short", "room", id, "err", err)
	panic(http.ErrAbortHandler)
}

// Entry is one input of a replay. It has no client id, which is nobody else's.
type Entry struct {
	Seq     room.Index      `json:"seq"`
	Epoch   record.Epoch    `json:"epoch"`
	Kind    string          `json:"kind"`
	At      int64           `json:"at_ms"` // room time
	Player  room.PlayerID   `json:"player,omitempty"`
	Name    string          `json:"name,omitempty"`
	Reason  string          `json:"reason,omitempty"`
	Data    json.RawMessage `json:"data,omitempty"`
	Refused string          `json:"refused,omitempty"` // code
	Count   uint32          `json:"count,omitempty"`   // of a run of ticks
	Version int             `json:"version,omitempty"`
	Runtime int             `json:"runtime,omitempty"`
}

// EntryOf is an input of a log.
func EntryOf(e core.Entry) Entry {
	b := Entry{
		Seq: e.Index, Epoch: e.Epoch, Kind: e.Kind.Name(), At: e.At.Milliseconds(),
		Player: e.Player, Name: e.Name, Reason: e.Reason, Count: e.Count, Version: e.Version, Runtime: e.Runtime,
	}
	if e.Refused != nil {
		b.Refused, b.Reason = e.Refused.Code, e.Refused.Reason
	}
	if json.Valid(e.Data) { // the snapshot of an upgrade or a cut need not be
		b.Data = e.Data
	}
	return b
}
