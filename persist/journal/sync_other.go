//go:build !linux

package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// syncTree syncs everything under a folder to the disk.
func syncTree(root string) error {
	return filepath.WalkDir(root, func(path string, _ fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		f, err := os.Open(path)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}
		if err != nil {
			return err
		}
		return errors.Join(f.Sync(), f.Close())
	})
}

// bootID is the id of this start of the machine, if the system has one.
func bootID(file string) string {
	if file == "" {
		return systemBootID()
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "" // not known: see Journal.PowerLost
	}
	return strings.TrimSpace(string(text))
}
