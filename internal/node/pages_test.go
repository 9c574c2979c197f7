package node

import (
	"io/fs"
	"os"
	"path/filepath"
	"testing"
)

// A folder shows its files as they are, reaches nothing outside, and may be replaced.
func TestAFolderOfPages(t *testing.T) {
	dir := t.TempDir()
	pages := filepath.Join(dir, "pages")
	write := func(name, text string) {
		t.Helper()
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(name, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	write(filepath.Join(dir, "secret"), "secret")
	write(filepath.Join(pages, "sub", "in.js"), "in")
	for link, to := range map[string]string{"out": "../secret", "absolute": filepath.Join(dir, "secret"), "up": "..", "inside": "sub/in.js"} {
		if err := os.Symlink(to, filepath.Join(pages, link)); err != nil {
			t.Fatal(err)
		}
	}
	f := folder(pages)
	for name, want := range map[string]string{"sub/in.js": "in", "inside": "in", "out": "", "absolute": "", "up/secret": "", "../secret": "", "sub/../../secret": "", "gone": ""} {
		text, err := fs.ReadFile(f, name)
		if string(text) != want || (err == nil) != (want != "") {
			t.Errorf("%s is %q, %v", name, text, err)
		}
		if info, err := fs.Stat(f, name); (err == nil) != (want != "") {
			t.Errorf("%s: %v, %v", name, info, err)
		}
	}
	if err := os.Rename(pages, pages+"-old"); err != nil {
		t.Fatal(err)
	}
	if _, err := f.Open("sub/in.js"); err == nil {
		t.Error("a folder that is gone still has files")
	}
	write(filepath.Join(pages, "new.js"), "new")
	if text, err := fs.ReadFile(f, "new.js"); string(text) != "new" {
		t.Errorf("of the folder in its place one reads %q, %v", text, err)
	}
}
