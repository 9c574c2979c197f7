package wire

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// fields holds the members of one object, still encoded. Members are looked up by name. Unknown ones are ignored, so a
// later version of the protocol may add some.
type fields struct {
	e Encoding
	n int
	f [MaxFields]field
}

type field struct {
	key, raw []byte
}

// read reads the object that begins at b[i] and returns where it ends.
func (f *fields) read(e Encoding, b []byte, i int) (int, error) {
	f.e, f.n = e, 0
	if e == CBOR {
		if i < len(b) && b[i]>>5 != cborMap {
			return i, malformed("a message must be a map")
		}
		return cborPairs(b, i, f.add)
	}
	if i < len(b) && b[i] != '{' {
		return i, jsonError(i, "a message must be an object")
	}
	if i >= len(b) {
		return i, jsonError(i, "a message should stand here")
	}
	return jsonObject(b, i, func(key, raw []byte) error { return f.add(jsonText(key), raw) })
}

func (f *fields) add(key, raw []byte) error {
	for i := range f.n {
		if string(f.f[i].key) == string(key) {
			return badField(quotedStart(key), "stands twice")
		}
	}
	if f.n == MaxFields {
		return malformed("more than %d fields", MaxFields)
	}
	f.f[f.n] = field{key, raw}
	f.n++
	return nil
}

// get returns the encoded value of a field, or nil if it is absent.
func (f *fields) get(name string) []byte {
	for i := range f.n {
		if string(f.f[i].key) == name {
			return f.f[i].raw
		}
	}
	return nil
}

// The readers below return the zero value for an absent field. For a field of the wrong type they return an error that
// names it.

func (f *fields) text(name string, most int) (string, error) {
	raw := f.get(name)
	if raw == nil {
		return "", nil
	}
	text, ok := f.textOf(raw)
	switch {
	case !ok:
		return "", badField(name, "must be a string")
	case len(text) > most:
		return "", badField(name, "is longer than "+strconv.Itoa(most)+" bytes")
	case slices.ContainsFunc(text, func(c byte) bool { return c < 0x20 || c == 0x7f }):
		return "", badField(name, "holds a control character")
	}
	return string(text), nil
}

func (f *fields) textOf(raw []byte) ([]byte, bool) {
	if f.e == CBOR {
		major, _, n, next, _ := cborHead(raw, 0)
		if major != cborText {
			return nil, false
		}
		text, _, err := cborString(raw, 0, next, n)
		return text, err == nil
	}
	if raw[0] != '"' || !jsonUnicode(raw) {
		return nil, false
	}
	return jsonText(raw), true
}

// uint accepts whole numbers in any form: 4, 4.0 and 40e-1, in CBOR also floats. A number written as a float may be at
// most 2⁵³-1, because a larger float stands for several integers.
func (f *fields) uint(name string) (uint64, error) {
	raw := f.get(name)
	if raw == nil {
		return 0, nil
	}
	n, ok := f.uintOf(raw)
	if !ok {
		return 0, badField(name, "must be a whole number from 0")
	}
	return n, nil
}

func (f *fields) uintOf(raw []byte) (uint64, bool) {
	if f.e == JSON {
		var buf [maxWholeText]byte
		if whole, ok := appendWhole(buf[:0], raw); ok {
			raw = whole
		}
		n, err := strconv.ParseUint(string(raw), 10, 64)
		return n, err == nil
	}
	major, info, arg, _, _ := cborHead(raw, 0)
	if major == cborOther && raw[0] >= cborFloat16 && raw[0] <= cborFloat64 {
		v := cborFloat(info, arg)
		return uint64(v), v >= 0 && v <= maxWhole && v == math.Trunc(v)
	}
	return arg, major == cborUint
}

func (f *fields) int(name string) (int64, error) {
	raw := f.get(name)
	if raw == nil {
		return 0, nil
	}
	text := []byte(raw)
	if f.e == CBOR {
		text, _ = AppendJSONFromCBOR(nil, raw)
	}
	if whole, ok := appendWhole(nil, text); ok {
		text = whole
	}
	n, err := strconv.ParseInt(string(text), 10, 64)
	if err != nil {
		return 0, badField(name, "must be a whole number")
	}
	return n, nil
}

func (f *fields) bool(name string) (bool, error) {
	raw := f.get(name)
	switch {
	case raw == nil:
		return false, nil
	case f.e == CBOR && raw[0] == cborTrue, f.e == JSON && raw[0] == 't':
		return true, nil
	case f.e == CBOR && raw[0] == cborFalse, f.e == JSON && raw[0] == 'f':
		return false, nil
	}
	return false, badField(name, "must be true or false")
}

// json returns a field's value as JSON, or nil if it is absent. In a JSON message the result shares the message's memory.
func (f *fields) json(name string) (json.RawMessage, error) {
	raw := f.get(name)
	if raw == nil || f.e == JSON {
		return raw, nil
	}
	out, err := AppendJSONFromCBOR(make([]byte, 0, 2*len(raw)), raw)
	if err != nil {
		return nil, badField(name, err.Error())
	}
	return out, nil
}

// data is json for values that a client chooses freely, and checks them. In a JSON message the result shares the message's
// memory unless numbers had to be rewritten. Null is an error, as in every field.
func (f *fields) data(name string) (json.RawMessage, error) {
	raw := f.get(name)
	switch {
	case raw == nil:
		return nil, nil
	case f.e == CBOR && raw[0] == cborNull, f.e == JSON && raw[0] == 'n':
		return nil, malformed("must not be null")
	case f.e == JSON:
		return checkedJSON(raw, MaxDepth-1)
	}
	out, _, err := cborToJSON(make([]byte, 0, 2*len(raw)), raw, 0, MaxDepth-1)
	if err != nil {
		return nil, err
	}
	return out, nil
}

// object reads a field that is an object. ok is false if it is absent.
func (f *fields) object(name string, into *fields) (ok bool, err error) {
	raw := f.get(name)
	if raw == nil {
		return false, nil
	}
	if _, err := into.read(f.e, raw, 0); err != nil {
		return false, badField(name, "must be an object")
	}
	return true, nil
}

// quotedStart quotes the first bytes of what a peer sent, for an error.
func quotedStart(b []byte) string {
	const most = 24
	if len(b) > most {
		return strconv.QuoteToASCII(string(b[:most])) + "…"
	}
	return strconv.QuoteToASCII(string(b))
}
