package open_test

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/persist/open"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
)

func TestStore(t *testing.T) {
	for _, url := range []string{"sqlite:" + filepath.Join(t.TempDir(), "store.db"), pgtest.URL(t)} {
		s, err := open.Store(t.Context(), url, postgres.Options{})
		if err != nil {
			t.Fatal(err)
		}
		if err := s.Ping(t.Context()); err != nil {
			t.Error(err)
		}
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	}
}

func TestUnknownStore(t *testing.T) {
	for _, url := range []string{"", "sqlite:", "mysql://me:hush@there/games", "store.db"} {
		s, err := open.Store(t.Context(), url, postgres.Options{})
		if s != nil || err == nil || strings.Contains(err.Error(), "hush") || !strings.Contains(err.Error(), "sqlite:PATH") {
			t.Errorf("%q: %v, %v", url, s, err)
		}
	}
}
