package journal

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// The formats of a journal. A program refuses a journal whose format it does not know. A journal gets marksFormat with the first thing in it
// that only this format has, so that older programs can use it until then.
const (
	plainFormat   = 1
	marksFormat   = 2 // rooms have marks: a program that does not know them would serve a copy that is not whole
	journalFormat = marksFormat
)

// takenName is a file in a journal that was converted. It says what to do with the database that the journal comes from.
const (
	takenName  = "taken"
	takenWhole = "whole"
)

// prepare makes sure that the data folder has a journal of the present format. It converts a journal of an earlier version: it writes
// a folder of another name, syncs it to the disk, and gives it its name. Then it writes the new format into the data folder's identity,
// and only then deletes the old journal. If the process is killed before the identity is written, the old journal is as it was and the
// next start converts it again. If it is killed afterwards, the next start only has to delete the old journal.
func prepare(ctx context.Context, folder *Folder, log *slog.Logger) error {
	root, database := folder.Path(journalName), folder.Path(databaseName)
	if folder.identity.Format < identityFormat {
		if err := convert(ctx, root, database, log); err != nil {
			return err
		}
		if err := folder.setFormat(); err != nil {
			return err
		}
	}
	there, err := exists(root)
	if err != nil {
		return err
	}
	if !there {
		if err := build(root, func(string) error { return nil }); err != nil {
			return err
		}
	}
	if _, err := readFormat(filepath.Join(root, formatName)); err != nil {
		return err
	}
	return removeOld(root, database, log)
}

// convert makes the journal of a folder that has none of the present format.
func convert(ctx context.Context, root, database string, log *slog.Logger) error {
	earlier, err := exists(database)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(root); err != nil { // a journal that was never used
		return err
	}
	if !earlier {
		return build(root, func(string) error { return nil })
	}
	return build(root, func(root string) error { return convertDatabase(ctx, root, database, log) })
}

// build makes a journal's folder. The folder gets its name only when all of it is on the disk.
func build(root string, fill func(root string) error) error {
	temporary := root + newSuffix
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(temporary, roomsName), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temporary, formatName), fmt.Appendln(nil, plainFormat), 0o600); err != nil {
		return err
	}
	if err := fill(temporary); err != nil {
		return errors.Join(err, os.RemoveAll(temporary)) // a full disk needs the space
	}
	if err := syncTree(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, root); err != nil {
		return err
	}
	return syncDir(filepath.Dir(root))
}

func readFormat(path string) (has int, err error) {
	text, err := os.ReadFile(path)
	if err != nil {
		return 0, err
	}
	has, err = strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return 0, fmt.Errorf("%s cannot be read: it should hold a number up to %d: %w", path, journalFormat, err)
	}
	if has > journalFormat {
		return 0, &NewerError{Path: path, Has: has, Known: journalFormat}
	}
	return has, nil
}

// needFormat raises the journal's format. It is on the disk before anything that needs it is written.
func (w *writer) needFormat(format int) error {
	if w.format == 0 {
		has, err := readFormat(w.disk.path(formatName))
		if err != nil {
			return err
		}
		w.format = has
	}
	if w.format >= format {
		return nil
	}
	err := replaceFile(w.disk.path(formatName), func(f *os.File) error {
		_, err := fmt.Fprintln(f, format)
		return err
	})
	if err == nil {
		w.format = format
	}
	return err
}

// removeOld deletes the database that was converted. A damaged one is kept under another name.
func removeOld(root, database string, log *slog.Logger) error {
	there, err := exists(database)
	if err != nil || !there {
		return err
	}
	taken, err := readIfThere(filepath.Join(root, takenName))
	if err != nil {
		return err
	}
	if !bytes.Equal(taken, []byte(takenWhole)) {
		kept := filepath.Join(filepath.Dir(database), damagedName)
		log.Error("the journal of the version before was damaged: what could be read is taken over, and the file is kept", "file", kept)
		for _, side := range []string{"-wal", "-shm", ""} {
			if err := renameFile(database+side, kept+side); err != nil {
				return err
			}
		}
		return syncDir(filepath.Dir(database))
	}
	for _, side := range []string{"-wal", "-shm", ""} {
		if err := removeFile(database + side); err != nil {
			return err
		}
	}
	log.Info("the journal of the version before is taken over", "journal", root)
	return nil
}

// setFormat writes into the identity that the folder's journal has the present format.
func (f *Folder) setFormat() (err error) {
	id := f.identity
	id.Format = identityFormat
	f.identity, err = writeIdentity(f.Path(identityName), id, id.Machine)
	return err
}
