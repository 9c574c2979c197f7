package journal

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"time"

	"github.com/roomring/roomring/room/record"
)

// holder is the content of the lock file: the process that has the lock.
type holder struct {
	PID     int           `json:"pid"`
	Boot    record.BootID `json:"boot,omitempty"`
	Started time.Time     `json:"started"`
}

// InUseError means that another process, or an earlier Folder of this one, has the data folder.
type InUseError struct {
	Dir     string
	PID     int // zero if the holder has not written it yet
	Boot    record.BootID
	Started time.Time
}

func (e *InUseError) Error() string {
	who := "another process"
	if e.PID != 0 {
		who = fmt.Sprintf("process %d (started %s)", e.PID, e.Started.Format(time.DateTime))
	}
	return fmt.Sprintf("data folder %s is in use by %s: stop it or choose another --data-dir", e.Dir, who)
}

// takeLock takes an exclusive flock, which lasts until the file is closed or the process ends. The
// file itself is never removed: otherwise two processes could lock two files of the same name.
func takeLock(dir string, options FolderOptions) (*os.File, error) {
	f, err := os.OpenFile(filepath.Join(dir, lockName), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("data folder: %w", err)
	}
	switch taken, err := lock(f); {
	case taken:
		inUse := describeHolder(dir, f)
		return nil, errors.Join(inUse, f.Close())
	case err != nil:
		return nil, errors.Join(fmt.Errorf("data folder %s cannot be locked: %w: choose a --data-dir on a local disk", dir, err), f.Close())
	}
	if err := sign(f, options); err != nil {
		return nil, errors.Join(fmt.Errorf("data folder: %w", err), f.Close())
	}
	return f, nil
}

func describeHolder(dir string, f *os.File) error {
	e := &InUseError{Dir: dir}
	var h holder
	if json.NewDecoder(io.LimitReader(f, 4096)).Decode(&h) == nil {
		e.PID, e.Boot, e.Started = h.PID, h.Boot, h.Started
	}
	return e
}

func sign(f *os.File, options FolderOptions) error {
	text, err := json.Marshal(holder{PID: os.Getpid(), Boot: options.Boot, Started: options.Start.Round(time.Second)})
	if err != nil {
		return err
	}
	if err := f.Truncate(0); err != nil {
		return err
	}
	_, err = f.WriteAt(append(text, '\n'), 0)
	return err
}
