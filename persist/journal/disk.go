package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is the folder that the writer changes, file by file. When a method returns the operating system has the change, so that
// killing the process loses nothing. If redo is set, writer.commit also waits until the changes would survive a loss of power. Every
// method may be called again after an error, with the same result.
type disk struct {
	root string
	redo *redo // nil: nobody waits for the disk
}

func (d *disk) path(name string) string { return filepath.Join(d.root, name) }

// writeAt writes bytes at a place of an open file. After an error it ends the file at that place, if it can.
func (d *disk) writeAt(f *os.File, name string, place int64, data []byte) error {
	if _, err := f.WriteAt(data, place); err != nil {
		f.Truncate(place)
		return err
	}
	d.redo.note(opWrite, name, place, data)
	return nil
}

// set overwrites a file. A process that is killed meanwhile may leave the file in between.
func (d *disk) set(name string, data []byte) error {
	if err := setFile(d.path(name), data); err != nil {
		return err
	}
	d.redo.note(opSet, name, 0, data)
	return nil
}

func setFile(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_CREATE|os.O_WRONLY, 0o600)
	if err != nil {
		return err
	}
	_, err = f.WriteAt(data, 0)
	if err == nil {
		err = f.Truncate(int64(len(data)))
	}
	return errors.Join(err, f.Close())
}

// put replaces a file at once: a process that is killed leaves the old content or the new.
func (d *disk) put(name string, data []byte) error {
	if err := putFile(d.path(name), data); err != nil {
		return err
	}
	d.redo.note(opPut, name, 0, data)
	return nil
}

func putFile(path string, data []byte) error {
	temporary := path + newSuffix
	if err := os.WriteFile(temporary, data, 0o600); err != nil {
		os.Remove(temporary)
		return err
	}
	return os.Rename(temporary, path)
}

// rename moves a file. It does nothing if the file was moved before.
func (d *disk) rename(from, to string) error {
	if err := renameFile(d.path(from), d.path(to)); err != nil {
		return err
	}
	d.redo.note(opRename, from, 0, []byte(to))
	return nil
}

func renameFile(from, to string) error {
	err := os.Rename(from, to)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// remove deletes a file. It does nothing if the file is gone.
func (d *disk) remove(name string) error {
	if err := removeFile(d.path(name)); err != nil {
		return err
	}
	d.redo.note(opRemove, name, 0, nil)
	return nil
}

func removeFile(path string) error {
	err := os.Remove(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

// truncate shortens a file.
func (d *disk) truncate(name string, size int64) error {
	if err := os.Truncate(d.path(name), size); err != nil {
		return err
	}
	d.redo.note(opTruncate, name, size, nil)
	return nil
}

// newSuffix ends the name of a file until the file is complete and gets its own name.
const newSuffix = ".new"

// readIfThere reads a file. It returns nil if the file does not exist.
func readIfThere(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// explainFull turns the system's "no space left on device" into words that people understand.
func explainFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fullError{err}
	}
	return err
}

type fullError struct{ error }

func (e fullError) Error() string { return "the disk is full: " + e.error.Error() }
func (e fullError) Unwrap() error { return e.error }
