package postgres

import (
	"context"
	"embed"

	"github.com/jackc/pgx/v5/pgxpool"
	"github.com/jackc/pgx/v5/stdlib"
	"github.com/pressly/goose/v3"
	"github.com/pressly/goose/v3/lock"

	"github.com/roomring/roomring/persist/internal/ledger"
)

//go:embed migrations
var migrations embed.FS

// migrate brings the schema up to date under goose's advisory lock, so that several nodes may start at once.
func (s *Store) migrate(ctx context.Context, config *pgxpool.Config) error {
	if s.pooled {
		return s.whileLocked(ctx, config.ConnConfig, func() error { return s.migrateUnder(ctx) })
	}
	locker, err := lock.NewPostgresSessionLocker(lock.WithLockTimeout(1, 60), lock.WithUnlockTimeout(1, 10))
	if err != nil {
		return err
	}
	return s.migrateUnder(ctx, goose.WithSessionLocker(locker))
}

func (s *Store) migrateUnder(ctx context.Context, options ...goose.ProviderOption) error {
	db := stdlib.OpenDBFromPool(s.pool)
	defer db.Close()
	return ledger.Migrate(ctx, goose.DialectPostgres, db, migrations, options...)
}
