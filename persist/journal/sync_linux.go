package journal

import (
	"errors"
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"
)

// syncTree brings all that was written under a folder to the disk, in one go with what else waits for that disk.
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

// bootID tells this start of the machine from others; in a container it is the host's.
func bootID(file string) string {
	if file == "" {
		file = "/proc/sys/kernel/random/boot_id"
	}
	text, err := os.ReadFile(file)
	if err != nil {
		return "" // not told: see Journal.PowerLost
	}
	return strings.TrimSpace(string(text))
}
