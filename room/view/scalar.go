package view

import (
	"encoding/base64"
	"encoding/json"
	"math"
	"reflect"
	"strconv"
	"strings"
	"unicode/utf8"
)

// maxInt is the largest integer that JavaScript calls safe: a double holds every integer from -maxInt to maxInt exactly, and
// no other integer is rounded to one of them. 2⁵³ is not safe, because 2⁵³+1 is rounded to it; decoders refuse it.
const maxInt = 1<<53 - 1

type (
	boolOp    struct{}
	intOp     struct{}
	uintOp    struct{}
	float32Op struct{}
	float64Op struct{}
	stringOp  struct{}
	numberOp  struct{}              // json.Number
	bytesOp   struct{}              // []byte, as base64
	quotedOp  struct{ number bool } // a scalar under the tag option ",string"
)

func (boolOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	var num uint64
	if v.Bool() {
		num = 1
	}
	if n.kind == kindBool && n.num == num {
		return false, nil
	}
	n.set(s, kindBool, num)
	return true, nil
}

func (intOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	return updateInt(s, v.Int(), n)
}

func updateInt(s *Shadow, i int64, n *node) (bool, *Error) {
	if n.kind == kindInt && n.num == uint64(i) {
		return false, nil
	}
	if i < -s.maxInt || i > s.maxInt {
		return false, fail(reasonRange)
	}
	n.set(s, kindInt, uint64(i))
	return true, nil
}

func (uintOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	u := v.Uint()
	if u > uint64(s.maxInt) {
		return false, fail(reasonRange)
	}
	return updateInt(s, int64(u), n)
}

func (float64Op) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	return updateFloat(s, v.Float(), n)
}

func updateFloat(s *Shadow, f float64, n *node) (bool, *Error) {
	if i := int64(f); float64(i) == f && i >= -maxInt && i <= maxInt {
		return updateInt(s, i, n)
	}
	if n.kind == kindFloat && n.num == math.Float64bits(f) || n.kind == kindFloat32 && n.float() == f {
		return false, nil
	}
	if math.IsNaN(f) || math.IsInf(f, 0) {
		return false, fail(reasonNaN)
	}
	n.set(s, kindFloat, math.Float64bits(f))
	return true, nil
}

// update compares a float32 by its bits, because finding the double that it stands for is slow.
func (float32Op) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	f := float32(v.Float())
	bits := uint64(math.Float32bits(f))
	if n.kind == kindFloat32 && n.num == bits {
		return false, nil
	}
	d := float64(f)
	if d == math.Trunc(d) || math.IsNaN(d) || n.kind == kindFloat {
		return updateFloat(s, widen(f), n)
	}
	n.set(s, kindFloat32, bits)
	return true, nil
}

func (stringOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	return updateString(s, v.String(), n)
}

func updateString(s *Shadow, str string, n *node) (bool, *Error) {
	if n.kind == kindString && n.str == str {
		return false, nil
	}
	if !utf8.ValidString(str) {
		return false, fail(reasonUTF8)
	}
	n.setString(s, str)
	return true, nil
}

// updateText is updateString for text in a reused buffer. It copies the text only if it changed.
func updateText(s *Shadow, text []byte, n *node) (bool, *Error) {
	if n.kind == kindString && n.str == string(text) {
		return false, nil
	}
	return updateString(s, string(text), n)
}

func (bytesOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	s.buf = base64.StdEncoding.AppendEncode(s.buf[:0], v.Bytes())
	return updateText(s, s.buf, n)
}

func (numberOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	text, err := numberText(v)
	if err != nil {
		return false, err
	}
	if !strings.ContainsAny(text, ".eE") {
		i, err := strconv.ParseInt(text, 10, 64)
		if err != nil {
			return false, fail(reasonRange)
		}
		return updateInt(s, i, n)
	}
	f, bad := strconv.ParseFloat(text, 64)
	if bad != nil {
		return false, fail(reasonNaN)
	}
	return updateFloat(s, f, n)
}

// numberText returns the text of a json.Number and checks that it is a JSON number.
func numberText(v reflect.Value) (string, *Error) {
	text := v.String()
	if text == "" {
		return "0", nil // as encoding/json writes it
	}
	first, last := text[0], text[len(text)-1]
	if first != '-' && !isDigit(first) || !isDigit(last) || !json.Valid([]byte(text)) {
		return "", fail("is no valid JSON number")
	}
	return text, nil
}

func isDigit(c byte) bool { return c >= '0' && c <= '9' }

func (o quotedOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	b := s.buf[:0]
	switch v.Kind() {
	case reflect.Bool:
		b = strconv.AppendBool(b, v.Bool())
	case reflect.Float32, reflect.Float64:
		f := v.Float()
		if math.IsNaN(f) || math.IsInf(f, 0) {
			return false, fail(reasonNaN)
		}
		b = appendQuotedFloat(b, f, v.Type().Bits())
	case reflect.String:
		if !o.number {
			return updateQuotedString(s, v.String(), n)
		}
		text, err := numberText(v)
		if err != nil {
			return false, err
		}
		b = append(b, text...)
	default:
		b = appendInteger(b, v)
	}
	s.buf = b
	return updateText(s, b, n)
}

func appendInteger(b []byte, v reflect.Value) []byte {
	if v.CanInt() {
		return strconv.AppendInt(b, v.Int(), 10)
	}
	return strconv.AppendUint(b, v.Uint(), 10)
}

// appendQuotedFloat writes a float under ",string" as encoding/json does: like every other
// float, except that -0 keeps its sign.
func appendQuotedFloat(b []byte, f float64, bits int) []byte {
	if f == 0 && math.Signbit(f) {
		return append(b, "-0"...)
	}
	if bits == 32 {
		f = widen(float32(f))
	}
	return appendFloat(b, f)
}

// updateQuotedString compares a string under ",string". The text of the node is the JSON of
// the string, with the escapes that encoding/json chooses.
func updateQuotedString(s *Shadow, str string, n *node) (bool, *Error) {
	if !utf8.ValidString(str) {
		return false, fail(reasonUTF8)
	}
	text, err := json.Marshal(str)
	if err != nil {
		return false, fail(err.Error())
	}
	return updateText(s, text, n)
}
