package node

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"

	"github.com/roomring/roomring/cluster/lifecycle"
	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
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

// rows are the store, as the owner of rooms knows it.
type rows struct{ n *Node }

// CreateRows implements lifecycle.Store.
func (r rows) CreateRows(ctx context.Context, all []record.Row) ([]lifecycle.RowResult, error) {
	for i := range all {
		all[i].Nonce = rand.Text()
	}
	found, err := r.n.store.CreateRows(ctx, r.n.boot, all)
	return outcomes(found), err
}

// ClaimRows implements lifecycle.Store.
func (r rows) ClaimRows(ctx context.Context, claims []lifecycle.Claim) ([]lifecycle.RowResult, error) {
	wishes := make([]record.Claim, len(claims))
	for i, c := range claims {
		wishes[i] = record.Claim{
			Room: c.Room, FromEpoch: c.From.Epoch, FromFolder: c.From.Folder, FromState: c.From.State,
			Epoch: c.To, Folder: r.n.folder.ID(), Nonce: rand.Text(),
		}
	}
	found, err := r.n.store.ClaimRows(ctx, r.n.boot, wishes)
	return outcomes(found), err
}

// Release implements lifecycle.Store.
func (r rows) Release(ctx context.Context, epoch record.Epoch, kept record.Kept) (lifecycle.RowResult, error) {
	data, err := core.EncodeKept(kept)
	if err != nil {
		return lifecycle.RowResult{}, err
	}
	found, err := r.n.store.ReleaseRow(ctx, r.n.boot, record.Release{
		Room: kept.Header.ID, Epoch: epoch, Nonce: rand.Text(),
		Checkpoint: record.Checkpoint{Point: record.Point{Epoch: kept.Epoch, Seq: kept.Last()}, Data: data},
	})
	return outcome(found), err
}

// Checkpoint implements lifecycle.Store.
func (r rows) Checkpoint(ctx context.Context, id room.ID) (record.Kept, error) {
	found, err := r.n.store.Checkpoint(ctx, id)
	if err != nil {
		return record.Kept{}, storeError(err)
	}
	kept, err := core.DecodeKept(found.Data)
	if err != nil {
		return record.Kept{}, fmt.Errorf("the checkpoint of room %s: %w", id, err)
	}
	return kept, nil
}

// Row implements lifecycle.Store.
func (r rows) Row(ctx context.Context, id room.ID) (record.Row, error) {
	row, err := r.n.store.Row(ctx, id)
	return row, storeError(err)
}

// End implements lifecycle.Store.
func (r rows) End(ctx context.Context, id room.ID) (record.End, error) {
	result, err := r.n.store.Result(ctx, id)
	return result.End, storeError(err)
}

// Store implements lifecycle.Store.
func (r rows) Store(f record.Final, done func(refused string)) error {
	return r.n.results.Add(f, func(v persist.Verdict) {
		if v.Outcome.Stored() {
			done("")
			return
		}
		done(fmt.Sprintf("the store refused its result (%s): %s", v.Outcome, v.Reason))
	})
}

func outcomes(found []record.RowResult) []lifecycle.RowResult {
	out := make([]lifecycle.RowResult, len(found))
	for i, f := range found {
		out[i] = outcome(f)
	}
	return out
}

func outcome(f record.RowResult) lifecycle.RowResult {
	out := lifecycle.RowResult{Row: f.Row}
	switch {
	case errors.Is(f.Err, record.ErrNotFound):
		out.Outcome = ownership.NoRow
	case f.Err != nil:
		out.Outcome = ownership.Moved
	}
	return out
}
