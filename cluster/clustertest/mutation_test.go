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

// mutationSeeds is how many seeds are tried for each rule, and fewSeeds how many before the stories, which are quicker.
const (
	mutationSeeds = 20_000
	fewSeeds      = 2_000
)

// TestMutations takes out each rule. ROOMRING_RULE names one alone.
func TestMutations(t *testing.T) {
	none := func() { ownership.Without, replication.Without, Without = 0, 0, 0 }
	defer none()
	try := func(rule fmt.Stringer, without func()) {
		if one := os.Getenv("ROOMRING_RULE"); one != "" && one != rule.String() {
			return
		}
		for seed := uint64(1); seed <= mutationSeeds; seed++ {
			if seed == fewSeeds {
				if story := failingStory(t); story != "" {
					t.Logf("%-24s story %s", rule, story)
					return
				}
			}
			f := Run(seed, nil)
			if f == nil {
				continue
			}
			none()
			all := Run(seed, nil)
			if without(); all == nil { // otherwise the rule is not what fails
				why, _, _ := strings.Cut(f.Why, ";")
				t.Logf("%-24s seed %4d  %s: %s: %s", rule, seed, stamp(f.At), f.Room, why)
				return
			}
		}
		t.Errorf("%-24s is not caught", rule)
	}
	for _, rule := range ownership.Rules() {
		without := func() { ownership.Without = rule }
		without()
		try(rule, without)
		none()
	}
	for _, rule := range replication.Rules() {
		without := func() { replication.Without = rule }
		without()
		try(rule, without)
		none()
	}
	for rule := DoubtLasts; rule < lastRule; rule++ {
		without := func() { Without = rule }
		without()
		try(rule, without)
		none()
	}
}

// failingStory returns the name of a story that does not come to its end as it should, and why.
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
					why, _, _ := strings.Cut(err.Error(), ";")
					return fmt.Sprintf("%s  %s", strings.TrimSuffix(filepath.Base(file), ".txt"), why)
				}
			}
		}
	}
	return ""
}
