package journal

import "fmt"

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

// Used is how many bytes the files of live rooms, and of those that were set aside, take of the disk, counted in blocks of 4 KiB.
func (j *Journal) Used() int64 { return j.used.Load() }

// OverBudget is a *BudgetError while more is used than Options.MaxBytes, else nil. The node is not ready then.
func (j *Journal) OverBudget() error {
	if used := j.Used(); j.options.MaxBytes > 0 && used > j.options.MaxBytes {
		return &BudgetError{j.path, used, j.options.MaxBytes}
	}
	return nil
}

// watchBudget is of the run goroutine: it tells the log when the budget is overdrawn, and when no more.
func (j *Journal) watchBudget() {
	over := j.OverBudget()
	switch {
	case over != nil && !j.over:
		j.options.Log.Error("the journal is over its budget", "err", over)
	case over == nil && j.over:
		j.options.Log.Info("the journal is within its budget again", "bytes", j.Used())
	}
	j.over = over != nil
}
