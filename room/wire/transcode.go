package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
	"unicode/utf8"
)

// AppendCBORFromJSON appends one JSON value as CBOR with the same data model. Integers without point or exponent stay
// exact from -2⁶⁴ to 2⁶⁴-1; other numbers become floats. The error is a *ProtocolError that says why raw is not one JSON
// value. dst is then returned unchanged.
func AppendCBORFromJSON(dst, raw []byte) ([]byte, error) {
	return appendCBORFromJSON(dst, raw, false)
}

// appendCBORFromJSON is AppendCBORFromJSON. If doubles is set, integers beyond ±(2⁵³-1) become floats, because CBOR
// decoders in JavaScript refuse a message with an integer that no double holds exactly.
func appendCBORFromJSON(dst, raw []byte, doubles bool) ([]byte, error) {
	if !utf8.Valid(raw) {
		return dst, malformed("JSON must be UTF-8")
	}
	out, i, err := jsonToCBOR(dst, raw, jsonSpace(raw, 0), serverDepth, doubles)
	if err != nil {
		return dst, err
	}
	if i = jsonSpace(raw, i); i < len(raw) {
		return dst, jsonError(i, "one value alone should stand here")
	}
	return out, nil
}

// AppendJSONFromCBOR appends one CBOR item as JSON with the same data model. Integers stay exact; floats take the
// shortest form that reads back as the same number. The error is a *ProtocolError that says why raw is not one item with
// an equivalent in JSON. dst is then returned unchanged.
func AppendJSONFromCBOR(dst, raw []byte) ([]byte, error) {
	out, i, err := cborToJSON(dst, raw, 0, serverDepth)
	if err != nil {
		return dst, err
	}
	if i < len(raw) {
		return dst, cborError(i, "one item alone should stand here")
	}
	return out, nil
}

// ToJSON converts a view, patch or other value in encoding e to JSON. The result shares raw's memory if e is JSON. The error
// is a *ProtocolError.
func ToJSON(e Encoding, raw []byte) (json.RawMessage, error) {
	if e == CBOR {
		return AppendJSONFromCBOR(nil, raw)
	}
	if !json.Valid(raw) {
		return nil, malformed("malformed JSON")
	}
	return raw, nil
}

func jsonToCBOR(dst, b []byte, i, depth int, doubles bool) ([]byte, int, error) {
	if i >= len(b) {
		_, err := jsonValue(b, i)
		return dst, i, err
	}
	switch b[i] {
	case '{', '[':
		return jsonContainerToCBOR(dst, b, i, depth, doubles)
	}
	end, err := jsonValue(b, i)
	if err != nil {
		return dst, end, err
	}
	switch b[i] {
	case '"':
		return appendCBORText(dst, jsonText(b[i:end])), end, nil
	case 't':
		return append(dst, cborTrue), end, nil
	case 'f':
		return append(dst, cborFalse), end, nil
	case 'n':
		return append(dst, cborNull), end, nil
	}
	dst, err = appendCBORNumber(dst, b[i:end], doubles)
	return dst, end, err
}

// jsonContainerToCBOR writes a head of one byte and then the members. Once it knows their number it writes the final head,
// and moves the members up if that head is longer.
func jsonContainerToCBOR(dst, b []byte, i, depth int, doubles bool) ([]byte, int, error) {
	if depth == 0 {
		return dst, i, tooDeep()
	}
	head, count := len(dst), uint64(0)
	dst = append(dst, 0)
	member := func(raw []byte) (err error) {
		count++
		dst, _, err = jsonToCBOR(dst, raw, 0, depth-1, doubles)
		return err
	}
	major, end, err := byte(cborArray), i, error(nil)
	if b[i] == '[' {
		end, err = jsonArray(b, i, member)
	} else {
		major = cborMap
		end, err = jsonObject(b, i, func(key, value []byte) error {
			dst = appendCBORText(dst, jsonText(key))
			return member(value)
		})
	}
	if err != nil {
		return dst, end, err
	}
	var buf [9]byte
	full := appendCBORHead(buf[:0], major, count)
	dst = append(dst, full[1:]...)
	copy(dst[head+len(full):], dst[head+1:])
	copy(dst[head:], full)
	return dst, end, nil
}

func appendCBORNumber(dst, raw []byte, doubles bool) ([]byte, error) {
	if !bytes.ContainsAny(raw, ".eE") {
		digits, major, less := raw, byte(cborUint), uint64(0)
		if raw[0] == '-' {
			digits, major, less = raw[1:], cborNeg, 1
		}
		n, err := strconv.ParseUint(string(digits), 10, 64)
		switch {
		case doubles && (err != nil || n > maxWhole):
		case err == nil && n >= less:
			return appendCBORHead(dst, major, n-less), nil
		case err == nil: // -0
			return append(dst, 0), nil
		case string(raw) == "-18446744073709551616":
			return appendCBORHead(dst, cborNeg, math.MaxUint64), nil
		}
	}
	f, err := strconv.ParseFloat(string(raw), 64)
	if err != nil {
		return dst, malformed("a number is too large")
	}
	return appendCBORFloat(dst, f), nil
}

func cborToJSON(dst, b []byte, i, depth int) ([]byte, int, error) {
	major, info, arg, next, err := cborHead(b, i)
	if err != nil {
		return dst, i, err
	}
	switch major {
	case cborUint:
		return strconv.AppendUint(dst, arg, 10), next, nil
	case cborNeg:
		if arg == math.MaxUint64 {
			return append(dst, "-18446744073709551616"...), next, nil
		}
		return strconv.AppendUint(append(dst, '-'), arg+1, 10), next, nil
	case cborText:
		text, end, err := cborString(b, i, next, arg)
		return appendJSONString(dst, text), end, err
	case cborArray:
		return cborArrayToJSON(dst, b, i, depth)
	case cborMap:
		return cborMapToJSON(dst, b, i, depth)
	case cborOther:
		if err := cborSimple(b, i, info, arg); err != nil {
			return dst, i, err
		}
		return appendJSONSimple(dst, b[i], arg), next, nil
	}
	if major == cborTag {
		return dst, i, cborError(i, "tags are not taken")
	}
	return dst, i, cborError(i, "byte strings are not taken: JSON knows none")
}

func appendJSONSimple(dst []byte, first byte, arg uint64) []byte {
	switch first {
	case cborFalse:
		return append(dst, "false"...)
	case cborTrue:
		return append(dst, "true"...)
	case cborNull:
		return append(dst, "null"...)
	}
	return appendJSONFloat(dst, cborFloat(first&31, arg))
}

func cborArrayToJSON(dst, b []byte, i, depth int) ([]byte, int, error) {
	if depth == 0 {
		return dst, i, tooDeep()
	}
	dst = append(dst, '[')
	empty := len(dst)
	end, err := cborMembers(b, i, func(i int) (end int, err error) {
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst, end, err = cborToJSON(dst, b, i, depth-1)
		return end, err
	})
	return append(dst, ']'), end, err
}

func cborMapToJSON(dst, b []byte, i, depth int) ([]byte, int, error) {
	if depth == 0 {
		return dst, i, tooDeep()
	}
	dst = append(dst, '{')
	empty := len(dst)
	var seen keys
	end, err := cborMembers(b, i, func(i int) (int, error) {
		key, i, err := cborKey(b, i)
		if err != nil {
			return i, err
		}
		if !seen.add(key) {
			return i, duplicateKey(key)
		}
		if len(dst) > empty {
			dst = append(dst, ',')
		}
		dst = append(appendJSONString(dst, key), ':')
		var end int
		dst, end, err = cborToJSON(dst, b, i, depth-1)
		return end, err
	})
	return append(dst, '}'), end, err
}
