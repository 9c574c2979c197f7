package cli

import (
	"context"
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/testwait"
)

// touch writes a file, and makes its folder.
func touch(t *testing.T, parts ...string) {
	t.Helper()
	file := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, []byte(time.Now().String()), 0o644); err != nil {
		t.Fatal(err)
	}
}

func TestAChangeIsToldOfOnce(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	touch(t, dir, "rules", "game.go")
	unrelatedFiles := [][]string{{"node_modules", "x", "x.js"}, {"roomring-data", "store.db"}, {".git", "index"}, {"pages", "game.js"}, {"rules", ".game.go.swp"}, {"rules", "game.go~"}}
	for _, parts := range unrelatedFiles {
		touch(t, append([]string{dir}, parts...)...)
	}
	ctx, cancel := context.WithCancel(t.Context())
	defer cancel()
	changes, err := watch(ctx, dir, filepath.Join(dir, "pages"))
	if err != nil {
		t.Fatal(err)
	}
	told := func() bool {
		select {
		case <-changes:
			return true
		default:
			return false
		}
	}
	changed := func(what string, parts ...string) {
		t.Helper()
		touch(t, append([]string{dir}, parts...)...)
		testwait.Until(t, what+" is told of", told)
		time.Sleep(2 * settle) // what follows a change closely belongs to it
		for told() {
		}
	}
	changed("a file", "rules", "game.go")
	changed("a new folder's file", "more", "deep", "bot.go")
	changed("a file in what was a new folder", "more", "deep", "bot.go")
	for _, parts := range unrelatedFiles {
		touch(t, append([]string{dir}, parts...)...)
	}
	time.Sleep(3 * settle)
	if told() {
		t.Error("a change was told of that is none of the program's")
	}
	cancel()
	testwait.Until(t, "watching ends", func() bool {
		select {
		case _, ok := <-changes:
			return !ok
		default:
			return false
		}
	})
}

func TestAFolderThatIsNoneCannotBeWatched(t *testing.T) {
	t.Parallel()
	if _, err := watch(t.Context(), filepath.Join(t.TempDir(), "none")); err == nil {
		t.Error("it is watched")
	}
}
