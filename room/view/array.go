package view

import (
	"reflect"
	"slices"
)

type (
	anyOp     struct{}          // any interface: the type is found at each update
	pointerOp struct{ elem op } // what the pointer points to
	arrayOp   struct{ elem op } // arrays, and slices other than []byte
)

func (anyOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	return s.updateAny(v.Elem(), n)
}

// updateAny takes a value whose type was not known before; an invalid one is nil.
func (s *Shadow) updateAny(v reflect.Value, n *node) (bool, *Error) {
	if !v.IsValid() {
		return false, fail(reasonNull)
	}
	o, err := s.dynamic(v.Type())
	if err != nil {
		return false, err
	}
	return o.update(s, v, n)
}

func (o *pointerOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	if v.IsNil() {
		return false, fail(reasonNull)
	}
	if err := s.enter(); err != nil {
		return false, err
	}
	changed, err := o.elem.update(s, v.Elem(), n)
	s.leave()
	return changed, err
}

func (c *compiler) arrayOp(t reflect.Type, addr bool) (op, *Error) {
	elem, err := c.op(opKey{typ: t.Elem(), addr: addr})
	if err != nil {
		return nil, err.under("[]")
	}
	return &arrayOp{elem}, nil
}

func (o *arrayOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	if err := s.enter(); err != nil {
		return false, err
	}
	b, changed := n.open(kindArray)
	count := v.Len()
	if count != len(b.kids) {
		changed = true
		b.resize(count)
	}
	for i := range count {
		c, err := o.elem.update(s, v.Index(i), &b.kids[i])
		if err != nil {
			return false, err.under(indexSegment(i))
		}
		changed = changed || c
	}
	s.leave()
	return n.touch(s, changed), nil
}

// resize makes room for n elements. Those beyond the old length may be what an earlier,
// longer array left there, which spares allocating them anew: an update makes a node
// equal to its value whatever it was.
func (b *box) resize(n int) {
	b.kids = slices.Grow(b.kids, max(0, n-len(b.kids)))[:n]
}
