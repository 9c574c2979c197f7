package main

import (
	"os"
	"strings"
	"testing"

	"github.com/roomring/roomring/room"
)

// authorVariable adds games with an author's mistakes to a process.
const authorVariable = "ROOMRING_TEST_MISTAKES"

func init() {
	if os.Getenv(authorVariable) == "" {
		return
	}
	extra = append(extra, room.MustDefine(room.Spec{Name: "forgetful", Version: 1, SharedView: true}, func() *forgetful { return new(forgetful) }))
}

// forgetful loses a field with every restart.
type forgetful struct {
	Kept   int
	missed int
}

func (g *forgetful) Act(*room.Turn, room.Player, struct{}) error { g.missed++; return nil }
func (g *forgetful) View(room.Viewer) int                        { return g.Kept }

func TestAServerWarnsOfStateThatItCannotKeep(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...)
	s.env = append(s.env, authorVariable+"=1")
	s.start()
	log := s.log.String()
	for _, words := range []string{"level=WARN", "game=forgetful", "field `missed` is not exported", "the next version refuses"} {
		if !strings.Contains(log, words) {
			t.Errorf("the log does not say %q:\n%s", words, log)
		}
	}
	if n := strings.Count(log, "not kept whole"); n != 1 {
		t.Errorf("%d games are warned of, want the one:\n%s", n, log)
	}
}
