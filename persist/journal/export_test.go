package journal

// For tests that write what earlier versions wrote.
var EarlierSum = earlierSum

// WithRedoMost sets the size at which a segment of the redo log ends.
func WithRedoMost(o Options, most int64) Options {
	o.redoMost = most
	return o
}
