package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// The scanner below checks CBOR (RFC 8949) as far as it can say JSON, without building anything.
// Arrays and maps of indefinite length are taken, because some encoders know no others; strings
// in chunks are not.

// Major types.
const (
	cborUint  = 0
	cborNeg   = 1
	cborBytes = 2
	cborText  = 3
	cborArray = 4
	cborMap   = 5
	cborTag   = 6
	cborOther = 7
)

// Initial bytes with a meaning of their own.
const (
	cborFalse   = 0xf4
	cborTrue    = 0xf5
	cborNull    = 0xf6
	cborFloat16 = 0xf9
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb
	cborBreak   = 0xff
)

// indefinite is the length of an array or map that ends with a break.
const indefinite = math.MaxUint64

func cborError(at int, what string) error {
	return malformed("malformed CBOR at byte %d: %s", at, what)
}

// cborHead reads an item's head: its major type and argument. For major type 7 the argument is the
// value's bits and info tells which value it is.
func cborHead(b []byte, i int) (major, info byte, arg uint64, next int, err error) {
	if i >= len(b) {
		return 0, 0, 0, i, cborError(i, "it ends where an item should stand")
	}
	major, info = b[i]>>5, b[i]&31
	size := 0
	switch {
	case info < 24:
		return major, info, uint64(info), i + 1, nil
	case info <= 27:
		size = 1 << (info - 24)
	case info == 31 && (major == cborArray || major == cborMap):
		return major, info, indefinite, i + 1, nil
	case info == 31 && major == cborText:
		return 0, 0, 0, i, cborError(i, "text in chunks is not taken")
	default:
		return 0, 0, 0, i, cborError(i, "no such item")
	}
	if len(b)-i-1 < size {
		return 0, 0, 0, i, cborError(i, "it ends inside an item")
	}
	var wide [8]byte
	copy(wide[8-size:], b[i+1:i+1+size])
	arg = binary.BigEndian.Uint64(wide[:])
	if arg == indefinite && (major == cborArray || major == cborMap) {
		return 0, 0, 0, i, cborError(i, "longer than the message")
	}
	return major, info, arg, i + 1 + size, nil
}

// cborValue checks and skips one item. depth is how many levels it may still open.
func cborValue(b []byte, i, depth int) (int, error) {
	major, info, arg, next, err := cborHead(b, i)
	if err != nil {
		return i, err
	}
	switch major {
	case cborUint, cborNeg:
		return next, nil
	case cborText:
		_, next, err := cborString(b, i, next, arg)
		return next, err
	case cborArray:
		return cborItems(b, i, depth, nil)
	case cborMap:
		return cborPairs(b, i, depth, nil)
	case cborBytes:
		return i, cborError(i, "byte strings are not taken: JSON knows none")
	case cborTag:
		return i, cborError(i, "tags are not taken")
	}
	return next, cborSimple(b, i, info, arg)
}

// cborSimple checks what of major type 7 JSON can say.
func cborSimple(b []byte, i int, info byte, arg uint64) error {
	switch b[i] {
	case cborFalse, cborTrue, cborNull:
		return nil
	case cborFloat16, cborFloat32, cborFloat64:
		if f := cborFloat(info, arg); math.IsNaN(f) || math.IsInf(f, 0) {
			return cborError(i, "a number must be finite")
		}
		return nil
	}
	return cborError(i, "only true, false, null and numbers are taken")
}

// cborString returns the text of n bytes that begins at from; at is where its item begins.
func cborString(b []byte, at, from int, n uint64) ([]byte, int, error) {
	if n > uint64(len(b)-from) {
		return nil, at, cborError(at, "longer than the message")
	}
	end := from + int(n)
	if !utf8.Valid(b[from:end]) {
		return nil, at, cborError(at, "text must be UTF-8")
	}
	return b[from:end], end, nil
}

// cborItems skips an array and shows each element's place.
func cborItems(b []byte, i, depth int, each func(value []byte) error) (int, error) {
	return cborMembers(b, i, depth, func(i int) (int, error) {
		end, err := cborValue(b, i, depth-1)
		if err == nil && each != nil {
			err = each(b[i:end])
		}
		return end, err
	})
}

// cborPairs skips a map and shows each key's text and the value.
func cborPairs(b []byte, i, depth int, each func(key, value []byte) error) (int, error) {
	return cborMembers(b, i, depth, func(i int) (int, error) {
		key, start, err := cborKey(b, i)
		if err != nil {
			return i, err
		}
		end, err := cborValue(b, start, depth-1)
		if err == nil && each != nil {
			err = each(key, b[start:end])
		}
		return end, err
	})
}

// cborMembers walks over what is inside an array or map; member reads one element or pair.
func cborMembers(b []byte, i, depth int, member func(i int) (int, error)) (int, error) {
	if depth <= 0 {
		return i, malformed("nested more than %d deep", MaxDepth)
	}
	_, _, count, i, err := cborHead(b, i)
	for n := uint64(0); err == nil && n < count; n++ {
		if count == indefinite && i < len(b) && b[i] == cborBreak {
			return i + 1, nil
		}
		i, err = member(i)
	}
	return i, err
}

func cborKey(b []byte, i int) ([]byte, int, error) {
	major, _, n, next, err := cborHead(b, i)
	if err != nil {
		return nil, i, err
	}
	if major != cborText {
		return nil, i, cborError(i, "a key must be text")
	}
	return cborString(b, i, next, n)
}

// cborFloat widens the bits of a float of the size that info tells.
func cborFloat(info byte, bits uint64) float64 {
	switch info {
	case cborFloat16 & 31:
		return float16(uint16(bits))
	case cborFloat32 & 31:
		return float64(math.Float32frombits(uint32(bits)))
	}
	return math.Float64frombits(bits)
}

func float16(bits uint16) float64 {
	exp, mant := int(bits>>10&31), float64(bits&0x3ff)
	var f float64
	switch exp {
	case 0:
		f = math.Ldexp(mant, -24)
	case 31:
		f = math.Inf(1)
		if mant != 0 {
			f = math.NaN()
		}
	default:
		f = math.Ldexp(mant+1024, exp-25)
	}
	if bits>>15 == 1 {
		return -f
	}
	return f
}

// appendCBORHead writes the shortest head.
func appendCBORHead(dst []byte, major byte, n uint64) []byte {
	major <<= 5
	switch {
	case n < 24:
		return append(dst, major|byte(n))
	case n <= math.MaxUint8:
		return append(dst, major|24, byte(n))
	case n <= math.MaxUint16:
		return binary.BigEndian.AppendUint16(append(dst, major|25), uint16(n))
	case n <= math.MaxUint32:
		return binary.BigEndian.AppendUint32(append(dst, major|26), uint32(n))
	}
	return binary.BigEndian.AppendUint64(append(dst, major|27), n)
}

func appendCBORText[T string | []byte](dst []byte, s T) []byte {
	return append(appendCBORHead(dst, cborText, uint64(len(s))), s...)
}

func appendCBORInt(dst []byte, n int64) []byte {
	if n < 0 {
		return appendCBORHead(dst, cborNeg, uint64(-1-n))
	}
	return appendCBORHead(dst, cborUint, uint64(n))
}

// appendCBORFloat writes a float in four bytes where they hold it exactly, else in eight.
func appendCBORFloat(dst []byte, f float64) []byte {
	if f32 := float32(f); float64(f32) == f {
		return binary.BigEndian.AppendUint32(append(dst, cborFloat32), math.Float32bits(f32))
	}
	return binary.BigEndian.AppendUint64(append(dst, cborFloat64), math.Float64bits(f))
}
