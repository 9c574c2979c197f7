package survive_test

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"golang.org/x/sys/unix"
)

// TestAFullDiskAcknowledgesNothing fills the file system of the data folder in the middle of games.
func TestAFullDiskAcknowledgesNothing(t *testing.T) {
	t.Parallel()
	disk := t.TempDir()
	if err := unix.Mount("tmpfs", disk, "tmpfs", 0, "size=16m"); err != nil {
		t.Fatalf("mounting a small file system: %v (this test needs root)", err)
	}
	t.Cleanup(func() { _ = unix.Unmount(disk, unix.MNT_DETACH) })
	s := e2e.NewServer(t, e2e.GenerousLimits...)
	s.Dir = filepath.Join(disk, "data")
	s.Start()
	ctx := e2e.WaitContext(t)
	m, err := s.Seat(ctx, e2e.RecordedGames(t)[2])
	if err != nil {
		t.Fatal(err)
	}
	moves := strings.Fields(m.Game.Moves)
	half := len(moves) / 2 / 2 * 2
	whole := m.Game.Moves
	m.Game.Moves = strings.Join(moves[:half], " ")
	if err := m.Play(ctx); err != nil {
		t.Fatal(err)
	}
	filler := filepath.Join(disk, "filler")
	fill(t, filler)
	// The last block of the room's file may have space for a move. The journal notices the full disk within a second.
	var problem struct{ Reasons []string }
	s.Until(ctx, "not ready", func() bool { return s.Call("GET", "/readyz", nil, nil) == http.StatusServiceUnavailable })
	short, cancel := context.WithTimeout(ctx, 2*time.Second)
	_, err = m.Players[0].Act(short, map[string]string{"move": moves[half]})
	cancel()
	if err == nil {
		t.Fatal("a move was acknowledged that the disk had no room for")
	}
	s.Until(ctx, "the operator hears why", func() bool { return s.CallAdmin("GET", "/readyz", nil, &problem) == http.StatusServiceUnavailable })
	if !strings.Contains(strings.Join(problem.Reasons, " "), "journal") && !strings.Contains(strings.Join(problem.Reasons, " "), "disk") {
		t.Errorf("the server is not ready because of %q", problem.Reasons)
	}
	if err := os.Remove(filler); err != nil {
		t.Fatal(err)
	}
	s.Until(ctx, "ready again", func() bool { return s.Call("GET", "/readyz", nil, nil) == http.StatusOK })
	// The client sends its last move again. It takes effect once, and the rest of the game follows.
	if err := m.Players[1].WaitView(ctx, func(v any) bool { return e2e.Field(v, "turn") == "black" }); err != nil {
		t.Fatal(err)
	}
	for i := half + 1; i < len(moves); i++ {
		if _, err := m.Players[i%2].Act(ctx, map[string]string{"move": moves[i]}); err != nil {
			t.Fatalf("half-move %d after the disk had space again: %v", i, err)
		}
	}
	m.Game.Moves = whole
	for _, step := range []func(context.Context) error{m.Finish, m.Check} {
		if err := step(ctx); err != nil {
			t.Fatal(err)
		}
	}
	s.Kill()
	s.Start()
	if err := m.CheckStored(); err != nil {
		t.Fatal(err)
	}
}

// fill writes until the disk is full.
func fill(t *testing.T, path string) {
	t.Helper()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	defer f.Close()
	for size := 1 << 20; size > 0; size /= 2 {
		for err = nil; err == nil; {
			_, err = f.Write(make([]byte, size))
		}
	}
	if !errors.Is(err, unix.ENOSPC) {
		t.Fatalf("filling the disk: %v", err)
	}
}
