package wire

import (
	"bytes"
	"encoding/json"
	"math"
	"strconv"
)

// The scanner below checks the grammar of JSON (RFC 8259) strictly and finds where values end. It builds nothing and
// takes any depth of nesting. It does not check the content of values; data.go does. It does not check UTF-8 either: its
// callers check a whole message at once. Every function takes a position and returns the position after what it read.

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

// jsonValue skips one value. It does not recurse, so no message can exhaust the stack.
func jsonValue(b []byte, i int) (_ int, err error) {
	var few [32]byte
	open := few[:0] // the closing characters still to come, the next one last
	for {
		closer := jsonCloser(b, i)
		if closer == 0 {
			i, err = jsonScalar(b, i)
		} else if i = jsonSpace(b, i+1); i < len(b) && b[i] == closer {
			i++
		} else {
			open = append(open, closer)
			if i, err = jsonMember(b, i, closer); err == nil {
				continue
			}
		}
		for more := false; !more; {
			if err != nil || len(open) == 0 {
				return i, err
			}
			closer, done := open[len(open)-1], false
			if i, done, err = jsonNext(b, i, closer); done {
				open = open[:len(open)-1]
			} else if err == nil {
				i, err = jsonMember(b, jsonSpace(b, i+1), closer)
				more = err == nil
			}
		}
	}
}

// jsonCloser returns the character that ends the object or array at b[i], or 0 if neither begins there.
func jsonCloser(b []byte, i int) byte {
	switch {
	case i >= len(b):
		return 0
	case b[i] == '{':
		return '}'
	case b[i] == '[':
		return ']'
	}
	return 0
}

// jsonMember returns where the value of the member at b[i] begins: after its name in an object, at i in an array.
func jsonMember(b []byte, i int, closer byte) (int, error) {
	if closer == ']' {
		return i, nil
	}
	_, i, err := jsonName(b, i)
	return i, err
}

// jsonScalar skips a value that is neither object nor array.
func jsonScalar(b []byte, i int) (int, error) {
	if i >= len(b) {
		return i, jsonError(i, "it ends where a value should stand")
	}
	switch c := b[i]; {
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

// jsonName skips a member's name and colon. The name ends at end, and its value begins at value.
func jsonName(b []byte, i int) (end, value int, err error) {
	if i >= len(b) || b[i] != '"' {
		return i, i, jsonError(i, "a key in quotes should stand here")
	}
	if end, err = jsonString(b, i); err != nil {
		return end, end, err
	}
	if value = jsonSpace(b, end); value >= len(b) || b[value] != ':' {
		return end, value, jsonError(value, "a colon should stand here")
	}
	return end, jsonSpace(b, value+1), nil
}

// jsonObject skips an object and calls each for every member. The key has its quotes.
func jsonObject(b []byte, i int, each func(key, value []byte) error) (int, error) {
	if i = jsonSpace(b, i+1); i < len(b) && b[i] == '}' {
		return i + 1, nil
	}
	for {
		keyEnd, start, err := jsonName(b, i)
		if err != nil {
			return start, err
		}
		end, err := jsonValue(b, start)
		if err == nil {
			err = each(b[i:keyEnd], b[start:end])
		}
		if err != nil {
			return end, err
		}
		next, done, err := jsonNext(b, end, '}')
		if done || err != nil {
			return next, err
		}
		i = jsonSpace(b, next+1)
	}
}

// jsonArray skips an array and calls each for every element.
func jsonArray(b []byte, i int, each func(value []byte) error) (int, error) {
	if i = jsonSpace(b, i+1); i < len(b) && b[i] == ']' {
		return i + 1, nil
	}
	for {
		end, err := jsonValue(b, i)
		if err == nil {
			err = each(b[i:end])
		}
		if err != nil {
			return end, err
		}
		next, done, err := jsonNext(b, end, ']')
		if done || err != nil {
			return next, err
		}
		i = jsonSpace(b, next+1)
	}
}

// jsonNext reads what follows a member. If it is a comma, at is its position. If it is the closing character, done is true
// and at is the position after it.
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

// jsonString skips a string.
func jsonString(b []byte, i int) (int, error) {
	start := i
	for i++; i < len(b); {
		switch c := b[i]; {
		case c == '"':
			return i + 1, nil
		case c < 0x20:
			return i, jsonError(i, "a control character must be escaped")
		case c == '\\':
			n := jsonEscape(b, i)
			if n == 0 {
				return i, jsonError(i, "unknown escape")
			}
			i += n
		default:
			i++
		}
	}
	return i, jsonError(start, "the string does not end")
}

// jsonEscape returns the length of the escape at b[i], or 0 if it is not valid.
func jsonEscape(b []byte, i int) int {
	if i+1 < len(b) {
		switch b[i+1] {
		case '"', '\\', '/', 'b', 'f', 'n', 'r', 't':
			return 2
		}
	}
	if _, ok := hexUnit(b, i); ok {
		return 6
	}
	return 0
}

// jsonUnicode reports whether a checked string is Unicode text. Half of a surrogate pair is not.
func jsonUnicode(raw []byte) bool {
	for i := bytes.IndexByte(raw, '\\'); i >= 0 && i < len(raw); {
		unit, ok := hexUnit(raw, i)
		switch {
		case raw[i] != '\\':
			i++
		case !ok:
			i += 2
		case unit < 0xd800 || unit > 0xdfff:
			i += 6
		default:
			low, ok := hexUnit(raw, i+6)
			if unit >= 0xdc00 || !ok || low < 0xdc00 || low > 0xdfff {
				return false
			}
			i += 12
		}
	}
	return true
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

// jsonText returns the text of a checked string. The result shares raw's memory unless raw contains escapes.
func jsonText(raw []byte) []byte {
	inner := raw[1 : len(raw)-1]
	if bytes.IndexByte(inner, '\\') >= 0 {
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
