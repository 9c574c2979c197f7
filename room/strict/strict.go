// Package strict reads JSON into Go values as Roomring takes it everywhere: actions, options and requests.
//
// It reads what encoding/json reads, with three differences. The names of a struct's fields are exact: encoding/json
// would take "MOVE" for "move". Fields that a struct lacks are errors. And what programs read differently is an error, as
// in I-JSON (RFC 7493): an object with a key twice, half a surrogate pair, a number that no double holds. Whole numbers
// of up to ±(2⁵³-1) fit integers however they are spelt: 4, 4.0 and 40e-1.
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

// MaxDepth is how deep values may be nested.
const MaxDepth = wire.MaxDepth

// Error says why a value was not taken.
type Error struct {
	Field  string // the field at fault; empty: the whole
	Reason string // for people, and what to do about it
	syntax bool
}

func (e *Error) Error() string {
	if e.Field == "" {
		return e.Reason
	}
	return fmt.Sprintf("field %q: %s", e.Field, e.Reason)
}

// Syntax reports that it was no JSON value at all, or none that all programs read alike.
func (e *Error) Syntax() bool { return e.syntax }

// Decode reads exactly one value. The error is an *Error, or what a type's own unmarshaler says.
func Decode(raw []byte, into any) error {
	raw, err := wire.CheckedJSON(raw, MaxDepth)
	if err != nil {
		return &Error{Reason: err.Error(), syntax: true}
	}
	if err := shapeOf(into).check(raw); err != nil {
		return err
	}
	return told(json.Unmarshal(raw, into))
}

// told is an error of encoding/json in words for who sent the value.
func told(err error) error {
	if err == nil {
		return nil
	}
	if wrong, ok := errors.AsType[*json.UnmarshalTypeError](err); ok {
		return &Error{Field: wrong.Field, Reason: "cannot be " + article(wrong.Value) + wrong.Value}
	}
	return errors.New(strings.TrimPrefix(err.Error(), "json: "))
}

// article goes before what encoding/json calls a value: bool, string, number 1.5, array, object.
func article(value string) string {
	if value == "array" || value == "object" {
		return "an "
	}
	return "a "
}

// quoted is a name as an error shows it, cut at a length.
func quoted(name string) string {
	const most = 64
	if len(name) > most {
		name = strings.ToValidUTF8(name[:most], "") + "…"
	}
	return strconv.Quote(name)
}
