package roomtest

import (
	"bytes"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// difference is the first place where two JSON documents differ.
type difference struct {
	path string
	a, b string
}

func (d *difference) String() string {
	return fmt.Sprintf("%s is %s and %s", d.field(), d.a, d.b)
}

func (d *difference) field() string {
	if d.path == "" {
		return "all of it"
	}
	return "field " + d.path
}

// diffJSON finds the first difference, or nil. It compares texts that are no JSON as they are.
func diffJSON(a, b string) *difference {
	if a == b {
		return nil
	}
	av, aerr := decode([]byte(a))
	bv, berr := decode([]byte(b))
	if aerr != nil || berr != nil {
		return &difference{"", brief(a), brief(b)}
	}
	return diff("", av, bv)
}

func decode(b []byte) (v any, err error) {
	d := json.NewDecoder(bytes.NewReader(b))
	d.UseNumber()
	err = d.Decode(&v)
	return v, err
}

func diff(path string, a, b any) *difference {
	switch x := a.(type) {
	case map[string]any:
		if y, ok := b.(map[string]any); ok {
			return diffObjects(path, x, y)
		}
	case []any:
		if y, ok := b.([]any); ok {
			return diffArrays(path, x, y)
		}
	default:
		if a == b {
			return nil
		}
	}
	return &difference{strings.TrimPrefix(path, "."), show(a), show(b)}
}

func diffObjects(path string, a, b map[string]any) *difference {
	both := maps.Clone(a)
	maps.Copy(both, b)
	for _, name := range slices.Sorted(maps.Keys(both)) {
		x, inA := a[name]
		y, inB := b[name]
		at := path + segment(name)
		switch {
		case !inA:
			return &difference{strings.TrimPrefix(at, "."), "absent", show(y)}
		case !inB:
			return &difference{strings.TrimPrefix(at, "."), show(x), "absent"}
		}
		if d := diff(at, x, y); d != nil {
			return d
		}
	}
	return nil
}

func diffArrays(path string, a, b []any) *difference {
	for i := range min(len(a), len(b)) {
		if d := diff(path+"["+strconv.Itoa(i)+"]", a[i], b[i]); d != nil {
			return d
		}
	}
	if len(a) != len(b) {
		return &difference{strings.TrimPrefix(path, "."), show(a), show(b)}
	}
	return nil
}

// segment writes a name as a step of a path, in quotes if it is ambiguous.
func segment(name string) string {
	if name == "" || strings.ContainsAny(name, `.[]"`) {
		return "[" + strconv.Quote(name) + "]"
	}
	return "." + name
}

func show(v any) string {
	b, err := json.Marshal(v)
	if err != nil {
		return fmt.Sprint(v)
	}
	return brief(string(b))
}

// brief cuts a long text for an error.
func brief(s string) string {
	const most = 120
	if len(s) <= most {
		return s
	}
	return strings.ToValidUTF8(s[:most], "") + fmt.Sprintf("… (%d bytes)", len(s))
}
