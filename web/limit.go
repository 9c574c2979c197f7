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

// times is so many times as much.
func (r Rate) times(n int) Rate { return Rate{float64(n) * r.PerSecond, n * r.Burst} }

// maxAddresses bounds a limiter's memory to a few megabytes.
const maxAddresses = 1 << 16

// buckets holds each of many to a Rate. It knows at most maxAddresses of them, in two generations:
// when the younger is full, the older is forgotten whole. Who is forgotten starts with a full bucket again,
// which takes as many others as half of the bound to bring about.
type buckets[K comparable] struct {
	setting string // that the rate comes from
	rate    Rate
	size    int // of a generation

	mu         sync.Mutex
	young, old map[K]*rate.Limiter
}

func newBuckets[K comparable](setting string, r Rate, most int) *buckets[K] {
	if r.Burst == 0 {
		r.Burst = max(int(2*r.PerSecond), 1)
	}
	return &buckets[K]{setting: setting, rate: r, size: max(most/2, 1), young: map[K]*rate.Limiter{}}
}

// addressLimiter holds each address to a Rate.
type addressLimiter struct{ *buckets[netip.Addr] }

func newAddressLimiter(setting string, r Rate, most int) *addressLimiter {
	return &addressLimiter{newBuckets[netip.Addr](setting, r, most)}
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

// left is how many tokens an address has.
func (l *addressLimiter) left(from netip.Addr, now time.Time) float64 {
	if l.rate.PerSecond < 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.known(limitKey(from)); b != nil {
		return b.TokensAt(now)
	}
	return float64(l.rate.Burst)
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

// of is the bucket of one, for who goes on taking from it.
func (l *buckets[K]) of(key K) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bucket(key)
}

func (l *buckets[K]) bucket(key K) *rate.Limiter {
	b := l.known(key)
	if b == nil {
		b = newLimiter(l.rate)
	} else if l.young[key] != nil {
		return b
	}
	if len(l.young) >= l.size {
		l.old, l.young = l.young, make(map[K]*rate.Limiter, l.size)
	}
	l.young[key] = b
	return b
}

// known is the bucket of one that has taken from it, nil of others.
func (l *buckets[K]) known(key K) *rate.Limiter {
	if b := l.young[key]; b != nil {
		return b
	}
	return l.old[key]
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
