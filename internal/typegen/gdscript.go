package typegen

import (
	"bytes"
	"fmt"
	"strings"

	"github.com/roomring/roomring/room/schema"
)

// gdScript writes one file of GDScript for Godot 4: a class that is named like the game, and within it one for each type.
type gdScript struct {
	*model
	bytes.Buffer
}

// engineClasses are some of Godot's own that a game's types may be called like; a class of the file may not hide them.
var engineClasses = []string{
	"AABB", "Animation", "Area2D", "Area3D", "Array", "Basis", "Button", "Callable", "Camera2D", "Camera3D", "Color", "Container", "Control",
	"Curve", "Dictionary", "Engine", "Environment", "Font", "Image", "Input", "InputEvent", "Item", "Label", "Light2D", "Light3D", "Line2D", "Material",
	"Mesh", "Mutex", "Node", "Node2D", "Node3D", "Object", "OS", "Panel", "Path2D", "Path3D", "Performance", "Plane", "Projection", "Quaternion", "RID", "Range", "Rect2",
	"RefCounted", "Resource", "Script", "Semaphore", "Shader", "Shape2D", "Shape3D", "Signal", "Skeleton2D", "Skeleton3D", "Skin", "Sky", "Sprite2D",
	"Sprite3D", "StringName", "Texture", "Theme", "Thread", "TileMap", "TileSet", "Time", "Timer", "Transform2D", "Transform3D", "Translation", "Tree", "Tween",
	"Variant", "Vector2", "Vector3", "Vector4", "Viewport", "Window", "World2D", "World3D", "String",
}

func writeGDScript(g *schema.Game, src *Source) ([]byte, error) {
	gd := &gdScript{model: newModel(g, src, "", false, engineClasses...)}
	fmt.Fprintf(gd, "# %s\n", mark)
	fmt.Fprintf(gd, "class_name %s\n", gd.name)
	fmt.Fprintf(gd, "## The types of %s. A variable that may be null is left out of the JSON when it is.\n\n", g.Name)
	gd.events()
	gd.WriteString(toJSON)
	for _, d := range gd.decls {
		gd.WriteString("\n\n")
		gd.comment("", d.doc)
		if d.enum != nil {
			gd.constants(d)
		} else {
			gd.class(d)
		}
	}
	return gd.Bytes(), nil
}

func (gd *gdScript) events() {
	if len(gd.game.Events) == 0 {
		return
	}
	var taken []string
	for _, e := range gd.game.Events {
		fmt.Fprintf(gd, "const EVENT_%s := %s\n", free(&taken, upperSnake(e.Name)), gdQuote(e.Name))
	}
	gd.WriteString("\n\n## The data of an event as a value of its class, where it has one.\n")
	gd.WriteString("static func event_data(name: String, data: Variant) -> Variant:\n\tmatch name:\n")
	for _, e := range gd.game.Events {
		if e.Data.Kind == schema.Object {
			fmt.Fprintf(gd, "\t\t%s:\n\t\t\treturn %s.from_dict(data)\n", gdQuote(e.Name), gd.nameOf(e.Data.Type))
		}
	}
	gd.WriteString("\t\t_:\n\t\t\treturn data\n")
}

// constants are the values of a text.
func (gd *gdScript) constants(d decl) {
	fmt.Fprintf(gd, "class %s:\n", d.name)
	var taken []string
	for _, c := range d.enum {
		gd.comment("\t", c.Doc)
		fmt.Fprintf(gd, "\tconst %s := %s\n", free(&taken, upperSnake(c.Name)), gdQuote(c.Value))
	}
}

// variable is a field of a class.
type variable struct {
	schema.Field
	name   string
	absent bool // null stands for a field that is not there
}

func (gd *gdScript) class(d decl) {
	fmt.Fprintf(gd, "class %s extends RefCounted:\n", d.name)
	taken := append([]string{"d", "v", "from_dict", "to_dict"}, gdWords...)
	var all []variable
	for _, f := range d.Fields {
		v := variable{f, free(&taken, snake(f.Name)), f.Optional || f.Null}
		all = append(all, v)
		gd.comment("\t", gd.commented(f))
		gd.declare(v)
	}
	fmt.Fprintf(gd, "\n\tstatic func from_dict(d: Dictionary) -> %s:\n\t\tvar v := %s.new()\n", d.name, d.name)
	for _, v := range all {
		fmt.Fprintf(gd, "\t\tif d.get(%s) != null:\n", gdQuote(v.Name))
		gd.read("\t\t\t", "v."+v.name, "d["+gdQuote(v.Name)+"]", v.Type, 0)
	}
	gd.WriteString("\t\treturn v\n\n\tfunc to_dict() -> Dictionary:\n\t\tvar d := {}\n")
	for _, v := range all {
		indent := "\t\t"
		if v.absent {
			fmt.Fprintf(gd, "\t\tif %s != null:\n", v.name)
			indent += "\t"
		}
		fmt.Fprintf(gd, "%sd[%s] = %s\n", indent, gdQuote(v.Name), gd.written(v))
	}
	gd.WriteString("\t\treturn d\n")
}

// declare writes a variable. Only objects have a type that null is a value of.
func (gd *gdScript) declare(v variable) {
	typ := gd.value(v.Type)
	switch {
	case v.Kind == schema.Object:
		fmt.Fprintf(gd, "\tvar %s: %s\n", v.name, typ)
	case v.absent && v.Kind != schema.Any:
		fmt.Fprintf(gd, "\tvar %s: Variant = null # %s\n", v.name, typ)
	default:
		fmt.Fprintf(gd, "\tvar %s: %s = %s\n", v.name, typ, gdZeros[v.Kind])
	}
}

// gdZeros are what variables hold at first.
var gdZeros = map[schema.Kind]string{
	schema.Bool: "false", schema.Integer: "0", schema.Number: "0.0", schema.String: `""`, schema.Array: "[]", schema.Map: "{}", schema.Object: "null",
	schema.Any: "null", schema.Null: "null",
}

// value is a type. Entries of arrays in arrays and of dictionaries have none there: Godot cannot nest those.
func (gd *gdScript) value(t *schema.Type) string {
	switch t.Kind {
	case schema.Bool:
		return "bool"
	case schema.Integer:
		return "int"
	case schema.Number:
		return "float"
	case schema.String:
		return "String"
	case schema.Array:
		if elem := t.Elem; !elem.Null && !container(elem.Type) && elem.Kind != schema.Any {
			return "Array[" + gd.value(elem.Type) + "]"
		}
		return "Array"
	case schema.Map:
		return "Dictionary"
	case schema.Object:
		return gd.nameOf(t)
	case schema.Any, schema.Null:
	}
	return "Variant"
}

func container(t *schema.Type) bool { return t.Kind == schema.Array || t.Kind == schema.Map }

// deepest bounds loops in loops. Arrays in arrays without end are read no further.
const deepest = 3

// read writes the statements that turn a value of JSON that is not null into one of a type.
func (gd *gdScript) read(indent, to, from string, t *schema.Type, depth int) {
	if !container(t) || depth > deepest {
		fmt.Fprintf(gd, "%s%s = %s\n", indent, to, gd.converted(from, t))
		return
	}
	fmt.Fprintf(gd, "%s%s = %s\n", indent, to, gdZeros[t.Kind])
	name := fmt.Sprintf("%c%d", "ek"[t.Kind-schema.Array], depth) // elements, keys
	put, value := to+".append(%s)\n", name
	if t.Kind == schema.Map {
		put, value = to+"["+name+"] = %s\n", from+"["+name+"]"
	}
	fmt.Fprintf(gd, "%sfor %s in %s:\n", indent, name, from)
	indent += "\t"
	if !container(t.Elem.Type) {
		one := gd.converted(value, t.Elem.Type)
		if t.Elem.Null && one != value {
			one = "null if " + value + " == null else " + one
		}
		fmt.Fprintf(gd, indent+put, one)
		return
	}
	inner := fmt.Sprintf("in%d", depth)
	if t.Elem.Null {
		fmt.Fprintf(gd, "%svar %s: Variant = null\n%sif %s != null:\n", indent, inner, indent, value)
		gd.read(indent+"\t", inner, value, t.Elem.Type, depth+1)
	} else {
		fmt.Fprintf(gd, "%svar %s: %s\n", indent, inner, gd.value(t.Elem.Type))
		gd.read(indent, inner, value, t.Elem.Type, depth+1)
	}
	fmt.Fprintf(gd, indent+put, inner)
}

// converted is a value of JSON, in which all numbers are floats, as one of a type.
func (gd *gdScript) converted(from string, t *schema.Type) string {
	switch t.Kind {
	case schema.Integer:
		return "int(" + from + ")"
	case schema.Object:
		return gd.nameOf(t) + ".from_dict(" + from + ")"
	case schema.Any, schema.Null, schema.Bool, schema.Number, schema.String, schema.Array, schema.Map:
	}
	return from
}

// written is a variable as JSON.
func (gd *gdScript) written(v variable) string {
	switch {
	case v.Kind == schema.Object:
		return v.name + ".to_dict()"
	case container(v.Type):
		return gd.name + ".to_json(" + v.name + ")"
	}
	return v.name
}

// toJSON is the function that the classes write what they hold with.
const toJSON = `

## A value of a class of this file, or of arrays and dictionaries of them, as JSON has it.
static func to_json(value: Variant) -> Variant:
	if value is Array:
		var all := []
		for one in value:
			all.append(to_json(one))
		return all
	if value is Dictionary:
		var all := {}
		for key in value:
			all[key] = to_json(value[key])
		return all
	if value is Object:
		return value.to_dict()
	return value
`

func (gd *gdScript) comment(indent, text string) {
	if text == "" {
		return
	}
	for line := range strings.SplitSeq(text, "\n") {
		fmt.Fprintf(gd, "%s\n", strings.TrimRight(indent+"## "+line, " "))
	}
}
