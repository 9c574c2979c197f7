package journal

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
)

// disk is the folder that the writer changes, file by file. What it was told is with the operating system when a method returns, so that
// killing the process loses nothing; where redo is set, group also waits until it would outlive a loss of power. All methods may be called
// again after an error and then come to the same.
type disk struct {
	root string
	redo *redo // nil: nobody waits for the disk
}

func (d *disk) path(name string) string { return filepath.Join(d.root, name) }

// writeAt puts bytes at a place of a file that is open, and ends the file behind them where it is told to. After an error the file ends at
// the place, if that can be done.
func (d *disk) writeAt(f *os.File, name string, place int64, data []byte) error {
	if _, err := f.WriteAt(data, place); err != nil {
		f.Truncate(place)
		return err
	}
	d.redo.note(opWrite, name, place, data)
	return nil
}

// set gives a file a content that need not survive a kill in the middle.
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

// put gives a file a content at once: who is killed leaves the old or the new.
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

// rename moves a file; one that has been moved is fine.
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

// remove deletes a file; one that is gone is fine.
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

// truncate ends a file early.
func (d *disk) truncate(name string, size int64) error {
	if err := os.Truncate(d.path(name), size); err != nil {
		return err
	}
	d.redo.note(opTruncate, name, size, nil)
	return nil
}

// newSuffix ends the name of a file that has not got its own yet.
const newSuffix = ".new"

// readOr reads a file; one that is not there is nil.
func readOr(path string) ([]byte, error) {
	data, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	return data, err
}

// tellFull says what an error of the disk comes to where the system says "no space left on device".
func tellFull(err error) error {
	if errors.Is(err, syscall.ENOSPC) || errors.Is(err, syscall.EDQUOT) {
		return fullError{err}
	}
	return err
}

type fullError struct{ error }

func (e fullError) Error() string { return "the disk is full: " + e.error.Error() }
func (e fullError) Unwrap() error { return e.error }
