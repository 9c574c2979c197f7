// Package strict reads JSON into Go values. Roomring uses it for all input: actions, options and requests.
//
// It differs from encoding/json in four ways. The names of fields must match exactly: encoding/json accepts "MOVE" for
// "move". Fields that the struct does not have are errors. Values that programs read differently are errors, as in I-JSON
// (RFC 7493): an object with a key twice, half a surrogate pair, a number too large for a double. Whole numbers of up to
// ±(2⁵³-1) fit integers in any form: 4, 4.0 and 40e-1.
//
// All functions may be called from any goroutine.
package strict

import (
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"

	"github.com/roomring/roomring/room/wire"
)

// MaxDepth is how many levels deep values may be nested.
const MaxDepth = wire.MaxDepth

// Error says why a value was refused.
type Error struct {
	Field  string // the wrong field; empty: the whole value
	Reason string // for people; says what is wrong and what to do
	syntax bool
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return fmt.Sprintf("field %q: %s", e.Field, e.Reason)
}

// Syntax reports whether the input was no valid JSON value, or one that programs read differently.
func (e *Error) Syntax() bool { return e.syntax }

// Decode reads exactly one value into what into points to. The error is an *Error, an *UnknownFieldError, or the error of a
// type's own unmarshaler.
func Decode(raw []byte, into any) error {
	raw, err := wire.CheckedJSON(raw, MaxDepth)
	if err != nil {
		return &Error{Reason: err.Error(), syntax: true}
	}
	if err := shapeOf(into).check(raw); err != nil {
		return err
	}
	return decodeError(json.Unmarshal(raw, into))
}

// decodeError rewords an error of encoding/json for the sender of the value.
func decodeError(err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &Error{Field: wrong.Field, Reason: "cannot be " + article(wrong.Value) + wrong.Value}
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// article returns the article for encoding/json's name of a value: bool, string, number 1.5, array, object.
func article(value string) string {
	if value == "array" || value == "object" {
		return "an "
	}
	return "a "
}

// quoted quotes a name for an error and cuts it at 64 bytes.
func quoted(name string) string {
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return strconv.Quote(name)
}
