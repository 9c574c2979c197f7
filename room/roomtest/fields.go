package roomtest

import (
	"encoding"
	"encoding/json"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
)

// mostLost is how many lost fields are named at once.
const mostLost = 3

// loss is a field that a restored game has differently.
type loss struct {
	path string
	why  string // why encoding/json leaves it out; empty if it does not
	a, b string // what it was and is
	soft bool   // nil and empty, which may be as good as the same
}

// lostFields names the fields, unexported ones too, in which a restored game differs from the game: those
// that a snapshot leaves out before others. It only reads.
func lostFields(game, restored any) []string {
	_, own := game.(room.Snapshotter)
	f := finder{own: own, seen: map[[2]uintptr]bool{}}
	f.walk("", reflect.ValueOf(game), reflect.ValueOf(restored))
	slices.SortStableFunc(f.found, func(a, b loss) int { return a.weight() - b.weight() })
	if len(f.found) > 0 && !f.found[0].soft {
		f.found = slices.DeleteFunc(f.found, func(l loss) bool { return l.soft })
	}
	var out []string
	for _, l := range f.found[:min(len(f.found), mostLost)] {
		out = append(out, l.told(own))
	}
	return out
}

func (l loss) weight() int {
	switch {
	case l.soft:
		return 2
	case l.why == "":
		return 1
	}
	return 0
}

func (l loss) told(own bool) string {
	switch {
	case own:
		return fmt.Sprintf("field `%s` comes back from Snapshot and Restore as %s and was %s", l.path, l.b, l.a)
	case l.why != "":
		return fmt.Sprintf("field `%s` %s, so the default snapshot forgets it: export it or write Snapshot and Restore", l.path, l.why)
	}
	return fmt.Sprintf("field `%s` comes back from its JSON as %s and was %s", l.path, l.b, l.a)
}

// finder walks two values of one type side by side.
type finder struct {
	own   bool                // the game has a snapshot of its own
	seen  map[[2]uintptr]bool // pairs of pointers, since values may hold themselves
	found []loss
}

func (f *finder) differs(path string, a, b reflect.Value) {
	l := loss{path: path, a: brief(fmt.Sprint(a)), b: brief(fmt.Sprint(b))}
	if l.a == l.b && a.IsValid() && b.IsValid() {
		l.a, l.b = a.Type().String()+" "+l.a, b.Type().String()+" "+l.b
	}
	f.found = append(f.found, l)
}

func (f *finder) walk(path string, a, b reflect.Value) {
	if !a.IsValid() && !b.IsValid() {
		return
	}
	if a.IsValid() != b.IsValid() || a.Type() != b.Type() {
		f.differs(path, a, b)
		return
	}
	switch a.Kind() {
	case reflect.Pointer, reflect.Func, reflect.Chan, reflect.UnsafePointer:
		f.references(path, a, b)
	case reflect.Interface:
		f.walk(path, a.Elem(), b.Elem())
	case reflect.Struct:
		f.structs(path, a, b)
	case reflect.Slice, reflect.Array:
		f.lists(path, a, b)
	case reflect.Map:
		f.maps(path, a, b)
	default:
		if !a.Equal(b) {
			f.differs(path, a, b)
		}
	}
}

// references follows pointers; of functions and channels only the presence can be compared.
func (f *finder) references(path string, a, b reflect.Value) {
	if a.IsNil() != b.IsNil() {
		f.differs(path, a, b)
	}
	if a.IsNil() || b.IsNil() || a.Kind() != reflect.Pointer {
		return
	}
	pair := [2]uintptr{a.Pointer(), b.Pointer()}
	if !f.seen[pair] {
		f.seen[pair] = true
		f.walk(path, a.Elem(), b.Elem())
	}
}

func (f *finder) structs(path string, a, b reflect.Value) {
	for i := range a.NumField() {
		field := a.Type().Field(i)
		at := path
		if !field.Anonymous {
			at = strings.TrimPrefix(path+"."+field.Name, ".")
		}
		switch why := leftOut(field); {
		case !f.own && why != "", encodesItself(field.Type):
			f.whole(at, why, a.Field(i), b.Field(i))
		default:
			f.walk(at, a.Field(i), b.Field(i))
		}
	}
}

// whole compares what a snapshot keeps or forgets as one, and names nothing inside it.
func (f *finder) whole(path, why string, a, b reflect.Value) {
	inside := finder{own: f.own, seen: f.seen}
	inside.walk("", a, b)
	if len(inside.found) == 0 {
		return
	}
	soft := !slices.ContainsFunc(inside.found, func(l loss) bool { return !l.soft })
	f.found = append(f.found, loss{path: path, why: why, a: brief(fmt.Sprint(a)), b: brief(fmt.Sprint(b)), soft: soft})
}

// leftOut says why encoding/json leaves a field out, if it does.
func leftOut(field reflect.StructField) string {
	switch {
	case field.Tag.Get("json") == "-":
		return `is tagged json:"-"`
	case !field.IsExported() && !field.Anonymous:
		return "is not exported"
	}
	return ""
}

var (
	jsonMarshaler = reflect.TypeFor[json.Marshaler]()
	textMarshaler = reflect.TypeFor[encoding.TextMarshaler]()
)

func encodesItself(t reflect.Type) bool {
	p := reflect.PointerTo(t)
	return p.Implements(jsonMarshaler) || p.Implements(textMarshaler)
}

func (f *finder) lists(path string, a, b reflect.Value) {
	if a.Kind() == reflect.Slice {
		f.nilness(path, a, b)
	}
	if a.Len() != b.Len() {
		f.differs(path, a, b)
		return
	}
	for i := range a.Len() {
		f.walk(fmt.Sprintf("%s[%d]", path, i), a.Index(i), b.Index(i))
	}
}

func (f *finder) maps(path string, a, b reflect.Value) {
	f.nilness(path, a, b)
	if a.Len() != b.Len() {
		f.differs(path, a, b)
		return
	}
	keys := a.MapKeys()
	slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	for _, key := range keys {
		other := b.MapIndex(key)
		if !other.IsValid() {
			f.differs(path, a, b)
			return
		}
		f.walk(fmt.Sprintf("%s[%v]", path, key), a.MapIndex(key), other)
	}
}

func (f *finder) nilness(path string, a, b reflect.Value) {
	if a.IsNil() == b.IsNil() || a.Len() != b.Len() {
		return
	}
	f.found = append(f.found, loss{path: path, a: nilOrEmpty(a), b: nilOrEmpty(b), soft: true})
}

func nilOrEmpty(v reflect.Value) string {
	if v.IsNil() {
		return "nil"
	}
	return "empty"
}
