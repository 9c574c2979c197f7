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
	taken map[string]*Type // nil: reserved
	known map[*Type]string
}

// NewNames returns names of nothing. The reserved ones are given to no type.
func NewNames(reserved ...string) *Names {
	n := &Names{map[string]*Type{}, map[*Type]string{}}
	for _, name := range reserved {
		n.taken[name] = nil
	}
	return n
}

// Of returns the name of a type, and whether it is a new one. It is the type's name in Go, with that of its package or a number
// behind it if another type has that. Types that are the same have the same name.
func (n *Names) Of(t *Type) (name string, isNew bool) {
	if name, ok := n.known[t]; ok {
		return name, false
	}
	own := TypeName(t.Go)
	name = own
	for i := 1; ; i++ {
		other, taken := n.taken[name]
		if !taken {
			break
		}
		if other != nil && Same(t, other) {
			n.known[t] = name
			return name, false
		}
		if name = fmt.Sprintf("%s%d", own, i); i == 1 {
			name = TypeName(t.Go) + "_" + notOfAName.ReplaceAllString(path.Base(t.Go.PkgPath()), "_")
		}
	}
	n.Set(t, name)
	return name, true
}

// Set gives a type a name that no other type has.
func (n *Names) Set(t *Type, name string) { n.taken[name], n.known[t] = t, name }

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
