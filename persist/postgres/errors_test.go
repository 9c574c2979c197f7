package postgres

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"testing"

	"github.com/jackc/pgx/v5/pgconn"
)

func TestRetryable(t *testing.T) {
	for code, want := range map[string]bool{
		"40001": true, "40P01": true, "57P01": true, "57P02": true, "57P03": true, "53300": true, "08006": true,
		"22021": false, "23505": false, "28P01": false, "3D000": false, "42P01": false, "53100": false, "57014": false, "25006": false,
	} {
		if got := retryable(fmt.Errorf("writing: %w", &pgconn.PgError{Code: code})); got != want {
			t.Errorf("%s: %v", code, got)
		}
	}
	for err, want := range map[error]bool{
		io.EOF: true, io.ErrUnexpectedEOF: true, net.ErrClosed: true, &net.OpError{Op: "read", Err: errors.New("reset")}: true,
		context.Canceled: false, context.DeadlineExceeded: false, errors.New("a bug"): false,
	} {
		if got := retryable(err); got != want {
			t.Errorf("%v: %v", err, got)
		}
	}
}
