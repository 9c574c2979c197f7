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

// journalFormat is raised when an older binary must not use the journal.
const journalFormat = 1

// takenName is a file in a journal that was taken over: what is to become of the database that it comes from.
const (
	takenName  = "taken"
	takenWhole = "whole"
)

// prepare sees to it that the data folder has a journal of the present format. What an earlier version has left is taken over: it is
// written to a folder of another name, brought to the disk, and gets its name; then the data folder's identity says that this is the journal,
// and only then the old one goes. A process that is killed before that word leaves the old journal as it was, and the next one starts over;
// one that is killed after it has only the old one left to remove.
func prepare(ctx context.Context, folder *Folder, log *slog.Logger) error {
	root, database := folder.Path(journalName), folder.Path(databaseName)
	if folder.identity.Format < identityFormat {
		if err := renew(ctx, root, database, log); err != nil {
			return err
		}
		if err := folder.raise(); err != nil {
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
	if err := checkFormat(filepath.Join(root, formatName)); err != nil {
		return err
	}
	return dismiss(root, database, log)
}

// renew makes the journal of a folder that has none of this format.
func renew(ctx context.Context, root, database string, log *slog.Logger) error {
	earlier, err := exists(database)
	if err != nil {
		return err
	}
	if err := os.RemoveAll(root); err != nil { // it was never used
		return err
	}
	if !earlier {
		return build(root, func(string) error { return nil })
	}
	return build(root, func(root string) error { return takeOver(ctx, root, database, log) })
}

// build makes a journal's folder; it has its name only when all of it is on the disk.
func build(root string, fill func(root string) error) error {
	temporary := root + newSuffix
	if err := os.RemoveAll(temporary); err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(temporary, roomsName), 0o700); err != nil {
		return err
	}
	if err := os.WriteFile(filepath.Join(temporary, formatName), fmt.Appendln(nil, journalFormat), 0o600); err != nil {
		return err
	}
	if err := fill(temporary); err != nil {
		return errors.Join(err, os.RemoveAll(temporary)) // a full disk has better use for it
	}
	if err := syncTree(temporary); err != nil {
		return err
	}
	if err := os.Rename(temporary, root); err != nil {
		return err
	}
	return syncDir(filepath.Dir(root))
}

func checkFormat(path string) error {
	text, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	has, err := strconv.Atoi(strings.TrimSpace(string(text)))
	if err != nil {
		return fmt.Errorf("%s cannot be read: it should hold %d: %w", path, journalFormat, err)
	}
	if has > journalFormat {
		return &NewerError{Path: path, Has: has, Known: journalFormat}
	}
	return nil
}

// dismiss removes the database that was taken over. One that was not whole is kept under another name.
func dismiss(root, database string, log *slog.Logger) error {
	there, err := exists(database)
	if err != nil || !there {
		return err
	}
	taken, err := readOr(filepath.Join(root, takenName))
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

// raise notes that the folder's journal is of the present format.
func (f *Folder) raise() (err error) {
	id := f.identity
	id.Format = identityFormat
	f.identity, err = writeIdentity(f.Path(identityName), id, id.Machine)
	return err
}
