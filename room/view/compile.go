package view

import (
	"encoding"
	"encoding/json"
	"reflect"
	"sync"
)

// op compares values of one Go type. update makes n equal to v and reports whether that
// changed n in the data model; if so, n.gen is the shadow's gen. After an error n is
// undefined.
type op interface {
	update(s *Shadow, v reflect.Value, n *node) (changed bool, err *Error)
}

// opKey holds everything on which the meaning of a value depends in encoding/json: its
// type, whether it is addressable (then methods of its pointer count), and the tag option
// ",string".
type opKey struct {
	typ    reflect.Type
	addr   bool
	quoted bool
}

// ops holds all compiled ops by opKey. The number of types in the program bounds its size.
var ops sync.Map

// compile returns the op for values of type t that are not addressable. Function arguments
// and the contents of maps and interfaces are not.
func compile(t reflect.Type) (op, *Error) {
	c := compiler{building: make(map[opKey]*forward)}
	o, err := c.op(opKey{typ: t})
	if err != nil {
		return nil, err
	}
	for key, f := range c.building {
		ops.LoadOrStore(key, f.op)
	}
	return o, nil
}

// compiler builds the ops for a type and all types inside it. They are published together,
// because the ops of recursive types refer to each other.
type compiler struct {
	building map[opKey]*forward
}

// forward stands for an op that is still being built. Only recursive types need it.
type forward struct{ op }

var (
	marshalerType     = reflect.TypeFor[json.Marshaler]()
	textMarshalerType = reflect.TypeFor[encoding.TextMarshaler]()
	numberType        = reflect.TypeFor[json.Number]()
)

func (c *compiler) op(key opKey) (op, *Error) {
	if o, ok := ops.Load(key); ok {
		return o.(op), nil
	}
	if f, ok := c.building[key]; ok {
		if f.op != nil {
			return f.op, nil
		}
		return f, nil
	}
	f := new(forward)
	c.building[key] = f
	o, err := c.build(key)
	f.op = o
	return o, err
}

func (c *compiler) build(key opKey) (op, *Error) {
	if o := marshalOp(key); o != nil {
		return o, nil
	}
	if o := scalarOp(key); o != nil {
		return o, nil
	}
	t := key.typ
	switch t.Kind() {
	case reflect.Interface:
		return anyOp{}, nil
	case reflect.Pointer:
		elem, err := c.op(opKey{t.Elem(), true, key.quoted})
		return &pointerOp{elem}, err
	case reflect.Struct:
		return c.structOp(t, key.addr)
	case reflect.Map:
		return c.mapOp(t)
	case reflect.Slice:
		if isBytes(t) {
			return bytesOp{}, nil
		}
		return c.arrayOp(t, true)
	case reflect.Array:
		return c.arrayOp(t, key.addr)
	}
	return nil, fail("is of type " + t.String() + ", which JSON cannot show: leave it out by the tag json:\"-\"")
}

// marshalOp returns the op of a type that encodes itself, or nil.
func marshalOp(key opKey) op {
	t := key.typ
	byPointer := func(method reflect.Type) bool {
		return key.addr && t.Kind() != reflect.Pointer && reflect.PointerTo(t).Implements(method)
	}
	switch {
	case byPointer(marshalerType):
		return jsonOp{addr: true}
	case t.Implements(marshalerType):
		return jsonOp{}
	case byPointer(textMarshalerType):
		return textOp{addr: true}
	case t.Implements(textMarshalerType):
		return textOp{}
	}
	return nil
}

// scalarOp returns the op of a number, boolean or string, or nil.
func scalarOp(key opKey) op {
	if key.quoted {
		if key.typ.Kind() == reflect.Pointer {
			return nil
		}
		return quotedOp{number: key.typ == numberType}
	}
	switch key.typ.Kind() {
	case reflect.Bool:
		return boolOp{}
	case reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64:
		return intOp{}
	case reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return uintOp{}
	case reflect.Float32:
		return float32Op{}
	case reflect.Float64:
		return float64Op{}
	case reflect.String:
		if key.typ == numberType {
			return numberOp{}
		}
		return stringOp{}
	}
	return nil
}

// isBytes reports whether encoding/json writes slices of type t as base64.
func isBytes(t reflect.Type) bool {
	if t.Elem().Kind() != reflect.Uint8 {
		return false
	}
	p := reflect.PointerTo(t.Elem())
	return !p.Implements(marshalerType) && !p.Implements(textMarshalerType)
}
