package view

import (
	"encoding"
	"reflect"
	"slices"
	"strconv"
	"unicode/utf8"
)

// mapOp compares maps. Go iterates over a map in random order, so each key is looked up
// among the node's sorted children. New children are appended and sorted in at the end.
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

// mapScratch holds what an iteration over a map needs. It is kept so that the next
// iteration allocates nothing. Between iterations it refers to no memory of the game.
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
	if err := s.descend(); err != nil {
		return false, err
	}
	c, changed := n.open(kindObject)
	c.dropAbsent()
	known, met := len(c.children), 0
	scan := c.scratch(o.typ)
	scan.iter.Reset(v)
	for scan.iter.Next() {
		scan.key.SetIterKey(&scan.iter)
		scan.elem.SetIterValue(&scan.iter)
		i, err := o.child(s, c, known, scan.key)
		if err != nil {
			return false, err
		}
		child := &c.children[i]
		if child.seen {
			return false, duplicateKey(child)
		}
		child.seen = true
		childChanged, err := o.elem.update(s, scan.elem, child)
		if err != nil {
			return false, err.under(nameSegment(child.label.name))
		}
		changed = changed || childChanged
		met++
	}
	scan.clear()
	keysChanged, err := c.finish(s, known, met)
	if err != nil {
		return false, err
	}
	s.ascend()
	return n.mark(s, changed || keysChanged), nil
}

// child returns the index of the child for a key. It searches the first known children and
// appends a new child if none of them has the key.
func (o *mapOp) child(s *Shadow, c *container, known int, key reflect.Value) (int, *Error) {
	if o.keys == stringKeys {
		name := key.String()
		if i := find(c.children[:known], name); i >= 0 {
			return i, nil
		}
		return c.insert(name)
	}
	var err *Error
	if s.buf, err = o.appendKey(s.buf[:0], key); err != nil {
		return 0, err
	}
	if i := find(c.children[:known], s.buf); i >= 0 {
		return i, nil
	}
	return c.insert(string(s.buf))
}

func (o *mapOp) appendKey(b []byte, key reflect.Value) ([]byte, *Error) {
	if o.keys == integerKeys {
		return appendInteger(b, key), nil
	}
	if key.Kind() == reflect.Pointer && key.IsNil() {
		return b, nil // encoding/json writes it as ""
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

// dropAbsent drops the absent children, which the last update removed.
func (c *container) dropAbsent() {
	if c.absent > 0 || c.shape != nil {
		c.children = slices.DeleteFunc(c.children, func(n node) bool { return n.kind == kindAbsent })
		c.absent, c.shape = 0, nil
	}
}

func (c *container) scratch(t reflect.Type) *mapScratch {
	if c.scan == nil || c.scan.key.Type() != t.Key() || c.scan.elem.Type() != t.Elem() {
		c.scan = &mapScratch{key: reflect.New(t.Key()).Elem(), elem: reflect.New(t.Elem()).Elem()}
	}
	return c.scan
}

func (m *mapScratch) clear() {
	m.iter.Reset(reflect.Value{})
	m.key.SetZero()
	m.elem.SetZero()
}

func (c *container) insert(name string) (int, *Error) {
	if !utf8.ValidString(name) {
		return 0, fail("has a key that " + reasonUTF8)
	}
	c.children = append(c.children, node{label: newLabel(name)})
	return len(c.children) - 1, nil
}

// finish ends an iteration over a map that met so many children, of which the first known
// ones existed before. It removes the children that were not met, sorts in the new ones, and
// reports whether there were any of either.
func (c *container) finish(s *Shadow, known, met int) (changed bool, err *Error) {
	removed := met < len(c.children)
	for i := range c.children {
		child := &c.children[i]
		if removed && !child.seen {
			child.remove(s)
			c.absent++
		}
		child.seen = false
	}
	if len(c.children) == known {
		return removed, nil
	}
	c.sort()
	for i := 1; i < len(c.children); i++ {
		if c.children[i].label.name == c.children[i-1].label.name {
			return false, duplicateKey(&c.children[i])
		}
	}
	return true, nil
}

func duplicateKey(n *node) *Error {
	return fail("has two keys that are both written " + strconv.Quote(n.label.name))
}
