package node

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`\broomring_[a-z_]+\b`)

// TestAlarmsHaveMetrics checks that a node in a cluster has every metric that docs/OPERATIONS.md names.
func TestAlarmsHaveMetrics(t *testing.T) {
	page, err := os.ReadFile(filepath.Join("..", "..", "docs", "OPERATIONS.md"))
	if err != nil {
		t.Fatal(err)
	}
	made := map[string]bool{"roomring_node": true} // the cookie
	for _, m := range described() {
		made[m.Name] = true
	}
	names := metricName.FindAllString(string(page), -1)
	if len(names) < 10 {
		t.Fatalf("the page speaks of %d metrics", len(names))
	}
	for _, name := range names {
		if !made[strings.TrimSuffix(name, "_bucket")] {
			t.Errorf("there is no metric %s", name)
		}
	}
}
