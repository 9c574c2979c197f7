package ledger

import (
	"context"
	"database/sql"
	"io/fs"
	"log/slog"

	"github.com/pressly/goose/v3"

	"github.com/roomring/roomring/persist"
)

// Migrate brings a database's schema up to date with the migrations in a folder "migrations". The error is a *persist.NewerSchemaError
// if a newer binary did so before.
func Migrate(ctx context.Context, dialect goose.Dialect, db *sql.DB, migrations fs.FS, options ...goose.ProviderOption) error {
	dir, err := fs.Sub(migrations, "migrations")
	if err != nil {
		return err
	}
	provider, err := goose.NewProvider(dialect, db, dir, append(options, goose.WithSlog(slog.New(slog.DiscardHandler)))...)
	if err != nil {
		return err
	}
	stored, known, err := provider.GetVersions(ctx)
	switch {
	case err != nil:
		return err
	case stored > known:
		return &persist.NewerSchemaError{Store: stored, Binary: known}
	case stored == known:
		return nil
	}
	_, err = provider.Up(ctx)
	return err
}
