package journal

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"sync"
	"time"

	"github.com/roomring/roomring/room/record"
)

// Names inside a data folder. Other parts of a node have their own files there.
const (
	lockName     = "lock"
	identityName = "identity.json"
	databaseName = "journal.db"         // of earlier versions
	damagedName  = "journal.db.damaged" // the database after it was converted, if a part of it could not be
	blackBoxName = "blackbox"
)

// FolderOptions say who opens a data folder.
type FolderOptions struct {
	Boot  record.BootID // shown to a second process that wants the folder; may be empty
	Start time.Time     // when this process started, shown likewise; zero means now

	// AdoptCopied accepts a folder that was copied or moved here. It gets a new id and remembers the
	// old one. Use it only if the original folder will never be used again.
	AdoptCopied bool

	// MachineIDFile names a file that differs between machines. Empty means /etc/machine-id. If
	// it does not exist or is empty, only the folder's inode is checked.
	MachineIDFile string
}

func (o FolderOptions) withDefaults() FolderOptions {
	if o.Start.IsZero() {
		o.Start = time.Now()
	}
	if o.MachineIDFile == "" {
		o.MachineIDFile = "/etc/machine-id"
	}
	return o
}

// Folder is a node's data folder. No other process can open it until Close.
type Folder struct {
	dir      string
	lock     *os.File
	identity identity
	closing  sync.Once
	closeErr error
}

// OpenFolder makes the folder if it does not exist (mode 0700), locks it and checks that it was
// made here. The errors are *InUseError, *CopiedError, *NewerError and those of the file system.
// After any of them the folder is as it was.
func OpenFolder(dir string, options FolderOptions) (*Folder, error) {
	options = options.withDefaults()
	dir, err := filepath.Abs(dir)
	if err != nil {
		return nil, err
	}
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	lock, err := takeLock(dir, options)
	if err != nil {
		return nil, err
	}
	id, err := openIdentity(dir, options)
	if err != nil {
		return nil, errors.Join(err, lock.Close())
	}
	return &Folder{dir: dir, lock: lock, identity: id}, nil
}

// ID is the folder's random id, by which the rows of rooms in the store name it.
func (f *Folder) ID() string { return f.identity.ID }

// Adopted are the ids that the folder had before AdoptCopied gave it new ones, oldest first. This folder may claim
// rooms whose rows name one of them.
func (f *Folder) Adopted() []string { return slices.Clone(f.identity.Adopted) }

// Path returns the absolute path of a file in the folder.
func (f *Folder) Path(name string) string { return filepath.Join(f.dir, name) }

// Close unlocks the folder for the next process. First close the journal and everything else in the folder.
func (f *Folder) Close() error {
	f.closing.Do(func() { f.closeErr = f.lock.Close() })
	return f.closeErr
}

// replaceFile writes a file so that a crash leaves the old content or the new, never a part of it.
// fill writes the new file before it gets its name.
func replaceFile(path string, fill func(*os.File) error) error {
	f, err := os.OpenFile(path+".new", os.O_CREATE|os.O_TRUNC|os.O_RDWR, 0o600)
	if err != nil {
		return err
	}
	err = fill(f)
	if err == nil {
		err = f.Sync()
	}
	if err = errors.Join(err, f.Close()); err != nil {
		return errors.Join(err, os.Remove(f.Name()))
	}
	if err := os.Rename(f.Name(), path); err != nil {
		return err
	}
	return syncDir(filepath.Dir(path))
}

func syncDir(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func exists(path string) (bool, error) {
	_, err := os.Lstat(path)
	if errors.Is(err, fs.ErrNotExist) {
		return false, nil
	}
	return err == nil, err
}
