package view

import (
	"reflect"
	"slices"

	"github.com/roomring/roomring/room/internal/fields"
)

// structOp compares structs. Each field has a fixed index among the node's children.
type structOp struct {
	fields []fieldOp // sorted by name
}

type fieldOp struct {
	op
	first int   // the index of the field, or of the embedded struct that holds it
	rest  []int // the remaining indexes inside the embedded struct
	label *label
	omit  func(reflect.Value) bool // nil if the field is always written
}

func (c *compiler) structOp(t reflect.Type, addr bool) (op, *Error) {
	o := new(structOp)
	for _, f := range fields.JSONFields(t) {
		label := newLabel(f.Name)
		elem, err := c.op(opKey{f.Type, addr || f.ByPointer, f.Quoted})
		if err != nil {
			return nil, err.under(nameSegment(f.Name))
		}
		o.fields = append(o.fields, fieldOp{elem, f.Index[0], f.Index[1:], label, omit(f)})
	}
	slices.SortFunc(o.fields, func(x, y fieldOp) int { return compareNames(x.label.name, y.label.name) })
	return o, nil
}

// of returns the field of a struct v. There is none if an embedded pointer is nil.
func (f *fieldOp) of(v reflect.Value) (reflect.Value, bool) {
	v = v.Field(f.first)
	for _, i := range f.rest {
		if v.Kind() == reflect.Pointer {
			if v.IsNil() {
				return v, false
			}
			v = v.Elem()
		}
		v = v.Field(i)
	}
	return v, true
}

func (o *structOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	if err := s.descend(); err != nil {
		return false, err
	}
	c, changed := n.open(kindObject)
	var removed []node
	if c.shape != o {
		removed = c.reshape(o)
	}
	for i := range o.fields {
		f := &o.fields[i]
		childChanged, err := f.update(s, v, &c.children[i])
		if err != nil {
			return false, err.under(nameSegment(f.label.name))
		}
		changed = changed || childChanged
	}
	if len(removed) > 0 {
		c.keepRemoved(s, removed)
		changed = true
	}
	s.ascend()
	return n.mark(s, changed), nil
}

func (f *fieldOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	fv, ok := f.of(v)
	if !ok || f.omit != nil && f.omit(fv) {
		return n.remove(s), nil
	}
	return f.op.update(s, fv, n)
}

// reshape moves the children of another struct or of a map to their places as fields of o.
// It returns the children for which o has no field.
func (c *container) reshape(o *structOp) (removed []node) {
	old := c.children
	c.children, c.shape, c.scan, c.absent = make([]node, len(o.fields)), o, nil, 0
	for i := range o.fields {
		c.children[i].label = o.fields[i].label
	}
	for _, child := range old {
		if child.kind == kindAbsent {
			continue
		}
		i := find(c.children, child.label.name)
		if i < 0 {
			removed = append(removed, child)
			continue
		}
		child.label = c.children[i].label
		c.children[i] = child
	}
	return removed
}

// keepRemoved keeps removed children as absent ones until the next update, so that the patch
// reports their removal. Until then the container is that of a map.
func (c *container) keepRemoved(s *Shadow, removed []node) {
	for i := range removed {
		removed[i].remove(s)
	}
	c.children = append(c.children, removed...)
	c.shape, c.absent = nil, len(removed)
	c.sort()
}
