//go:build !race

package clustertest

import (
	"os"
	"strconv"
	"strings"
	"testing"
)

// TestSeeds runs seeds one after another. ROOMRING_SEED runs one seed alone.
func TestSeeds(t *testing.T) {
	first, last := uint64(1), uint64(2000)
	switch one, err := strconv.ParseUint(os.Getenv("ROOMRING_SEED"), 10, 64); {
	case err == nil:
		first, last = one, one
	case os.Getenv("ROOMRING_LONG") != "":
		last = 200_000
	case testing.Short():
		last = 200
	}
	for seed := first; seed <= last; seed++ {
		if f := Run(seed, nil); f != nil {
			t.Fatalf("%v\n%s\nROOMRING_SEED=%d runs it again", f, storyOf(seed, f), seed)
		}
	}
}

// storyOf returns a seed's story without the lines about other rooms.
func storyOf(seed uint64, f *Failure) string {
	var b strings.Builder
	Run(seed, func(l Line) {
		if l.Room == "" || l.Room == f.Room {
			b.WriteString(l.String() + "\n")
		}
	})
	return b.String()
}
