//go:build !unix

package ws

import "syscall"

// tryWriter writes nothing, so that a goroutine of the socket's own does: this system has no write that does not block.
type tryWriter struct{}

func (*tryWriter) init() {}

func (*tryWriter) write(syscall.RawConn, []byte) (int, error) { return 0, nil }
