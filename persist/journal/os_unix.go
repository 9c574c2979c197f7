//go:build unix

package journal

import (
	"errors"
	"fmt"
	"os"

	"golang.org/x/sys/unix"
)

// lock takes an exclusive flock without waiting; taken says that another has it.
func lock(f *os.File) (taken bool, err error) {
	err = unix.Flock(int(f.Fd()), unix.LOCK_EX|unix.LOCK_NB)
	return errors.Is(err, unix.EWOULDBLOCK), err
}

func inodeOf(f *os.File) (uint64, error) {
	var stat unix.Stat_t
	if err := unix.Fstat(int(f.Fd()), &stat); err != nil {
		return 0, fmt.Errorf("%s: %w", f.Name(), err)
	}
	return stat.Ino, nil
}

// diskFull reports whether less than 1 MiB is free where path is.
func diskFull(path string) bool {
	var disk unix.Statfs_t
	return unix.Statfs(path, &disk) == nil && disk.Bavail*uint64(disk.Bsize) < 1<<20
}

// mapShared maps a file's first bytes into memory, for as long as the process lives.
func mapShared(f *os.File, size int) ([]byte, error) {
	return unix.Mmap(int(f.Fd()), 0, size, unix.PROT_READ|unix.PROT_WRITE, unix.MAP_SHARED)
}
