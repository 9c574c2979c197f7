package wire

import (
	"bytes"
	"errors"
	"iter"
	"strconv"
	"unicode/utf8"
)

// What a client says freely, the data of an act and the echo of a ping, is I-JSON (RFC 7493): what every program reads
// alike. Its grammar has been checked; this is about what it says.

// CheckedJSON is one JSON value as the data of an act is taken: grammar, UTF-8 and I-JSON are checked, and numbers that
// are whole stand as integers. Depth is how deep it may be nested. The result is raw itself unless a number was spelt
// otherwise. The error is a *ProtocolError.
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

// checkedJSON is CheckedJSON for a value whose grammar is right.
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

// checker goes through a value whose grammar is right.
type checker struct {
	floats bool // a whole number is spelt as a float
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
		return i, twice(key)
	}
	return value, nil
}

// number refuses what no double holds. Fewer than 300 digits without an exponent are never too many.
func (c *checker) number(raw []byte) error {
	if !bytes.ContainsAny(raw, ".eE") && len(raw) < 300 {
		return nil
	}
	if _, err := strconv.ParseFloat(string(raw), 64); err != nil {
		return malformed("a number is too large")
	}
	var room [maxWholeText]byte
	if _, whole := appendWhole(room[:0], raw); whole {
		c.floats = true
	}
	return nil
}

// plainNumbers writes the whole numbers of a checked value as integers.
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

// appendWhole appends a JSON number that is spelt with a point or an exponent as an integer, if it is one of up to
// ±(2⁵³-1): 1.0, 10e-1 and 0.1E1 are all 1.
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
	var room [maxWholeText + 1]byte
	digits := room[:0]
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

// clampedInt reads an exponent; one beyond all numbers is far beyond them, however long it is.
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

// keys remembers those of one object.
type keys struct {
	few  [8][]byte
	n    int
	many map[string]struct{} // when there are more
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

func twice(key []byte) error { return malformed("the key %s stands twice", brief(key)) }

func tooDeep() error { return malformed("nested more than %d deep", MaxDepth) }

// faultOf says by which code an act is refused whose data is wrong.
func faultOf(err error) *Fault {
	fault := &Fault{CodeAction, "data: " + err.Error()}
	if wrong, ok := errors.AsType[*ProtocolError](err); ok && wrong.text {
		fault.Code = CodeText
	}
	return fault
}

// JSONMembers goes through the members of an object that CheckedJSON has taken: names without quotes and escapes, and
// values. What is no object has none.
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

// JSONElements goes likewise through those of an array.
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
