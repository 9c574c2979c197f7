package actor

import (
	"context"
	"encoding/json"
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Log is a room's log, or the end of it, as its node has it. It is for the operator alone: it holds the seed and every hidden fact.
type Log struct {
	Replay    []byte     `json:"replay"` // see core.Core.ReplayAfter
	Committed room.Index `json:"committed"`
}

// Log returns a room's log without most of the entries up to index after, for who has those. What is beyond Committed is not
// durable. Errors: those of Info, ctx's, and a *room.Refusal if it is longer than Options.MaxLog.
func (d *Directory) Log(ctx context.Context, id room.ID, after room.Index) (Log, error) {
	r, err := d.find(id)
	if err != nil {
		return Log{}, err
	}
	type part struct {
		parts     record.Parts
		committed room.Index
	}
	p, err := call(ctx, r.mail, func(r *liveRoom) (p part, err error) {
		p.committed = r.core.Committed()
		p.parts, err = r.core.ReplayAfter(after)
		return p, err
	})
	if err != nil {
		return Log{}, err
	}
	if n := p.parts.Len(); n > d.o.MaxLog {
		return Log{}, room.Refuse("too_long", fmt.Sprintf("its log has %d bytes, and at most %d are handed out while it lives", n, d.o.MaxLog))
	}
	return Log{p.parts.Join(), p.committed}, nil
}

// ActFor acts for a player who has a seat, connected or not. The player's client hears what came of it as if another had acted, and its own
// acts go on as before. Errors: a *room.Refusal of the game or, without Options.ActFor, of this node; ErrNotSeated; those of Close.
func (d *Directory) ActFor(ctx context.Context, id room.ID, p room.PlayerID, action json.RawMessage) error {
	if !d.o.ActFor {
		return errNoActFor
	}
	return d.command(ctx, id, func(done chan<- error) message { return actForMessage{p, action, done} })
}

var errNoActFor = room.Refuse("no_dev_tools", "this node lets nobody act for players: roomring dev does")

type actForMessage struct {
	player room.PlayerID
	action json.RawMessage
	done   chan<- error
}

func (m actForMessage) handle(r *liveRoom) {
	ready := r.step(core.Input{Kind: core.KindAct, Player: m.player, Data: m.action})
	switch {
	case ready.Entry == nil:
		ready.Refused = ErrNotSeated
	case ready.Entry.Refused != nil:
		ready.Refused = ready.Entry.Refused
	}
	r.answer(ready, m.done)
}

// ForkHeader returns the header of a new room that goes on from a log of h's room: private, with a code of its own, and durable. Errors:
// ErrDraining, ErrTooMany, and ErrUnreachable while logs cannot be saved.
func (d *Directory) ForkHeader(h record.Header) (record.Header, error) {
	switch {
	case d.rooms.isDraining():
		return h, ErrDraining
	case d.o.Logs == nil:
		return h, room.Refuse("no_journal", "this node keeps rooms in memory only: give it a data folder to make forks")
	case d.o.Logs.Failing() != nil:
		return h, ErrUnreachable
	case d.Count() >= d.o.MaxRooms || d.o.Full != nil && d.o.Full():
		return h, ErrTooMany
	}
	h.ForkOf, h.Name = h.ID, forkName(h)
	h.Private, h.Public, h.Created = true, false, d.o.Wall().UTC()
	if h.Durability == room.Memory {
		h.Durability = room.Local
	}
	return d.NewID(h), nil
}

func forkName(h record.Header) string {
	of := h.Name
	if of == "" {
		of = string(h.ID)
	}
	name := "fork of " + strings.TrimPrefix(of, "fork of ")
	for len(name) > maxRoomName {
		_, size := utf8.DecodeLastRuneInString(name)
		name = name[:len(name)-size]
	}
	return name
}
