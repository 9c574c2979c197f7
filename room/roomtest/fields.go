package roomtest

import (
	"fmt"
	"reflect"
	"slices"
	"strings"
	"unsafe"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/internal/fields"
)

// mostLost bounds the lost fields that one error names.
const mostLost = 3

// loss is a field that differs in a restored game.
type loss struct {
	path    string
	a, b    string // what it was and is
	derived bool   // it is tagged as derived, or is within such a field
	soft    bool   // one is nil and the other empty, which rarely matters
}

// lostFields are the fields, unexported ones too, that differ between a game and a restored one. It changes neither.
func lostFields(game, restored any) []loss {
	f := finder{seen: map[[2]uintptr]bool{}, names: true}
	f.walk("", reflect.ValueOf(game), reflect.ValueOf(restored))
	return slices.DeleteFunc(f.found, func(l loss) bool { return l.soft })
}

// loses reports whether lostFields would name a field that is not derived. It costs less.
func loses(game, restored any) bool {
	f := finder{seen: map[[2]uintptr]bool{}}
	f.walk("", reflect.ValueOf(game), reflect.ValueOf(restored))
	return slices.ContainsFunc(f.found, func(l loss) bool { return !l.soft && !l.derived })
}

// tell names the first lost fields, each with a remedy.
func tell(game any, lost []loss) string {
	way := "from its JSON"
	if _, own := game.(room.Snapshotter); own {
		way = "from Snapshot and Restore"
	}
	var out []string
	for _, l := range lost[:min(len(lost), mostLost)] {
		if l.derived {
			out = append(out, fmt.Sprintf("field `%s` is tagged as derived, and was %s and is %s", l.path, l.a, l.b))
			continue
		}
		out = append(out, fmt.Sprintf("field `%s` comes back %s as %s and was %s: keep it, or tag it `roomring:\"derived\"` if it can be computed again",
			l.path, way, l.b, l.a))
	}
	return strings.Join(out, "; ")
}

// finder walks two values of one type side by side.
type finder struct {
	names   bool                // losses get paths
	derived bool                // the present value is within a derived field
	seen    map[[2]uintptr]bool // pairs of pointers, since values may hold themselves
	found   []loss
}

func (f *finder) differs(path string, a, b reflect.Value) {
	if !f.names {
		f.found = append(f.found, loss{derived: f.derived})
		return
	}
	l := loss{path: path, a: brief(fmt.Sprint(a)), b: brief(fmt.Sprint(b)), derived: f.derived}
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

// references follows pointers. Functions and channels are only compared with nil.
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
	if same, known := ownEqual(a, b); known {
		if !same {
			f.differs(path, a, b)
		}
		return
	}
	before := len(f.found)
	for i := range a.NumField() {
		field := a.Type().Field(i)
		at := path
		if f.names && !field.Anonymous {
			at = strings.TrimPrefix(path+"."+field.Name, ".")
		}
		within := f.derived
		f.derived = within || fields.Derived(field)
		f.walk(at, a.Field(i), b.Field(i))
		f.derived = within
	}
	if len(f.found) > before && path != "" && fields.CodedWhole(a.Type(), true) { // it is encoded as one value, so name it as one
		f.found = f.found[:before]
		f.differs(path, a, b)
	}
}

// ownEqual asks a type's own Equal method, such as that of time.Time. It is known only if the method can be called.
func ownEqual(a, b reflect.Value) (same, known bool) {
	a, b = opened(a), opened(b)
	if !a.CanInterface() || !b.CanInterface() {
		return false, false
	}
	equal, ok := a.Type().MethodByName("Equal")
	if !ok || equal.Type.NumIn() != 2 || equal.Type.In(1) != a.Type() || equal.Type.NumOut() != 1 || equal.Type.Out(0).Kind() != reflect.Bool {
		return false, false
	}
	return a.Method(equal.Index).Call([]reflect.Value{b})[0].Bool(), true
}

// opened makes the value of an unexported field usable like any other. A value that cannot be addressed stays as it is.
func opened(v reflect.Value) reflect.Value {
	if v.CanAddr() && !v.CanInterface() {
		return reflect.NewAt(v.Type(), unsafe.Pointer(v.UnsafeAddr())).Elem()
	}
	return v
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
		at := path
		if f.names {
			at = fmt.Sprintf("%s[%d]", path, i)
		}
		f.walk(at, a.Index(i), b.Index(i))
	}
}

func (f *finder) maps(path string, a, b reflect.Value) {
	f.nilness(path, a, b)
	if a.Len() != b.Len() {
		f.differs(path, a, b)
		return
	}
	keys := a.MapKeys()
	if f.names {
		slices.SortFunc(keys, func(x, y reflect.Value) int { return strings.Compare(fmt.Sprint(x), fmt.Sprint(y)) })
	}
	for _, key := range keys {
		other := b.MapIndex(key)
		if !other.IsValid() {
			f.differs(path, a, b)
			return
		}
		at := path
		if f.names {
			at = fmt.Sprintf("%s[%v]", path, key)
		}
		f.walk(at, a.MapIndex(key), other)
	}
}

func (f *finder) nilness(path string, a, b reflect.Value) {
	if a.IsNil() == b.IsNil() || a.Len() != b.Len() {
		return
	}
	f.found = append(f.found, loss{path: path, a: nilOrEmpty(a), b: nilOrEmpty(b), derived: f.derived, soft: true})
}

func nilOrEmpty(v reflect.Value) string {
	if v.IsNil() {
		return "nil"
	}
	return "empty"
}
