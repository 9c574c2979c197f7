package limit_test

import (
	"net/netip"
	"testing"
	"time"

	"github.com/roomring/roomring/web/limit"
)

func TestTheAddressUnusedTheLongestIsForgotten(t *testing.T) {
	limit := limit.NewAddresses("", limit.Rate{PerSecond: 1, Burst: 1}, 8)
	now := time.Unix(1e9, 0)
	refused := func(i int) bool {
		_, ok := limit.Allow(netip.AddrFrom4([4]byte{10, 0, 0, byte(i)}), now)
		return !ok
	}
	refused(0)
	if !refused(0) {
		t.Error("a second request passed")
	}
	for i := range 5 {
		refused(1 + i)
	}
	if !refused(0) {
		t.Error("forgotten while there was room")
	}
	for i := range 20 {
		refused(10 + i)
	}
	if refused(0) {
		t.Error("remembered beyond the bound")
	}
}
