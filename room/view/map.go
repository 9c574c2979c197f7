package view

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// mapOp compares maps. Go walks a map in any order, so each key is looked up among the
// node's sorted children; new ones are gathered behind them and sorted in at the end.
type mapOp struct {
	typ  reflect.Type
	elem op
	keys keyKind
}

type keyKind uint8

const (
	stringKeys keyKind = iota
	integerKeys
	textKeys // encoding.TextMarshaler
)

// mapScratch is what walking a map needs, kept so that the next walk allocates nothing.
// Between walks it refers to nothing of the game's.
type mapScratch struct {
	iter      reflect.MapIter
	key, elem reflect.Value
}

func (c *compiler) mapOp(t reflect.Type) (op, *Error) {
	o := &mapOp{typ: t}
	switch k := t.Key(); {
	case k.Kind() == reflect.String:
		o.keys = stringKeys
	case k.Implements(textMarshalerType):
		o.keys = textKeys
	case k.Kind() >= reflect.Int && k.Kind() <= reflect.Uintptr:
		o.keys = integerKeys
	default:
		return nil, fail("is a map with keys of type " + k.String() + ", which are no text: use string or integer keys, or give them MarshalText")
	}
	elem, err := c.op(opKey{typ: t.Elem()})
	if err != nil {
		return nil, err.under("[]")
	}
	o.elem = elem
	return o, nil
}

func (o *mapOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	if err := s.enter(); err != nil {
		return false, err
	}
	b, changed := n.open(kindObject)
	b.settle()
	known, met := len(b.kids), 0
	scan := b.scratch(o.typ)
	scan.iter.Reset(v)
	for scan.iter.Next() {
		scan.key.SetIterKey(&scan.iter)
		scan.elem.SetIterValue(&scan.iter)
		i, err := o.child(s, b, known, scan.key)
		if err != nil {
			return false, err
		}
		kid := &b.kids[i]
		if kid.seen {
			return false, twice(kid)
		}
		kid.seen = true
		c, err := o.elem.update(s, scan.elem, kid)
		if err != nil {
			return false, err.under(nameSegment(kid.label.name))
		}
		changed = changed || c
		met++
	}
	scan.clear()
	moved, err := b.finish(s, known, met)
	if err != nil {
		return false, err
	}
	s.leave()
	return n.touch(s, changed || moved), nil
}

// child finds the place of the child for a key among the known ones, or makes one.
func (o *mapOp) child(s *Shadow, b *box, known int, key reflect.Value) (int, *Error) {
	if o.keys == stringKeys {
		name := key.String()
		if i := find(b.kids[:known], name); i >= 0 {
			return i, nil
		}
		return b.insert(name)
	}
	var err *Error
	if s.buf, err = o.appendKey(s.buf[:0], key); err != nil {
		return 0, err
	}
	if i := find(b.kids[:known], s.buf); i >= 0 {
		return i, nil
	}
	return b.insert(string(s.buf))
}

func (o *mapOp) appendKey(b []byte, key reflect.Value) ([]byte, *Error) {
	if o.keys == integerKeys {
		return appendInteger(b, key), nil
	}
	if key.Kind() == reflect.Pointer && key.IsNil() {
		return b, nil // encoding/json's name for it is ""
	}
	m, ok := reflect.TypeAssert[encoding.TextMarshaler](key)
	if !ok {
		return b, fail("has a nil key")
	}
	text, err := m.MarshalText()
	if err != nil {
		return b, fail("has a key whose MarshalText failed: " + err.Error())
	}
	return append(b, text...), nil
}

// settle forgets the children that the last update removed, so that all are alive.
func (b *box) settle() {
	if b.dead > 0 || b.shape != nil {
		b.kids = slices.DeleteFunc(b.kids, func(n node) bool { return n.kind == kindAbsent })
		b.dead, b.shape = 0, nil
	}
}

func (b *box) scratch(t reflect.Type) *mapScratch {
	if b.scan == nil || b.scan.key.Type() != t.Key() || b.scan.elem.Type() != t.Elem() {
		b.scan = &mapScratch{key: reflect.New(t.Key()).Elem(), elem: reflect.New(t.Elem()).Elem()}
	}
	return b.scan
}

func (m *mapScratch) clear() {
	m.iter.Reset(reflect.Value{})
	m.key.SetZero()
	m.elem.SetZero()
}

func (b *box) insert(name string) (int, *Error) {
	if !utf8.ValidString(name) {
		return 0, fail("has a key that " + reasonUTF8)
	}
	b.kids = append(b.kids, node{label: newLabel(name)})
	return len(b.kids) - 1, nil
}

// finish ends a walk over a map that met some of the known children, and new ones
// behind them: it drops those not met, sorts in the new, and reports whether it did.
func (b *box) finish(s *Shadow, known, met int) (changed bool, err *Error) {
	lost := met < len(b.kids)
	for i := range b.kids {
		kid := &b.kids[i]
		if lost && !kid.seen {
			kid.drop(s)
			b.dead++
		}
		kid.seen = false
	}
	if len(b.kids) == known {
		return lost, nil
	}
	b.sort()
	for i := 1; i < len(b.kids); i++ {
		if b.kids[i].label.name == b.kids[i-1].label.name {
			return false, twice(&b.kids[i])
		}
	}
	return true, nil
}

func twice(n *node) *Error {
	return fail("has two keys that are both written " + strconv.Quote(n.label.name))
}
