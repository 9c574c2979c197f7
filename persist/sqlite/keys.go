package sqlite

import (
	"context"
	"crypto/rand"
)

// SharedKey implements persist.Keys.
func (s *Store) SharedKey(ctx context.Context, purpose string) (key [32]byte, err error) {
	rand.Read(key[:])
	_, err = s.write.ExecContext(ctx, `INSERT INTO keys (purpose, key, made) VALUES (?, ?, ?) ON CONFLICT (purpose) DO NOTHING`,
		purpose, key[:], now())
	if err != nil {
		return key, err
	}
	var kept []byte
	if err := s.write.QueryRowContext(ctx, `SELECT key FROM keys WHERE purpose = ?`, purpose).Scan(&kept); err != nil {
		return key, err
	}
	return [32]byte(kept), nil // its length is a constraint of the table
}
