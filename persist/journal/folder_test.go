package journal_test

import (
	"encoding/json"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"testing"

	"github.com/roomring/roomring/persist/journal"
)

func openFolder(t *testing.T, dir string, options journal.FolderOptions) *journal.Folder {
	t.Helper()
	f, err := journal.OpenFolder(dir, options)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.Close() })
	return f
}

func TestFolderKeepsItsID(t *testing.T) {
	dir := filepath.Join(t.TempDir(), "a folder?with=signs#and %41", "data")
	n := open(t, dir, journal.Options{}) // such a name is no trouble
	id := n.folder.ID()
	n.create(roomID(1))
	n.close()
	if info, err := os.Stat(dir); err != nil || info.Mode().Perm() != 0o700 {
		t.Errorf("the folder has mode %v, %v", info.Mode(), err)
	}
	moved := filepath.Join(t.TempDir(), "moved")
	if err := os.Rename(dir, moved); err != nil {
		t.Fatal(err)
	}
	n = open(t, moved, journal.Options{})
	if n.folder.ID() != id || len(id) < 20 {
		t.Errorf("the id was %q and is %q", id, n.folder.ID())
	}
	n.load(roomID(1))
}

func TestCopiedFolderIsRefused(t *testing.T) {
	dir := t.TempDir()
	n := open(t, filepath.Join(dir, "a"), journal.Options{})
	n.create(roomID(1))
	id := n.folder.ID()
	n.close()
	if out, err := exec.Command("cp", "-a", filepath.Join(dir, "a"), filepath.Join(dir, "b")).CombinedOutput(); err != nil {
		t.Fatal(string(out), err)
	}
	expectCopied(t, filepath.Join(dir, "b"), journal.FolderOptions{})
	openFolder(t, filepath.Join(dir, "a"), journal.FolderOptions{}) // the original still opens

	adopted := openFolder(t, filepath.Join(dir, "b"), journal.FolderOptions{AdoptCopied: true})
	if adopted.ID() == id || !slices.Equal(adopted.Adopted(), []string{id}) {
		t.Errorf("adopted %q from %q, was %q", adopted.ID(), adopted.Adopted(), id)
	}
	now := adopted.ID()
	adopted.Close()
	b := open(t, filepath.Join(dir, "b"), journal.Options{})
	if b.folder.ID() != now {
		t.Errorf("the adopted folder is %q and now %q", now, b.folder.ID())
	}
	b.load(roomID(1))
}

// expectCopied opens a folder that must be refused as a copy, and checks that nothing was changed.
func expectCopied(t *testing.T, dir string, options journal.FolderOptions) {
	t.Helper()
	before, _ := os.ReadFile(filepath.Join(dir, "identity.json"))
	_, err := journal.OpenFolder(dir, options)
	if _, ok := errors.AsType[*journal.CopiedError](err); !ok {
		t.Errorf("opening %s: %v, want a CopiedError", dir, err)
	}
	after, _ := os.ReadFile(filepath.Join(dir, "identity.json"))
	if string(before) != string(after) {
		t.Error("the identity was changed")
	}
}

func TestFolderOfAnotherMachineIsRefused(t *testing.T) {
	dir, ids := t.TempDir(), t.TempDir()
	machine := func(name, text string) journal.FolderOptions {
		file := filepath.Join(ids, name)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		return journal.FolderOptions{MachineIDFile: file}
	}
	a, b, empty := machine("a", "aaaa\n"), machine("b", "bbbb\n"), machine("empty", "\n")
	absent := journal.FolderOptions{MachineIDFile: filepath.Join(ids, "none")}
	openFolder(t, dir, empty).Close()
	openFolder(t, dir, a).Close() // from now on the folder knows its machine
	openFolder(t, dir, absent).Close()
	openFolder(t, dir, empty).Close()
	expectCopied(t, dir, b)
	openFolder(t, dir, a).Close()
}

func TestMissingIdentity(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.close()
	if err := os.Remove(filepath.Join(dir, "identity.json")); err != nil {
		t.Fatal(err)
	}
	expectCopied(t, dir, journal.FolderOptions{})
	openFolder(t, dir, journal.FolderOptions{AdoptCopied: true}).Close()
}

func TestNewerFormatsAreRefused(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.close()
	editFile(t, filepath.Join(dir, "journal", "format"), func([]byte) []byte { return []byte("99\n") })
	folder := openFolder(t, dir, journal.FolderOptions{})
	_, err := journal.Open(within(t), folder, journal.Options{})
	if e, ok := errors.AsType[*journal.NewerError](err); !ok || e.Has != 99 {
		t.Errorf("journal/format: %v", err)
	}
	folder.Close()

	file := filepath.Join(dir, "identity.json")
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	var id map[string]any
	if err := json.Unmarshal(text, &id); err != nil {
		t.Fatal(err)
	}
	id["format"] = 99
	text, _ = json.Marshal(id)
	if err := os.WriteFile(file, text, 0o600); err != nil {
		t.Fatal(err)
	}
	_, err = journal.OpenFolder(dir, journal.FolderOptions{})
	if e, ok := errors.AsType[*journal.NewerError](err); !ok || e.Has != 99 {
		t.Errorf("identity.json: %v", err)
	}
}
