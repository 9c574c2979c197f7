package view

import (
	"strconv"
	"strings"
)

// Error says which part of a view cannot be shown to clients, and what to do about it.
// It never contains a value of the view. Its path may contain map keys.
type Error struct {
	// Path names the part in the names that clients see, such as "players[3].hand".
	// In errors of [Compile], "[]" stands for an element of a slice or map. An empty
	// path means the view itself.
	Path string
	// Reason says what is wrong and how to correct it.
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

// under puts a path segment in front of the path. Each level of nesting adds its segment.
func (e *Error) under(segment string) *Error {
	e.Path = segment + e.Path
	return e
}

// trimPath removes the dot in front of the outermost segment.
func (e *Error) trimPath() *Error {
	e.Path = strings.TrimPrefix(e.Path, ".")
	return e
}

func indexSegment(i int) string { return "[" + strconv.Itoa(i) + "]" }

// nameSegment writes an object member as .name, or as ["na me"] if it is no plain word.
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
