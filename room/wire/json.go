package wire

import (
	"encoding/json"
	"math"
	"slices"
	"strconv"
)

// The scanner below checks JSON (RFC 8259) strictly and finds the ends of values without
// building anything. It leaves UTF-8 to its caller, who checks a whole message at once.
// Every function takes a position and returns the one after what it has read.

func jsonError(at int, what string) error {
	return malformed("malformed JSON at byte %d: %s", at, what)
}

// jsonSpace skips white space, newlines included.
func jsonSpace(b []byte, i int) int {
	for i < len(b) && (b[i] == ' ' || b[i] == '\n' || b[i] == '\r' || b[i] == '\t') {
		i++
	}
	return i
}

// jsonValue skips one value. depth is how many levels it may still open.
func jsonValue(b []byte, i, depth int) (int, error) {
	if i >= len(b) {
		return i, jsonError(i, "it ends where a value should stand")
	}
	switch c := b[i]; {
	case c == '{':
		return jsonObject(b, i, depth, nil)
	case c == '[':
		return jsonArray(b, i, depth, nil)
	case c == '"':
		return jsonString(b, i)
	case c == '-' || c >= '0' && c <= '9':
		return jsonNumber(b, i)
	}
	for _, word := range [...]string{"true", "false", "null"} {
		if len(b)-i >= len(word) && string(b[i:i+len(word)]) == word {
			return i + len(word), nil
		}
	}
	return i, jsonError(i, "a value should stand here")
}

// jsonObject skips an object and shows each member: the key with its quotes, and the value.
func jsonObject(b []byte, i, depth int, each func(key, value []byte) error) (int, error) {
	if depth <= 0 {
		return i, malformed("nested more than %d deep", MaxDepth)
	}
	for first := true; ; first = false {
		i = jsonSpace(b, i+1) // past the brace or the comma
		if first && i < len(b) && b[i] == '}' {
			return i + 1, nil
		}
		key := i
		if i >= len(b) || b[i] != '"' {
			return i, jsonError(i, "a key in quotes should stand here")
		}
		keyEnd, err := jsonString(b, i)
		if err != nil {
			return keyEnd, err
		}
		if i = jsonSpace(b, keyEnd); i >= len(b) || b[i] != ':' {
			return i, jsonError(i, "a colon should stand here")
		}
		start := jsonSpace(b, i+1)
		end, err := jsonValue(b, start, depth-1)
		if err == nil && each != nil {
			err = each(b[key:keyEnd], b[start:end])
		}
		if err != nil {
			return end, err
		}
		next, done, err := jsonNext(b, end, '}')
		if done || err != nil {
			return next, err
		}
		i = next
	}
}

// jsonArray skips an array and shows each element.
func jsonArray(b []byte, i, depth int, each func(value []byte) error) (int, error) {
	if depth <= 0 {
		return i, malformed("nested more than %d deep", MaxDepth)
	}
	for first := true; ; first = false {
		i = jsonSpace(b, i+1)
		if first && i < len(b) && b[i] == ']' {
			return i + 1, nil
		}
		end, err := jsonValue(b, i, depth-1)
		if err == nil && each != nil {
			err = each(b[i:end])
		}
		if err != nil {
			return end, err
		}
		next, done, err := jsonNext(b, end, ']')
		if done || err != nil {
			return next, err
		}
		i = next
	}
}

// jsonNext stands behind a member: at the comma it returns its place, at the closer the place behind it.
func jsonNext(b []byte, i int, closer byte) (at int, done bool, err error) {
	i = jsonSpace(b, i)
	switch {
	case i < len(b) && b[i] == ',':
		return i, false, nil
	case i < len(b) && b[i] == closer:
		return i + 1, true, nil
	}
	return i, false, jsonError(i, "a comma or "+string(closer)+" should stand here")
}

// jsonString skips a string. Half a surrogate pair is refused: it is no Unicode text.
func jsonString(b []byte, i int) (int, error) {
	start := i
	for i++; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, jsonError(i, "a control character must be escaped")
		case c == '\\':
			next, err := jsonEscape(b, i)
			if err != nil {
				return i, err
			}
			i = next
		default:
			i++
		}
	}
	return i, jsonError(start, "the string does not end")
}

func jsonEscape(b []byte, i int) (int, error) {
	if i+1 >= len(b) {
		return i, jsonError(i, "the string does not end")
	}
	switch b[i+1] {
	case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
		return i + 2, nil
	}
	unit, ok := hexUnit(b, i)
	switch {
	case !ok:
		return i, jsonError(i, "unknown escape")
	case unit < 0xd800 || unit > 0xdfff:
		return i + 6, nil
	case unit < 0xdc00:
		if low, ok := hexUnit(b, i+6); ok && low >= 0xdc00 && low <= 0xdfff {
			return i + 12, nil
		}
	}
	return i, jsonError(i, "half a surrogate pair")
}

// hexUnit reads \uXXXX.
func hexUnit(b []byte, i int) (unit uint16, ok bool) {
	if i+6 > len(b) || b[i] != '\\' || b[i+1] != 'u' {
		return 0, false
	}
	for _, c := range b[i+2 : i+6] {
		switch {
		case c >= '0' && c <= '9':
			c -= '0'
		case c|0x20 >= 'a' && c|0x20 <= 'f':
			c = c | 0x20 - 'a' + 10
		default:
			return 0, false
		}
		unit = unit<<4 | uint16(c)
	}
	return unit, true
}

func jsonNumber(b []byte, i int) (int, error) {
	if b[i] == '-' {
		i++
	}
	digits := func() bool {
		from := i
		for i < len(b) && b[i] >= '0' && b[i] <= '9' {
			i++
		}
		return i > from
	}
	if i < len(b) && b[i] == '0' {
		i++
	} else if !digits() {
		return i, jsonError(i, "a digit should stand here")
	}
	if i < len(b) && b[i] == '.' {
		if i++; !digits() {
			return i, jsonError(i, "a digit should stand here")
		}
	}
	if i < len(b) && b[i]|0x20 == 'e' {
		if i++; i < len(b) && (b[i] == '+' || b[i] == '-') {
			i++
		}
		if !digits() {
			return i, jsonError(i, "a digit should stand here")
		}
	}
	return i, nil
}

// jsonText is what a checked string says. It shares raw's memory unless raw holds escapes.
func jsonText(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if slices.Contains(inner, '\\') {
		var s string
		_ = json.Unmarshal(raw, &s) // cannot fail: the string has been checked
		return []byte(s)
	}
	return inner
}

const hexDigits = "0123456789abcdef"

// appendJSONString writes s as a JSON string. s must be UTF-8.
func appendJSONString[T string | []byte](dst []byte, s T) []byte {
	dst = append(dst, '"')
	from := 0
	for i := range len(s) {
		c := s[i]
		if c >= 0x20 && c != '"' && c != '\\' {
			continue
		}
		dst = append(dst, s[from:i]...)
		from = i + 1
		switch c {
		case '"', '\\':
			dst = append(dst, '\\', c)
		case '\n':
			dst = append(dst, `\n`...)
		case '\r':
			dst = append(dst, `\r`...)
		case '\t':
			dst = append(dst, `\t`...)
		default:
			dst = append(dst, '\\', 'u', '0', '0', hexDigits[c>>4], hexDigits[c&15])
		}
	}
	return append(append(dst, s[from:]...), '"')
}

// appendJSONFloat writes f as ECMAScript and encoding/json do. f must be finite.
func appendJSONFloat(dst []byte, f float64) []byte {
	if abs := math.Abs(f); abs == 0 || abs >= 1e-6 && abs < 1e21 {
		return strconv.AppendFloat(dst, f, 'f', -1, 64)
	}
	dst = strconv.AppendFloat(dst, f, 'e', -1, 64)
	if n := len(dst); n >= 4 && dst[n-4] == 'e' && dst[n-3] == '-' && dst[n-2] == '0' {
		dst[n-2] = dst[n-1] // e-09 → e-9
		dst = dst[:n-1]
	}
	return dst
}
