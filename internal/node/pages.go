package node

import (
	"context"
	"fmt"
	"io/fs"
	"os"
)

// openPages finds the pages that lie over the built-in ones.
func (n *Node) openPages(context.Context) error {
	dir := n.cfg.Pages
	if dir == "" {
		return nil
	}
	switch info, err := os.Stat(dir); {
	case os.IsNotExist(err):
		return fmt.Errorf("--pages %s: there is no such folder: make it, or name the one with your pages", dir)
	case err != nil:
		return fmt.Errorf("--pages: %w", err)
	case !info.IsDir():
		return fmt.Errorf("--pages %s is no folder: name the one that the file is in", dir)
	}
	n.pages = folder(dir)
	if _, err := fs.ReadDir(n.pages, "."); err != nil {
		return fmt.Errorf("--pages %s cannot be read: %w", dir, err)
	}
	return nil
}

// folder is the files of a folder. Nothing outside of it is reached, by no symbolic link either. The folder itself is opened for each
// file, so that it may be another one after a build or a deploy has replaced it.
type folder string

func (f folder) Open(name string) (fs.File, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return root.FS().Open(name)
}

// Stat implements fs.StatFS: it opens nothing, and so waits for no pipe.
func (f folder) Stat(name string) (fs.FileInfo, error) {
	root, err := os.OpenRoot(string(f))
	if err != nil {
		return nil, err
	}
	defer root.Close()
	return fs.Stat(root.FS(), name)
}
