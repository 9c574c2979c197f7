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

// alterAt returns a copy of v in which the value at the steps is replaced.
func alterAt(v any, steps []string, alter func(any) any) (any, error) {
	if len(steps) == 0 {
		return alter(v), nil
	}
	step := steps[0]
	switch x := v.(type) {
	case map[string]any:
		old, ok := x[step]
		if !ok {
			return nil, fmt.Errorf("%q is not among %s", step, strings.Join(slices.Sorted(maps.Keys(x)), ", "))
		}
		altered, err := alterAt(old, steps[1:], alter)
		x = maps.Clone(x)
		x[step] = altered
		return x, err
	case []any:
		i, err := strconv.Atoi(step)
		if err != nil || i < 0 || i >= len(x) {
			return nil, fmt.Errorf("%q is no index of an array of %d", step, len(x))
		}
		altered, err := alterAt(x[i], steps[1:], alter)
		x = slices.Clone(x)
		x[i] = altered
		return x, err
	}
	return nil, fmt.Errorf("%q is looked for in %s", step, show(v))
}
