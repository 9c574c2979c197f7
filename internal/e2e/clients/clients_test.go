package clients_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
)

func TestMain(m *testing.M) { e2e.Main(m, nil) }

// TestPython tests web/python with one process of Python.
func TestPython(t *testing.T) {
	root, err := filepath.Abs("../../../web/python")
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command("/usr/bin/python3", "-X", "dev", "-W", "error", "testdata/driver.py") // what it warns of is on stderr
	cmd.Env = append(os.Environ(), "PYTHONPATH="+root+":"+filepath.Join(root, "examples"), "PYTHONDONTWRITEBYTECODE=1")
	testAll(t, start(t, cmd))
}

// testAll tests a client by its driver.
func testAll(t *testing.T, d *driver) {
	s := newScripted(t)
	for _, tr := range append(e2e.ReadProtocolPage(t), e2e.ReadTranscripts(t, "testdata/stories.md", "stories.md")...) {
		t.Run(tr.Title, func(t *testing.T) { newStage(t, s, d, tr).play() })
	}
	for name, test := range map[string]func(*testing.T, *scripted, *driver){
		"many acts": testManyActs, "rate": testRate, "not said": testNotSaid, "silence": testSilence, "rubbish": testRubbish, "refused": testRefused,
	} {
		t.Run(name, func(t *testing.T) { test(t, s, d) })
	}
	t.Run("values", func(t *testing.T) { testValues(t, d) })
	real := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	t.Run("game", func(t *testing.T) { testGame(t, real.ForTest(t), d) })
	t.Run("example", func(t *testing.T) { testExample(t, real.ForTest(t), d) })
}
