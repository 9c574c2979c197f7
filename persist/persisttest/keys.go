package persisttest

import (
	"sync"
	"testing"

	"github.com/roomring/roomring/persist"
)

// testSharedKey asks many times at once for a key that does not exist yet.
func testSharedKey(t *testing.T, s persist.Store) {
	keys := make([][32]byte, 20)
	var wg sync.WaitGroup
	for i := range keys {
		wg.Go(func() { keys[i] = get[[32]byte](t)(s.SharedKey(t.Context(), "test")) })
	}
	wg.Wait()
	for _, k := range keys {
		if k != keys[0] || k == [32]byte{} {
			t.Error("not everybody has the same key")
		}
	}
	if other := get[[32]byte](t)(s.SharedKey(t.Context(), "another")); other == keys[0] {
		t.Error("two purposes have one key")
	}
	if again := get[[32]byte](t)(s.SharedKey(t.Context(), "test")); again != keys[0] {
		t.Error("the key has changed")
	}
}
