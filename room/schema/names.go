package schema

import (
	"bytes"
	"cmp"
	"fmt"
	"path"
	"reflect"
	"regexp"
	"slices"
	"strings"
)

// Names gives types names that differ.
type Names struct {
	taken map[string]bool
	known map[*Type]string
	order []*Type // of known
}

// NewNames returns names of nothing. The reserved ones are given to no type.
func NewNames(reserved ...string) *Names {
	n := &Names{map[string]bool{}, map[*Type]string{}, nil}
	for _, name := range reserved {
		n.taken[name] = true
	}
	return n
}

// Of returns the name of a type, and whether it is a new one: the first of the wishes that no other type has, or the first with a number
// behind it. Types that are the same have the same name.
func (n *Names) Of(t *Type, wishes ...string) (name string, isNew bool) {
	if name, ok := n.known[t]; ok {
		return name, false
	}
	for _, other := range n.order {
		if Same(t, other) {
			n.known[t] = n.known[other]
			return n.known[t], false
		}
	}
	for i := 0; ; i++ {
		if i < len(wishes) {
			name = wishes[i]
		} else {
			name = fmt.Sprintf("%s%d", wishes[0], i-len(wishes)+2)
		}
		if !n.taken[name] {
			n.Set(t, name)
			return name, true
		}
	}
}

// QualifiedName is TypeName with the name of the type's package behind it.
func QualifiedName(t reflect.Type) string {
	return TypeName(t) + "_" + notOfAName.ReplaceAllString(path.Base(t.PkgPath()), "_")
}

// Set gives a type a name, which should be new or reserved.
func (n *Names) Set(t *Type, name string) {
	n.taken[name], n.known[t] = true, name
	n.order = append(n.order, t)
}

var (
	packages   = regexp.MustCompile(`[^\[\],*]*[/.]`) // in front of the names of type arguments
	notOfAName = regexp.MustCompile(`[^A-Za-z0-9]+`)
)

// TypeName is the name of a Go type as an identifier of ASCII: that of Pair[int, game.Card] is Pair_int_Card.
func TypeName(t reflect.Type) string {
	name := packages.ReplaceAllString(t.Name(), "")
	return cmp.Or(strings.Trim(notOfAName.ReplaceAllString(name, "_"), "_"), "Type")
}

// Same reports whether two types come from one Go type and are the same JSON, although they may have other roles.
func Same(a, b *Type) bool { return pairs{}.same(a, b) }

// pairs are those that are being compared, for types that contain themselves.
type pairs map[[2]*Type]bool

func (p pairs) same(a, b *Type) bool {
	pair := [2]*Type{a, b}
	if a == b || p[pair] {
		return true
	}
	p[pair] = true
	if a.Go != b.Go || a.Kind != b.Kind || a.Format != b.Format || a.Len != b.Len || a.Keys != b.Keys {
		return false
	}
	if a.Elem.Null != b.Elem.Null || (a.Elem.Type == nil) != (b.Elem.Type == nil) || a.Elem.Type != nil && !p.same(a.Elem.Type, b.Elem.Type) {
		return false
	}
	return slices.EqualFunc(a.Fields, b.Fields, func(f, g Field) bool {
		return f.Name == g.Name && f.Optional == g.Optional && f.Null == g.Null && bytes.Equal(f.Default, g.Default) && p.same(f.Type, g.Type)
	})
}
