package actor

import (
	"cmp"
	"context"
	"encoding/json"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// Look says what an Inspection holds beside the facts.
type Look struct {
	View  *room.Viewer // the room as this viewer would see it now; nil: no view
	State bool         // the game's whole state, hidden facts included
}

// Inspection is everything the operator may know of a room. It looks ahead: Point is stepped, not yet
// committed.
type Inspection struct {
	Info        Info            `json:"info"` // committed, with the join code
	Durability  room.Durability `json:"durability"`
	Members     *record.Members `json:"members,omitempty"` // beside the owner; the cluster fills it in
	Point       record.Point    `json:"point"`
	Committed   room.Index      `json:"committed"`
	Time        time.Duration   `json:"time"`            // room time
	Deadline    *time.Duration  `json:"deadline"`        // room time of what is due next; nil: nothing
	Still       string          `json:"still,omitempty"` // why the room stands still
	Mailbox     int             `json:"mailbox"`         // messages that wait
	Pending     int             `json:"pending"`         // inputs stepped and not handed to the journal
	Held        int             `json:"held"`            // outputs that wait for commit
	LateTicks   uint64          `json:"late_ticks"`      // left out so far
	Stored      bool            `json:"stored"`          // the end is in the store
	Sessions    []SessionInfo   `json:"sessions"`
	Recent      []RecentInput   `json:"recent"` // oldest first
	View        json.RawMessage `json:"view,omitempty"`
	State       json.RawMessage `json:"state,omitempty"`
	Unavailable string          `json:"unavailable,omitempty"` // why View or State is not there
	Panic       *PanicInfo      `json:"panic,omitempty"`       // that ended the room
}

// SessionInfo is one session, for the operator.
type SessionInfo struct {
	Player    room.PlayerID   `json:"player,omitempty"` // may be empty for a spectator
	Client    record.ClientID `json:"client"`
	Edge      string          `json:"edge"` // the node that has its socket
	Attempt   uint64          `json:"attempt"`
	Spectator bool            `json:"spectator"`
	Class     core.ClassID    `json:"class"`
	Welcomed  bool            `json:"welcomed"` // its attach is committed
	CSeq      record.CSeq     `json:"cseq"`     // of the client's last act that was stepped
	Bytes     uint64          `json:"bytes"`    // of messages queued for it: OutboxStats.Sent
	Queue     OutboxStats     `json:"queue"`
}

// RecentInput is one of the last inputs, without its data.
type RecentInput struct {
	Index  room.Index    `json:"index"`
	Kind   string        `json:"kind"`
	At     time.Duration `json:"at"`
	Player room.PlayerID `json:"player,omitempty"`
	CSeq   record.CSeq   `json:"cseq,omitempty"`
	Bytes  int           `json:"bytes"` // of data
}

// Inspect looks into a room for the operator; nobody else may see the answer. A room that does not
// answer before ctx ends is stuck in a step. Errors are those of Info, and ctx's.
func (d *Directory) Inspect(ctx context.Context, id room.ID, look Look) (Inspection, error) {
	r, err := d.find(id)
	var in Inspection
	if err == nil {
		in, err = call(ctx, r.mail, func(r *liveRoom) (Inspection, error) { return r.inspect(look), nil })
	}
	if left := d.Panicked(id); left != nil && err == ErrNotFound { // it may have left memory just now
		return *left, nil // the room as its game's panic left it
	}
	return in, err
}

func (r *liveRoom) inspect(look Look) Inspection {
	i := Inspection{
		Info: *r.describe(), Durability: r.header.Durability, Point: r.core.Point(), Committed: r.core.Committed(),
		Time: r.now(), Mailbox: r.mail.waiting(), Pending: len(r.log.pending), Held: r.core.PendingOutputs(),
		LateTicks: r.core.Skipped(), Stored: r.life.stored, Recent: r.recent.list(),
	}
	i.Info.Code = r.header.Code
	if at, ok := r.core.Deadline(); ok {
		i.Deadline = &at
	}
	switch {
	case r.log.failing != nil:
		i.Still = r.log.failing.Error()
	case r.time.stopped:
		i.Still = "too many inputs wait for the journal"
	}
	cseqs := map[core.ClientInfo]record.CSeq{}
	for _, c := range r.core.Clients() {
		cseqs[core.ClientInfo{Player: c.Player, Client: c.Client}] = c.CSeq
	}
	for s := range r.sessions.all() {
		queue := s.out.Stats()
		i.Sessions = append(i.Sessions, SessionInfo{
			Player: s.hello.Player, Client: s.hello.Client, Attempt: s.hello.Attempt, Spectator: s.spectator != 0,
			Class: s.class, Welcomed: s.welcomed, Edge: cmp.Or(s.hello.Edge, r.o.Node), Queue: queue, Bytes: queue.Sent,
			CSeq: cseqs[core.ClientInfo{Player: s.hello.Player, Client: s.hello.Client}],
		})
	}
	r.inspectGame(&i, look)
	return i
}

// inspecting stands for an inspection's calls of the game in the black box.
var inspecting = core.Input{Name: "inspect"}.Fingerprint()

// inspectGame asks the game itself. The game may panic: an inspection must harm nobody.
func (r *liveRoom) inspectGame(i *Inspection, look Look) {
	defer func() {
		if recover() != nil {
			i.Unavailable = "the game panicked when it was asked"
		}
	}()
	if r.core.Panicked() != nil {
		i.Unavailable = "the game has panicked"
		if left := r.dir.panics.of(r.id); left != nil {
			i.Panic = left.Panic
		}
		return
	}
	if look.View == nil && !look.State {
		return
	}
	mark := r.o.Black.Begin(r.id, inspecting)
	defer mark.Release()
	var err error
	if look.View != nil {
		if i.View, err = r.core.WholeView(*look.View); err != nil {
			i.Unavailable = err.Error()
		}
	}
	if look.State {
		if i.State, err = r.core.GameState(); err != nil {
			i.Unavailable = err.Error()
		}
	}
}
