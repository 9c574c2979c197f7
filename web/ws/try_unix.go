//go:build unix

package ws

import (
	"syscall"
)

// tryWriter writes to a socket without blocking. It is for one goroutine, and allocates nothing.
type tryWriter struct {
	f   func(fd uintptr) bool
	buf []byte
	n   int
	err error
}

func (a *tryWriter) init() { a.f = a.once }

// write returns how much the kernel took: perhaps nothing, and always nothing without a raw connection.
func (a *tryWriter) write(raw syscall.RawConn, buf []byte) (int, error) {
	if raw == nil {
		return 0, nil
	}
	a.buf, a.n, a.err = buf, 0, nil
	err := raw.Write(a.f)
	a.buf = nil
	if err != nil {
		return 0, err
	}
	return a.n, a.err
}

func (a *tryWriter) once(fd uintptr) bool {
	for {
		n, err := syscall.Write(int(fd), a.buf)
		switch err {
		case nil:
			a.n = n
		case syscall.EINTR:
			continue
		case syscall.EAGAIN:
		default:
			a.err = err
		}
		return true // whether the socket is ready or not
	}
}
