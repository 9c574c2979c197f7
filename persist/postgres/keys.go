package postgres

import (
	"context"
	"crypto/rand"

	"github.com/jackc/pgx/v5"

	"github.com/roomring/roomring/persist/internal/ledger"
)

// SharedKey implements persist.Keys. If two processes make a key at once, the key of the first to commit stays.
func (s *Store) SharedKey(ctx context.Context, purpose string) (key [32]byte, err error) {
	rand.Read(key[:])
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		_, err := tx.Exec(ctx, `
			INSERT INTO keys (purpose, key, made) VALUES ($1, $2, clock_timestamp()) ON CONFLICT (purpose) DO NOTHING`,
			purpose, key[:])
		return err
	})
	if err != nil {
		return key, err
	}
	kept, err := queryOne(ctx, s, ledger.Scan[[]byte], `SELECT key FROM keys WHERE purpose = $1`, purpose)
	if err != nil {
		return key, err
	}
	return [32]byte(kept), nil // its length is a constraint of the table
}
