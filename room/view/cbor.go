package view

import (
	"encoding/binary"
	"math"
)

// Major types and simple values of RFC 8949, 3.1 and 3.3.
const (
	cborUint   = 0 << 5
	cborNegint = 1 << 5
	cborText   = 3 << 5
	cborArray  = 4 << 5
	cborMap    = 5 << 5

	cborFalse   = 0xf4
	cborTrue    = 0xf5
	cborNull    = 0xf6
	cborFloat16 = 0xf9
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb
)

// appendCBOR writes the whole node. An absent node writes nothing.
func (n *node) appendCBOR(b []byte) []byte {
	switch n.kind {
	case kindBool:
		return append(b, cborFalse+byte(n.num))
	case kindInt:
		return appendCBORInt(b, int64(n.num))
	case kindFloat, kindFloat32:
		return appendCBORFloat(b, n.float())
	case kindString:
		return appendCBORString(b, n.str)
	case kindArray:
		b = appendHead(b, cborArray, uint64(len(n.container.children)))
		for i := range n.container.children {
			b = n.container.children[i].appendCBOR(b)
		}
	case kindObject:
		return n.container.appendObjectCBOR(b)
	}
	return b
}

func (c *container) appendObjectCBOR(b []byte) []byte {
	b = appendHead(b, cborMap, uint64(c.present()))
	for i := range c.children {
		if child := &c.children[i]; child.kind != kindAbsent {
			b = append(b, child.label.cbor...)
			b = child.appendCBOR(b)
		}
	}
	return b
}

// appendPatchCBOR writes what update gen changed in the node. The node must be one that changed.
func (n *node) appendPatchCBOR(b []byte, gen uint64) []byte {
	if n.kind == kindAbsent {
		return append(b, cborNull)
	}
	if n.kind != kindObject {
		return n.appendCBOR(b)
	}
	b = appendHead(b, cborMap, n.container.changed(gen))
	for i := range n.container.children {
		if child := &n.container.children[i]; child.gen == gen {
			b = append(b, child.label.cbor...)
			b = child.appendPatchCBOR(b, gen)
		}
	}
	return b
}

// changed counts the members that update gen changed.
func (c *container) changed(gen uint64) (n uint64) {
	for i := range c.children {
		if c.children[i].gen == gen {
			n++
		}
	}
	return n
}

// appendHead writes a major type and its argument in the fewest bytes.
func appendHead(b []byte, major byte, arg uint64) []byte {
	switch {
	case arg < 24:
		return append(b, major|byte(arg))
	case arg <= math.MaxUint8:
		return append(b, major|24, byte(arg))
	case arg <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(b, major|25), uint16(arg))
	case arg <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(b, major|26), uint32(arg))
	}
	return binary.BigEndian.AppendUint64(append(b, major|27), arg)
}

func appendCBORInt(b []byte, i int64) []byte {
	if i < 0 {
		return appendHead(b, cborNegint, uint64(^i))
	}
	return appendHead(b, cborUint, uint64(i))
}

func appendCBORString(b []byte, s string) []byte {
	return append(appendHead(b, cborText, uint64(len(s))), s...)
}

// appendCBORFloat writes a finite double in the shortest float that keeps its value.
func appendCBORFloat(b []byte, f float64) []byte {
	single := float32(f)
	if float64(single) != f {
		return binary.BigEndian.AppendUint64(append(b, cborFloat64), math.Float64bits(f))
	}
	bits := math.Float32bits(single)
	if half, ok := toHalf(bits); ok {
		return binary.BigEndian.AppendUint16(append(b, cborFloat16), half)
	}
	return binary.BigEndian.AppendUint32(append(b, cborFloat32), bits)
}

// toHalf converts the bits of a finite float32 to the bits of the equal float16, if there is
// one. A float16 has 5 bits of exponent instead of 8, and 10 of fraction instead of 23.
func toHalf(bits uint32) (uint16, bool) {
	sign := uint16(bits >> 16 & 0x8000)
	exp := int(bits>>23&0xff) - 127
	fraction := bits & (1<<23 - 1)
	switch {
	case exp >= -14 && exp <= 15:
		return sign | uint16(exp+15)<<10 | uint16(fraction>>13), fraction&(1<<13-1) == 0
	case exp >= -24 && exp < -14: // subnormal: the leading 1 is written out
		shift := uint(-1 - exp)
		fraction |= 1 << 23
		return sign | uint16(fraction>>shift), fraction&(1<<shift-1) == 0
	}
	return 0, false
}
