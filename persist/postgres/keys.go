package postgres

import (
	"context"
	"crypto/rand"

	"github.com/jackc/pgx/v5"
)

// SharedKey implements persist.Keys. If two processes make a key at once, the key of the first to commit stays.
func (s *Store) SharedKey(ctx context.Context, purpose string) (key [32]byte, err error) {
	err = s.inTx(ctx, func(tx pgx.Tx) error {
		rand.Read(key[:])
		_, err := tx.Exec(ctx, `
			INSERT INTO keys (purpose, key, made) VALUES ($1, $2, clock_timestamp()) ON CONFLICT (purpose) DO NOTHING`,
			purpose, key[:])
		if err != nil {
			return err
		}
		var kept []byte
		if err := tx.QueryRow(ctx, `SELECT key FROM keys WHERE purpose = $1`, purpose).Scan(&kept); err != nil {
			return err
		}
		key = [32]byte(kept) // its length is a constraint of the table
		_, err = tx.Exec(ctx, settle)
		return err
	})
	return key, err
}
