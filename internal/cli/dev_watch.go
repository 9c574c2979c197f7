package cli

import (
	"context"
	"fmt"
	"io/fs"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/fsnotify/fsnotify"
)

const (
	maxWatched = 4096                   // folders
	settle     = 200 * time.Millisecond // without a change before one is told of: editors write in several steps
)

// watch tells of changes of files under a folder until ctx ends, when the channel closes. Changes that follow each other closely, or that
// come before the last was taken, are told of once. It leaves out folders that no program is made of, and those that skip names.
func watch(ctx context.Context, dir string, skip ...string) (<-chan struct{}, error) {
	w, err := fsnotify.NewWatcher()
	if err != nil {
		return nil, err
	}
	f := &watcher{Watcher: w, skip: skip}
	if err := f.addUnder(dir); err != nil {
		_ = w.Close()
		return nil, err
	}
	changes := make(chan struct{}, 1)
	go f.run(ctx, changes)
	return changes, nil
}

type watcher struct {
	*fsnotify.Watcher
	skip []string // folders
}

func (w *watcher) run(ctx context.Context, changes chan<- struct{}) {
	defer close(changes)
	defer func() { _ = w.Close() }()
	var due <-chan time.Time
	for {
		select {
		case e := <-w.Events:
			if e.Op == fsnotify.Chmod || unrelated(filepath.Base(e.Name)) {
				continue
			}
			if e.Has(fsnotify.Create) {
				_ = w.addUnder(e.Name) // it may be gone again, or be no folder
			}
			due = time.After(settle)
		case <-w.Errors: // the kernel has dropped some: look at all
			due = time.After(settle)
		case <-due:
			due = nil
			select {
			case changes <- struct{}{}:
			default:
			}
		case <-ctx.Done():
			return
		}
	}
}

// addUnder watches a folder and those below it.
func (w *watcher) addUnder(dir string) error {
	return filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case !d.IsDir():
			return nil
		case path != dir && unrelated(d.Name()) || w.skipped(path):
			return filepath.SkipDir
		case len(w.WatchList()) >= maxWatched:
			return fmt.Errorf("%s has more than %d folders, and changes are looked for in so many: run dev with --watch=false", dir, maxWatched)
		}
		return w.Add(path)
	})
}

func (w *watcher) skipped(path string) bool {
	return slices.Contains(w.skip, path)
}

// unrelated reports whether a program is not made of files or folders of such a name.
func unrelated(name string) bool {
	return strings.HasPrefix(name, ".") || strings.HasPrefix(name, "_") || strings.HasSuffix(name, "~") || name == "node_modules" || name == "roomring-data"
}
