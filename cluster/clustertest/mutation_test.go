//go:build mutation

package clustertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
)

// mutationSeeds is how many seeds are tried for each rule. A missing rule shows well before the last.
const mutationSeeds = 10_000

// TestMutations takes out each rule. ROOMRING_RULE names one alone.
func TestMutations(t *testing.T) {
	none := func() { ownership.Without, replication.Without, Without = 0, 0, 0 }
	defer none()
	try := func(rule fmt.Stringer) {
		if one := os.Getenv("ROOMRING_RULE"); one != "" && one != rule.String() {
			return
		}
		for seed := uint64(1); seed <= mutationSeeds; seed++ {
			if f := Run(seed, nil); f != nil {
				why, _, _ := strings.Cut(f.Why, ";")
				t.Logf("%-24s seed %4d  %s: %s: %s", rule, seed, stamp(f.At), f.Room, why)
				return
			}
		}
		if story := failingStory(t); story != "" {
			t.Logf("%-24s story %s", rule, story)
			return
		}
		t.Errorf("%-24s is not caught", rule)
	}
	for _, rule := range ownership.Rules() {
		none()
		ownership.Without = rule
		try(rule)
	}
	for _, rule := range replication.Rules() {
		none()
		replication.Without = rule
		try(rule)
	}
	for rule := DoubtLasts; rule < lastRule; rule++ {
		none()
		Without = rule
		try(rule)
	}
}

// failingStory returns the name of a story that does not come to its end as it should.
func failingStory(t *testing.T) string {
	files, err := filepath.Glob("testdata/*.txt")
	if err != nil {
		t.Fatal(err)
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		story := NewStory()
		for block := range strings.SplitSeq(strings.TrimSpace(string(text)), "\n\n") {
			commands, _, _ := strings.Cut(block, "\n----")
			for command := range strings.SplitSeq(commands, "\n") {
				if strings.HasPrefix(command, "#") {
					continue
				}
				if _, err := story.Do(command); err != nil {
					return strings.TrimSuffix(filepath.Base(file), ".txt")
				}
			}
		}
	}
	return ""
}
