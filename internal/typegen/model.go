package typegen

import (
	"strings"
	"unicode"

	"github.com/roomring/roomring/room/schema"
)

// model is what a file declares, whatever its language.
type model struct {
	game  *schema.Game
	name  string // of the game in source code: Battleship
	src   *Source
	names *schema.Names
	decls []decl
	seen  map[*schema.Type]bool

	aliases bool // the language has names for arrays and maps, too
}

// decl is a named type of the file.
type decl struct {
	name string
	*schema.Value
	doc  string
	enum []Constant // of a text
}

// newModel collects the types of a game. The views, actions and options are named prefix + "View" and so on. The reserved
// names mean something else in the language.
func newModel(g *schema.Game, src *Source, prefix string, aliases bool, reserved ...string) *model {
	m := &model{game: g, name: upperFirst(g.Name), src: src, seen: map[*schema.Type]bool{}, aliases: aliases}
	roots := []string{prefix + "View", prefix + "Action", prefix + "Options", m.name}
	m.names = schema.NewNames(append(reserved, roots...)...)
	m.root(&g.View, roots[0])
	m.root(&g.Action, roots[1])
	if g.Options != nil {
		m.root(g.Options, roots[2])
	}
	for _, e := range g.Events {
		if e.Data.Kind != schema.Null {
			m.visit(e.Data.Type, pascal(e.Name)+"Event")
		}
	}
	return m
}

// root declares a view, action or options, even where other places only spell their type out.
func (m *model) root(v *schema.Value, name string) {
	if m.declares(v.Type) {
		m.names.Set(v.Type, name)
	}
	if m.aliases || m.declares(v.Type) {
		m.declare(name, v)
	}
	m.children(v.Type, name)
}

func (m *model) declare(name string, v *schema.Value) {
	m.decls = append(m.decls, decl{name, v, m.src.typeDoc(v.Go), m.src.enum(v.Type)})
}

// declares reports whether a type has a name in the file.
func (m *model) declares(t *schema.Type) bool {
	return t.Kind == schema.Object || m.aliases && t.Named() || m.src.enum(t) != nil
}

// visit declares a type and those that it contains. A type without a name in Go is named by where it stands.
func (m *model) visit(t *schema.Type, place string) {
	if t == nil || m.seen[t] {
		return
	}
	m.seen[t] = true
	if m.declares(t) {
		wishes := []string{place}
		if t.Go.Name() != "" {
			wishes = []string{pascal(schema.TypeName(t.Go)), place}
		}
		name, isNew := m.names.Of(t, wishes...)
		if !isNew {
			return
		}
		place = name
		m.declare(name, &schema.Value{Type: t})
	}
	m.children(t, place)
}

func (m *model) children(t *schema.Type, place string) {
	m.seen[t] = true
	m.visit(t.Elem.Type, place)
	for _, f := range t.Fields {
		m.visit(f.Type, place+pascal(f.GoName))
	}
}

// nameOf is the name of a type that the file declares.
func (m *model) nameOf(t *schema.Type) string {
	name, _ := m.names.Of(t, "")
	return name
}

func upperFirst(s string) string {
	if s == "" {
		return s
	}
	return strings.ToUpper(s[:1]) + s[1:]
}

// pascal makes RoundOver of round_over, round-over and roundOver.
func pascal(s string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(s, func(r rune) bool { return !isLetter(r) }) {
		b.WriteString(upperFirst(word))
	}
	if out := b.String(); out != "" && !unicode.IsDigit(rune(out[0])) {
		return out
	}
	return "N" + b.String()
}

func isLetter(r rune) bool {
	return r < unicode.MaxASCII && (unicode.IsLetter(r) || unicode.IsDigit(r))
}

// identifier reports whether a name is one in every language.
func identifier(s string) bool {
	for i, r := range s {
		if !isLetter(r) && r != '_' || i == 0 && unicode.IsDigit(r) {
			return false
		}
	}
	return s != ""
}

// commented is the comment of a field, with the default if it does not tell that.
func (m *model) commented(f schema.Field) string {
	doc := m.src.fieldDoc(f)
	if f.Default == nil || strings.Contains(doc, "default "+string(f.Default)) {
		return doc
	}
	if doc != "" {
		doc += "\n"
	}
	return doc + "Default: " + string(f.Default)
}
