package web

import (
	"net/netip"
	"sync"
	"time"

	"golang.org/x/time/rate"
)

// Rate is a token bucket: Burst at once, then PerSecond. A zero Burst means twice PerSecond, a negative PerSecond
// is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// maxAddresses bounds a limiter's memory to a few megabytes.
const maxAddresses = 1 << 16

// addressLimiter holds each address to a Rate. It knows at most maxAddresses of them, in two generations:
// when the younger is full, the older is forgotten whole. Who is forgotten starts with a full bucket again,
// which takes as many other addresses as half of the bound to bring about.
type addressLimiter struct {
	setting string // that the rate comes from
	rate    Rate
	size    int // of a generation

	mu         sync.Mutex
	young, old map[netip.Addr]*rate.Limiter
}

func newAddressLimiter(setting string, r Rate, most int) *addressLimiter {
	if r.Burst == 0 {
		r.Burst = max(int(2*r.PerSecond), 1)
	}
	return &addressLimiter{setting: setting, rate: r, size: max(most/2, 1), young: map[netip.Addr]*rate.Limiter{}}
}

// take spends one token of an address. When there is none it returns how long until there is one.
func (l *addressLimiter) take(from netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if l.rate.PerSecond < 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.bucket(limitKey(from))
	if bucket.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - bucket.TokensAt(now)
	return time.Duration(missing / l.rate.PerSecond * float64(time.Second)), false
}

// giveBack returns the token that an address has taken.
func (l *addressLimiter) giveBack(from netip.Addr, now time.Time) {
	if l.rate.PerSecond < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(limitKey(from)).AllowN(now, -1)
}

// CodeLimit holds each address to a rate of guesses at join codes, by HTTP and by WebSocket together. It may be used by
// many goroutines.
type CodeLimit struct{ *addressLimiter }

// NewCodeLimit makes one that allows each address so many. The zero Rate is 1 a second, 20 at once.
func NewCodeLimit(r Rate) *CodeLimit {
	setDefault(&r, Rate{1, 20})
	return &CodeLimit{newAddressLimiter("--codes-per-second", r, maxAddresses)}
}

func (l *addressLimiter) bucket(from netip.Addr) *rate.Limiter {
	if b := l.young[from]; b != nil {
		return b
	}
	b := l.old[from]
	if b == nil {
		b = rate.NewLimiter(rate.Limit(l.rate.PerSecond), l.rate.Burst)
	}
	if len(l.young) >= l.size {
		l.old, l.young = l.young, make(map[netip.Addr]*rate.Limiter, l.size)
	}
	l.young[from] = b
	return b
}

// limitKey takes all of an IPv6 /64 for one, since one customer commonly has it whole (RFC 6177).
func limitKey(a netip.Addr) netip.Addr {
	a = a.Unmap().WithZone("")
	if !a.Is6() {
		return a
	}
	prefix, err := a.Prefix(64)
	if err != nil {
		return a
	}
	return prefix.Addr()
}
