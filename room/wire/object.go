package wire

import (
	"bytes"
	"strconv"
)

// object writes one object in either encoding. It lives on its caller's stack.
type object struct {
	b    []byte
	e    Encoding
	head int // in CBOR: the position of the map's head
	n    int // members so far, fewer than 24
}

// begin starts a message of type t.
func begin(dst []byte, e Encoding, t string) object {
	o := open(dst, e)
	o.text("t", t)
	return o
}

func open(dst []byte, e Encoding) object {
	o := object{e: e, head: len(dst)}
	if e == CBOR {
		o.b = append(dst, 0)
	} else {
		o.b = append(dst, '{')
	}
	return o
}

func (o *object) end() []byte {
	if o.e == JSON {
		return append(o.b, '}')
	}
	o.b[o.head] = cborMap<<5 | byte(o.n)
	return o.b
}

func (o *object) key(name string) {
	if o.e == CBOR {
		o.b = appendCBORText(o.b, name)
	} else {
		if o.n > 0 {
			o.b = append(o.b, ',')
		}
		o.b = append(append(append(o.b, '"'), name...), '"', ':')
	}
	o.n++
}

func (o *object) text(name, s string) {
	o.key(name)
	if o.e == CBOR {
		o.b = appendCBORText(o.b, s)
	} else {
		o.b = appendJSONString(o.b, s)
	}
}

func (o *object) textIf(name, s string) {
	if s != "" {
		o.text(name, s)
	}
}

func (o *object) uint(name string, n uint64) {
	o.key(name)
	if o.e == CBOR {
		o.b = appendCBORHead(o.b, cborUint, n)
	} else {
		o.b = strconv.AppendUint(o.b, n, 10)
	}
}

func (o *object) uintIf(name string, n uint64) {
	if n != 0 {
		o.uint(name, n)
	}
}

func (o *object) int(name string, n int64) {
	o.key(name)
	if o.e == CBOR {
		o.b = appendCBORInt(o.b, n)
	} else {
		o.b = strconv.AppendInt(o.b, n, 10)
	}
}

func (o *object) bool(name string, v bool) {
	o.key(name)
	switch {
	case o.e == JSON:
		o.b = strconv.AppendBool(o.b, v)
	case v:
		o.b = append(o.b, cborTrue)
	default:
		o.b = append(o.b, cborFalse)
	}
}

// encoded writes a value that is already in the object's encoding.
func (o *object) encoded(name string, raw []byte) {
	o.key(name)
	if o.e == CBOR {
		o.b = append(o.b, raw...)
	} else {
		o.b = appendOneLine(o.b, raw)
	}
}

// json writes a JSON value. If raw is not JSON it writes null, so that the message stays valid.
func (o *object) json(name string, raw []byte) { o.transcoded(name, raw, false) }

// gameJSONIf writes JSON data of a game, if there is any. In CBOR, integers beyond ±(2⁵³-1) become doubles.
func (o *object) gameJSONIf(name string, raw []byte) {
	if len(raw) > 0 {
		o.transcoded(name, raw, true)
	}
}

func (o *object) transcoded(name string, raw []byte, doubles bool) {
	if o.e == JSON && len(raw) > 0 {
		o.encoded(name, raw)
		return
	}
	o.key(name)
	if o.e == JSON {
		o.b = append(o.b, "null"...)
		return
	}
	b, err := appendCBORFromJSON(o.b, raw, doubles)
	if err != nil {
		b = append(o.b, cborNull)
	}
	o.b = b
}

func (o *object) jsonIf(name string, raw []byte) {
	if len(raw) > 0 {
		o.json(name, raw)
	}
}

// object begins a member that is an object. The caller ends it with o.b = in.end().
func (o *object) object(name string) object {
	o.key(name)
	return open(o.b, o.e)
}

// appendOneLine appends JSON and replaces newlines between tokens by spaces, because a newline ends a message.
func appendOneLine(dst, raw []byte) []byte {
	for {
		i := bytes.IndexByte(raw, '\n')
		if i < 0 {
			return append(dst, raw...)
		}
		dst = append(append(dst, raw[:i]...), ' ')
		raw = raw[i+1:]
	}
}
