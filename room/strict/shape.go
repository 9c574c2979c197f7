package strict

import (
	"encoding"
	"encoding/json"
	"reflect"
	"strings"
	"sync"

	"github.com/roomring/roomring/room/wire"
)

// shape says which field names the objects in a value of one Go type may have. A nil shape allows all.
type shape struct {
	fields map[string]*shape // of a struct
	elem   *shape            // of a map, slice or array
	isMap  bool
}

var shapes sync.Map // reflect.Type → *shape

func shapeOf(into any) *shape {
	t := reflect.TypeOf(into)
	if known, ok := shapes.Load(t); ok {
		return known.(*shape)
	}
	s := builder{}.shape(t)
	shapes.Store(t, s)
	return s
}

// builder holds the shapes under construction, for types that contain themselves.
type builder map[reflect.Type]*shape

var (
	jsonType = reflect.TypeFor[json.Unmarshaler]()
	textType = reflect.TypeFor[encoding.TextUnmarshaler]()
)

func (b builder) shape(t reflect.Type) *shape {
	for t.Kind() == reflect.Pointer && !opaque(t) {
		t = t.Elem()
	}
	if opaque(t) {
		return nil // the type has its own unmarshaler
	}
	switch t.Kind() {
	case reflect.Struct:
		if s, known := b[t]; known {
			return s
		}
		s := &shape{fields: map[string]*shape{}}
		b[t] = s
		b.fields(s, t, map[reflect.Type]bool{})
		return s
	case reflect.Map, reflect.Slice, reflect.Array:
		if s, known := b[t]; known {
			return s
		}
		s := &shape{isMap: t.Kind() == reflect.Map}
		b[t] = s
		if s.elem = b.shape(t.Elem()); s.elem == nil {
			return nil
		}
		return s
	}
	return nil
}

// opaque reports whether the type, or a pointer to it, has its own unmarshaler.
func opaque(t reflect.Type) bool {
	return t.Implements(jsonType) || t.Implements(textType) || reflect.PointerTo(t).Implements(jsonType) || reflect.PointerTo(t).Implements(textType)
}

// fields adds the fields of t by encoding/json's rules. Fields of t hide those of the structs that it embeds.
func (b builder) fields(s *shape, t reflect.Type, inside map[reflect.Type]bool) {
	if inside[t] {
		return
	}
	inside[t] = true
	defer delete(inside, t)
	var embedded []reflect.Type
	for f := range t.Fields() {
		tag := f.Tag.Get("json")
		if tag == "-" {
			continue
		}
		name, _, _ := strings.Cut(tag, ",")
		base := f.Type
		if base.Kind() == reflect.Pointer {
			base = base.Elem()
		}
		switch {
		case f.Anonymous && name == "" && base.Kind() == reflect.Struct:
			embedded = append(embedded, base)
			continue
		case !f.IsExported():
			continue
		case name == "":
			name = f.Name
		}
		if _, hidden := s.fields[name]; !hidden {
			s.fields[name] = b.shape(f.Type)
		}
	}
	for _, e := range embedded {
		b.fields(s, e, inside)
	}
}

// check returns an UnknownFieldError for the first name that is not a field of its struct.
func (s *shape) check(raw []byte) error {
	switch {
	case s == nil:
		return nil
	case s.fields != nil || s.isMap:
		for name, value := range wire.JSONMembers(raw) {
			inner := s.elem
			if s.fields != nil {
				var known bool
				if inner, known = s.fields[string(name)]; !known {
					return s.unknown(string(name))
				}
			}
			if err := inner.check(value); err != nil {
				return err
			}
		}
	default:
		for value := range wire.JSONElements(raw) {
			if err := s.elem.check(value); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *shape) unknown(name string) error {
	for known := range s.fields {
		if strings.EqualFold(known, name) {
			return &UnknownFieldError{name, known}
		}
	}
	return &UnknownFieldError{Name: name}
}

// UnknownFieldError says that an object has a field that its struct does not have.
type UnknownFieldError struct {
	Name  string // the unknown field
	Meant string // a field whose name differs only in upper and lower case; empty: there is none
}

func (e *UnknownFieldError) Error() string {
	if e.Meant != "" {
		return "unknown field " + quoted(e.Name) + ": it is spelt " + quoted(e.Meant)
	}
	return "unknown field " + quoted(e.Name)
}
