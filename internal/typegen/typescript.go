package typegen

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/roomring/roomring/room/schema"
)

// longestTuple is up to which length an array of a fixed length is a tuple.
const longestTuple = 8

// typeScript writes one file of TypeScript.
type typeScript struct {
	*model
	bytes.Buffer
}

func writeTypeScript(g *schema.Game, src *Source) ([]byte, error) {
	ts := &typeScript{model: newModel(g, src, upperFirst(g.Name), true, "Record")}
	fmt.Fprintf(ts, "// %s\n\n", mark)
	fmt.Fprintf(ts, "/** The types of %s, as in ring.join<%s>(room). */\nexport interface %s {\n", g.Name, ts.name, ts.name)
	fmt.Fprintf(ts, "  view: %sView;\n  action: %sAction;\n", ts.name, ts.name)
	if g.Options != nil {
		fmt.Fprintf(ts, "  options: %sOptions;\n", ts.name)
	} else {
		ts.WriteString("  options: Record<string, never>;\n")
	}
	ts.events()
	ts.WriteString("}\n")
	for _, d := range ts.decls {
		ts.declaration(d)
	}
	return ts.Bytes(), nil
}

func (ts *typeScript) events() {
	if len(ts.game.Events) == 0 {
		ts.WriteString("  events: {};\n")
		return
	}
	ts.WriteString("  events: {\n")
	for _, e := range ts.game.Events {
		fmt.Fprintf(ts, "    %s: %s;\n", key(e.Name), ts.value(e.Data))
	}
	ts.WriteString("  };\n")
}

func (ts *typeScript) declaration(d decl) {
	ts.WriteByte('\n')
	ts.comment("", d.doc)
	switch {
	case d.enum != nil:
		fmt.Fprintf(ts, "export type %s =", d.name)
		for _, text := range ts.union(d.enum) {
			ts.WriteString("\n  | " + text)
		}
		ts.WriteString(";\n")
	case d.Kind == schema.Object && !d.Null:
		fmt.Fprintf(ts, "export interface %s {\n", d.name)
		for _, f := range d.Fields {
			ts.comment("  ", ts.commented(f))
			mark := ""
			if f.Optional {
				mark = "?"
			}
			fmt.Fprintf(ts, "  %s%s: %s;\n", key(f.Name), mark, ts.value(f.Value))
		}
		ts.WriteString("}\n")
	default:
		fmt.Fprintf(ts, "export type %s = %s;\n", d.name, orNull(ts.spelt(d.Type), d.Null))
	}
}

// union is the values of an enumeration, each once.
func (ts *typeScript) union(enum []Constant) (all []string) {
	for _, c := range enum {
		if text := quote(c.Value); !slices.Contains(all, text) {
			all = append(all, text)
		}
	}
	return all
}

// value is the type of a place.
func (ts *typeScript) value(v schema.Value) string {
	if v.Kind != schema.Null && ts.declares(v.Type) {
		return orNull(ts.nameOf(v.Type), v.Null)
	}
	return orNull(ts.spelt(v.Type), v.Null)
}

func orNull(typ string, null bool) string {
	if null {
		return typ + " | null"
	}
	return typ
}

// spelt is a type without its name.
func (ts *typeScript) spelt(t *schema.Type) string {
	switch t.Kind {
	case schema.Null:
		return "undefined"
	case schema.Bool:
		return "boolean"
	case schema.Integer, schema.Number:
		return "number"
	case schema.String:
		if t.Format == schema.QuotedBool {
			return `"true" | "false"`
		}
		return "string"
	case schema.Array:
		elem := ts.value(t.Elem)
		if t.Len >= 0 && t.Len <= longestTuple {
			return "[" + strings.Join(slices.Repeat([]string{elem}, t.Len), ", ") + "]"
		}
		if strings.ContainsRune(elem, '|') {
			elem = "(" + elem + ")"
		}
		return elem + "[]"
	case schema.Map:
		return "Record<string, " + ts.value(t.Elem) + ">"
	case schema.Object:
		return ts.nameOf(t)
	case schema.Any:
	}
	return "unknown"
}

func (ts *typeScript) comment(indent, text string) {
	lines := strings.Split(strings.ReplaceAll(text, "*/", "*\\/"), "\n")
	switch {
	case text == "":
	case len(lines) == 1:
		fmt.Fprintf(ts, "%s/** %s */\n", indent, lines[0])
	default:
		fmt.Fprintf(ts, "%s/**\n", indent)
		for _, line := range lines {
			fmt.Fprintf(ts, "%s\n", strings.TrimRight(indent+" * "+line, " "))
		}
		fmt.Fprintf(ts, "%s */\n", indent)
	}
}

// key is the name of a property.
func key(name string) string {
	if identifier(name) {
		return name
	}
	return quote(name)
}

func quote(text string) string {
	raw, _ := json.Marshal(text) // every text can be JSON, and JSON of a text is one in all these languages
	return string(raw)
}
