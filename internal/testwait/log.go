package testwait

import (
	"bytes"
	"strings"
	"sync"
)

// Log is a log that a test reads while others write it. The zero value is an empty one.
type Log struct {
	mu  sync.Mutex
	buf bytes.Buffer
}

func (l *Log) Write(p []byte) (int, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.Write(p)
}

// String is all that was written so far.
func (l *Log) String() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.buf.String()
}

// Has reports whether s stands in the log.
func (l *Log) Has(s string) bool { return strings.Contains(l.String(), s) }

// Count is how often s stands in the log.
func (l *Log) Count(s string) int { return strings.Count(l.String(), s) }
