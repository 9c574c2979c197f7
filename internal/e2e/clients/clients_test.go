package clients_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
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

// TestCSharp tests web/csharp with the classes that `types` makes of chess, compiled by mono's compiler, with one process of mono.
func TestCSharp(t *testing.T) {
	found, err := filepath.Glob("/usr/lib/mono/gac/Newtonsoft.Json/*/Newtonsoft.Json.dll")
	if err != nil || len(found) == 0 {
		t.Fatal("Newtonsoft.Json is missing: run scripts/setup")
	}
	exe := filepath.Join(t.TempDir(), "driver.exe")
	args := []string{"-langversion:7", "-warnaserror", "-out:" + exe, "-r:" + found[len(found)-1], "-r:System.Net.Http", "-r:System.Numerics", "testdata/Driver.cs"}
	classes := t.TempDir()
	var said bytes.Buffer
	if code := e2e.Run([]string{"types", "--lang", "csharp", "--game", "chess", "--out", classes}, &said, &said); code != e2e.ExitOK {
		t.Fatalf("roomring types: %d %s", code, &said)
	}
	for _, folder := range []string{"../../../web/csharp/src", "../../../web/csharp/examples", classes} {
		files, err := filepath.Glob(folder + "/*.cs")
		if err != nil || len(files) == 0 {
			t.Fatalf("no sources in %s: %v", folder, err)
		}
		args = append(args, files...)
	}
	if out, err := exec.Command("mcs", args...).CombinedOutput(); err != nil {
		t.Fatalf("mcs: %v\n%s", err, out)
	}
	d := start(t, exec.Command("mono", exe))
	testAll(t, d)
	t.Run("listens", func(t *testing.T) { testListens(t, newScripted(t), d) })
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

// TestExamplesOfTheSDKPage checks that the Python and C# of docs/SDK.md stand in the examples that drivers run.
func TestExamplesOfTheSDKPage(t *testing.T) {
	page, err := os.ReadFile("../../../docs/SDK.md")
	if err != nil {
		t.Fatal(err)
	}
	for fence, file := range map[string]string{"```python\n": "python/examples/chess_bot.py", "```csharp\n": "csharp/examples/ChessBot.cs"} {
		example, err := os.ReadFile("../../../web/" + file)
		if err != nil {
			t.Fatal(err)
		}
		_, block, found := strings.Cut(string(page), fence)
		block, _, _ = strings.Cut(block, "```")
		if !found || !strings.Contains(unindented(string(example)), unindented(block)) {
			t.Errorf("docs/SDK.md has an example that is not in web/%s:\n%s", file, block)
		}
	}
}

func unindented(code string) string {
	lines := strings.Split(code, "\n")
	for i := range lines {
		lines[i] = strings.TrimSpace(lines[i])
	}
	return strings.Join(lines, "\n")
}
