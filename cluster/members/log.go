package members

import (
	"log/slog"
	"net"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	"github.com/roomring/roomring/room/clock"
)

const (
	quiet       = time.Minute // between two warnings of one kind about one host
	maxWarnings = 256         // warnings remembered; when there are more, all are forgotten
)

// logLines receives memberlist's log lines. It logs all of them as debug, and those about refused strangers also as
// warnings.
type logLines struct {
	log       *slog.Logger
	clock     clock.Clock
	strangers atomic.Uint64

	mu     sync.Mutex
	warned map[string]time.Time
}

var fromAddress = regexp.MustCompile(`from=(\S+)`)

// Write logs one line, as log.Logger writes them.
func (l *logLines) Write(line []byte) (int, error) {
	text := strings.TrimSpace(string(line))
	l.log.Debug(text)
	if why := refusal(text); why != "" {
		l.strangers.Add(1)
		from := "unknown"
		if m := fromAddress.FindAllStringSubmatch(text, -1); m != nil {
			from = m[len(m)-1][1]
		}
		if l.first(why, from) {
			l.log.Warn("gossip from a stranger was refused: "+why, "from", from)
		}
	}
	return len(line), nil
}

// refusal returns what was wrong with a refused packet or stream, or "" when the line is about something else.
func refusal(line string) string {
	has := func(s string) bool { return strings.Contains(line, s) }
	switch {
	case has(`stream with unacceptable label ""`):
		return "" // a connection that ended before it sent anything: a probe of the port, or a peer that timed out
	case has("with unacceptable label"):
		return "its cluster label is another"
	case has("Decrypt packet failed"), has("failed to receive: no installed keys could decrypt"):
		return "its cluster secret is another"
	case has("encryption is configured but remote state is not encrypted"):
		return "it has no cluster secret and this node has one"
	case has("remote state is encrypted and encryption is not configured"):
		return "it has a cluster secret and this node has none"
	}
	return ""
}

// first reports whether a warning about a host is due. It ignores the port, which changes with each try.
func (l *logLines) first(why, from string) bool {
	if host, _, err := net.SplitHostPort(from); err == nil {
		from = host
	}
	key := why + " " + from
	l.mu.Lock()
	defer l.mu.Unlock()
	if at, ok := l.warned[key]; ok && l.clock.Wall().Sub(at) < quiet {
		return false
	}
	if l.warned == nil || len(l.warned) >= maxWarnings {
		l.warned = map[string]time.Time{}
	}
	l.warned[key] = l.clock.Wall()
	return true
}
