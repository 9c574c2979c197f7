package wire

import (
	"bytes"
	"errors"
	"iter"
	"strconv"
	"unicode/utf8"
)

// A client chooses the data of an act and the echo of a ping freely. Both must be I-JSON (RFC 7493), the subset of JSON
// that all programs read in the same way. The scanner checks the grammar; the functions below check the content.

// CheckedJSON checks one JSON value as the data of an act is checked: grammar, UTF-8, I-JSON, and nesting at most depth
// levels deep. It returns the value with whole numbers written as integers. The result is raw itself if no number had
// to be rewritten. The error is a *ProtocolError.
func CheckedJSON(raw []byte, depth int) ([]byte, error) {
	if !utf8.Valid(raw) {
		return nil, notText("text must be UTF-8")
	}
	start := jsonSpace(raw, 0)
	end, err := jsonValue(raw, start)
	if err != nil {
		return nil, err
	}
	if rest := jsonSpace(raw, end); rest < len(raw) {
		return nil, jsonError(rest, "one value alone should stand here")
	}
	return checkedJSON(raw[start:end], depth)
}

// checkedJSON is CheckedJSON for a value whose grammar has been checked.
func checkedJSON(raw []byte, depth int) ([]byte, error) {
	var c checker
	if _, err := c.value(raw, 0, depth); err != nil {
		return nil, err
	}
	if c.floats {
		return plainNumbers(raw), nil
	}
	return raw, nil
}

// checker checks the content of a value whose grammar has been checked.
type checker struct {
	floats bool // a whole number is written as a float
}

func (c *checker) value(b []byte, i, depth int) (int, error) {
	switch b[i] {
	case '{', '[':
		if depth == 0 {
			return i, tooDeep()
		}
		return c.members(b, i, depth)
	case '"':
		end, _ := jsonString(b, i)
		if !jsonUnicode(b[i:end]) {
			return i, notText("text must be Unicode, and holds half a surrogate pair")
		}
		return end, nil
	}
	end, _ := jsonScalar(b, i)
	if b[i] != '-' && b[i] > '9' {
		return end, nil
	}
	return end, c.number(b[i:end])
}

func (c *checker) members(b []byte, i, depth int) (_ int, err error) {
	closer := jsonCloser(b, i)
	var seen keys
	for i = jsonSpace(b, i+1); b[i] != closer; {
		if closer == '}' {
			if i, err = c.name(b, i, &seen); err != nil {
				return i, err
			}
		}
		if i, err = c.value(b, i, depth-1); err != nil {
			return i, err
		}
		if i = jsonSpace(b, i); b[i] == ',' {
			i = jsonSpace(b, i+1)
		}
	}
	return i + 1, nil
}

func (c *checker) name(b []byte, i int, seen *keys) (int, error) {
	end, value, _ := jsonName(b, i)
	if !jsonUnicode(b[i:end]) {
		return i, notText("a key must be Unicode, and holds half a surrogate pair")
	}
	if key := jsonText(b[i:end]); !seen.add(key) {
		return i, duplicateKey(key)
	}
	return value, nil
}

// number refuses a number that is too large for a double. Fewer than 300 digits without an exponent are never too large.
func (c *checker) number(raw []byte) error {
	if !bytes.ContainsAny(raw, ".eE") && len(raw) < 300 {
		return nil
	}
	if _, err := strconv.ParseFloat(string(raw), 64); err != nil {
		return malformed("a number is too large")
	}
	var buf [maxWholeText]byte
	if _, whole := appendWhole(buf[:0], raw); whole {
		c.floats = true
	}
	return nil
}

// plainNumbers rewrites the whole numbers in a checked value as integers.
func plainNumbers(raw []byte) []byte {
	out := make([]byte, 0, len(raw))
	for i := 0; i < len(raw); {
		end := i + 1
		switch c := raw[i]; {
		case c == '"':
			end, _ = jsonString(raw, i)
		case c == '-' || c >= '0' && c <= '9':
			end, _ = jsonNumber(raw, i)
			if whole, ok := appendWhole(out, raw[i:end]); ok {
				out, i = whole, end
				continue
			}
		}
		out = append(out, raw[i:end]...)
		i = end
	}
	return out
}

// maxWholeText is the length of the longest number that appendWhole writes.
const maxWholeText = len("-9007199254740991")

// appendWhole appends a JSON number with a point or an exponent as an integer, if its value is whole and within
// ±(2⁵³-1): 1.0, 10e-1 and 0.1E1 are all 1. Otherwise ok is false.
func appendWhole(dst, raw []byte) (out []byte, ok bool) {
	if !bytes.ContainsAny(raw, ".eE") {
		return dst, false
	}
	sign, number := "", raw
	if number[0] == '-' {
		sign, number = "-", number[1:]
	}
	exponent := 0
	if e := bytes.IndexAny(number, "eE"); e >= 0 {
		exponent = clampedInt(number[e+1:])
		number = number[:e]
	}
	var buf [maxWholeText + 1]byte
	digits := buf[:0]
	before, after, _ := bytes.Cut(number, []byte("."))
	exponent -= len(after)
	for _, part := range [...][]byte{before, after} {
		for _, c := range part {
			if len(digits) > 0 || c != '0' {
				digits = append(digits, c)
			}
		}
	}
	for len(digits) > 0 && digits[len(digits)-1] == '0' {
		digits = digits[:len(digits)-1]
		exponent++
	}
	switch {
	case len(digits) == 0:
		return append(dst, '0'), true
	case exponent < 0 || len(digits)+exponent > len("9007199254740991"):
		return dst, false
	}
	for ; exponent > 0; exponent-- {
		digits = append(digits, '0')
	}
	if n, err := strconv.ParseUint(string(digits), 10, 64); err != nil || n > maxWhole {
		return dst, false
	}
	return append(append(dst, sign...), digits...), true
}

// clampedInt reads an exponent of any length and limits it to ±2³⁰, which is far beyond all doubles.
func clampedInt(raw []byte) int {
	n, err := strconv.Atoi(string(raw))
	const far = 1 << 30
	if errors.Is(err, strconv.ErrRange) || n > far || n < -far {
		if raw[0] == '-' {
			return -far
		}
		return far
	}
	return n
}

// keys remembers the keys of one object. The first eight need no allocation.
type keys struct {
	few  [8][]byte
	n    int
	many map[string]struct{} // all keys, once there are more than fit into few
}

// add reports whether the key is new.
func (k *keys) add(key []byte) bool {
	if k.many != nil {
		n := len(k.many)
		k.many[string(key)] = struct{}{}
		return len(k.many) > n
	}
	for _, before := range k.few[:k.n] {
		if string(before) == string(key) {
			return false
		}
	}
	if k.n < len(k.few) {
		k.few[k.n] = key
		k.n++
		return true
	}
	k.many = map[string]struct{}{string(key): {}}
	for _, before := range k.few {
		k.many[string(before)] = struct{}{}
	}
	return true
}

func duplicateKey(key []byte) error { return malformed("the key %s stands twice", quotedStart(key)) }

func tooDeep() error { return malformed("nested more than %d deep", MaxDepth) }

// faultOf turns what is wrong with an act's data into the code and reason of its refusal.
func faultOf(err error) *Fault {
	fault := &Fault{CodeAction, "data: " + err.Error()}
	if wrong, ok := errors.AsType[*ProtocolError](err); ok && wrong.text {
		fault.Code = CodeText
	}
	return fault
}

// JSONMembers iterates over the members of an object that CheckedJSON has accepted. Names come without quotes and
// escapes, values as JSON. A value that is no object has no members.
func JSONMembers(raw []byte) iter.Seq2[[]byte, []byte] {
	return func(yield func(name, value []byte) bool) {
		if jsonCloser(raw, 0) != '}' {
			return
		}
		_, _ = jsonObject(raw, 0, func(key, value []byte) error {
			if !yield(jsonText(key), value) {
				return errStop
			}
			return nil
		})
	}
}

// JSONElements iterates in the same way over the elements of an array.
func JSONElements(raw []byte) iter.Seq[[]byte] {
	return func(yield func(value []byte) bool) {
		if jsonCloser(raw, 0) != ']' {
			return
		}
		_, _ = jsonArray(raw, 0, func(value []byte) error {
			if !yield(value) {
				return errStop
			}
			return nil
		})
	}
}

var errStop = errors.New("the caller has seen enough")
