package schema

import (
	"encoding"
	"encoding/json"
	"fmt"
	"math/big"
	"reflect"
	"slices"
	"time"

	"github.com/roomring/roomring/room/internal/fields"
)

// role is what becomes of values of a type.
type role uint8

const (
	viewed  role = iota // written by package view, which knows no null
	written             // by encoding/json
	read                // by package strict
)

// builder makes the types of one role.
type builder struct {
	role  role
	known map[key]*Type
}

// key is what the JSON of a Go type depends on in one role.
type key struct {
	t      reflect.Type
	addr   bool // values are addressable, so that methods of their pointer count
	quoted bool // by the tag option ",string"
	filled bool // values hold defaults before they are read, so every field may be missing
}

func newBuilder(r role) *builder { return &builder{r, map[key]*Type{}} }

// Error says that a Go type cannot be JSON, and where in the game it is.
type Error struct {
	Path   string // Go names, such as Players[].Hand; empty: the type itself
	Reason string // what is wrong, and what to do
}

func (e *Error) Error() string {
	if e.Path == "" {
		return e.Reason
	}
	return "field " + e.Path + ": " + e.Reason
}

func cannot(path, format string, args ...any) error {
	return &Error{path, fmt.Sprintf(format, args...)}
}

// root is a whole view, action or event. If its Go type is a pointer, it is not nil.
func (b *builder) root(t reflect.Type, filled bool) (Value, error) {
	addr := t.Kind() == reflect.Pointer
	if addr {
		t = t.Elem()
	}
	return b.value(key{t: t, addr: addr, filled: filled}, "", false)
}

// maxPointers bounds pointers to pointers, which a type may be without end.
const maxPointers = 16

// value is a place for values of a Go type. absent says that the place is left out when its value is nil.
func (b *builder) value(k key, path string, absent bool) (Value, error) {
	null := false
	for depth := 0; k.t.Kind() == reflect.Pointer; depth++ {
		if depth > maxPointers {
			return Value{}, cannot(path, "%v is a pointer to pointers without end: use a struct", k.t)
		}
		null = null || !absent
		k.t, k.addr, k.filled, absent = k.t.Elem(), true, false, false
	}
	t, err := b.typ(k, path)
	if err != nil {
		return Value{}, err
	}
	if nils := k.t.Kind() == reflect.Slice || k.t.Kind() == reflect.Map; nils && !b.coded(k.t, k.addr) {
		null = null || !absent
	}
	return Value{t, null && b.role != viewed && t.Kind != Any}, nil
}

func (b *builder) typ(k key, path string) (*Type, error) {
	if t, ok := b.known[k]; ok {
		return t, nil
	}
	t := &Type{Go: k.t, Len: -1}
	b.known[k] = t
	return t, b.fill(t, k, path)
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// asJSON and asText report whether values are written or read by their own methods.
func (b *builder) asJSON(t reflect.Type, addr bool) bool {
	return b.implements(t, addr, jsonMarshaler, jsonUnmarshaler)
}

func (b *builder) asText(t reflect.Type, addr bool) bool {
	return b.implements(t, addr, textMarshaler, textUnmarshaler)
}

func (b *builder) coded(t reflect.Type, addr bool) bool {
	return b.asJSON(t, addr) || b.asText(t, addr)
}

func (b *builder) implements(t reflect.Type, addr bool, writes, reads reflect.Type) bool {
	switch {
	case t.Kind() == reflect.Interface:
		return false
	case b.role == read:
		return reflect.PointerTo(t).Implements(reads)
	}
	return t.Implements(writes) || addr && reflect.PointerTo(t).Implements(writes)
}

// fill says what t is.
func (b *builder) fill(t *Type, k key, path string) error {
	switch {
	case b.asJSON(k.t, k.addr):
		t.Kind, t.Format = codedKind(k.t)
		return nil
	case b.asText(k.t, k.addr):
		t.Kind = String
		return nil
	}
	if t.Kind, t.Format = scalar(k.t); t.Kind != Any {
		if k.quoted {
			t.Kind, t.Format = String, quotedFormat(t.Kind)
		}
		return nil
	}
	var err error
	switch k.t.Kind() {
	case reflect.Struct:
		t.Kind = Object
		return b.structure(t, k, path)
	case reflect.Map:
		t.Kind = Map
		if t.Keys, err = b.keys(k.t, path); err == nil {
			t.Elem, err = b.value(key{t: k.t.Elem()}, path+"[]", false)
		}
		return err
	case reflect.Slice, reflect.Array:
		return b.list(t, k, path)
	case reflect.Interface:
		if k.t.NumMethod() > 0 {
			return cannot(path, "what JSON the interface %v holds cannot be known: use a struct with optional fields, or any", k.t)
		}
		return nil
	}
	return cannot(path, "a %v cannot be JSON: leave it out by the tag json:\"-\"", k.t)
}

// codedKind is what is known of a type that has MarshalJSON or UnmarshalJSON.
func codedKind(t reflect.Type) (Kind, Format) {
	switch t {
	case reflect.TypeFor[time.Time]():
		return String, Time
	case reflect.TypeFor[big.Int]():
		return Integer, 0
	}
	return Any, 0
}

// scalar is a boolean, number or text; Any is anything else.
func scalar(t reflect.Type) (Kind, Format) {
	switch k := t.Kind(); {
	case k == reflect.Bool:
		return Bool, 0
	case k >= reflect.Int && k <= reflect.Uintptr:
		return Integer, 0
	case k == reflect.Float32 || k == reflect.Float64 || t == reflect.TypeFor[json.Number]():
		return Number, 0
	case k == reflect.String:
		return String, Text
	case k == reflect.Slice && isBytes(t):
		return String, Base64
	}
	return Any, 0
}

// isBytes reports whether encoding/json writes slices of type t as base64.
func isBytes(t reflect.Type) bool {
	elem := reflect.PointerTo(t.Elem())
	return t.Elem().Kind() == reflect.Uint8 && !elem.Implements(jsonMarshaler) && !elem.Implements(textMarshaler)
}

func quotedFormat(k Kind) Format {
	switch k {
	case Bool:
		return QuotedBool
	case Integer:
		return QuotedInteger
	case Number:
		return QuotedNumber
	}
	return QuotedText
}

func (b *builder) list(t *Type, k key, path string) (err error) {
	t.Kind = Array
	addr := true
	if k.t.Kind() == reflect.Array {
		t.Len, addr = k.t.Len(), k.addr
	}
	t.Elem, err = b.value(key{t: k.t.Elem(), addr: addr}, path+"[]", false)
	return err
}

func (b *builder) keys(t reflect.Type, path string) (Keys, error) {
	k := t.Key()
	integer := k.Kind() >= reflect.Int && k.Kind() <= reflect.Uintptr
	switch {
	case k.Kind() == reflect.String || b.implements(k, false, textMarshaler, textUnmarshaler):
		return TextKeys, nil
	case integer && k.Kind() >= reflect.Uint:
		return NaturalKeys, nil
	case integer:
		return IntegerKeys, nil
	case b.role == read && k.Implements(textMarshaler):
		return 0, cannot(path, "a map with keys of type %v cannot be read from JSON: give %v an UnmarshalText method", k, k)
	}
	return 0, cannot(path, "a map with keys of type %v cannot be JSON: give %v a MarshalText method", k, k)
}

func (b *builder) structure(t *Type, k key, path string) error {
	found := fields.JSONFields(k.t)
	slices.SortStableFunc(found, func(a, b fields.JSONField) int { return slices.Compare(a.Index, b.Index) })
	for _, f := range found {
		owner, name := declared(k.t, f.Index)
		at := name
		if path != "" {
			at = path + "." + name
		}
		v, err := b.value(key{f.Type, k.addr || f.ByPointer || b.role == read, f.Quoted, k.filled}, at, nilLeftOut(f))
		if err != nil {
			return err
		}
		t.Fields = append(t.Fields, Field{Value: v, Name: f.Name, Optional: k.filled || b.optional(f), Owner: owner, GoName: name})
	}
	return nil
}

// declared returns the struct that declares a field, which may be embedded in t, and its name there.
func declared(t reflect.Type, index []int) (owner reflect.Type, name string) {
	for _, i := range index {
		if t.Kind() == reflect.Pointer {
			t = t.Elem()
		}
		f := t.Field(i)
		owner, name, t = t, f.Name, f.Type
	}
	return owner, name
}

// nilLeftOut reports whether a field is left out when it is nil.
func nilLeftOut(f fields.JSONField) bool {
	return f.OmitEmpty || f.OmitZero && (f.Type.Kind() == reflect.Pointer || !hasIsZero(f.Type))
}

func hasIsZero(t reflect.Type) bool {
	return reflect.PointerTo(t).Implements(reflect.TypeFor[interface{ IsZero() bool }]())
}

// optional reports whether objects may lack a field. An action need not have what may be nil.
func (b *builder) optional(f fields.JSONField) bool {
	if f.OmitZero || f.ByPointer || b.role == read && f.Type.Kind() == reflect.Pointer {
		return true
	}
	never := f.Type.Kind() == reflect.Struct || f.Type.Kind() == reflect.Array && f.Type.Len() > 0
	return f.OmitEmpty && !never
}
