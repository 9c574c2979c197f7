package survive_test

import (
	"fmt"
	"os"
	"path/filepath"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

// TestTortureCables cuts cables between nodes and to the store, makes one lossy, fills a disk and takes the processors away. It needs root.
func TestTortureCables(t *testing.T) {
	t.Parallel()
	plan := filepath.Join(t.TempDir(), "plan")
	if err := os.WriteFile(plan, []byte(`
at 1s    cut n1 n2 for 2s       # one cable of three
at 1s    fill n3 for 2s
at 4s    cut n3 for 3s          # longer than it takes to be noticed
at 8s    cut n2 > n3 for 2s
at 8s    cut n1 store for 2s
at 11s   lose all 10% for 1s
at 11s   starve for 1s
`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := torture(t, "--plan", plan, "--store", "postgres", "--namespaces", "--for", "13s", "--settle", "5s", "--rooms", fmt.Sprint(e2e.Sized(4, 6, 24)), "--seed", "1")
	if r.Counts.Faults != 7 || len(r.Skipped) > 0 {
		t.Errorf("not everything happened: %+v", r)
	}
	for _, f := range r.Faults {
		if f.Error != "" {
			t.Errorf("%s: %s", f.Line, f.Error)
		}
	}
}
