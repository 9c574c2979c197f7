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

// updateAny compares a value whose type is only known now. An invalid v stands for nil.
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
	if err := s.descend(); err != nil {
		return false, err
	}
	changed, err := o.elem.update(s, v.Elem(), n)
	s.ascend()
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
	if err := s.descend(); err != nil {
		return false, err
	}
	c, changed := n.open(kindArray)
	count := v.Len()
	if count != len(c.children) {
		changed = true
		c.resize(count)
	}
	for i := range count {
		childChanged, err := o.elem.update(s, v.Index(i), &c.children[i])
		if err != nil {
			return false, err.under(indexSegment(i))
		}
		changed = changed || childChanged
	}
	s.ascend()
	return n.mark(s, changed), nil
}

// resize sets the number of children to n. New children may be nodes that a longer array
// left in the slice. They are reused, which saves allocations: an update makes a node equal
// to its value whatever the node was before.
func (c *container) resize(n int) {
	c.children = slices.Grow(c.children, max(0, n-len(c.children)))[:n]
}
