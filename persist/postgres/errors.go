package postgres

import (
	"context"
	"errors"
	"io"
	"net"
	"strings"

	"github.com/jackc/pgx/v5/pgconn"
)

// retryable reports whether another try may cure an error: the server rolled the transaction back in favour of
// another, it stops, starts or is full, or the connection broke. Nothing else is ever tried again.
// Codes: https://www.postgresql.org/docs/current/errcodes-appendix.html
func retryable(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) {
		return dialTimedOut(err)
	}
	if errors.Is(err, errUnreplicated) {
		return true
	}
	if e, ok := errors.AsType[*pgconn.PgError](err); ok {
		return retryableCode(e.Code)
	}
	if _, ok := errors.AsType[*pgconn.ConnectError](err); ok {
		return true
	}
	if _, ok := errors.AsType[net.Error](err); ok {
		return true
	}
	return pgconn.SafeToRetry(err) || errors.Is(err, io.EOF) || errors.Is(err, io.ErrUnexpectedEOF) ||
		errors.Is(err, net.ErrClosed) || strings.Contains(err.Error(), "conn closed")
}

func retryableCode(code string) bool {
	switch code {
	case "25P03", // idle_in_transaction_session_timeout: this process was frozen
		"40001", // serialization_failure
		"40P01", // deadlock_detected
		"57P01", // admin_shutdown
		"57P02", // crash_shutdown
		"57P03", // cannot_connect_now
		"53300": // too_many_connections
		return true
	}
	return strings.HasPrefix(code, "08") // connection_exception
}

// dialTimedOut reports whether an error is the connect timeout of one try, and not the end of the caller's context.
func dialTimedOut(err error) bool {
	_, connecting := errors.AsType[*pgconn.ConnectError](err)
	return connecting && !errors.Is(err, context.Canceled)
}

// poisoned reports whether an error is the fault of the data that was written, and not of the store.
func poisoned(err error) bool {
	e, ok := errors.AsType[*pgconn.PgError](err)
	if !ok {
		return false
	}
	switch e.Code[:2] {
	case "22", // data_exception
		"23", // integrity_constraint_violation
		"54": // program_limit_exceeded, such as a value too long for an index
		return true
	}
	return e.Code == "P0001" // raise_exception, by an operator's own trigger
}
