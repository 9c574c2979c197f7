package view

import (
	"encoding/json"
	"fmt"
	"maps"
	"math"
	"slices"
	"strconv"
	"unicode/utf8"
)

// AppendCanonical appends the canonical JSON (RFC 8785) of a generic value: nil, bool,
// string, float64, [json.Number], int, int64, uint64, []any and map[string]any, which
// are the types that JSON and CBOR decoders make. A client that appends its copy of a view
// and takes the CRC-32 (IEEE) of the bytes must get the server's checksum.
//
// A json.Number stands for the nearest double, as the RFC demands. The error is an [*Error]
// and says what cannot be written: a number that is not finite, a Go integer beyond
// ±(2⁵³-1), text that is not UTF-8, another Go type, or values nested deeper than
// encoding/json reads them.
func AppendCanonical(b []byte, v any) ([]byte, error) {
	b, err := appendCanonical(b, v, maxGenericDepth)
	if err != nil {
		return b, err.trimPath()
	}
	return b, nil
}

// maxGenericDepth is the nesting limit of encoding/json.
const maxGenericDepth = 10000

func appendCanonical(b []byte, v any, depth int) ([]byte, *Error) {
	switch v := v.(type) {
	case nil:
		return append(b, "null"...), nil
	case bool:
		return strconv.AppendBool(b, v), nil
	case string:
		return appendCanonicalString(b, v)
	case float64:
		return appendCanonicalFloat(b, v)
	case json.Number:
		f, err := strconv.ParseFloat(string(v), 64)
		if err != nil {
			return b, fail(reasonNaN)
		}
		return appendCanonicalFloat(b, f)
	case int:
		return appendCanonicalInt(b, int64(v))
	case int64:
		return appendCanonicalInt(b, v)
	case uint64:
		return appendCanonicalInt(b, int64(min(v, math.MaxInt64)))
	case []any:
		return appendCanonicalArray(b, v, depth-1)
	case map[string]any:
		return appendCanonicalObject(b, v, depth-1)
	}
	return b, fail(fmt.Sprintf("is of type %T, which is no generic value", v))
}

func appendCanonicalString(b []byte, s string) ([]byte, *Error) {
	if !utf8.ValidString(s) {
		return b, fail(reasonUTF8)
	}
	return appendString(b, s), nil
}

func appendCanonicalFloat(b []byte, f float64) ([]byte, *Error) {
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return b, fail(reasonNaN)
	}
	return appendFloat(b, f), nil
}

func appendCanonicalInt(b []byte, i int64) ([]byte, *Error) {
	if i < -maxInt || i > maxInt {
		return b, fail(reasonRange)
	}
	return strconv.AppendInt(b, i, 10), nil
}

func appendCanonicalArray(b []byte, array []any, depth int) (_ []byte, err *Error) {
	if depth < 0 {
		return b, fail(reasonDepth)
	}
	b = append(b, '[')
	for i, v := range array {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendCanonical(b, v, depth); err != nil {
			return b, err.under(indexSegment(i))
		}
	}
	return append(b, ']'), nil
}

func appendCanonicalObject(b []byte, object map[string]any, depth int) (_ []byte, err *Error) {
	if depth < 0 {
		return b, fail(reasonDepth)
	}
	names := slices.SortedFunc(maps.Keys(object), func(x, y string) int { return compareNames(x, y) })
	b = append(b, '{')
	for i, name := range names {
		if i > 0 {
			b = append(b, ',')
		}
		if b, err = appendCanonicalString(b, name); err != nil {
			return b, err
		}
		b = append(b, ':')
		if b, err = appendCanonical(b, object[name], depth); err != nil {
			return b, err.under(nameSegment(name))
		}
	}
	return append(b, '}'), nil
}
