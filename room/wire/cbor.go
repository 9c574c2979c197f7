package wire

import (
	"encoding/binary"
	"math"
	"unicode/utf8"
)

// The scanner below checks that CBOR (RFC 8949) is well-formed and finds where items end. It builds nothing and takes
// any depth of nesting. It does not check whether JSON has an equivalent; cborToJSON does. The protocol accepts arrays
// and maps of indefinite length, because some encoders write no others. It does not accept strings in chunks.

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

// Initial bytes that denote a value or its type alone.
const (
	cborFalse   = 0xf4
	cborTrue    = 0xf5
	cborNull    = 0xf6
	cborFloat16 = 0xf9
	cborFloat32 = 0xfa
	cborFloat64 = 0xfb
	cborBreak   = 0xff
)

// indefinite stands for the length of an item that ends with a break.
const indefinite = math.MaxUint64

func cborError(at int, what string) error {
	return malformed("malformed CBOR at byte %d: %s", at, what)
}

// cborHead reads an item's head: its major type and argument. For major type 7, info is the kind of value and the
// argument holds its bits.
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
	case info == 31 && major >= cborBytes && major <= cborMap:
		return major, info, indefinite, i + 1, nil
	default:
		return 0, 0, 0, i, cborError(i, "no such item")
	}
	if len(b)-i-1 < size {
		return 0, 0, 0, i, cborError(i, "it ends inside an item")
	}
	var wide [8]byte
	copy(wide[8-size:], b[i+1:i+1+size])
	arg = binary.BigEndian.Uint64(wide[:])
	if arg > uint64(len(b)) && major >= cborBytes && major <= cborMap {
		return 0, 0, 0, i, cborError(i, "longer than the message")
	}
	return major, info, arg, i + 1 + size, nil
}

// cborOpen is an array, map, tag or string in chunks whose members are being skipped.
type cborOpen struct {
	left   uint64 // items still to come; indefinite: until a break
	chunks byte   // the major type that all chunks of a string must have; 0: any item
	half   bool   // in an indefinite map: a key was read, and its value is next
	isMap  bool
}

// cborValue skips one item. It does not recurse, so no message can exhaust the stack.
func cborValue(b []byte, i int) (int, error) {
	var few [16]cborOpen
	open := few[:0]
	for {
		if top := len(open) - 1; top >= 0 && open[top].left == indefinite && i < len(b) && b[i] == cborBreak {
			if open[top].half {
				return i, cborError(i, "a key without a value")
			}
			open = open[:top]
			i++
		} else {
			inner, next, err := cborItem(b, i)
			if top >= 0 && err == nil && open[top].chunks != 0 && (b[i]>>5 != open[top].chunks || inner.left == indefinite) {
				err = cborError(i, "a chunk of text should stand here")
			}
			if err != nil {
				return i, err
			}
			if i = next; inner.left > 0 {
				open = append(open, inner)
				continue
			}
		}
		for more := false; !more; {
			top := len(open) - 1
			if top < 0 {
				return i, nil
			}
			o := &open[top]
			switch more = true; {
			case o.left == indefinite:
				o.half = o.isMap && !o.half
			case o.left > 1:
				o.left--
			default:
				open, more = open[:top], false
			}
		}
	}
}

// cborItem reads one item's head, and the text if the item is a string. inner says what else belongs to the item.
func cborItem(b []byte, i int) (inner cborOpen, next int, err error) {
	major, info, arg, next, err := cborHead(b, i)
	if err != nil {
		return inner, i, err
	}
	switch major {
	case cborBytes, cborText:
		if arg == indefinite {
			return cborOpen{left: indefinite, chunks: major}, next, nil
		}
		if arg > uint64(len(b)-next) {
			return inner, i, cborError(i, "longer than the message")
		}
		return inner, next + int(arg), nil
	case cborArray:
		inner.left = arg
	case cborMap:
		inner = cborOpen{left: arg, isMap: true}
		if arg != indefinite {
			inner.left *= 2
		}
	case cborTag:
		inner.left = 1
	case cborOther:
		if info == 24 && arg < 32 {
			err = cborError(i, "no such item")
		}
	}
	return inner, next, err
}

// cborSimple checks that JSON has an equivalent of an item of major type 7.
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

// cborString returns the n bytes of text that begin at from. Its item begins at at.
func cborString(b []byte, at, from int, n uint64) ([]byte, int, error) {
	if n == indefinite {
		return nil, at, cborError(at, "text in chunks is not taken")
	}
	if n > uint64(len(b)-from) {
		return nil, at, cborError(at, "longer than the message")
	}
	end := from + int(n)
	if !utf8.Valid(b[from:end]) {
		return nil, at, notText("text must be UTF-8")
	}
	return b[from:end], end, nil
}

// cborItems skips an array and calls each for every element.
func cborItems(b []byte, i int, each func(value []byte) error) (int, error) {
	return cborMembers(b, i, func(i int) (int, error) {
		end, err := cborValue(b, i)
		if err == nil {
			err = each(b[i:end])
		}
		return end, err
	})
}

// cborPairs skips a map and calls each for every pair, with the key's text and the encoded value.
func cborPairs(b []byte, i int, each func(key, value []byte) error) (int, error) {
	return cborMembers(b, i, func(i int) (int, error) {
		key, start, err := cborKey(b, i)
		if err != nil {
			return i, err
		}
		end, err := cborValue(b, start)
		if err == nil {
			err = each(key, b[start:end])
		}
		return end, err
	})
}

// cborMembers skips an array or map. member reads one element or pair at i and returns where it ends.
func cborMembers(b []byte, i int, member func(i int) (int, error)) (int, error) {
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

// cborFloat converts the bits of a float to a double. info tells the size of the float.
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

// appendCBORHead writes a head in its shortest form.
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

// appendCBORFloat writes a float in four bytes if they hold it exactly, else in eight.
func appendCBORFloat(dst []byte, f float64) []byte {
	if f32 := float32(f); float64(f32) == f {
		return binary.BigEndian.AppendUint32(append(dst, cborFloat32), math.Float32bits(f32))
	}
	return binary.BigEndian.AppendUint64(append(dst, cborFloat64), math.Float64bits(f))
}
