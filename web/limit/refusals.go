package limit

import (
	"cmp"
	"net/netip"
	"time"
)

// Refusals limit how often an address is told that it asks too much. An address that goes on regardless is ignored until its next
// refusal is due: its connections are closed, and new ones before anything is read of them. So a flood from few addresses costs
// what the kernel's handshakes cost. A nil *Refusals ignores nobody.
type Refusals struct{ *Addresses }

// NewRefusals makes a limit of refusals for each address. The zero Rate is 5 a second, 50 at once; a negative PerSecond
// ignores nobody.
func NewRefusals(r Rate) *Refusals {
	return &Refusals{NewAddresses("--refusals-per-second", cmp.Or(r, Rate{5, 50}), MaxKeys)}
}

// Ignores reports whether an address has spent all its refusals.
func (f *Refusals) Ignores(from netip.Addr, now time.Time) bool {
	if f == nil || f.rate.PerSecond < 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	bucket, known := f.known.Peek(Key(from)) // most have never been refused
	return known && bucket.TokensAt(now) < 1
}

// Spend notes that a limit has refused something to an address.
func (f *Refusals) Spend(from netip.Addr, now time.Time) {
	if f != nil {
		f.Allow(from, now)
	}
}
