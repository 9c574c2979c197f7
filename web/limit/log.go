package limit

import (
	"log/slog"
	"net/netip"
	"sync"
	"time"
)

// Log names in the log the limits that turn clients away, each once a while: the client is told to come later, and who
// runs the server which setting would have let it in.
type Log struct {
	log *slog.Logger

	mu  sync.Mutex
	all map[string]*limitLine // by setting
}

// limitLine is what is to be said of one limit.
type limitLine struct {
	said    time.Time
	refused int // since then
}

// limitPause is the least time between two lines about one limit.
const limitPause = time.Minute

func NewLog(log *slog.Logger) *Log {
	return &Log{log: log, all: map[string]*limitLine{}}
}

// Refused notes that the limit of a setting, such as --rooms-per-second, has turned away somebody who came from an address.
func (l *Log) Refused(setting string, from netip.Addr, now time.Time) {
	l.mu.Lock()
	line := l.all[setting]
	if line == nil {
		line = &limitLine{}
		l.all[setting] = line
	}
	line.refused++
	refused := line.refused
	if !line.said.IsZero() && now.Sub(line.said) < limitPause {
		l.mu.Unlock()
		return
	}
	line.said, line.refused = now, 0
	l.mu.Unlock()
	l.log.Warn("a limit has turned clients away: if they are welcome, raise it; if the address is a proxy's, name it in --trusted-proxies",
		"limit", setting, "address", from, "times", refused)
}
