package schema

import (
	"encoding/json"
	"reflect"
)

// Kind is a kind of JSON value.
type Kind uint8

// The kinds. An Object has known fields, a Map has entries of one type.
const (
	Any Kind = iota
	Null
	Bool
	Integer
	Number
	String
	Array
	Map
	Object
)

// Type is what JSON has for a Go type in one role.
type Type struct {
	Kind   Kind
	Go     reflect.Type
	Format Format  // of a String
	Elem   Value   // of an Array or a Map
	Len    int     // of an Array; -1: any
	Keys   Keys    // of a Map
	Fields []Field // of an Object, as they stand in the Go type
}

// Format is what a text holds.
type Format uint8

// The formats of texts. Quoted ones come from the tag option ",string".
const (
	Text Format = iota
	Time        // RFC 3339
	Base64
	QuotedBool
	QuotedInteger
	QuotedNumber
	QuotedText // JSON of a text
)

// Keys are what the names of a Map's entries look like.
type Keys uint8

// The keys of maps.
const (
	TextKeys Keys = iota
	IntegerKeys
	NaturalKeys // integers from 0
)

// Value is a place that holds a value of a type, or perhaps null.
type Value struct {
	*Type
	Null bool
}

// Field is a field of an object.
type Field struct {
	Value
	Name     string
	Optional bool            // it may be missing
	Default  json.RawMessage // of an option: what it is when it is missing; nil: not known, or nothing
	Owner    reflect.Type    // the Go struct that declares it
	GoName   string          // its name there
}

// Named reports whether the type is composed and has a name in Go, so that it deserves one elsewhere. Types that contain
// themselves always have one.
func (t *Type) Named() bool { return t.Kind >= Array && t.Go.Name() != "" }
