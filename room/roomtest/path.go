package roomtest

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

// parsePath splits `Hands.p1[3]["a.b"]` into its steps.
func parsePath(path string) ([]string, error) {
	var steps []string
	for rest := "." + path; rest != ""; {
		var step string
		switch {
		case strings.HasPrefix(rest, `["`):
			quoted, err := strconv.QuotedPrefix(rest[1:])
			if err != nil || !strings.HasPrefix(rest[1+len(quoted):], "]") {
				return nil, fmt.Errorf("path %s: a quote or a bracket is not closed", path)
			}
			step, _ = strconv.Unquote(quoted)
			rest = rest[len(quoted)+2:]
		case rest[0] == '[':
			end := strings.IndexByte(rest, ']')
			if end < 0 {
				return nil, fmt.Errorf("path %s: a bracket is not closed", path)
			}
			step, rest = rest[1:end], rest[end+1:]
		case rest[0] == '.':
			end := strings.IndexAny(rest[1:], ".[") + 1
			if end == 0 {
				end = len(rest)
			}
			step, rest = rest[1:end], rest[end:]
		default:
			return nil, fmt.Errorf("path %s: a dot or a bracket must follow a bracket", path)
		}
		steps = append(steps, step)
	}
	return steps, nil
}

// valueAt finds the value that the steps lead to.
func valueAt(v any, steps []string) (any, error) {
	for _, step := range steps {
		switch x := v.(type) {
		case map[string]any:
			next, ok := x[step]
			if !ok {
				return nil, fmt.Errorf("%q is not among %s", step, strings.Join(slices.Sorted(maps.Keys(x)), ", "))
			}
			v = next
		case []any:
			i, err := strconv.Atoi(step)
			if err != nil || i < 0 || i >= len(x) {
				return nil, fmt.Errorf("%q is no index of an array of %d", step, len(x))
			}
			v = x[i]
		default:
			return nil, fmt.Errorf("%q is looked for in %s", step, show(v))
		}
	}
	return v, nil
}

// replaceAt returns a copy of v with another value at the steps. Valid steps are those that valueAt accepts.
func replaceAt(v any, steps []string, to any) any {
	if len(steps) == 0 {
		return to
	}
	switch x := v.(type) {
	case map[string]any:
		x = maps.Clone(x)
		x[steps[0]] = replaceAt(x[steps[0]], steps[1:], to)
		return x
	case []any:
		x = slices.Clone(x)
		i, _ := strconv.Atoi(steps[0])
		x[i] = replaceAt(x[i], steps[1:], to)
		return x
	}
	return v
}
