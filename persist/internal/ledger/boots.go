package ledger

import (
	"context"
	"fmt"
	"slices"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// BootTx is a transaction of a store in which boots are fenced. Its store lets no other such transaction run meanwhile.
type BootTx interface {
	Tx
	// Fence declares boots dead, on behalf of another.
	Fence(ctx context.Context, by record.BootID, boots []persist.BootInfo) error
	// GiveUp marks boots as forgotten.
	GiveUp(ctx context.Context, boots []persist.BootInfo) error
	// LiveRows returns the rows of live rooms whose owner or standby is one of the data folders.
	LiveRows(ctx context.Context, folders []string) ([]record.Row, error)
}

// FenceOlder fences older, the other alive boots of a starting boot's folder. It fences none and returns a *persist.FolderInUseError
// if one of them may still be served.
func FenceOlder(ctx context.Context, tx BootTx, starting persist.Boot, older []persist.BootInfo) error {
	for _, old := range older {
		if !mayFence(starting, old) {
			return &persist.FolderInUseError{Holder: old}
		}
	}
	return tx.Fence(ctx, starting.ID, older)
}

// mayFence reports whether a starting boot may fence an alive older one of its folder.
func mayFence(starting persist.Boot, old persist.BootInfo) bool {
	held := starting.Locked && starting.Host == old.Host && starting.Path == old.Path
	if old.Unknown() {
		return held || starting.Doubted == old.ID
	}
	return held || old.Silent >= persist.FreshFor
}

// Forget gives up the boots of a node: see persist.Boots.Forget. boots are all boots of the store.
func Forget(ctx context.Context, tx BootTx, boots []persist.BootInfo, by record.BootID, node string, heard []record.BootID) (persist.ForgotNode, error) {
	lost, err := lostBoots(node, boots, heard)
	if err != nil {
		return persist.ForgotNode{}, err
	}
	live, err := tx.LiveRows(ctx, folders(lost))
	if err != nil {
		return persist.ForgotNode{}, err
	}
	var finals []record.Final
	for _, r := range alone(slices.Clone(live), boots, lost) {
		final, err := core.AbandonRow(r, persist.LostReason)
		if err != nil {
			return persist.ForgotNode{}, fmt.Errorf("the end of room %s: %w", r.Room, err)
		}
		final.By = record.Writer{Epoch: r.Epoch, Boot: r.Boot}
		finals = append(finals, final)
	}
	alive := slices.DeleteFunc(slices.Clone(lost), func(b persist.BootInfo) bool { return b.State != persist.BootAlive })
	if err := tx.Fence(ctx, by, alive); err != nil {
		return persist.ForgotNode{}, err
	}
	if err := tx.GiveUp(ctx, lost); err != nil {
		return persist.ForgotNode{}, err
	}
	// No rules of ratings are needed, since none of these games was finished.
	verdicts, err := Post(ctx, tx, persist.Ratings{}, finals)
	// The other member has just seized those that have moved.
	verdicts = slices.DeleteFunc(verdicts, func(v persist.Verdict) bool { return v.Outcome == persist.Moved })
	return persist.ForgotNode{Boots: len(alive), Rooms: len(verdicts), Kept: len(live) - len(verdicts)}, err
}

func folders(boots []persist.BootInfo) []string {
	all := make([]string, len(boots))
	for i, b := range boots {
		all[i] = b.Folder
	}
	slices.Sort(all)
	return slices.Compact(all)
}

// alone are the rows of which no member is left: their data folders are lost, or were forgotten before and never served again.
func alone(rows []record.Row, boots, lost []persist.BootInfo) []record.Row {
	left := map[string]bool{}
	for _, b := range boots {
		left[b.Folder] = left[b.Folder] || !b.Forgotten
	}
	for _, b := range lost {
		left[b.Folder] = false
	}
	return slices.DeleteFunc(rows, func(r record.Row) bool { return left[r.Folder] || left[r.Standby] })
}

// lostBoots are the boots of a node whose data folders no process serves.
func lostBoots(node string, boots []persist.BootInfo, heard []record.BootID) ([]persist.BootInfo, error) {
	served := map[string]bool{} // by folder
	var alive *persist.NodeLivesError
	for _, b := range boots {
		hears := slices.Contains(heard, b.ID)
		if !hears && (b.State != persist.BootAlive || !b.Fresh()) {
			continue
		}
		served[b.Folder] = true
		if b.Node == node {
			alive = &persist.NodeLivesError{Boot: b, Heard: hears}
		}
	}
	var lost []persist.BootInfo
	for _, b := range boots {
		if b.Node == node && !served[b.Folder] {
			lost = append(lost, b)
		}
	}
	switch {
	case len(lost) > 0:
		return lost, nil
	case alive != nil:
		return nil, alive
	}
	return nil, record.ErrNotFound
}
