package core

import (
	"encoding/binary"

	"github.com/roomring/roomring/room"
)

// Major types of CBOR (RFC 8949, section 3.1), in the top bits of a head.
const (
	cborUint   = 0 << 5
	cborNegInt = 1 << 5
	cborBytes  = 2 << 5
	cborText   = 3 << 5
	cborArray  = 4 << 5
	cborMap    = 5 << 5
)

// appendEntry encodes an entry to the same bytes as encMode. Every input is encoded twice, for its journal and for the replay.
// With reflection that would cost as much as a small game's rules.
func appendEntry(b []byte, e *Entry) ([]byte, error) {
	m := cborFields{b: append(b, 0), head: len(b)}
	m.uint(1, uint64(e.Kind), true)
	m.int(2, int64(e.At))
	m.text(3, string(e.Player))
	m.text(4, e.Name)
	m.text(5, string(e.Client))
	m.uint(6, e.Attempt, false)
	m.uint(7, uint64(e.CSeq), false)
	m.text(8, e.Reason)
	m.bytes(9, e.Data)
	m.uint(10, uint64(e.Input.Epoch), false)
	m.uint(11, uint64(e.Count), false)
	m.int(12, int64(e.Version))
	m.int(13, int64(e.Every))
	m.refusal(14, e.Fault)
	m.int(15, int64(e.Runtime))
	m.int(16, int64(e.For))
	m.uint(20, uint64(e.Index), true)
	m.uint(21, uint64(e.Epoch), true)
	m.uint(22, uint64(e.Result), false)
	m.refusal(23, e.Refused)
	m.checks(24, e.Checks)
	return m.finish()
}

// size estimates how many bytes an encoded entry takes. It rarely returns too few.
func (e *Entry) size() int {
	n := 48 + len(e.Player) + len(e.Name) + len(e.Client) + len(e.Reason) + len(e.Data) + 20*len(e.Checks)
	if e.Refused != nil {
		n += 16 + len(e.Refused.Code) + len(e.Refused.Reason)
	}
	return n
}

// cborFields writes a map whose keys are small numbers in order. It leaves out empty fields.
type cborFields struct {
	b    []byte
	head int // where the map begins in b
	n    int // number of fields so far
	err  error
}

func (m *cborFields) key(k byte) {
	m.b = appendHead(m.b, cborUint, uint64(k))
	m.n++
}

func (m *cborFields) uint(k byte, v uint64, always bool) {
	if v != 0 || always {
		m.key(k)
		m.b = appendHead(m.b, cborUint, v)
	}
}

func (m *cborFields) int(k byte, v int64) {
	switch {
	case v > 0:
		m.uint(k, uint64(v), false)
	case v < 0:
		m.key(k)
		m.b = appendHead(m.b, cborNegInt, uint64(^v))
	}
}

func (m *cborFields) text(k byte, s string) {
	if s != "" {
		m.key(k)
		m.b = append(appendHead(m.b, cborText, uint64(len(s))), s...)
	}
}

func (m *cborFields) bytes(k byte, p []byte) {
	if len(p) > 0 {
		m.key(k)
		m.b = append(appendHead(m.b, cborBytes, uint64(len(p))), p...)
	}
}

func (m *cborFields) refusal(k byte, r *room.Refusal) {
	if r == nil {
		return
	}
	item, err := encMode.Marshal(r)
	if err != nil {
		m.err = err
	}
	m.key(k)
	m.b = append(m.b, item...)
}

func (m *cborFields) checks(k byte, all []ViewCheck) {
	if len(all) == 0 {
		return
	}
	m.key(k)
	m.b = appendHead(m.b, cborArray, uint64(len(all)))
	for _, c := range all {
		m.b = appendHead(m.b, cborArray, 3)
		m.b = appendHead(m.b, cborUint, uint64(c.After))
		m.b = appendHead(m.b, cborUint, uint64(c.Class))
		m.b = appendHead(m.b, cborUint, uint64(c.Sum))
	}
}

// finish writes the number of fields into the head. The number is below 24, so the head is one byte.
func (m *cborFields) finish() ([]byte, error) {
	m.b[m.head] = cborMap | byte(m.n)
	return m.b, m.err
}

// appendHead writes a head in its shortest form.
func appendHead(b []byte, major byte, v uint64) []byte {
	switch {
	case v < 24:
		return append(b, major|byte(v))
	case v < 1<<8:
		return append(b, major|24, byte(v))
	case v < 1<<16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(v))
	case v < 1<<32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(v))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), v)
}
