package web

import (
	"net/netip"
	"strings"
	"time"
)

// Routes are the method and path of all that is served, as docs/openapi.yaml writes them.
func Routes() []string {
	public, operator := &Server{}, &admin{opts: AdminOptions{Metrics: NewMetrics()}}
	var out []string
	for _, rt := range append(public.routes(), operator.routes()...) {
		out = append(out, rt.method+" "+strings.ReplaceAll(rt.path, "{$}", ""))
	}
	return out
}

// Limiter makes an address limiter that knows at most so many addresses.
func Limiter(r Rate, most int) func(from netip.Addr, now time.Time) (time.Duration, bool) {
	return newAddressLimiter("", r, most).take
}
