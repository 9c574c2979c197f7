package actor

import (
	"context"
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
)

// Aside is a copy of a room that a node has set aside: it is kept and never served.
type Aside struct {
	Node   string     `json:"node"`
	Key    int64      `json:"key"` // names the copy at its node: a room may be set aside more than once
	Room   room.ID    `json:"room"`
	Reason string     `json:"reason"`
	At     time.Time  `json:"at"`
	Index  room.Index `json:"index"` // the end of its log
	Bytes  int64      `json:"bytes"` // of its log and snapshots
}

// Reopen lets a room that was set aside go on here, from where its log ends, as a room of another id: what was told of the
// old one, and stands in the store, stays as it is. The log is run again first, and nothing is made of one that does not
// come to a live room. Errors: a *room.Refusal that says why it cannot go on, and those of Adopt.
func (d *Directory) Reopen(ctx context.Context, kept room.Kept) (room.ID, error) {
	rules, ok := d.o.Games.Lookup(kept.Header.Game)
	if !ok {
		return "", room.Refuse("no_game", noGame(kept.Header))
	}
	h := kept.Header
	h.ID = d.o.Place(h.Game)
	if h.Private {
		h.Code = string(randomID()[:codeLength])
	}
	if err := d.goesOn(kept, rules); err != nil {
		return "", err
	}
	kept = renamed(kept, h)
	v := &revival{kept: kept}
	err := d.Adopt(ctx, kept, func(ctx context.Context) (room.Epoch, error) {
		e := v.nextEpoch()
		if d.o.Rows == nil {
			return e, nil
		}
		return e, d.o.Rows.Create(ctx, d.row(h, e))
	})
	return h.ID, err
}

// renamed is a kept room under another header.
func renamed(kept room.Kept, h room.Header) room.Kept {
	out := kept
	out.Header, out.Batches, out.Snapshots = h, nil, nil
	for _, b := range kept.Batches {
		b.Room = h.ID
		out.Batches = append(out.Batches, b)
	}
	for _, s := range kept.Snapshots {
		s.Room = h.ID
		out.Snapshots = append(out.Snapshots, s)
	}
	return out
}

// goesOn refuses a room that is not a live one when its log is run again.
func (d *Directory) goesOn(kept room.Kept, rules *room.Rules) error {
	mark := d.o.Black.BeginRerun(kept.Header.ID, kept.Header.Game)
	defer mark.Release()
	core, err := room.Restore(d.coreConfig(kept.Header, rules), kept)
	switch {
	case err != nil:
		return room.Refuse("broken", "it cannot be brought back still: "+err.Error())
	case core.Panicked() != nil:
		return room.Refuse("panics", fmt.Sprintf("its game panics still, in %s at input %d: roomring admin replay shows it", core.Panicked().Call, core.Point().Seq))
	case core.Final() != nil:
		return room.Refuse("over", fmt.Sprintf("it comes to its end at input %d: %s", core.Final().Point.Seq, core.Final().End))
	}
	return nil
}
