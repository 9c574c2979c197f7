package limit

import (
	"cmp"
	"net/netip"
	"time"
)

// Refusals is how often an address is told that it asks too much. Who asks on regardless is not answered any more: its
// connections are closed, and new ones before anything is read of them, until a refusal is due again. So a flood from
// few addresses costs what the kernel's handshakes cost. It may be used by many goroutines.
type Refusals struct{ *Addresses }

// NewRefusals makes one that answers each address so often. The zero Rate is 5 a second, 50 at once; a negative PerSecond
// answers always.
func NewRefusals(r Rate) *Refusals {
	r = cmp.Or(r, Rate{5, 50})
	return &Refusals{NewAddresses("--refusals-per-second", r, MaxAddresses)}
}

// Deaf reports whether an address has had all its refusals. Where it has not been refused lately nothing is looked up for long.
func (f *Refusals) Deaf(from netip.Addr, now time.Time) bool {
	if f == nil || f.rate.PerSecond < 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.known(Key(from))
	return b != nil && b.TokensAt(now) < 1
}

// Refused notes that an address has been refused something by a limit.
func (f *Refusals) Refused(from netip.Addr, now time.Time) {
	if f != nil {
		f.Take(from, now)
	}
}
