package view

import (
	"reflect"

	"github.com/roomring/roomring/room/internal/fields"
)

// omit returns the test for leaving a field out, or nil if the field is always written.
func omit(f fields.JSONField) func(reflect.Value) bool {
	zero := isZeroFunc(f.Type)
	switch {
	case f.OmitEmpty && f.OmitZero:
		return func(v reflect.Value) bool { return isEmpty(v) || zero(v) }
	case f.OmitEmpty:
		return isEmpty
	case f.OmitZero:
		return zero
	}
	return nil
}

// isEmpty reports whether omitempty leaves v out.
func isEmpty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Array, reflect.Map, reflect.Slice, reflect.String:
		return v.Len() == 0
	case reflect.Struct:
		return false
	}
	return v.IsZero()
}

type isZeroer interface{ IsZero() bool }

var isZeroerType = reflect.TypeFor[isZeroer]()

// isZeroFunc returns the test of omitzero, which calls the type's IsZero method if it has one.
func isZeroFunc(t reflect.Type) func(reflect.Value) bool {
	switch {
	case t.Implements(isZeroerType):
		return isZeroByValue
	case reflect.PointerTo(t).Implements(isZeroerType):
		return isZeroByPointer
	}
	return reflect.Value.IsZero
}

func isZeroByValue(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Pointer:
		if v.IsNil() {
			return true
		}
	case reflect.Interface:
		if v.IsNil() || v.Elem().Kind() == reflect.Pointer && v.Elem().IsNil() {
			return true
		}
	}
	z, ok := reflect.TypeAssert[isZeroer](v)
	return ok && z.IsZero()
}

func isZeroByPointer(v reflect.Value) bool {
	if !v.CanAddr() {
		boxed := reflect.New(v.Type()).Elem()
		boxed.Set(v)
		v = boxed
	}
	return isZeroByValue(v.Addr())
}
