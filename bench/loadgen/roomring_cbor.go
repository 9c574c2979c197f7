package main

import (
	"bytes"
	"encoding/binary"
	"fmt"
)

// ---- Roomring in CBOR: the subprotocol roomring.v1.cbor. A WebSocket message is a CBOR sequence (RFC 8742).

type ringCBOR struct{ ringDoor }

func (a *ringCBOR) Connect(room, player int) (*hs, any, error) {
	h, err := a.dial(room, player, "roomring.v1.cbor")
	if err != nil {
		return nil, nil, err
	}
	hello := append([]byte{0xa4}, "\x61t\x65hello\x66client"...)
	hello = cborText(hello, fmt.Sprintf("%s-%d-%d", a.nonce, room, player))
	hello = append(hello, "\x67attempt\x01\x64name"...)
	hello = cborText(hello, fmt.Sprintf("p%d", player))
	return greet(h, opBin, hello, []byte("\x67welcome"))
}

// act begins an act message; its data must follow.
func (a *ringCBOR) act(c *Conn, dst []byte) []byte {
	n := c.st.(*ringConn)
	n.cseq++
	dst = append(dst, "\xa3\x61t\x63act\x64cseq"...)
	dst = cborHead(dst, 0, n.cseq)
	return append(dst, "\x64data"...)
}

func (a *ringCBOR) AppendAction(c *Conn, dst, p []byte) []byte {
	var b [128]byte
	m := cborHead(a.act(c, b[:0]), 3, uint64(len(p)))
	return appendFrame(dst, opBin, append(m, p...))
}

func (a *ringCBOR) AppendMove(c *Conn, dst, mv []byte) []byte {
	var b [128]byte
	m := append(a.act(c, b[:0]), "\xa3\x62vx\xfa"...)
	m = binary.BigEndian.AppendUint32(m, binary.LittleEndian.Uint32(mv[0:]))
	m = append(m, "\x62vy\xfa"...)
	m = binary.BigEndian.AppendUint32(m, binary.LittleEndian.Uint32(mv[4:]))
	m = append(m, "\x63seq"...)
	return appendFrame(dst, opBin, cborHead(m, 0, uint64(binary.LittleEndian.Uint32(mv[8:]))))
}

var (
	cborPatch = []byte("\x65patch")
	cborEvent = []byte("\x64name\x63act\x64data\x78\x40") // and the 64 bytes of an action
)

func (a *ringCBOR) OnFrame(e *Engine, c *Conn, op byte, p []byte) {
	for len(p) > 0 {
		n := cborItem(p)
		if n == 0 {
			e.bad++
			return
		}
		switch m := p[:n]; cborType(m) {
		case "turn":
			a.turn(e, c, m)
		case "ack", "state", "pong":
		default:
			e.bad++
		}
		p = p[n:]
	}
}

func (a *ringCBOR) turn(e *Engine, c *Conn, m []byte) {
	if a.kind == "arena" {
		if bytes.Contains(m, cborPatch) {
			e.Tick(c)
		}
		return
	}
	for {
		_, rest, found := bytes.Cut(m, cborEvent)
		if !found || len(rest) < payloadLen {
			return
		}
		e.Action(c, rest[:payloadLen])
		m = rest[payloadLen:]
	}
}

// cborType is a message's "t", which the server writes first.
func cborType(m []byte) string {
	if len(m) < 4 || m[1] != 0x61 || m[2] != 't' || m[3]>>5 != 3 {
		return ""
	}
	return string(m[4:min(len(m), 4+int(m[3]&31))])
}

func cborText(dst []byte, s string) []byte {
	return append(cborHead(dst, 3, uint64(len(s))), s...)
}

// cborHead appends an item's head: major type and argument in its shortest form.
func cborHead(dst []byte, major byte, n uint64) []byte {
	switch major <<= 5; {
	case n < 24:
		return append(dst, major|byte(n))
	case n < 1<<8:
		return append(dst, major|24, byte(n))
	case n < 1<<16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n < 1<<32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

// cborItem is the length of the first item, or 0 if the item is not whole. The server only sends definite lengths.
func cborItem(b []byte) int {
	at, items := 0, uint64(1)
	for ; items > 0; items-- {
		major, n, size := cborArg(b[at:])
		if size == 0 {
			return 0
		}
		at += size
		switch major {
		case 2, 3:
			if n > uint64(len(b)-at) {
				return 0
			}
			at += int(n)
		case 4:
			items += n
		case 5:
			items += 2 * n
		}
	}
	return at
}

// cborArg reads an item's head and returns its size, or 0 if the head is not whole.
func cborArg(b []byte) (major byte, n uint64, size int) {
	if len(b) == 0 {
		return 0, 0, 0
	}
	major, n = b[0]>>5, uint64(b[0]&31)
	if n < 24 {
		return major, n, 1
	}
	more := 1 << (n - 24)
	if n > 27 || len(b) < 1+more {
		return 0, 0, 0
	}
	n = 0
	for _, x := range b[1 : 1+more] {
		n = n<<8 | uint64(x)
	}
	return major, n, 1 + more
}
