package main

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
)

// blackBox is the journal's, as the rooms know it.
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

// results take ends of rooms to the store.
type results struct{ n *node }

func resultsOf(n *node) actor.Results { return results{n} }

// Add never loses an end: what the queue cannot take stays in the journal, which offers it at the next start.
func (r results) Add(f room.Final, stored func()) {
	r.n.settled.Store(f.Room, stored)
	err := r.n.results.Add(f, func() {
		r.n.settled.Delete(f.Room)
		stored()
	})
	if err != nil {
		r.n.log.Error("a result waits in the journal for the next start", "room", f.Room, "err", err)
	}
}

// refused lets a room go whose end the store will never take. Its log is kept: see logs.Remove.
func (n *node) refused(f room.Final, v persist.Verdict) {
	n.unwanted.Store(f.Room, fmt.Sprintf("the store refused its result (%s): %s", v.Outcome, v.Reason))
	if stored, ok := n.settled.LoadAndDelete(f.Room); ok {
		stored.(func())()
	}
}

// logs are the journal, as the rooms know it.
type logs struct {
	*journal.Journal
	unwanted *sync.Map
}

// Remove sets a room aside whose result the store refused: its log is all there is of it. A room that is not
// there any more needs no second removal.
func (l logs) Remove(ctx context.Context, id room.ID) (err error) {
	if why, refused := l.unwanted.Load(id); refused {
		err = l.SetAside(ctx, id, why.(string))
	} else {
		err = l.Journal.Remove(ctx, id)
	}
	if err != nil && !errors.Is(err, journal.ErrUnknown) {
		return err
	}
	l.unwanted.Delete(id)
	return nil
}

// ratings are the rules of ratings, by the flags and the games.
func (n *node) ratings() *persist.Ratings {
	r := &persist.Ratings{
		Guests: n.cfg.RateGuests, Acts: map[string]int{},
		Time: n.cfg.RatedMinTime, PerOpponent: n.cfg.RatedPerOpponent, Least: n.cfg.LeaderboardMinGames,
	}
	for game := range n.games.All() {
		r.Acts[game.Spec().Name] = game.Spec().RatedActs
	}
	return r
}

// retainEvery is how often what is too old is deleted.
const retainEvery = time.Hour

// openRetention deletes what is too old, until it is ended. Guests may sit in rooms, which must be there.
func (n *node) openRetention(ctx context.Context) error {
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
			sleep(ctx, retainEvery)
		}
	}()
	n.owns("retention", func(context.Context) error { cancel(); <-done; return nil })
	return nil
}

// retain deletes all that is too old now, a batch at a time.
func (n *node) retain(ctx context.Context, keep persist.Retention) {
	for gone := (persist.Pruned{Results: 1}); gone != (persist.Pruned{}) && ctx.Err() == nil; {
		var err error
		if gone, err = n.store.Prune(ctx, keep); err != nil && ctx.Err() == nil {
			n.log.Warn("old results are not deleted yet", "err", err)
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

// reload makes an end again from the journal, when the queue of results had no memory for it.
func (n *node) reload(ctx context.Context, id room.ID) (room.Final, error) {
	kept, err := n.journal.Load(ctx, id)
	if errors.Is(err, journal.ErrUnknown) {
		return room.Final{}, persist.ErrNotFound
	}
	if err != nil {
		return room.Final{}, err
	}
	rules, ok := n.games.Lookup(kept.Header.Game)
	if !ok {
		return room.Final{}, persist.ErrNotFound
	}
	mark := n.journal.BlackBox().BeginReplay(id)
	defer mark.Release()
	core, err := room.Restore(room.Config{Rules: rules}, kept)
	if err != nil {
		return room.Final{}, err
	}
	if core.Final() == nil {
		return room.Final{}, persist.ErrNotFound
	}
	return core.Seal()
}

// place draws the ids of rooms that are made here; nil draws them at random.
func (n *node) place() func(game string) room.ID {
	if !n.cfg.Clustered() {
		return nil
	}
	return func(game string) room.ID { return n.cluster.Place(game) } // it is open before any room is made
}

// rows are the rooms' rows in the store.
type rows struct{ n *node }

func rowsOf(n *node) actor.Rows { return rows{n} }

// Create leaves a row that the store cannot take now to the registrar, which goes on trying.
func (r rows) Create(ctx context.Context, row room.Row) error {
	row.Nonce = rand.Text()
	_, err := r.n.rows.Create(ctx, row)
	return err
}

// Claim moves rows to this boot. The epoch wished for is in the journal before the store is asked, so a
// process that dies in between finds the row at an epoch that its journal knows: anything else is somebody
// else's doing, and the room has moved on.
func (r rows) Claim(ctx context.Context, claims []actor.Claim) ([]actor.Claimed, error) {
	if err := r.intend(ctx, claims); err != nil {
		return nil, err
	}
	wishes := make([]persist.Claim, len(claims))
	for i, c := range claims {
		wishes[i] = r.wish(c, c.From, c.Row.Folder)
	}
	found, err := r.n.store.ClaimRows(ctx, r.n.boot, wishes)
	if err != nil {
		return nil, err
	}
	answers := make([]actor.Claimed, len(claims))
	for i, c := range claims {
		if answers[i], err = r.settle(ctx, c, found[i]); err != nil {
			return nil, err
		}
	}
	return answers, nil
}

// intend writes the wished epochs down, all in one group commit.
func (r rows) intend(ctx context.Context, claims []actor.Claim) error {
	errs := make([]error, len(claims))
	var wg sync.WaitGroup
	for i, c := range claims {
		wg.Go(func() { errs[i] = r.n.journal.Claimed(ctx, c.Row.Room, c.Row.Epoch) })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (r rows) wish(c actor.Claim, from room.Epoch, folder string) persist.Claim {
	return persist.Claim{
		Room: c.Row.Room, FromEpoch: from, FromFolder: folder, FromState: room.RowLive,
		Epoch: c.Row.Epoch, Folder: r.n.folder.ID(), Nonce: rand.Text(),
	}
}

// settle says whose a room is, from what the store has of it.
func (r rows) settle(ctx context.Context, c actor.Claim, found persist.RowResult) (actor.Claimed, error) {
	granted := actor.Claimed{Outcome: actor.ClaimGranted, Epoch: c.Row.Epoch}
	switch {
	case found.Err == nil:
		return granted, nil
	case errors.Is(found.Err, persist.ErrNotFound): // the store was away when the room was made
		row := c.Row
		row.Nonce = rand.Text()
		made, err := r.n.store.CreateRows(ctx, r.n.boot, []room.Row{row})
		if err != nil || made[0].Err == nil {
			return granted, err
		}
		return actor.Claimed{Outcome: moved(made[0].Row)}, nil
	case r.ours(found.Row) && found.Row.Epoch < c.Row.Epoch: // an earlier life meant to claim it and did not come to it
		again, err := r.n.store.ClaimRows(ctx, r.n.boot, []persist.Claim{r.wish(c, found.Row.Epoch, found.Row.Folder)})
		if err != nil || again[0].Err == nil {
			return granted, err
		}
		return actor.Claimed{Outcome: moved(again[0].Row)}, nil
	}
	return actor.Claimed{Outcome: moved(found.Row)}, nil
}

// ours reports whether a row names this data folder, under its present or a former id.
func (r rows) ours(row room.Row) bool {
	return row.State == room.RowLive && (row.Folder == r.n.folder.ID() || slices.Contains(r.n.folder.Adopted(), row.Folder))
}

func moved(row room.Row) actor.ClaimOutcome {
	if row.State == room.RowOver {
		return actor.ClaimOver
	}
	return actor.ClaimMoved
}
