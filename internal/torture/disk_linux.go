package torture

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// diskBytes is the size of the disk that a node gets if it is to be filled.
const diskBytes = 256 << 20

// canMount says why no disks can be mounted; nil if they can.
func canMount() error {
	if os.Geteuid() != 0 {
		return errors.New("small disks are mounted by root alone")
	}
	dir, err := os.MkdirTemp("", "roomring-disk-")
	if err != nil {
		return err
	}
	defer os.Remove(dir)
	undo, err := mount(dir) // root in a container often may not
	undo()
	return err
}

// mount puts a small disk, in memory, at a folder. The function that it returns takes it away.
func mount(dir string) (undo func(), err error) {
	if err := os.MkdirAll(dir, 0o700); err != nil {
		return func() {}, err
	}
	if err := unix.Mount("roomring", dir, "tmpfs", 0, fmt.Sprintf("size=%d,mode=0700", diskBytes)); err != nil {
		return func() {}, fmt.Errorf("mounting a small disk: %w", err)
	}
	return func() { _ = unix.Unmount(dir, unix.MNT_DETACH) }, nil
}

// fill leaves no byte on a node's disk, for a while.
func (r *run) fill(calm context.Context, s *server, f Fault) error {
	filler := filepath.Join(s.dir, "filler")
	defer os.Remove(filler)
	file, err := os.Create(filler)
	if err != nil {
		return err
	}
	defer file.Close()
	for piece := make([]byte, 1<<20); len(piece) > 0; {
		n, err := file.Write(piece)
		if err == nil && n == len(piece) {
			continue
		}
		if err != nil && !errors.Is(err, unix.ENOSPC) {
			return err
		}
		piece = piece[:len(piece)/2] // until not one byte more goes
	}
	r.pause(calm, f.For)
	return nil
}
