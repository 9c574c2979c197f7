package main

// Minimal RFC 6455 client side: blocking handshake on a net.Conn, then the raw
// descriptor is handed to the epoll loop. No extensions are offered.

import (
	"bufio"
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"net/http"
	"time"
)

const (
	opText  = 1
	opBin   = 2
	opClose = 8
	opPing  = 9
	opPong  = 10
)

// A constant non-zero mask: valid on the wire, and not the all-zero mask that some
// servers (node "ws") special-case.
var maskKey = [4]byte{0x5a, 0xc3, 0x17, 0x9e}

func appendFrame(dst []byte, op byte, p []byte) []byte {
	dst = append(dst, 0x80|op)
	switch n := len(p); {
	case n < 126:
		dst = append(dst, 0x80|byte(n))
	case n < 65536:
		dst = append(dst, 0x80|126, byte(n>>8), byte(n))
	default:
		dst = append(dst, 0x80|127)
		dst = binary.BigEndian.AppendUint64(dst, uint64(n))
	}
	dst = append(dst, maskKey[:]...)
	for i, b := range p {
		dst = append(dst, b^maskKey[i&3])
	}
	return dst
}

// parseFrame returns op, payload and total length; total 0 means more bytes are needed.
func parseFrame(b []byte) (op byte, payload []byte, total int) {
	if len(b) < 2 {
		return
	}
	n, h := int(b[1]&127), 2
	switch n {
	case 126:
		if len(b) < 4 {
			return
		}
		n, h = int(binary.BigEndian.Uint16(b[2:])), 4
	case 127:
		if len(b) < 10 {
			return
		}
		n, h = int(binary.BigEndian.Uint64(b[2:])), 10
	}
	if len(b) < h+n {
		return
	}
	if b[0]&0x80 == 0 {
		panic("fragmented server frame: not supported by this generator")
	}
	return b[0] & 15, b[h : h+n], h + n
}

// hs is a connection still in its blocking handshake phase.
type hs struct {
	nc net.Conn
	br *bufio.Reader
}

// wsDial upgrades; headers are whole lines without their ends.
func wsDial(addr, path string, headers ...string) (*hs, error) {
	nc, err := net.DialTimeout("tcp", addr, 20*time.Second)
	if err != nil {
		return nil, err
	}
	nc.SetDeadline(time.Now().Add(60 * time.Second))
	h := &hs{nc, bufio.NewReaderSize(nc, 4096)}
	fmt.Fprintf(nc, "GET %s HTTP/1.1\r\nHost: %s\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\nSec-WebSocket-Version: 13\r\n", path, addr)
	for _, line := range headers {
		fmt.Fprintf(nc, "%s\r\n", line)
	}
	io.WriteString(nc, "\r\n")
	resp, err := http.ReadResponse(h.br, nil)
	if err != nil {
		nc.Close()
		return nil, err
	}
	if resp.StatusCode != 101 {
		b, _ := io.ReadAll(io.LimitReader(resp.Body, 300))
		nc.Close()
		return nil, fmt.Errorf("upgrade: %s %s", resp.Status, b)
	}
	return h, nil
}

func (h *hs) read() (op byte, p []byte, err error) {
	for {
		var hd [2]byte
		if _, err = io.ReadFull(h.br, hd[:]); err != nil {
			return
		}
		n := int(hd[1] & 127)
		if n == 126 {
			var e [2]byte
			if _, err = io.ReadFull(h.br, e[:]); err != nil {
				return
			}
			n = int(binary.BigEndian.Uint16(e[:]))
		} else if n == 127 {
			return 0, nil, fmt.Errorf("huge handshake frame")
		}
		p = make([]byte, n)
		if _, err = io.ReadFull(h.br, p); err != nil {
			return
		}
		op = hd[0] & 15
		if op == opPing {
			h.write(opPong, p)
			continue
		}
		if op == opClose {
			return op, p, fmt.Errorf("closed in handshake: %q", p)
		}
		return
	}
}

func (h *hs) write(op byte, p []byte) error {
	_, err := h.nc.Write(appendFrame(nil, op, p))
	return err
}
