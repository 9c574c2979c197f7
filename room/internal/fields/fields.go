// Package fields looks by reflection at the Go fields of games and of their options. Package room and its test kit share it.
package fields

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"
)

// derivedTag is the value of the tag roomring:"derived". It marks a field that a game can compute from its other fields.
const derivedTag = "derived"

// Derived reports whether a field has the tag roomring:"derived".
func Derived(f reflect.StructField) bool { return f.Tag.Get("roomring") == derivedTag }

// CodedWhole reports whether encoding/json writes and reads values of type t by their own methods, as it does for time.Time
// and big.Int. Values in a map or an interface are not addressable, and encoding/json does not call pointer methods on them.
func CodedWhole(t reflect.Type, addressable bool) bool {
	pointer := reflect.PointerTo(t)
	writes := t
	if addressable {
		writes = pointer
	}
	return writes.Implements(jsonMarshaler) && pointer.Implements(jsonUnmarshaler) ||
		writes.Implements(textMarshaler) && pointer.Implements(textUnmarshaler)
}

var (
	jsonMarshaler   = reflect.TypeFor[json.Marshaler]()
	jsonUnmarshaler = reflect.TypeFor[json.Unmarshaler]()
	textMarshaler   = reflect.TypeFor[encoding.TextMarshaler]()
	textUnmarshaler = reflect.TypeFor[encoding.TextUnmarshaler]()
)

// Unkept lists the fields of a game type that its default snapshot does not bring back: for each, its path, the reason and
// the cure. An empty list means that the snapshot is complete. The type must not be a room.Snapshotter, which writes its own.
func Unkept(game reflect.Type) []string {
	if game.Kind() != reflect.Pointer {
		return []string{"the game is no pointer, so no snapshot can be read back into it: let new return a pointer"}
	}
	u := &unkept{seen: map[visit]bool{}}
	u.walk("", game.Elem(), true)
	return u.found
}

// visit is a type, and whether its values can be addressed where it was met.
type visit struct {
	t           reflect.Type
	addressable bool
}

// unkept walks the types that a game consists of, each once, and collects what it finds.
type unkept struct {
	seen  map[visit]bool
	found []string
}

func (u *unkept) report(path, why string) {
	u.found = append(u.found, fmt.Sprintf("field `%s` %s", strings.TrimPrefix(path, "."), why))
}

func (u *unkept) walk(path string, t reflect.Type, addressable bool) {
	if u.seen[visit{t, addressable}] || CodedWhole(t, addressable) {
		return
	}
	u.seen[visit{t, addressable}] = true
	if why := halfCoded(t, addressable); why != "" {
		u.report(path, why)
		return
	}
	switch t.Kind() {
	case reflect.Pointer:
		u.walk(path, t.Elem(), true)
	case reflect.Slice:
		u.walk(path+"[]", t.Elem(), true)
	case reflect.Array:
		u.walk(path+"[]", t.Elem(), addressable)
	case reflect.Map:
		if !keyable(t.Key()) {
			u.report(path, fmt.Sprintf("is a map with keys of type %v, which JSON cannot hold: use strings, integers, or a type with MarshalText and UnmarshalText", t.Key()))
		}
		u.walk(path+"[]", t.Elem(), false)
	case reflect.Struct:
		u.structs(path, t, addressable)
	case reflect.Interface:
		if t.NumMethod() > 0 {
			u.report(path, fmt.Sprintf("is of the interface type %v, which JSON cannot be read back into: use a concrete type or write Snapshot and Restore", t))
		}
	case reflect.Func, reflect.Chan, reflect.Complex64, reflect.Complex128, reflect.UnsafePointer:
		u.report(path, fmt.Sprintf("is of type %v, which JSON cannot hold: %s", t, cure))
	}
}

// cure tells the author what to do about a field that no snapshot keeps.
const cure = "write Snapshot and Restore, or tag it `json:\"-\" roomring:\"derived\"` if it can be computed again"

// halfCoded says what is wrong with a type that has a method to write itself and none to read itself, or the reverse.
func halfCoded(t reflect.Type, addressable bool) string {
	pointer := reflect.PointerTo(t)
	writes := t
	if addressable {
		writes = pointer
	}
	switch {
	case t.Kind() == reflect.Interface || t.Kind() == reflect.Pointer: // walk visits their element
	case writes.Implements(jsonMarshaler):
		return fmt.Sprintf("is written by the MarshalJSON of %v and read back by nothing: write UnmarshalJSON too", t)
	case writes.Implements(textMarshaler):
		return fmt.Sprintf("is written by the MarshalText of %v and read back by nothing: write UnmarshalText too", t)
	case CodedWhole(t, true):
		return fmt.Sprintf("holds values of %v whose marshal method has a pointer receiver, and JSON does not call it there: hold pointers", t)
	}
	return ""
}

// keyable reports whether encoding/json can write and read t as the key of a map.
func keyable(t reflect.Type) bool {
	switch t.Kind() {
	case reflect.String,
		reflect.Int, reflect.Int8, reflect.Int16, reflect.Int32, reflect.Int64,
		reflect.Uint, reflect.Uint8, reflect.Uint16, reflect.Uint32, reflect.Uint64, reflect.Uintptr:
		return !t.Implements(textMarshaler) || reflect.PointerTo(t).Implements(textUnmarshaler)
	}
	return t.Implements(textMarshaler) && reflect.PointerTo(t).Implements(textUnmarshaler)
}

func (u *unkept) structs(path string, t reflect.Type, addressable bool) {
	names := map[string][]named{}
	u.fields(path, t, 0, addressable, names)
	for _, same := range names {
		u.shadowed(same)
	}
	slices.Sort(u.found) // map order is random
}

// named is a field that encoding/json would write under some name.
type named struct {
	path   string
	depth  int // of embedding; 0 is the struct itself
	tagged bool
}

// fields collects the fields of a struct and of the structs it embeds, by the rules of encoding/json.
func (u *unkept) fields(path string, t reflect.Type, depth int, addressable bool, names map[string][]named) {
	for f := range t.Fields() {
		at := path + "." + f.Name
		name, options, _ := strings.Cut(f.Tag.Get("json"), ",")
		kept := f.IsExported() && (name != "-" || options != "")
		if tag := f.Tag.Get("roomring"); tag != "" && (tag != derivedTag || kept && !f.Anonymous) {
			u.badTag(at, tag)
		}
		inner := f.Type
		if inner.Kind() == reflect.Pointer {
			inner = inner.Elem()
		}
		embeds := f.Anonymous && inner.Kind() == reflect.Struct && name == "" && !CodedWhole(f.Type, true)
		switch {
		case f.Name == "_" || Derived(f):
		case embeds && !f.IsExported() && f.Type.Kind() == reflect.Pointer:
			u.report(at, "embeds a pointer to a type that is not exported, which JSON cannot set: embed the struct itself, or export the type")
		case embeds:
			u.fields(at, inner, depth+1, addressable || f.Type.Kind() == reflect.Pointer, names)
		case !f.IsExported():
			u.report(at, "is not exported, so the default snapshot forgets it: export it, write Snapshot and Restore, or tag it `roomring:\"derived\"` if it can be computed again")
		case !kept:
			u.report(at, "is tagged json:\"-\", so the default snapshot forgets it: take the tag off, write Snapshot and Restore, or add `roomring:\"derived\"` if it can be computed again")
		default:
			tagged := name != ""
			if !tagged {
				name = f.Name
			}
			names[name] = append(names[name], named{at, depth, tagged})
			u.walk(at, f.Type, addressable)
		}
	}
}

func (u *unkept) badTag(path, tag string) {
	if tag == derivedTag {
		u.report(path, "is tagged as derived and stands in the snapshot all the same: add `json:\"-\"`, or take the tag off")
		return
	}
	u.report(path, fmt.Sprintf("has the tag roomring:%q: the only one there is is roomring:%q", tag, derivedTag))
}

// shadowed reports the fields with one JSON name that encoding/json leaves out. The least deeply embedded field wins, then the
// tagged one. If there is still a tie, encoding/json leaves out all of them.
func (u *unkept) shadowed(same []named) {
	if len(same) < 2 {
		return
	}
	slices.SortStableFunc(same, func(a, b named) int {
		if a.depth != b.depth {
			return a.depth - b.depth
		}
		switch {
		case a.tagged == b.tagged:
			return 0
		case a.tagged:
			return -1
		}
		return 1
	})
	if same[0].depth != same[1].depth || same[0].tagged != same[1].tagged {
		same = same[1:]
	}
	for _, f := range same {
		u.report(f.path, "has the JSON name of another field, and JSON leaves it out: give it a name of its own by a json tag")
	}
}

// OptionsPrefix comes before the quoted option names in an error that names an unknown option. Test kits look for it.
const OptionsPrefix = "the options are "

// OptionNames lists the quoted JSON names of the fields of the struct that into points to; nil if into points to anything else.
func OptionNames(into any) (names []string) {
	t := reflect.TypeOf(into)
	if t.Kind() != reflect.Pointer || t.Elem().Kind() != reflect.Struct {
		return nil
	}
	for _, f := range reflect.VisibleFields(t.Elem()) {
		name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
		if f.Anonymous && name == "" || !f.IsExported() || name == "-" {
			continue
		}
		if name == "" {
			name = f.Name
		}
		names = append(names, fmt.Sprintf("%q", name))
	}
	return names
}
