package view

import (
	"strconv"
	"strings"
)

// Error says which part of a view cannot be shown to clients, and what to do about it.
// It never holds a value of the view; its path may hold map keys.
type Error struct {
	// Path names the part by the names that clients see, such as "players[3].hand".
	// In errors of [Compile] an element of a slice or map is "[]". Empty means the
	// view itself.
	Path string
	// Reason says what is wrong and what would be right.
	Reason string
}

func (e *Error) Error() string {
	if e.Path == "" {
		return "view: " + e.Reason
	}
	return "view: " + e.Path + ": " + e.Reason
}

const (
	reasonNull  = "is null, which a merge patch cannot say: add omitempty, or use an empty value"
	reasonRange = "is an integer beyond ±(2^53-1): make it a string, for instance by the tag \",string\""
	reasonNaN   = "is not a finite number"
	reasonUTF8  = "is not valid UTF-8"
	reasonDepth = "is nested too deep: does the view contain itself?"
)

func fail(reason string) *Error { return &Error{Reason: reason} }

// under puts a path segment in front, as the error passes a level on its way out.
func (e *Error) under(segment string) *Error {
	e.Path = segment + e.Path
	return e
}

// done makes the path fit for people once its outermost segment is known.
func (e *Error) done() *Error {
	e.Path = strings.TrimPrefix(e.Path, ".")
	return e
}

func indexSegment(i int) string { return "[" + strconv.Itoa(i) + "]" }

// nameSegment writes an object member: .name, or ["na me"] where a dot would mislead.
func nameSegment(name string) string {
	for i := range len(name) {
		c := name[i]
		plain := c == '_' || c == '-' || c >= '0' && c <= '9' || c|0x20 >= 'a' && c|0x20 <= 'z'
		if !plain {
			return "[" + strconv.Quote(name) + "]"
		}
	}
	if name == "" {
		return `[""]`
	}
	return "." + name
}
