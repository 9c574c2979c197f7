package schema

import (
	"bytes"
	"encoding/json"
	"fmt"
	"reflect"
)

// dialect is the JSON Schema that all schemas are of.
const dialect = "https://json-schema.org/draft/2020-12/schema"

// MarshalJSON writes {"game", "version", "view", "action", "options", "events"}. Each of the last four is a JSON Schema with its
// own $defs; options is null where there are none, and events has one for each name.
func (g *Game) MarshalJSON() ([]byte, error) {
	body := struct {
		Game    string           `json:"game"`
		Version int              `json:"version"`
		View    *node            `json:"view"`
		Action  *node            `json:"action"`
		Options *node            `json:"options"`
		Events  map[string]*node `json:"events"`
	}{g.Name, g.Version, g.View.document("View"), g.Action.document("Action"), nil, map[string]*node{}}
	if g.Options != nil {
		body.Options = g.Options.document("Options")
	}
	for _, e := range g.Events {
		body.Events[e.Name] = e.Data.document(e.Name)
	}
	return json.Marshal(body)
}

// JSONSchema returns the schema of one value, with its own $defs. Its title is the name of the Go type, or other for a type that
// has none.
func (v Value) JSONSchema(other string) ([]byte, error) { return json.Marshal(v.document(other)) }

// node is a JSON Schema.
type node struct {
	Schema               string           `json:"$schema,omitempty"`
	Ref                  string           `json:"$ref,omitempty"`
	Title                string           `json:"title,omitempty"`
	Type                 any              `json:"type,omitempty"` // a name, or several
	Format               string           `json:"format,omitempty"`
	ContentEncoding      string           `json:"contentEncoding,omitempty"`
	Pattern              string           `json:"pattern,omitempty"`
	Minimum              json.Number      `json:"minimum,omitempty"`
	Maximum              json.Number      `json:"maximum,omitempty"`
	Items                *node            `json:"items,omitempty"`
	MinItems             *int             `json:"minItems,omitempty"`
	MaxItems             *int             `json:"maxItems,omitempty"`
	Properties           properties       `json:"properties,omitempty"`
	Required             []string         `json:"required,omitempty"`
	PropertyNames        *node            `json:"propertyNames,omitempty"`
	AdditionalProperties any              `json:"additionalProperties,omitempty"` // false, or a *node
	AnyOf                []*node          `json:"anyOf,omitempty"`
	Default              json.RawMessage  `json:"default,omitempty"`
	Defs                 map[string]*node `json:"$defs,omitempty"`
}

// properties are written in their order, which forms and readers like.
type properties []property

type property struct {
	name string
	node *node
}

func (p properties) MarshalJSON() ([]byte, error) {
	var b bytes.Buffer
	b.WriteByte('{')
	for i, prop := range p {
		if i > 0 {
			b.WriteByte(',')
		}
		name, err := json.Marshal(prop.name)
		if err != nil {
			return nil, err
		}
		value, err := json.Marshal(prop.node)
		if err != nil {
			return nil, err
		}
		fmt.Fprintf(&b, "%s:%s", name, value)
	}
	b.WriteByte('}')
	return b.Bytes(), nil
}

// renderer writes one schema and the definitions that it needs.
type renderer struct {
	root  *Type
	names *Names
	defs  map[string]*node
}

func (v Value) document(other string) *node {
	r := &renderer{v.Type, NewNames(), map[string]*node{}}
	n := orNull(r.inline(v.Type), v.Null)
	n.Schema, n.Defs = dialect, r.defs
	if n.Title = other; v.Go != nil && v.Go.Name() != "" {
		n.Title = TypeName(v.Go)
	}
	return n
}

// use is the schema of a place: named types are referred to.
func (r *renderer) use(v Value) *node { return orNull(r.reference(v.Type), v.Null) }

func orNull(n *node, null bool) *node {
	switch {
	case !null:
		return n
	case n.Ref != "":
		return &node{AnyOf: []*node{n, {Type: "null"}}}
	}
	n.Type = []any{n.Type, "null"}
	return n
}

func (r *renderer) reference(t *Type) *node {
	switch {
	case !t.Named():
		return r.inline(t)
	case Same(t, r.root):
		return &node{Ref: "#"}
	}
	name, isNew := r.names.Of(t, TypeName(t.Go), QualifiedName(t.Go))
	if isNew {
		n := r.inline(t)
		n.Title = TypeName(t.Go)
		r.defs[name] = n
	}
	return &node{Ref: "#/$defs/" + name}
}

func (r *renderer) inline(t *Type) *node {
	n := new(node)
	switch t.Kind {
	case Null:
		n.Type = "null"
	case Bool:
		n.Type = "boolean"
	case Integer:
		n.Type = "integer"
		n.Minimum, n.Maximum = bounds(t.Go)
	case Number:
		n.Type = "number"
	case String:
		n.text(t.Format)
	case Array:
		n.Type, n.Items = "array", r.use(t.Elem)
		if t.Len >= 0 {
			n.MinItems, n.MaxItems = &t.Len, &t.Len
		}
	case Map:
		n.Type, n.AdditionalProperties = "object", r.use(t.Elem)
		if pattern := keyPatterns[t.Keys]; pattern != "" {
			n.PropertyNames = &node{Pattern: pattern}
		}
	case Object:
		r.object(n, t)
	case Any:
	}
	return n
}

var keyPatterns = map[Keys]string{IntegerKeys: "^-?[0-9]+$", NaturalKeys: "^[0-9]+$"}

func (n *node) text(f Format) {
	n.Type = "string"
	switch f {
	case Time:
		n.Format = "date-time"
	case Base64:
		n.ContentEncoding = "base64"
	case QuotedBool:
		n.Pattern = "^(true|false)$"
	case QuotedInteger:
		n.Pattern = "^-?[0-9]+$"
	case QuotedNumber:
		n.Pattern = `^-?[0-9]+(\.[0-9]+)?([eE][-+]?[0-9]+)?$`
	case QuotedText:
		n.Pattern = `^"[\s\S]*"$`
	case Text:
	}
}

func (r *renderer) object(n *node, t *Type) {
	n.Type, n.AdditionalProperties = "object", false
	for _, f := range t.Fields {
		p := r.use(f.Value)
		if f.Default != nil {
			p.Default = f.Default
		}
		n.Properties = append(n.Properties, property{f.Name, p})
		if !f.Optional {
			n.Required = append(n.Required, f.Name)
		}
	}
}

// bounds are those of a Go integer that has fewer than 64 bits or no sign. Wider ones are bounded by what JSON's readers understand.
func bounds(t reflect.Type) (least, most json.Number) {
	switch t.Kind() {
	case reflect.Int8, reflect.Int16, reflect.Int32:
		limit := int64(1) << (t.Bits() - 1)
		return json.Number(fmt.Sprint(-limit)), json.Number(fmt.Sprint(limit - 1))
	case reflect.Uint8, reflect.Uint16, reflect.Uint32:
		return "0", json.Number(fmt.Sprint(int64(1)<<t.Bits() - 1))
	case reflect.Uint, reflect.Uint64, reflect.Uintptr:
		return "0", ""
	}
	return "", ""
}
