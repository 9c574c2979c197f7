package node

import (
	"context"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/open"
	"github.com/roomring/roomring/persist/postgres"
)

// OpenStore opens the store that --store names, or the default, and brings its schema up to date. If ratings is nil, the
// store must only be read. Told are the subscribers of events.
func OpenStore(ctx context.Context, cfg *Config, ratings *persist.Ratings, told []persist.Subscriber) (persist.Store, error) {
	driver, target, err := cfg.StoreTarget()
	if err != nil {
		return nil, err
	}
	if driver == "sqlite" {
		target = "sqlite:" + target
	}
	return open.Store(ctx, target, postgres.Options{Conns: int32(cfg.StoreConns), Readers: int32(cfg.StoreReaders), Ratings: ratings, Subscribers: told})
}
