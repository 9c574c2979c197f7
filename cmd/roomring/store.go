package main

import (
	"context"
	"fmt"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/postgres"
	"github.com/roomring/roomring/persist/sqlite"
)

// openStore opens what --store names and brings its schema up to date. The error tells a store that does
// not answer from one that a newer binary has written to.
func openStore(ctx context.Context, cfg *Config) (persist.Store, error) {
	driver, target, err := cfg.StoreTarget()
	if err != nil {
		return nil, err
	}
	if driver == "postgres" {
		store, err := postgres.Open(ctx, target, postgres.Options{})
		if err != nil {
			return nil, fmt.Errorf("--store: %w", err)
		}
		return store, nil
	}
	store, err := sqlite.Open(ctx, target)
	if err != nil {
		return nil, fmt.Errorf("store %s: %w", target, err)
	}
	return store, nil
}
