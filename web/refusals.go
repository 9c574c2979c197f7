package web

import (
	"net/http"
	"net/netip"
	"time"
)

// Refusals is how often an address is told that it asks too much. Who asks on regardless is not answered any more: its
// connections are closed, and new ones before anything is read of them, until a refusal is due again. So a flood from
// few addresses costs what the kernel's handshakes cost. It may be used by many goroutines.
type Refusals struct{ *addressLimiter }

// NewRefusals makes one that answers each address so often. The zero Rate is 5 a second, 50 at once; a negative PerSecond
// answers always.
func NewRefusals(r Rate) *Refusals {
	setDefault(&r, Rate{5, 50})
	return &Refusals{newAddressLimiter("--refusals-per-second", r, maxAddresses)}
}

// deaf reports whether an address has had all its refusals. Where it has not been refused lately nothing is looked up for long.
func (f *Refusals) deaf(from netip.Addr, now time.Time) bool {
	if f == nil || f.rate.PerSecond < 0 {
		return false
	}
	f.mu.Lock()
	defer f.mu.Unlock()
	b := f.known(limitKey(from))
	return b != nil && b.TokensAt(now) < 1
}

// refused notes that an address has been refused something by a limit.
func (f *Refusals) refused(from netip.Addr, now time.Time) {
	if f != nil {
		f.take(from, now)
	}
}

// curt is all that somebody hears who does not listen.
func curt(w http.ResponseWriter, last bool) {
	h := w.Header()
	h.Set("Content-Type", "application/problem+json")
	h.Set("Retry-After", "1")
	if last {
		h.Set("Connection", "close")
	}
	w.WriteHeader(http.StatusTooManyRequests)
	_, _ = w.Write(curtProblem)
}

var curtProblem = []byte(`{"type":"` + problemType + `too-many","title":"Too Many Requests","status":429,"detail":"Too many requests from your address that were refused: pause, then retry."}` + "\n")
