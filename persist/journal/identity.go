package journal

import (
	"bytes"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// identityFormat is raised when an older binary must not use the folder. In format 1 the journal was journal.db. Programs that know only
// format 1 refuse a folder of format 2 and change nothing.
const identityFormat = 2

// identity is the content of the file that tells a folder from its copies: a copy of the file has another inode,
// and another machine has another machine id.
type identity struct {
	Format  int      `json:"format"`
	ID      string   `json:"id"`
	Inode   uint64   `json:"inode"`             // of the identity file itself
	Machine string   `json:"machine,omitempty"` // hash of the machine's id; empty when it has none
	Adopted []string `json:"adopted,omitempty"` // earlier ids
}

// CopiedError means that a data folder was not made here but copied or moved.
type CopiedError struct {
	Dir    string
	Reason string
}

func (e *CopiedError) Error() string {
	return fmt.Sprintf("data folder %s %s; two nodes must never serve one journal. If it was moved and the original "+
		"will never run again, start once with --adopt-data-dir; otherwise choose another --data-dir. Nothing was changed",
		e.Dir, e.Reason)
}

// NewerError means that a newer version of Roomring wrote a file.
type NewerError struct {
	Path       string
	Has, Known int
}

func (e *NewerError) Error() string {
	return fmt.Sprintf("%s has format %d and this version of roomring knows up to %d: run the newer version. Nothing was changed",
		e.Path, e.Has, e.Known)
}

// openIdentity reads the folder's identity, or makes one if the folder has no journal yet.
func openIdentity(dir string, options FolderOptions) (identity, error) {
	machine, err := machineHash(options.MachineIDFile)
	if err != nil {
		return identity{}, err
	}
	path := filepath.Join(dir, identityName)
	id, inode, err := readIdentity(path)
	switch {
	case errors.Is(err, fs.ErrNotExist):
		return missingIdentity(dir, machine, options)
	case err != nil:
		return identity{}, err
	}
	switch reason := id.foreign(inode, machine); {
	case reason == "" && (id.Machine != "" || machine == ""):
		return id, nil
	case reason == "": // the machine has an id now that it had not before: write it down
		return writeIdentity(path, id, machine)
	case options.AdoptCopied:
		return writeIdentity(path, identity{Format: id.Format, Adopted: append(id.Adopted, id.ID)}, machine)
	default:
		return identity{}, &CopiedError{Dir: dir, Reason: reason}
	}
}

// foreign returns why the file was not written here. It is empty if it was.
func (id identity) foreign(inode uint64, machine string) string {
	switch {
	case id.Machine != "" && machine != "" && id.Machine != machine:
		return "was made on another machine"
	case id.Inode != inode:
		return "is a copy (its files are not the ones that were made here)"
	}
	return ""
}

// missingIdentity makes the identity of a folder that has none.
func missingIdentity(dir, machine string, options FolderOptions) (identity, error) {
	earlier, err := exists(filepath.Join(dir, databaseName))
	if err != nil {
		return identity{}, err
	}
	kept, err := exists(filepath.Join(dir, journalName))
	if err != nil {
		return identity{}, err
	}
	if (kept || earlier) && !options.AdoptCopied {
		return identity{}, &CopiedError{Dir: dir, Reason: "holds a journal but its " + identityName + " is missing"}
	}
	id := identity{Format: identityFormat}
	if earlier && !kept {
		id.Format = 1
	}
	return writeIdentity(filepath.Join(dir, identityName), id, machine)
}

func readIdentity(path string) (id identity, inode uint64, err error) {
	f, err := os.Open(path)
	if err != nil {
		return id, 0, err
	}
	defer f.Close()
	if inode, err = inodeOf(f); err != nil {
		return id, 0, err
	}
	if err := json.NewDecoder(f).Decode(&id); err != nil {
		return id, 0, fmt.Errorf("%s cannot be read (%w): restore it, or remove it and start once with --adopt-data-dir", path, err)
	}
	if id.Format > identityFormat {
		return id, 0, &NewerError{Path: path, Has: id.Format, Known: identityFormat}
	}
	return id, inode, nil
}

// writeIdentity replaces the file. An identity without an id gets a new one. The new file's inode is known
// before its content is written, and renaming keeps it.
func writeIdentity(path string, id identity, machine string) (identity, error) {
	id.Machine = machine
	if id.ID == "" {
		id.ID = strings.ToLower(rand.Text())
	}
	err := replaceFile(path, func(f *os.File) (err error) {
		if id.Inode, err = inodeOf(f); err != nil {
			return err
		}
		return json.NewEncoder(f).Encode(id)
	})
	return id, err
}

// machineHash is a hash of the machine's id, because the id itself should stay confidential (machine-id(5)).
func machineHash(path string) (string, error) {
	text, err := os.ReadFile(path)
	if text = bytes.TrimSpace(text); errors.Is(err, fs.ErrNotExist) || err == nil && len(text) == 0 {
		return "", nil
	}
	if err != nil {
		return "", fmt.Errorf("machine id: %w", err)
	}
	sum := sha256.Sum256(append([]byte("roomring data folder\n"), text...))
	return hex.EncodeToString(sum[:16]), nil
}
