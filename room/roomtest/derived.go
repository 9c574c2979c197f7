package roomtest

import (
	"errors"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/internal/fields"
)

// clearedGames is the number of games of a proof in which derived fields are cleared.
const clearedGames = 3

// derivedCanGo proves that the fields tagged as derived can be computed again. Another run of the game clears them after every
// input. Neither what can be observed nor what the game computes into them may differ.
func (g *game) derivedCanGo() error {
	if g.n >= clearedGames {
		return nil
	}
	if _, own := g.core.Game().(room.Snapshotter); own || !holdsDerived(reflect.TypeOf(g.core.Game()), map[reflect.Type]bool{}) {
		return nil
	}
	straight, err := g.newRun(noViews)
	if err != nil {
		return err
	}
	cleared, err := g.newRun(distinctViews)
	if err != nil {
		return err
	}
	for i := range g.moments {
		m := &g.moments[i]
		if _, err := straight.follow(i, m); err != nil {
			return g.notAgain(m, err.Error())
		}
		again, err := cleared.follow(i, m)
		if err != nil {
			return g.notDerived(m, nil, err.Error())
		}
		if lost := misderived(cleared.core.Game(), straight.core.Game(), g.cfg.Rules.Instance().Game()); len(lost) > 0 {
			return g.notDerived(m, lost, "")
		}
		if what := m.differs(&again); what != "" {
			return g.notDerived(m, nil, what)
		}
		clearDerived(cleared.core.Game(), g.cfg.Rules.Instance().Game())
	}
	return nil
}

// notAgain says that a second run differs at m. It blames chance if more runs differ from each other.
func (g *game) notAgain(m *moment, what string) error {
	if err := g.agree(moreRuns); err != nil {
		return err
	}
	return fmt.Errorf("%v: %s", m, what)
}

func (g *game) notDerived(m *moment, lost []loss, what string) error {
	if err := g.agree(moreRuns); err != nil {
		return err
	}
	if len(lost) > 0 {
		l := lost[0]
		return fmt.Errorf("%v: field `%s` is tagged as derived and cannot be computed again: it comes to %s when it is cleared after every input, and to %s otherwise: take the tag off and export it, or write Snapshot and Restore",
			m, l.path, l.b, l.a)
	}
	var names []string
	alongDerived(g.core.Game(), nil, func(path string, _, _ reflect.Value) { names = append(names, "`"+path+"`") })
	slices.Sort(names)
	names = slices.Compact(names)
	if len(names) > mostLost {
		names = append(names[:mostLost], "…")
	}
	return fmt.Errorf("%v: with the derived fields (%s) cleared after every input the game goes another way: %s: one of them cannot be computed again: take its tag off and export it, or write Snapshot and Restore",
		m, strings.Join(names, ", "), what)
}

// misderived are the derived fields whose value in game differs from that in other, and is neither empty nor that of a new game.
// It compares only plain values and maps of them, which may hold less: other values may hold scratch data.
func misderived(game, other, fresh any) []loss {
	values := map[string]reflect.Value{}
	alongDerived(fresh, nil, func(path string, v, _ reflect.Value) { values[path] = v })
	var lost []loss
	alongDerived(game, other, func(path string, v, o reflect.Value) {
		if !plain(v.Type()) || empty(v) || !o.IsValid() || values[path].IsValid() && same(v, values[path]) || within(v, o) {
			return
		}
		lost = append(lost, loss{path: path, a: brief(fmt.Sprint(o)), b: brief(fmt.Sprint(v)), derived: true})
	})
	return lost
}

// plain reports whether t is a boolean, number or string, or a map of such values.
func plain(t reflect.Type) bool {
	if t.Kind() == reflect.Map {
		t = t.Elem()
	}
	return t.Kind() >= reflect.Bool && t.Kind() <= reflect.Complex128 || t.Kind() == reflect.String
}

func empty(v reflect.Value) bool {
	switch v.Kind() {
	case reflect.Slice, reflect.Map:
		return v.Len() == 0
	}
	return v.IsZero()
}

func same(a, b reflect.Value) bool {
	f := finder{seen: map[[2]uintptr]bool{}}
	f.walk("", a, b)
	return !slices.ContainsFunc(f.found, func(l loss) bool { return !l.soft })
}

// within reports whether a equals b, or is a map whose entries are all in b.
func within(a, b reflect.Value) bool {
	if a.Kind() != reflect.Map || b.Kind() != reflect.Map {
		return same(a, b)
	}
	for _, key := range a.MapKeys() {
		if v := b.MapIndex(key); !v.IsValid() || !same(a.MapIndex(key), v) {
			return false
		}
	}
	return true
}

// clearDerived gives every derived field of a game its value in a new game.
func clearDerived(game, fresh any) {
	alongDerived(game, fresh, func(_ string, v, of reflect.Value) {
		if of.IsValid() {
			v.Set(of)
		} else {
			v.SetZero()
		}
	})
}

// alongDerived calls visit with every derived field of a game, and with the same field of another game if it is there. The
// values can be set.
func alongDerived(game, other any, visit func(path string, v, other reflect.Value)) {
	w := walker{visit: visit, seen: map[uintptr]bool{}, holds: map[reflect.Type]bool{}}
	w.walk("", reflect.ValueOf(game), reflect.ValueOf(other))
}

type walker struct {
	visit func(path string, v, other reflect.Value)
	seen  map[uintptr]bool
	holds map[reflect.Type]bool // whether a value of the type may hold a derived field
}

func (w *walker) walk(path string, v, other reflect.Value) {
	if !v.IsValid() || !w.worthwhile(v.Type()) {
		return
	}
	if other.IsValid() && other.Type() != v.Type() {
		other = reflect.Value{}
	}
	switch v.Kind() {
	case reflect.Pointer:
		if !v.IsNil() && !w.seen[v.Pointer()] {
			w.seen[v.Pointer()] = true
			w.walk(path, v.Elem(), elem(other))
		}
	case reflect.Interface:
		if !v.IsNil() {
			w.copied(path, v.Elem(), elem(other), v.Set)
		}
	case reflect.Struct:
		w.structs(path, v, other)
	case reflect.Slice, reflect.Array:
		for i := range v.Len() {
			var o reflect.Value
			if other.IsValid() && i < other.Len() {
				o = other.Index(i)
			}
			w.walk(fmt.Sprintf("%s[%d]", path, i), v.Index(i), o)
		}
	case reflect.Map:
		for _, key := range v.MapKeys() {
			var o reflect.Value
			if other.IsValid() {
				o = other.MapIndex(key)
			}
			w.copied(fmt.Sprintf("%s[%v]", path, key), v.MapIndex(key), o, func(to reflect.Value) { v.SetMapIndex(key, to) })
		}
	}
}

// worthwhile reports whether a value of type t may hold a derived field.
func (w *walker) worthwhile(t reflect.Type) bool {
	holds, known := w.holds[t]
	if !known {
		holds = holdsDerived(t, map[reflect.Type]bool{})
		w.holds[t] = holds
	}
	return holds
}

func elem(v reflect.Value) reflect.Value {
	if !v.IsValid() || v.IsNil() {
		return reflect.Value{}
	}
	return v.Elem()
}

// copied walks a copy of a value that cannot be set in place, and puts the copy back.
func (w *walker) copied(path string, v, other reflect.Value, back func(reflect.Value)) {
	c := reflect.New(v.Type()).Elem()
	c.Set(v)
	w.walk(path, c, other)
	back(c)
}

func (w *walker) structs(path string, v, other reflect.Value) {
	for i := range v.NumField() {
		field := v.Type().Field(i)
		at := path
		if !field.Anonymous {
			at = strings.TrimPrefix(path+"."+field.Name, ".")
		}
		var o reflect.Value
		if other.IsValid() {
			o = opened(other.Field(i))
		}
		switch mine := opened(v.Field(i)); {
		case fields.Derived(field):
			w.visit(at, mine, o)
		case mine.CanInterface():
			w.walk(at, mine, o)
		}
	}
}

// holdsDerived reports whether a value of type t may hold a derived field. An interface may hold anything.
func holdsDerived(t reflect.Type, seen map[reflect.Type]bool) bool {
	if seen[t] {
		return false
	}
	seen[t] = true
	switch t.Kind() {
	case reflect.Interface:
		return true
	case reflect.Pointer, reflect.Slice, reflect.Array, reflect.Map:
		return holdsDerived(t.Elem(), seen)
	case reflect.Struct:
		for f := range t.Fields() {
			if fields.Derived(f) || holdsDerived(f.Type, seen) {
				return true
			}
		}
	}
	return false
}

// restoresWhole proves at one moment that a restored game has every field of the game, and computes derived fields rightly.
func (g *game) restoresWhole(m *moment) error {
	restored, err := g.restoreGame(m.state)
	if err != nil {
		return nil // snapshotsAgree reports this, with the circumstances
	}
	game := g.core.Game()
	if loses(game, restored) {
		lost := slices.DeleteFunc(lostFields(game, restored), func(l loss) bool { return l.derived })
		return errors.New("a game that is restored from its snapshot there is another: " + tell(game, lost))
	}
	if lost := misderived(restored, game, g.cfg.Rules.Instance().Game()); len(lost) > 0 {
		return errors.New("a game that is restored from its snapshot there is another: " + tell(game, lost))
	}
	return nil
}
