package cli

import (
	"bytes"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestPrefixWriter checks that every line gets a prefix, however the bytes come, and that lines that are too long are broken.
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

// TestDevColours are there where they can be seen, and nobody says that they are not wanted.
func TestDevColours(t *testing.T) {
	t.Setenv("NO_COLOR", "")
	t.Setenv("TERM", "xterm")
	terminal, err := os.OpenFile("/dev/ptmx", os.O_RDWR, 0)
	if err != nil {
		t.Fatalf("a terminal is needed: %v", err)
	}
	defer terminal.Close()
	file, err := os.Create(filepath.Join(t.TempDir(), "log"))
	if err != nil {
		t.Fatal(err)
	}
	defer file.Close()
	if !showsColours(terminal) || showsColours(file) || showsColours(&bytes.Buffer{}) {
		t.Error("colours are for terminals alone")
	}
	if a, b, plain := devPrefix(0, "n1", true), devPrefix(1, "n2", true), devPrefix(1, "n2", false); !strings.HasPrefix(a, "\x1b[") || a[:5] == b[:5] || plain != "n2  | " {
		t.Errorf("prefixes %q, %q and %q", a, b, plain)
	}
	for variable, value := range map[string]string{"NO_COLOR": "1", "TERM": "dumb"} {
		t.Run(variable, func(t *testing.T) {
			t.Setenv(variable, value)
			if showsColours(terminal) {
				t.Errorf("%s=%s has colours", variable, value)
			}
		})
	}
}
