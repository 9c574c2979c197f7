package postgres_test

import (
	"testing"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/pgtest"
	"github.com/roomring/roomring/persist/postgres"
)

func open(t *testing.T, url string) *postgres.Store {
	t.Helper()
	s, err := postgres.Open(t.Context(), url, postgres.Options{})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { s.Close() })
	return s
}

func TestConformance(t *testing.T) {
	persisttest.Run(t, func(t *testing.T) persist.Store { return open(t, pgtest.URL(t)) })
}
