package journal

import (
	"fmt"
	"log/slog"
	"sync/atomic"
)

// BudgetError means that the journal holds more than Options.MaxBytes. The journal goes on taking batches, but the node should take
// no new rooms.
type BudgetError struct {
	Path       string
	Used, Most int64 // bytes
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s holds %d KiB of the %d KiB that it should (--max-journal-bytes): it goes on, and takes no new rooms; delete rooms that were set aside, let games end, or raise the limit",
		e.Path, e.Used>>10, e.Most>>10)
}

// Used is how many bytes the files of live rooms, and of rooms that were set aside, take on the disk, counted in blocks of 4 KiB.
func (j *Journal) Used() int64 { return j.budget.used.Load() }

// OverBudget returns a *BudgetError while more than Options.MaxBytes is used, else nil. The node is not ready then.
func (j *Journal) OverBudget() error { return j.budget.over() }

// budget compares what the rooms' files take on the disk with what they should take.
type budget struct {
	path string
	log  *slog.Logger
	most int64        // bytes; 0: no limit
	used atomic.Int64 // bytes; the writer counts them

	wasOver bool // when watch last looked; only the loop uses it
}

func (b *budget) over() error {
	if used := b.used.Load(); b.most > 0 && used > b.most {
		return &BudgetError{b.path, used, b.most}
	}
	return nil
}

// watch logs when the limit is exceeded, and when it no longer is. Only the loop calls it.
func (b *budget) watch() {
	over := b.over()
	switch {
	case over != nil && !b.wasOver:
		b.log.Error("the journal is over its budget", "err", over)
	case over == nil && b.wasOver:
		b.log.Info("the journal is within its budget again", "bytes", b.used.Load())
	}
	b.wasOver = over != nil
}
