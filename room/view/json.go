package view

import (
	"math"
	"strconv"
)

// appendJSON writes the whole node. An absent node writes nothing.
func (n *node) appendJSON(b []byte) []byte {
	switch n.kind {
	case kindBool:
		return strconv.AppendBool(b, n.num != 0)
	case kindInt:
		return strconv.AppendInt(b, int64(n.num), 10)
	case kindFloat, kindFloat32:
		return appendFloat(b, n.float())
	case kindString:
		return appendString(b, n.str)
	case kindArray:
		return n.container.appendArrayJSON(b)
	case kindObject:
		return n.container.appendObjectJSON(b)
	}
	return b
}

func (c *container) appendArrayJSON(b []byte) []byte {
	b = append(b, '[')
	for i := range c.children {
		if i > 0 {
			b = append(b, ',')
		}
		b = c.children[i].appendJSON(b)
	}
	return append(b, ']')
}

func (c *container) appendObjectJSON(b []byte) []byte {
	open := byte('{')
	for i := range c.children {
		child := &c.children[i]
		if child.kind == kindAbsent {
			continue
		}
		b = append(b, open)
		b = append(b, child.label.json...)
		b = child.appendJSON(b)
		open = ','
	}
	return closeObject(b, open)
}

func closeObject(b []byte, open byte) []byte {
	if open == '{' {
		b = append(b, '{')
	}
	return append(b, '}')
}

// appendPatchJSON writes what update gen changed in the node. The node must be one that
// changed. If it was no object before, all its members are new, so all of them are written.
func (n *node) appendPatchJSON(b []byte, gen uint64) []byte {
	if n.kind == kindAbsent {
		return append(b, "null"...)
	}
	if n.kind != kindObject {
		return n.appendJSON(b)
	}
	open := byte('{')
	for i := range n.container.children {
		child := &n.container.children[i]
		if child.gen != gen {
			continue
		}
		b = append(b, open)
		b = append(b, child.label.json...)
		b = child.appendPatchJSON(b, gen)
		open = ','
	}
	return closeObject(b, open)
}

// appendFloat writes a finite double as ECMAScript's Number::toString does, as
// RFC 8785, 3.2.2.3, demands: plain from 1e-6 up to 1e21, otherwise with an exponent.
func appendFloat(b []byte, f float64) []byte {
	if f == 0 {
		return append(b, '0') // -0 too
	}
	if abs := math.Abs(f); abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(b, f, 'f', -1, 64)
	}
	b = strconv.AppendFloat(b, f, 'e', -1, 64)
	if n := len(b); b[n-4] == 'e' && b[n-2] == '0' { // e-07 → e-7
		b[n-2] = b[n-1]
		b = b[:n-1]
	}
	return b
}

// appendString writes valid UTF-8 with only the escapes that RFC 8785, 3.2.2.2, allows.
func appendString(b []byte, s string) []byte {
	b = append(b, '"')
	start := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		b = append(b, s[start:i]...)
		b = appendEscape(b, c)
		start = i + 1
	}
	b = append(b, s[start:]...)
	return append(b, '"')
}

func appendEscape(b []byte, c byte) []byte {
	const hex = "0123456789abcdef"
	switch c {
	case '"', '\\':
		return append(b, '\\', c)
	case '\b':
		return append(b, `\b`...)
	case '\t':
		return append(b, `\t`...)
	case '\n':
		return append(b, `\n`...)
	case '\f':
		return append(b, `\f`...)
	case '\r':
		return append(b, `\r`...)
	}
	return append(b, '\\', 'u', '0', '0', hex[c>>4], hex[c&15])
}
