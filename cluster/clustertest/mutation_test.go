//go:build mutation

package clustertest

import (
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/roomring/roomring/cluster/ownership"
	"github.com/roomring/roomring/cluster/replication"
)

// mutationSeeds is how many seeds are tried for a rule of which the page has none that shows it, and fewSeeds how many before the stories,
// which are quicker.
const (
	mutationSeeds = 20_000
	fewSeeds      = 2_000
)

// page has a table of the rules, with a seed for each. A rule without one is shown by a story.
const page = "../../docs/decisions/020-ownership.md"

// TestMutations takes out each rule, and holds the page to what shows that. ROOMRING_RULE names one rule alone.
func TestMutations(t *testing.T) {
	seeds := seedsOfPage(t)
	none := func() { ownership.Without, replication.Without, Without = 0, 0, 0 }
	defer none()
	try := func(rule fmt.Stringer, without func()) {
		if one := os.Getenv("ROOMRING_RULE"); one != "" && one != rule.String() {
			return
		}
		// shows reports whether the run of a seed holds with the rule and not without it.
		shows := func(seed uint64) bool {
			f := Run(seed, nil)
			if f == nil {
				return false
			}
			none()
			all := Run(seed, nil)
			without()
			if all != nil {
				return false
			}
			why, _, _ := strings.Cut(f.Why, ";")
			t.Logf("%-24s seed %4d  %s: %s: %s", rule, seed, stamp(f.At), f.Room, why)
			return true
		}
		seed, named := seeds[rule.String()]
		switch {
		case !named:
			t.Errorf("%s does not name the rule %q", page, rule)
		case seed > 0 && shows(seed):
			return
		case seed == 0:
			if story := failingStory(t); story != "" {
				t.Logf("%-24s story %s", rule, story)
				return
			}
		}
		for seed := uint64(1); seed <= mutationSeeds; seed++ {
			if seed == fewSeeds {
				if story := failingStory(t); story != "" {
					t.Errorf("%-24s is shown by the story %s, and not as %s says", rule, story, page)
					return
				}
			}
			if shows(seed) {
				t.Errorf("%-24s is shown by seed %d, and not as %s says", rule, seed, page)
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

// seedsOfPage reads the page's table: the seed of each rule, and 0 for one that a story shows.
func seedsOfPage(t *testing.T) map[string]uint64 {
	text, err := os.ReadFile(page)
	if err != nil {
		t.Fatal(err)
	}
	seeds := map[string]uint64{}
	for line := range strings.SplitSeq(string(text), "\n") {
		cells := strings.Split(line, "|")
		if len(cells) != 6 {
			continue
		}
		seed, err := strconv.ParseUint(strings.TrimSpace(cells[3]), 10, 64)
		if err == nil || strings.Contains(cells[4], "the story of") {
			seeds[strings.TrimSpace(cells[1])] = seed
		}
	}
	return seeds
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
