package journal_test

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
)

// logFile is the one file of a room with a suffix.
func logFile(t testing.TB, dir string, id room.ID, suffix string) string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join(dir, "journal", "rooms", string(id)+"-*."+suffix))
	if err != nil || len(names) != 1 {
		t.Fatalf("files of room %s: %v, %v", id, names, err)
	}
	return names[0]
}

// frame is the place of a record in a room's file.
type frame struct{ from, to int }

func framesOf(file []byte) (all []frame) {
	for at := 8; at < len(file); {
		to := at + 8 + int(binary.LittleEndian.Uint32(file[at:]))
		all = append(all, frame{at, to})
		at = to
	}
	return all
}

// editFile changes a file without the journal.
func editFile(t testing.TB, path string, edit func([]byte) []byte) {
	t.Helper()
	data, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	edited := edit([]byte(string(data)))
	if string(edited) == string(data) {
		t.Fatalf("%s was not changed", path)
	}
	if err := os.WriteFile(path, edited, 0o600); err != nil {
		t.Fatal(err)
	}
}

// filesLike lists the files of rooms whose names contain part.
func filesLike(t testing.TB, dir, part string) (names []string) {
	t.Helper()
	entries, err := os.ReadDir(filepath.Join(dir, "journal", "rooms"))
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range entries {
		if strings.Contains(e.Name(), part) {
			names = append(names, filepath.Join(dir, "journal", "rooms", e.Name()))
		}
	}
	return names
}
