package fields

import (
	"cmp"
	"reflect"
	"slices"
	"strings"
	"unicode"
)

// JSONField is a field of a struct, or one promoted from an embedded struct, that
// encoding/json would write.
type JSONField struct {
	Name      string
	Index     []int
	Type      reflect.Type
	Tagged    bool // the name comes from the tag
	ByPointer bool // it is promoted through an embedded pointer
	Quoted    bool
	OmitEmpty bool
	OmitZero  bool
}

// embedded is a struct whose fields are still to be collected.
type embedded struct {
	typ       reflect.Type
	index     []int
	byPointer bool
	repeated  bool // it is embedded more than once at this depth, so its fields clash
}

// JSONFields lists the fields of t that encoding/json writes. If several fields have one
// name, the shallowest wins. If several are equally shallow, the tagged one wins. If that
// does not leave exactly one, none of them is written.
func JSONFields(t reflect.Type) []JSONField {
	var all []JSONField
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
func (e embedded) collect(all []JSONField, next []embedded) ([]JSONField, []embedded) {
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
		f := JSONField{
			Name:      cmp.Or(name, sf.Name),
			Index:     index,
			Type:      sf.Type,
			Tagged:    name != "",
			ByPointer: e.byPointer,
			Quoted:    hasOption(options, "string") && isQuotable(base),
			OmitEmpty: hasOption(options, "omitempty"),
			OmitZero:  hasOption(options, "omitzero"),
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
func dominant(all []JSONField) []JSONField {
	slices.SortStableFunc(all, func(a, b JSONField) int {
		return cmp.Or(strings.Compare(a.Name, b.Name), a.compareRank(b))
	})
	out := all[:0]
	for i, next := 0, 0; i < len(all); i = next {
		for next = i + 1; next < len(all) && all[next].Name == all[i].Name; next++ {
		}
		if next == i+1 || all[i].compareRank(all[i+1]) != 0 {
			out = append(out, all[i])
		}
	}
	return out
}

func (f JSONField) compareRank(g JSONField) int {
	if c := cmp.Compare(len(f.Index), len(g.Index)); c != 0 || f.Tagged == g.Tagged {
		return c
	}
	if f.Tagged {
		return -1
	}
	return 1
}
