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

// logs are the journal, as the owner of rooms knows it.
type logs struct{ *journal.Journal }

// Remove forgets a room, unless it is not there any more.
func (l logs) Remove(ctx context.Context, id room.ID) error { return known(l.Journal.Remove(ctx, id)) }

// SetAside keeps a room for people, unless it is not there any more.
func (l logs) SetAside(ctx context.Context, id room.ID, why string) error {
	return known(l.Journal.SetAside(ctx, id, why))
}

func known(err error) error {
	if errors.Is(err, record.ErrNotFound) {
		return nil
	}
	return err
}

// storeEnd queues a room's end for the store.
func (n *Node) storeEnd(f record.Final, done func(refused string)) error {
	return n.results.Add(f, func(v persist.Verdict) {
		if v.Outcome.Stored() {
			done("")
			return
		}
		done(fmt.Sprintf("the store refused its result (%s): %s", v.Outcome, v.Reason))
	})
}
