package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// syncTree syncs everything under a folder to the disk, together with everything else on the same file system.
func syncTree(root string) error {
	d, err := os.Open(root)
	if err != nil {
		return err
	}
	if err := unix.Syncfs(int(d.Fd())); err != nil {
		return errors.Join(fmt.Errorf("%s: syncfs: %w", root, err), d.Close())
	}
	return d.Close()
}

// bootID is the id of this start of the machine. In a container it is that of the host.
func bootID(file string) string {
	if file == "" {
		file = "/proc/sys/kernel/random/boot_id"
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "" // not known: see Journal.PowerLost
	}
	return strings.TrimSpace(string(text))
}
