package journal

// For tests that write what earlier versions wrote.
var EarlierSum = earlierSum

// WithRedoMost has segments of what is waited for end after so many bytes.
func WithRedoMost(o Options, most int64) Options {
	o.redoMost = most
	return o
}
