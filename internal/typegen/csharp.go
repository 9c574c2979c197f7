package typegen

import (
	"bytes"
	"fmt"
	"reflect"
	"slices"
	"strings"

	"github.com/roomring/roomring/room/schema"
)

// cSharp writes one file of C# 7 with the attributes of Newtonsoft.Json, which Unity and Mono have.
type cSharp struct {
	*model
	bytes.Buffer
	within []*schema.Type // arrays and maps that are being spelt, for those that contain themselves
}

func writeCSharp(g *schema.Game, src *Source) ([]byte, error) {
	cs := &cSharp{model: newModel(g, src, "", false, "Events", "List", "Dictionary", "JsonProperty", "NullValueHandling", "JToken")}
	fmt.Fprintf(cs, "// %s\n", mark)
	cs.WriteString("// A member that may be null is left out of the JSON when it is.\n")
	cs.WriteString("using System.Collections.Generic;\nusing Newtonsoft.Json;\nusing Newtonsoft.Json.Linq;\n\n")
	fmt.Fprintf(cs, "namespace Roomring.Games.%s\n{\n", cs.name)
	cs.events()
	for _, d := range cs.decls {
		cs.WriteByte('\n')
		cs.comment("    ", d.doc)
		if d.enum != nil {
			cs.constants(d)
		} else {
			cs.class(d)
		}
	}
	cs.WriteString("}\n")
	return cs.Bytes(), nil
}

// events names what the parts of the game are that need no class of their own, and the events.
func (cs *cSharp) events() {
	cs.comment("    ", fmt.Sprintf("The events of %s by their names. A view is of type %s, an action of type %s.", cs.game.Name, cs.value(cs.game.View), cs.value(cs.game.Action)))
	cs.WriteString("    public static class Events\n    {\n")
	taken := []string{"Events"}
	for _, e := range cs.game.Events {
		doc := "It has no data."
		if e.Data.Kind != schema.Null {
			doc = "Its data is of type " + cs.value(e.Data) + "."
		}
		cs.comment("        ", doc)
		fmt.Fprintf(cs, "        public const string %s = %s;\n", free(&taken, pascal(e.Name)), quote(e.Name))
	}
	cs.WriteString("    }\n")
}

// constants are the values of a text.
func (cs *cSharp) constants(d decl) {
	fmt.Fprintf(cs, "    public static class %s\n    {\n", d.name)
	taken := []string{d.name}
	for _, c := range d.enum {
		cs.comment("        ", c.Doc)
		fmt.Fprintf(cs, "        public const string %s = %s;\n", free(&taken, pascal(c.Name)), quote(c.Value))
	}
	cs.WriteString("    }\n")
}

func (cs *cSharp) class(d decl) {
	fmt.Fprintf(cs, "    public class %s\n    {\n", d.name)
	taken := []string{d.name, "Equals", "GetHashCode", "GetType", "ToString", "MemberwiseClone", "Finalize", "ReferenceEquals"}
	for i, f := range d.Fields {
		if i > 0 {
			cs.WriteByte('\n')
		}
		cs.comment("        ", cs.commented(f))
		ignored := ""
		if f.Optional || f.Null {
			ignored = ", NullValueHandling = NullValueHandling.Ignore"
		}
		fmt.Fprintf(cs, "        [JsonProperty(%s%s)]\n", quote(f.Name), ignored)
		fmt.Fprintf(cs, "        public %s %s { get; set; }\n", cs.member(f), free(&taken, pascal(f.GoName)))
	}
	cs.WriteString("    }\n")
}

// member is the type of a field, which is null where it is missing.
func (cs *cSharp) member(f schema.Field) string {
	v := f.Value
	v.Null = v.Null || f.Optional
	return cs.value(v)
}

// value is the type of a place. What C# calls a reference may be null anyway.
func (cs *cSharp) value(v schema.Value) string {
	if slices.Contains(cs.within, v.Type) {
		return "JToken"
	}
	cs.within = append(cs.within, v.Type)
	defer func() { cs.within = cs.within[:len(cs.within)-1] }()
	null := ""
	if v.Null {
		null = "?"
	}
	switch v.Kind {
	case schema.Bool:
		return "bool" + null
	case schema.Integer:
		return integer(v.Go) + null
	case schema.Number:
		return "double" + null
	case schema.String:
		if v.Format == schema.Base64 {
			return "byte[]"
		}
		return "string"
	case schema.Array:
		return "List<" + cs.value(v.Elem) + ">"
	case schema.Map:
		keys := "string"
		if v.Keys != schema.TextKeys {
			keys = "long"
		}
		return "Dictionary<" + keys + ", " + cs.value(v.Elem) + ">"
	case schema.Object:
		return cs.nameOf(v.Type)
	case schema.Any, schema.Null:
	}
	return "JToken"
}

// integer is the type for a Go integer.
func integer(t reflect.Type) string {
	switch t.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32, reflect.Uint8, reflect.Uint16:
		return "int"
	case reflect.Uint64, reflect.Uint, reflect.Uintptr:
		return "ulong"
	}
	return "long"
}

func (cs *cSharp) comment(indent, text string) {
	if text == "" {
		return
	}
	text = strings.NewReplacer("&", "&amp;", "<", "&lt;", ">", "&gt;").Replace(text)
	lines := strings.Split(text, "\n")
	if len(lines) == 1 {
		fmt.Fprintf(cs, "%s/// <summary>%s</summary>\n", indent, text)
		return
	}
	fmt.Fprintf(cs, "%s/// <summary>\n", indent)
	for _, line := range lines {
		fmt.Fprintf(cs, "%s\n", strings.TrimRight(indent+"/// "+line, " "))
	}
	fmt.Fprintf(cs, "%s/// </summary>\n", indent)
}

// free is a name that is not taken, and takes it.
func free(taken *[]string, name string) string {
	own := name
	for n := 2; slices.Contains(*taken, name); n++ {
		name = fmt.Sprintf("%s%d", own, n)
	}
	*taken = append(*taken, name)
	return name
}
