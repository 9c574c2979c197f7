package limit

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// Log names in the log the limits that turn clients away, each once a minute. The client is told to come later; who runs the
// server learns which setting to raise. It may be used by many goroutines.
type Log struct {
	log *slog.Logger

	mu     sync.Mutex
	limits map[string]*refusals // by setting
}

// refusals are those of one limit.
type refusals struct {
	logged time.Time // when they were last logged
	since  int       // how many there have been since then
}

// logPause is the least time between two lines about one limit.
const logPause = time.Minute

// NewLog makes a log of limits that writes to log.
func NewLog(log *slog.Logger) *Log { return &Log{log: log, limits: map[string]*refusals{}} }

// Refused notes that the limit of a setting, such as --rooms-per-second, has turned away a client from an address.
func (l *Log) Refused(setting string, from netip.Addr, now time.Time) {
	l.mu.Lock()
	r := l.limits[setting]
	if r == nil {
		r = &refusals{}
		l.limits[setting] = r
	}
	r.since++
	times := r.since
	due := r.logged.IsZero() || now.Sub(r.logged) >= logPause
	if due {
		r.logged, r.since = now, 0
	}
	l.mu.Unlock()
	if due {
		l.log.Warn("a limit has turned clients away: if they are welcome, raise it; if the address is a proxy's, name it in --trusted-proxies",
			"limit", setting, "address", from, "times", times)
	}
}
