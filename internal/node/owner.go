package node

import (
	"context"
	"errors"
	"fmt"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// ownerJournal is the journal behind the interface that the owner of rooms declares.
type ownerJournal struct{ *journal.Journal }

// Remove deletes a room's log. It does nothing if there is none.
func (j ownerJournal) Remove(ctx context.Context, id room.ID) error {
	return ignoreNotFound(j.Journal.Remove(ctx, id))
}

// SetAside moves a room's log to the copies that are set aside. It does nothing if there is none.
func (j ownerJournal) SetAside(ctx context.Context, id room.ID, why string) error {
	return ignoreNotFound(j.Journal.SetAside(ctx, id, why))
}

func ignoreNotFound(err error) error {
	if errors.Is(err, record.ErrNotFound) {
		return nil
	}
	return err
}

// storeEnd queues a room's end for the store.
func (n *Node) storeEnd(f record.Final, done func(error)) error {
	f.Events = append(f.Events, n.eventsOf(f.Room)...)
	return n.results.Add(f, func(v persist.Verdict) {
		switch {
		case v.Outcome.Stored():
			n.wakeCouriers()
			done(nil)
		case v.Err() != nil:
			done(v.Err())
		default:
			done(fmt.Errorf("the store refused its result (%s): %s", v.Outcome, v.Reason))
		}
	})
}
