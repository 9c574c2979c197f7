package api

import (
	"cmp"
	"net/http"
	"net/netip"
	"time"

	"github.com/roomring/roomring/web/internal/rest"
	"github.com/roomring/roomring/web/limit"
	"github.com/roomring/roomring/web/trust"
)

// limits are what each address may ask for.
type limits struct {
	requests *limit.Addresses
	networks *limit.Addresses // all requests of an IPv6 /48
	creates  *limit.Addresses
	guests   *limit.Addresses
	codes    *limit.Addresses
	lists    *limit.Addresses
	replays  *limit.Addresses
	boards   *limit.Addresses
	refusals *limit.Refusals
	log      *limit.Log
	proxies  trust.Proxies
	now      func() time.Time
}

// networkRequests is how many times as many requests an IPv6 /48 may send as an address in it.
const networkRequests = 4

func newLimits(o Options) *limits {
	addresses := func(setting string, r limit.Rate) *limit.Addresses {
		return limit.NewAddresses(setting, r, limit.MaxKeys)
	}
	return &limits{
		requests: addresses("--requests-per-second", o.Requests),
		networks: addresses("--requests-per-second", o.Requests.Times(networkRequests)),
		creates:  addresses("--rooms-per-second", o.Creates),
		guests:   addresses("--guests-per-second", o.Guests),
		codes:    o.Codes,
		lists:    addresses("--lists-per-second", o.ListRate),
		replays:  addresses("--replays-per-second", o.ReplayRate),
		boards:   addresses("--leaderboards-per-second", o.BoardRate),
		refusals: o.Refusals, log: limit.NewLog(o.Log), proxies: o.TrustedProxies, now: o.Now,
	}
}

// admit reports whether a request is to be handled. It has answered those that are not, having read no more than their heads.
func (l *limits) admit(w http.ResponseWriter, r *http.Request) bool {
	from, now := l.proxies.Client(r), l.now()
	if l.proxies.Contains(from) {
		return true // a proxy of ours, which asks how this node is
	}
	if l.refusals.Ignores(from, now) {
		l.log.Refused(l.refusals.Setting, from, now)
		h := w.Header()
		h.Set("Content-Type", "application/problem+json")
		h.Set("Retry-After", "1")
		if !l.proxies.Contains(trust.Peer(r)) { // a proxy's connection is many people's
			h.Set("Connection", "close")
		}
		w.WriteHeader(http.StatusTooManyRequests)
		_, _ = w.Write(ignoredProblem)
		return false
	}
	err := l.spendAt(l.requests, from, now)
	if network := limit.Network(from); err == nil && network.IsValid() {
		err = l.spendAt(l.networks, network, now)
	}
	if err != nil {
		rest.ProblemOf(err).Write(w)
	}
	return err == nil
}

// ignoredProblem costs nothing to make.
var ignoredProblem = []byte(`{"type":"` + rest.ProblemType + `too-many","title":"Too Many Requests","status":429,"detail":"Too many requests from your address that were refused: pause, then retry."}` + "\n")

// spend takes one token of the request's address from a limit. The error is a problem that says when to retry.
func (l *limits) spend(of *limit.Addresses, r *http.Request) error {
	return l.spendAt(of, l.proxies.Client(r), l.now())
}

func (l *limits) spendAt(of *limit.Addresses, from netip.Addr, now time.Time) error {
	wait, ok := of.Allow(from, now)
	if ok {
		return nil
	}
	l.log.Refused(of.Setting, from, now)
	l.refusals.Spend(from, now)
	return rest.NewProblem(http.StatusTooManyRequests, "too-many", "Too many requests of this kind from your address: retry later.").After(cmp.Or(wait, time.Second))
}
