//go:build !unix

package journal

import (
	"errors"
	"os"
)

// errNotUnix is for systems whose locks, renames and mapped files do not keep what a data folder promises.
var errNotUnix = errors.New("data folders need a Unix system: run the server in a container or under WSL")

func lock(*os.File) (taken bool, err error)   { return false, errNotUnix }
func inodeOf(*os.File) (uint64, error)        { return 0, errNotUnix }
func diskFull(string) bool                    { return false }
func mapShared(*os.File, int) ([]byte, error) { return nil, errNotUnix }
