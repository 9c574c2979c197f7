//go:build mutation

package clustertest

import (
	"testing"

	"github.com/roomring/roomring/cluster/ownership"
)

// mutationSeeds is how many seeds are tried for each rule. A missing rule shows well before the last.
const mutationSeeds = 10_000

func TestMutations(t *testing.T) {
	defer func() { ownership.Without = 0 }()
	for _, rule := range ownership.Rules() {
		ownership.Without = rule
		caught := false
		for seed := uint64(1); seed <= mutationSeeds && !caught; seed++ {
			if f := Run(seed, nil); f != nil {
				t.Logf("%-24s seed %4d  %s", rule, seed, f)
				caught = true
			}
		}
		if !caught {
			t.Errorf("%-24s is not caught", rule)
		}
	}
}
