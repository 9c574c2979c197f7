package sqlite_test

import (
	"path/filepath"
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/sqlite"
)

func open(t *testing.T, path string) *sqlite.Store {
	t.Helper()
	s, err := sqlite.Open(t.Context(), path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func TestConformance(t *testing.T) {
	persisttest.Run(t, func(t *testing.T) persist.Store { return open(t, filepath.Join(t.TempDir(), "store.db")) })
}
