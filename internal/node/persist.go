package node

import (
	"context"
	"fmt"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/clock"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// blackBox is the journal's black box behind the interface that the rooms declare.
type blackBox struct{ *journal.BlackBox }

func (b blackBox) Begin(id room.ID, fingerprint uint64) actor.Step {
	return b.BlackBox.Begin(id, fingerprint)
}
func (b blackBox) BeginOpen(id room.ID, game string) actor.Step {
	return b.BlackBox.BeginOpen(id, game)
}
func (b blackBox) BeginRerun(id room.ID, game string) actor.Step {
	return b.BlackBox.BeginRerun(id, game)
}
func (b blackBox) BeginReplay(id room.ID) actor.Step { return b.BlackBox.BeginReplay(id) }

func (b blackBox) Poisoned(id room.ID) (string, bool) {
	p, poisoned := b.BlackBox.Poisoned(id)
	if !poisoned {
		return "", false
	}
	return fmt.Sprintf("%d processes died at the same place in it", p.Tries), true
}

// Fatal implements actor.BlackBox.
func (b blackBox) Fatal(id room.ID) bool { return b.Exhausted(id, journal.Replaying) }

// ratings returns the rules of ratings, from the flags and the games.
func (n *Node) ratings() *persist.Ratings {
	r := &persist.Ratings{
		Guests: n.cfg.RateGuests, Acts: map[string]int{},
		Time: n.cfg.RatedMinTime, PerOpponent: n.cfg.RatedPerOpponent, Least: n.cfg.LeaderboardMinGames,
	}
	for game := range n.games.All() {
		r.Acts[game.Spec().Name] = game.Spec().RatedActs
	}
	return r
}

// retainEvery is the time between two deletions of what is too old.
const retainEvery = time.Hour

// openRetention starts the goroutine that deletes what is too old. It needs the rooms, because guests may sit in them.
func (n *Node) openRetention(ctx context.Context) error {
	keep := persist.Retention{Results: n.cfg.KeepResults, Replays: n.cfg.KeepReplays}
	if keep == (persist.Retention{}) && n.cfg.KeepGuests <= 0 {
		return nil
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	done := make(chan struct{})
	go func() {
		defer close(done)
		for ctx.Err() == nil {
			n.retain(ctx, keep)
			clock.Sleep(ctx, nil, retainEvery)
		}
	}()
	n.onClose("retention", func(context.Context) error { cancel(); <-done; return nil })
	return nil
}

// retain deletes everything that is too old now, a batch at a time.
func (n *Node) retain(ctx context.Context, keep persist.Retention) {
	for gone := (persist.Pruned{Results: 1}); gone != (persist.Pruned{}) && ctx.Err() == nil; {
		var err error
		if gone, err = n.store.Prune(ctx, keep); err != nil && ctx.Err() == nil {
			n.log.Warn("old results could not be deleted yet", "err", err)
		}
	}
	if n.cfg.KeepGuests <= 0 {
		return
	}
	forgotten, err := n.forgetGuests(ctx)
	if err != nil && ctx.Err() == nil {
		n.log.Warn("guests who have not been seen for long are not forgotten yet", "err", err)
	}
	if forgotten > 0 {
		n.log.Info("guests are forgotten who have not been seen for long", "guests", forgotten, "keep_guests", n.cfg.KeepGuests)
	}
}

// reload computes a room's end again from the journal, if the queue of results had no memory to keep it.
func (n *Node) reload(ctx context.Context, id room.ID) (record.Final, error) {
	kept, err := n.journal.Load(ctx, id)
	if err != nil {
		return record.Final{}, err
	}
	rules, ok := n.games.Lookup(kept.Header.Game)
	if !ok {
		return record.Final{}, record.ErrNotFound
	}
	mark := n.journal.BlackBox().BeginReplay(id)
	defer mark.Release()
	machine, err := core.Restore(core.Config{Rules: rules}, kept)
	if err != nil {
		return record.Final{}, err
	}
	if machine.Final() == nil {
		return record.Final{}, record.ErrNotFound
	}
	final, err := machine.Seal()
	final.Events = core.Events(kept)
	return final, err
}

// newRoomID returns the function that draws the ids of rooms created here. Nil draws them at random.
func (n *Node) newRoomID() func(game string) room.ID {
	if !n.cfg.Clustered() {
		return nil
	}
	return func(game string) room.ID { return n.cluster.Place(game) } // the cluster is open before any room is created
}
