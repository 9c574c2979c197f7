package ledger

import (
	"cmp"
	"context"
	"fmt"
	"slices"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Tx is the transaction that a store lends to Post. Post calls each method at most once, in this order.
// They lock rows in the order of their arguments, so that two batches never deadlock.
type Tx interface {
	// Rows writes the rows of rooms that have none as over, and returns all other rows, locked.
	Rows(ctx context.Context, finals []record.Final) (map[room.ID]record.Row, error)
	// Insert writes the result rows that do not exist yet, with the reason that Refuses gives, and returns the hash of every row.
	// fresh holds the rooms whose row is new.
	Insert(ctx context.Context, finals []record.Final) (hashes map[room.ID][32]byte, fresh map[room.ID]bool, err error)
	// Lock writes the players' names, makes the records that are missing, and returns all of them locked. It also returns how many
	// rated games rivals had with each other, which nobody can change while their records are locked.
	Lock(ctx context.Context, names []Name, keys, rivals []Key) ([]Record, Met, error)
	// Save writes the lines, the records and the replays of finals, sets their rooms' rows to over at the next epoch, and marks the results of repeats
	// as record.UnratedRepeat.
	Save(ctx context.Context, finals []record.Final, lines []Line, records []Record, repeats []room.ID) error
	// Events writes events into the outbox, for those who want them.
	Events(ctx context.Context, events []record.Event) error
}

// Post writes checked finals in one transaction, which the caller commits.
func Post(ctx context.Context, tx Tx, rules persist.Ratings, finals []record.Final) ([]persist.Verdict, error) {
	rows, err := tx.Rows(ctx, firsts(finals))
	if err != nil {
		return nil, err
	}
	verdicts := make([]persist.Verdict, len(finals))
	var owned []record.Final
	for i, f := range finals {
		if verdicts[i] = owns(f, rows[f.Room]); verdicts[i].Outcome != persist.Moved {
			owned = append(owned, f)
		}
	}
	if len(owned) == 0 {
		return verdicts, nil
	}
	hashes, fresh, err := tx.Insert(ctx, firsts(owned))
	if err != nil {
		return nil, err
	}
	var written []record.Final
	for i, f := range finals {
		if verdicts[i].Outcome == persist.Moved {
			continue
		}
		verdicts[i] = judge(f, rows[f.Room], hashes[f.Room], fresh[f.Room])
		if verdicts[i].Outcome == persist.Written {
			written = append(written, f)
			fresh[f.Room] = false // a second one of the same room in this batch is not new
		}
	}
	if len(written) == 0 {
		return verdicts, nil
	}
	l := New(rules, written)
	records, met, err := tx.Lock(ctx, l.Names(), l.Keys(), l.Rivals())
	if err != nil {
		return nil, err
	}
	l.Load(records, met)
	l.Post()
	if err := tx.Save(ctx, written, l.Lines(), l.Records(), l.Repeats()); err != nil {
		return nil, err
	}
	return verdicts, tx.Events(ctx, told(written))
}

// firsts returns the first final of each room, by room.
func firsts(finals []record.Final) []record.Final {
	sorted := slices.Clone(finals)
	slices.SortStableFunc(sorted, func(a, b record.Final) int { return cmp.Compare(a.Room, b.Room) })
	return slices.CompactFunc(sorted, func(a, b record.Final) bool { return a.Room == b.Room })
}

// owns refuses a final whose writer has lost the room. Of a room that is over it says nothing: the result's hash decides.
func owns(f record.Final, row record.Row) persist.Verdict {
	if f.By == (record.Writer{}) || row.Room == "" || row.State == record.RowOver || f.By.Owns(row) {
		return persist.Verdict{}
	}
	return persist.Verdict{Outcome: persist.Moved, Reason: fmt.Sprintf("its writer had the room at epoch %d; its row is %s at epoch %d", f.By.Epoch, row.State, row.Epoch)}
}

// OverAt is the epoch of a row that is over from the start: no owner of the room had a higher one.
func OverAt(f record.Final) int64 { return int64(max(f.Point.Epoch, f.By.Epoch)) + 1 }

// judge compares a final with the stored result of its room. row is the zero Row if this transaction writes it as over. A writer that a later
// owner has followed is told so if it comes to the same end, or breaks the room off: it has lost the room. That it has finished the game
// otherwise is a mismatch, whenever it comes.
func judge(f record.Final, row record.Row, stored [32]byte, fresh bool) persist.Verdict {
	late := f.By != (record.Writer{}) && row.State == record.RowOver && row.Epoch > f.By.Epoch+1
	switch {
	case fresh && stored == f.Hash:
		return persist.Verdict{Outcome: persist.Written}
	case late && (stored == f.Hash || f.End == record.Aborted):
		return persist.Verdict{Outcome: persist.Moved,
			Reason: fmt.Sprintf("its writer had the room at epoch %d; a later owner has ended it, at epoch %d", f.By.Epoch, row.Epoch-1)}
	case stored != f.Hash:
		return persist.Verdict{Outcome: persist.Mismatch,
			Reason: fmt.Sprintf("the store has this room's result with hash %x, offered is %x", stored[:8], f.Hash[:8])}
	}
	return persist.Verdict{Outcome: persist.Already}
}

// Writer writes checked finals in one transaction of a store.
type Writer func(ctx context.Context, finals []record.Final) ([]persist.Verdict, error)

// Write writes finals in one transaction, except those that cannot be written. Check finds most of those
// beforehand. The others are found by bisection: when poisoned says that an error is the fault of the data and not of the store,
// each half of the batch is written on its own.
func Write(ctx context.Context, finals []record.Final, once Writer, poisoned func(error) bool) ([]persist.Verdict, error) {
	verdicts := make([]persist.Verdict, len(finals))
	good, places := make([]record.Final, 0, len(finals)), make([]int, 0, len(finals))
	for i, f := range finals {
		if err := Check(f); err != nil {
			verdicts[i] = persist.Verdict{Outcome: persist.Unwritable, Reason: err.Error()}
			continue
		}
		good, places = append(good, f), append(places, i)
	}
	found, err := bisect(ctx, good, once, poisoned)
	if err != nil {
		return nil, err
	}
	for i, v := range found {
		verdicts[places[i]] = v
	}
	return verdicts, nil
}

func bisect(ctx context.Context, finals []record.Final, once Writer, poisoned func(error) bool) ([]persist.Verdict, error) {
	if len(finals) == 0 {
		return nil, nil
	}
	verdicts, err := once(ctx, finals)
	switch {
	case err == nil || !poisoned(err):
		return verdicts, err
	case len(finals) == 1:
		return []persist.Verdict{{Outcome: persist.Unwritable, Reason: err.Error()}}, nil
	}
	half := len(finals) / 2
	left, err := bisect(ctx, finals[:half], once, poisoned)
	if err != nil {
		return nil, err
	}
	right, err := bisect(ctx, finals[half:], once, poisoned)
	return append(left, right...), err
}
