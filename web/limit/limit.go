// Package limit holds each address to a rate, and says in the log which setting turned somebody away.
package limit

import (
	"cmp"
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

// Times is so many times as much.
func (r Rate) Times(n int) Rate { return Rate{float64(n) * r.PerSecond, n * r.Burst} }

// MaxAddresses bounds a limiter's memory to a few megabytes.
const MaxAddresses = 1 << 16

// Buckets holds each of many to a Rate. It knows at most maxAddresses of them, in two generations:
// when the younger is full, the older is forgotten whole. Who is forgotten starts with a full bucket again,
// which takes as many others as half of the bound to bring about.
type Buckets[K comparable] struct {
	Setting string // that the rate comes from
	rate    Rate
	size    int // of a generation

	mu         sync.Mutex
	young, old map[K]*rate.Limiter
}

func NewBuckets[K comparable](setting string, r Rate, most int) *Buckets[K] {
	if r.Burst == 0 {
		r.Burst = max(int(2*r.PerSecond), 1)
	}
	return &Buckets[K]{Setting: setting, rate: r, size: max(most/2, 1), young: map[K]*rate.Limiter{}}
}

// Addresses holds each address to a Rate.
type Addresses struct{ *Buckets[netip.Addr] }

func NewAddresses(setting string, r Rate, most int) *Addresses {
	return &Addresses{NewBuckets[netip.Addr](setting, r, most)}
}

// Take spends one token of an address. When there is none it returns how long until there is one.
func (l *Addresses) Take(from netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if l.rate.PerSecond < 0 {
		return 0, true
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	bucket := l.bucket(Key(from))
	if bucket.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - bucket.TokensAt(now)
	return time.Duration(missing / l.rate.PerSecond * float64(time.Second)), false
}

// Left is how many tokens an address has.
func (l *Addresses) Left(from netip.Addr, now time.Time) float64 {
	if l.rate.PerSecond < 0 {
		return 0
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if b := l.known(Key(from)); b != nil {
		return b.TokensAt(now)
	}
	return float64(l.rate.Burst)
}

// GiveBack returns the token that an address has taken.
func (l *Addresses) GiveBack(from netip.Addr, now time.Time) {
	if l.rate.PerSecond < 0 {
		return
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	l.bucket(Key(from)).AllowN(now, -1)
}

// NewCodes holds each address to a rate of guesses at join codes. The zero Rate is 1 a second, 20 at once.
func NewCodes(r Rate) *Addresses {
	return NewAddresses("--codes-per-second", cmp.Or(r, Rate{1, 20}), MaxAddresses)
}

// Of is the bucket of one, for who goes on taking from it.
func (l *Buckets[K]) Of(key K) *rate.Limiter {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.bucket(key)
}

func (l *Buckets[K]) bucket(key K) *rate.Limiter {
	b := l.known(key)
	if b == nil {
		b = NewBucket(l.rate)
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
func (l *Buckets[K]) known(key K) *rate.Limiter {
	if b := l.young[key]; b != nil {
		return b
	}
	return l.old[key]
}

// Key takes all of an IPv6 /64 for one, since one customer commonly has it whole (RFC 6177).
func Key(a netip.Addr) netip.Addr {
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

// Network is the IPv6 /48 of an address, which one customer commonly has whole (RFC 6177); invalid for IPv4.
func Network(a netip.Addr) netip.Addr {
	if a = a.Unmap().WithZone(""); !a.Is6() {
		return netip.Addr{}
	}
	wide, _ := a.Prefix(48)
	return wide.Addr()
}

func NewBucket(r Rate) *rate.Limiter {
	if r.PerSecond < 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
}
