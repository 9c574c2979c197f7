package view

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// field is a field of a struct, or one promoted from an embedded struct, that
// encoding/json would write.
type field struct {
	name      string
	index     []int
	typ       reflect.Type
	tagged    bool // the name comes from the tag
	byPointer bool // it is promoted through an embedded pointer
	quoted    bool
	omitEmpty bool
	omitZero  bool
}

// embedded is a struct whose fields are still to be collected.
type embedded struct {
	typ       reflect.Type
	index     []int
	byPointer bool
	repeated  bool // it is embedded more than once at this depth, so its fields clash
}

// structFields lists the fields of t that encoding/json writes. If several fields have one
// name, the shallowest wins. If several are equally shallow, the tagged one wins. If that
// does not leave exactly one, none of them is written.
func structFields(t reflect.Type) []field {
	var all []field
	visited := make(map[reflect.Type]bool)
	for level := []embedded{{typ: t}}; len(level) > 0; {
		var next []embedded
		for _, e := range level {
			if visited[e.typ] {
				continue
			}
			visited[e.typ] = true
			all, next = e.collect(all, next)
		}
		level = next
	}
	return dominant(all)
}

// collect appends the fields of e to all, and the structs it embeds to next.
func (e embedded) collect(all []field, next []embedded) ([]field, []embedded) {
	for i := range e.typ.NumField() {
		sf := e.typ.Field(i)
		tag := sf.Tag.Get("json")
		if tag == "-" || !visible(sf) {
			continue
		}
		name, options, _ := strings.Cut(tag, ",")
		if !isFieldName(name) {
			name = ""
		}
		base := deref(sf.Type)
		index := append(slices.Clip(e.index), i)
		if sf.Anonymous && name == "" && base.Kind() == reflect.Struct {
			inner := embedded{typ: base, index: index, byPointer: e.byPointer || base != sf.Type}
			next = embed(next, inner)
			continue
		}
		f := field{
			name:      cmp.Or(name, sf.Name),
			index:     index,
			typ:       sf.Type,
			tagged:    name != "",
			byPointer: e.byPointer,
			quoted:    hasOption(options, "string") && isQuotable(base),
			omitEmpty: hasOption(options, "omitempty"),
			omitZero:  hasOption(options, "omitzero"),
		}
		all = append(all, f)
		if e.repeated {
			all = append(all, f) // two equal candidates: dominant drops both
		}
	}
	return all, next
}

func embed(next []embedded, e embedded) []embedded {
	i := slices.IndexFunc(next, func(o embedded) bool { return o.typ == e.typ })
	if i < 0 {
		return append(next, e)
	}
	next[i].repeated = true
	return next
}

// visible reports whether encoding/json looks at a field. An embedded struct counts even if
// it is not exported, because its fields may be.
func visible(sf reflect.StructField) bool {
	if sf.IsExported() {
		return true
	}
	t := sf.Type
	if t.Kind() == reflect.Pointer {
		t = t.Elem()
	}
	return sf.Anonymous && t.Kind() == reflect.Struct
}

func deref(t reflect.Type) reflect.Type {
	if t.Name() == "" && t.Kind() == reflect.Pointer {
		return t.Elem()
	}
	return t
}

func isQuotable(t reflect.Type) bool {
	k := t.Kind()
	return k >= reflect.Bool && k <= reflect.Float64 || k == reflect.String
}

func hasOption(options, want string) bool {
	for option := range strings.SplitSeq(options, ",") {
		if option == want {
			return true
		}
	}
	return false
}

// isFieldName reports whether encoding/json accepts a name from a tag.
func isFieldName(name string) bool {
	for _, c := range name {
		if !strings.ContainsRune("!#$%&()*+-./:;<=>?@[]^_{|}~ ", c) && !unicode.IsLetter(c) && !unicode.IsDigit(c) {
			return false
		}
	}
	return name != ""
}

// dominant keeps for each name the field that wins, if there is one.
func dominant(all []field) []field {
	slices.SortStableFunc(all, func(a, b field) int {
		return cmp.Or(strings.Compare(a.name, b.name), a.compareRank(b))
	})
	out := all[:0]
	for i, next := 0, 0; i < len(all); i = next {
		for next = i + 1; next < len(all) && all[next].name == all[i].name; next++ {
		}
		if next == i+1 || all[i].compareRank(all[i+1]) != 0 {
			out = append(out, all[i])
		}
	}
	return out
}

func (f field) compareRank(g field) int {
	if c := cmp.Compare(len(f.index), len(g.index)); c != 0 || f.tagged == g.tagged {
		return c
	}
	if f.tagged {
		return -1
	}
	return 1
}

// omit returns the test for leaving the field out, or nil if the field is always written.
func (f field) omit() func(reflect.Value) bool {
	zero := isZeroFunc(f.typ)
	switch {
	case f.omitEmpty && f.omitZero:
		return func(v reflect.Value) bool { return isEmpty(v) || zero(v) }
	case f.omitEmpty:
		return isEmpty
	case f.omitZero:
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
