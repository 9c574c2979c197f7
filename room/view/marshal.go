package view

import (
	"bytes"
	"encoding"
	"encoding/json"
	"errors"
	"io"
	"reflect"
	"unicode/utf8"
)

type (
	jsonOp struct{ addr bool } // a json.Marshaler, or a type whose pointer is one
	textOp struct{ addr bool } // an encoding.TextMarshaler, or a type whose pointer is one
)

func (o jsonOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	m, err := method[json.Marshaler](v, o.addr)
	if err != nil {
		return false, err
	}
	raw, bad := m.MarshalJSON()
	if bad != nil {
		return false, fail("has a MarshalJSON that failed: " + bad.Error())
	}
	if !utf8.Valid(raw) {
		return false, fail(reasonUTF8)
	}
	tree, bad := parse(raw)
	if bad != nil {
		return false, fail("has a MarshalJSON that gave no valid JSON")
	}
	return s.updateAny(reflect.ValueOf(tree), n)
}

func (o textOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	m, err := method[encoding.TextMarshaler](v, o.addr)
	if err != nil {
		return false, err
	}
	text, bad := m.MarshalText()
	if bad != nil {
		return false, fail("has a MarshalText that failed: " + bad.Error())
	}
	return updateText(s, text, n)
}

// method returns v as an M. A nil pointer or interface gives an error, because encoding/json
// would write null for it.
func method[M any](v reflect.Value, addr bool) (M, *Error) {
	var none M
	if addr {
		v = v.Addr()
	}
	if k := v.Kind(); (k == reflect.Pointer || k == reflect.Interface) && v.IsNil() {
		return none, fail(reasonNull)
	}
	m, ok := reflect.TypeAssert[M](v)
	if !ok {
		return none, fail(reasonNull)
	}
	return m, nil
}

// parse reads exactly one JSON value and keeps its numbers as text.
func parse(raw []byte) (tree any, err error) {
	d := json.NewDecoder(bytes.NewReader(raw))
	d.UseNumber()
	if err = d.Decode(&tree); err != nil {
		return nil, err
	}
	if _, err = d.Token(); err != io.EOF {
		return nil, errors.New("more than one value")
	}
	return tree, nil
}
