package limit_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/roomring/roomring/web/limit"
)

func TestLimiterForgetsTheOldest(t *testing.T) {
	take := limit.NewAddresses("", limit.Rate{PerSecond: 1, Burst: 1}, 8).Take
	now := time.Unix(1e9, 0)
	addr := func(i int) netip.Addr { return netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}) }
	spent := func(i int) bool { _, ok := take(addr(i), now); return !ok }
	spent(0)
	if !spent(0) {
		t.Error("a second request passed")
	}
	for i := range 5 {
		spent(1 + i) // fills one generation and begins the next
	}
	if !spent(0) {
		t.Error("forgotten while there was room")
	}
	for i := range 20 {
		spent(10 + i)
	}
	if spent(0) {
		t.Error("remembered beyond the bound")
	}
}
