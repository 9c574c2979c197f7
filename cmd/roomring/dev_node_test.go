package main

import (
	"bytes"
	"strings"
	"testing"
)

// TestPrefixWriter gives a prefix to every line, however the bytes come, and breaks lines that are too long.
func TestPrefixWriter(t *testing.T) {
	t.Parallel()
	x := func(n int) string { return strings.Repeat("x", n) }
	for name, test := range map[string]struct{ in, want string }{
		"lines":             {"one\ntwo\n", "p one\np two\n"},
		"an empty line":     {"\nend\n", "p \np end\n"},
		"no end yet":        {"one\ntw", "p one\n"},
		"as long as it may": {x(maxDevLine) + "\nnext\n", "p " + x(maxDevLine) + "\np next\n"},
		"too long":          {x(maxDevLine+1) + "\nnext\n", "p " + x(maxDevLine) + "\np x\np next\n"},
		"without end":       {x(2*maxDevLine + 1), "p " + x(maxDevLine) + "\np " + x(maxDevLine) + "\n"},
	} {
		for _, size := range []int{1 << 30, 32 << 10, 1000} {
			var out bytes.Buffer
			w := &prefixWriter{prefix: "p ", to: &out}
			for rest := []byte(test.in); len(rest) > 0; {
				n, err := w.Write(rest[:min(size, len(rest))])
				if err != nil || n != min(size, len(rest)) {
					t.Fatalf("%s: wrote %d, %v", name, n, err)
				}
				rest = rest[n:]
			}
			if out.String() != test.want {
				t.Errorf("%s by %d bytes: %d bytes, %d lines; want %d bytes", name, size, out.Len(), strings.Count(out.String(), "\n"), len(test.want))
			}
		}
	}
}
