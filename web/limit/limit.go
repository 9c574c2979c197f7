// Package limit holds each address to a rate, and says in the log which setting turned somebody away.
package limit

import (
	"cmp"
	"net/netip"
	"sync"
	"time"

	"github.com/hashicorp/golang-lru/v2/simplelru"
	"golang.org/x/time/rate"
)

// Rate is a token bucket: Burst at once, then PerSecond. A zero Burst means twice PerSecond, a negative PerSecond
// is no limit.
type Rate struct {
	PerSecond float64
	Burst     int
}

// Times is n times the rate.
func (r Rate) Times(n int) Rate { return Rate{float64(n) * r.PerSecond, n * r.Burst} }

// Bucket makes a full token bucket of the rate. Its Burst must be set.
func (r Rate) Bucket() *rate.Limiter {
	if r.PerSecond < 0 {
		return rate.NewLimiter(rate.Inf, 0)
	}
	return rate.NewLimiter(rate.Limit(r.PerSecond), r.Burst)
}

// MaxKeys is how many keys Buckets remember, which takes a few megabytes.
const MaxKeys = 1 << 16

// Buckets hold each key to a Rate. Beyond a bound they forget the key that was used the longest ago; a forgotten key
// starts again with a full bucket. They may be used by many goroutines.
type Buckets[K comparable] struct {
	Setting string // that the rate comes from
	rate    Rate

	mu    sync.Mutex
	known *simplelru.LRU[K, *rate.Limiter]
}

// NewBuckets makes buckets that remember at most so many keys.
func NewBuckets[K comparable](setting string, r Rate, most int) *Buckets[K] {
	if r.Burst == 0 {
		r.Burst = max(int(2*r.PerSecond), 1)
	}
	known, err := simplelru.NewLRU[K, *rate.Limiter](most, nil)
	if err != nil {
		panic(err) // most is not positive
	}
	return &Buckets[K]{Setting: setting, rate: r, known: known}
}

// Of is the bucket of a key, for callers that take from it again and again.
func (b *Buckets[K]) Of(key K) *rate.Limiter {
	b.mu.Lock()
	defer b.mu.Unlock()
	return b.of(key)
}

// of is Of for a caller that holds mu.
func (b *Buckets[K]) of(key K) *rate.Limiter {
	bucket, known := b.known.Get(key)
	if !known {
		bucket = b.rate.Bucket()
		b.known.Add(key, bucket)
	}
	return bucket
}

// Addresses hold each address to a Rate; an IPv6 /64 counts as one address.
type Addresses struct{ *Buckets[netip.Addr] }

// NewAddresses makes limits that remember at most so many addresses.
func NewAddresses(setting string, r Rate, most int) *Addresses {
	return &Addresses{NewBuckets[netip.Addr](setting, r, most)}
}

// NewCodes limits guesses at join codes. The zero Rate is 1 a second, 20 at once.
func NewCodes(r Rate) *Addresses {
	return NewAddresses("--codes-per-second", cmp.Or(r, Rate{1, 20}), MaxKeys)
}

// Allow spends one token of an address. When there is none it returns how long until there is one.
func (a *Addresses) Allow(from netip.Addr, now time.Time) (wait time.Duration, ok bool) {
	if a.rate.PerSecond < 0 {
		return 0, true
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	bucket := a.of(Key(from))
	if bucket.AllowN(now, 1) {
		return 0, true
	}
	missing := 1 - bucket.TokensAt(now)
	return time.Duration(missing / a.rate.PerSecond * float64(time.Second)), false
}

// Tokens is how many tokens an address has; 0 where there is no limit.
func (a *Addresses) Tokens(from netip.Addr, now time.Time) float64 {
	if a.rate.PerSecond < 0 {
		return 0
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	if bucket, known := a.known.Peek(Key(from)); known {
		return bucket.TokensAt(now)
	}
	return float64(a.rate.Burst)
}

// Refund returns a token that an address has spent.
func (a *Addresses) Refund(from netip.Addr, now time.Time) {
	if a.rate.PerSecond < 0 {
		return
	}
	a.mu.Lock()
	defer a.mu.Unlock()
	a.of(Key(from)).AllowN(now, -1)
}

// Key is what an address counts as: an IPv6 address is its /64, which one customer commonly has whole (RFC 6177).
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
