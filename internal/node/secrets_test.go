package node

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
)

// TestReadSecrets checks that every secret of a file is read, however long it is, and that no error repeats one.
func TestReadSecrets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", 100_000)
	for text, want := range map[string][]string{
		"0123456789abcdef": {"0123456789abcdef"},
		"# old\r\n\r\n 0123456789abcdef \r\nfedcba9876543210": {"0123456789abcdef", "fedcba9876543210"},
		"0123456789abcdef\n" + long + "\nfedcba9876543210\n":  {"0123456789abcdef", long, "fedcba9876543210"},
		"0123456789abcdef\nhunter2\n":                         nil,
		"# nothing\n":                                         nil,
		"":                                                    nil,
	} {
		file := filepath.Join(t.TempDir(), "secrets")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		got, err := readSecrets(file)
		if !slices.Equal(got, want) || (err == nil) != (want != nil) {
			t.Errorf("%.40q: %d secrets, want %d, %v", text, len(got), len(want), err)
		}
		if err != nil && (strings.Contains(err.Error(), "hunter2") || !strings.Contains(err.Error(), file)) {
			t.Errorf("%.40q: %v", text, err)
		}
	}
}
