package body

import (
	"bufio"
	"encoding/json"
	"errors"
	"io"
	"net/http"
	"strconv"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// WriteReplay answers with the file of a replay, without join code and client ids.
func WriteReplay(w http.ResponseWriter, id room.ID, stored record.StoredReplay) error {
	in := bufio.NewReaderSize(stored, 4<<10)
	head, err := in.Peek(core.AnonymousHead)
	if err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	w.Header().Set("Content-Disposition", `attachment; filename="`+string(id)+`.replay"`)
	if core.IsAnonymous(head) {
		w.Header().Set("Content-Type", OctetStream)
		w.Header().Set("Content-Length", strconv.FormatInt(stored.Size, 10))
		_, err := io.Copy(w, in)
		return began(err)
	}
	replay, err := core.OpenReplay(in)
	if err != nil {
		return err
	}
	defer replay.Close()
	w.Header().Set("Content-Type", OctetStream)
	return began(replay.WriteAnonymous(w))
}

// CutError is an error of an answer that has begun.
type CutError struct{ Why error }

func (e CutError) Error() string { return e.Why.Error() }

func (e CutError) Unwrap() error { return e.Why }

func began(err error) error {
	if err != nil {
		return CutError{err}
	}
	return nil
}

// Entry is one input of a replay, for people and other programs. Client ids stay out: they are nobody else's.
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

const OctetStream = "application/octet-stream"

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

const NDJSON = "application/x-ndjson"
