package journal

import (
	"context"
	"fmt"
)

// BudgetError says that the journal holds more than it should. It goes on taking what comes: only the node should get no
// more rooms.
type BudgetError struct {
	Path       string
	Used, Most int64 // bytes
}

func (e *BudgetError) Error() string {
	return fmt.Sprintf("%s holds %d KiB of the %d KiB that it should (--max-journal-bytes): it goes on, and takes no new rooms; delete rooms that were set aside, let games end, or raise the limit",
		e.Path, e.Used>>10, e.Most>>10)
}

// Used is how many bytes live rooms, and those that were set aside, take in the journal; pages that are free again do not
// count. It is looked at once in Options.MarkEvery.
func (j *Journal) Used() int64 { return j.used.Load() }

// OverBudget is a *BudgetError while more is used than Options.MaxBytes, else nil. The node is not ready then.
func (j *Journal) OverBudget() error {
	if used := j.Used(); j.options.MaxBytes > 0 && used > j.options.MaxBytes {
		return &BudgetError{j.path, used, j.options.MaxBytes}
	}
	return nil
}

// measure is of the run goroutine. What cannot be read now is read the next time.
func (j *Journal) measure() {
	commits := j.commits.Load()
	if commits == j.measured && j.Used() > 0 {
		return
	}
	j.measured = commits
	var used int64
	err := j.read.QueryRowContext(context.Background(),
		`SELECT (c.page_count - f.freelist_count) * s.page_size FROM pragma_page_count c, pragma_freelist_count f, pragma_page_size s`).Scan(&used)
	if err != nil {
		return
	}
	before := j.OverBudget()
	j.used.Store(used)
	switch over := j.OverBudget(); {
	case over != nil && before == nil:
		j.options.Log.Error("the journal is over its budget", "err", over)
	case over == nil && before != nil:
		j.options.Log.Info("the journal is within its budget again", "bytes", used)
	}
}
