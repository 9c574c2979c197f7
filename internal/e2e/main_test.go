package e2e

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/roomring/roomring"
)

// TestMain lets tests run this very binary as `roomring`, and as those who attack and who play on: nothing else is built and linked.
func TestMain(m *testing.M) {
	testscript.Main(m, map[string]func(){"roomring": func() { roomring.Main(games()...) }, "strangers": strangersMain, "honest": honestMain})
}

// startCeiling is how long a script waits for a server to be ready on a busy machine.
const startCeiling = 60 * time.Second

func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir:                 filepath.Join("testdata", "script"),
		RequireExplicitExec: true,
		RequireUniqueNames:  true,
		Cmds:                map[string]func(*testscript.TestScript, bool, []string){"waitfile": waitFile},
	})
}

// waitFile is the script command `waitfile NAME`: it goes on when the file is there.
func waitFile(ts *testscript.TestScript, neg bool, args []string) {
	if neg || len(args) != 1 {
		ts.Fatalf("usage: waitfile NAME")
	}
	for end := time.Now().Add(startCeiling); ; time.Sleep(10 * time.Millisecond) {
		if _, err := os.Stat(ts.MkAbs(args[0])); err == nil {
			return
		}
		if time.Now().After(end) {
			ts.Fatalf("%s is still not there after %v", args[0], startCeiling)
		}
	}
}
