//go:build unix

package ws

import (
	"syscall"
)

// attempt writes to a socket without waiting. It is used by one goroutine, and allocates nothing.
type attempt struct {
	f   func(fd uintptr) bool
	buf []byte
	n   int
	err error
}

func (a *attempt) init() { a.f = a.once }

// write returns how much the kernel took, which may be nothing. Without a raw connection it never takes any.
func (a *attempt) write(raw syscall.RawConn, buf []byte) (int, error) {
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

func (a *attempt) once(fd uintptr) bool {
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
		return true // never wait for the socket to become ready
	}
}
