package view

import (
	"reflect"
	"slices"
)

// structOp compares structs. Each field has its slot among the node's children.
type structOp struct {
	fields []fieldOp // sorted by name
}

type fieldOp struct {
	op
	first int   // the index of the field, or of the embedded struct it is in
	rest  []int // the way from there on
	label *label
	omit  func(reflect.Value) bool // nil if the field always shows
}

func (c *compiler) structOp(t reflect.Type, addr bool) (op, *Error) {
	o := new(structOp)
	for _, f := range structFields(t) {
		label := newLabel(f.name)
		elem, err := c.op(opKey{f.typ, addr || f.byPointer, f.quoted})
		if err != nil {
			return nil, err.under(nameSegment(f.name))
		}
		o.fields = append(o.fields, fieldOp{elem, f.index[0], f.index[1:], label, f.omit()})
	}
	slices.SortFunc(o.fields, func(x, y fieldOp) int { return compareNames(x.label.name, y.label.name) })
	return o, nil
}

// of finds the field in a struct; it has none where an embedded pointer is nil.
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
	if err := s.enter(); err != nil {
		return false, err
	}
	b, changed := n.open(kindObject)
	var orphans []node
	if b.shape != o {
		orphans = b.adopt(o)
	}
	for i := range o.fields {
		f := &o.fields[i]
		c, err := f.update(s, v, &b.kids[i])
		if err != nil {
			return false, err.under(nameSegment(f.label.name))
		}
		changed = changed || c
	}
	if len(orphans) > 0 {
		b.bury(s, orphans)
		changed = true
	}
	s.leave()
	return n.touch(s, changed), nil
}

func (f *fieldOp) update(s *Shadow, v reflect.Value, n *node) (bool, *Error) {
	fv, ok := f.of(v)
	if !ok || f.omit != nil && f.omit(fv) {
		return n.drop(s), nil
	}
	return f.op.update(s, fv, n)
}

// adopt gives the children of another struct or of a map new places as fields of o, and
// returns those for which o has no field.
func (b *box) adopt(o *structOp) (orphans []node) {
	old := b.kids
	b.kids, b.shape, b.scan, b.dead = make([]node, len(o.fields)), o, nil, 0
	for i := range o.fields {
		b.kids[i].label = o.fields[i].label
	}
	for _, kid := range old {
		if kid.kind == kindAbsent {
			continue
		}
		i := find(b.kids, kid.label.name)
		if i < 0 {
			orphans = append(orphans, kid)
			continue
		}
		kid.label = b.kids[i].label
		b.kids[i] = kid
	}
	return orphans
}

// bury keeps orphans as absent children until the next update, so that the patch tells
// of their removal. Meanwhile the children are those of a map.
func (b *box) bury(s *Shadow, orphans []node) {
	for i := range orphans {
		orphans[i].drop(s)
	}
	b.kids = append(b.kids, orphans...)
	b.shape, b.dead = nil, len(orphans)
	b.sort()
}
