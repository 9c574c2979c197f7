package roomring_test

import (
	"bytes"
	"context"
	"encoding/json"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"syscall"
	"testing"

	"github.com/roomring/roomring/internal/testwait"
	"github.com/roomring/roomring/web/client"
)

// buildProgram builds a copy of testdata/program outside of this module, against this checkout, with the modules that go.mod
// names and nothing from the network.
func buildProgram(t *testing.T) string {
	t.Helper()
	checkout, err := filepath.Abs(".")
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	read := func(name string) string {
		text, err := os.ReadFile(name)
		if err != nil {
			t.Fatal(err)
		}
		return string(text)
	}
	mod := strings.Replace(read("testdata/program/go.mod"), "=> ../..", "=> "+checkout, 1)
	for _, block := range regexp.MustCompile(`(?ms)^require \(.*?^\)`).FindAllString(read("go.mod"), -1) {
		mod += "\n" + block + "\n"
	}
	if err := os.CopyFS(dir, os.DirFS("testdata/program")); err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{"go.mod": mod, "go.sum": read("go.sum")} {
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	program := filepath.Join(dir, "countdown")
	build := exec.CommandContext(t.Context(), "go", "build", "-o", program, ".")
	build.Dir = dir
	build.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	return program
}

// generatesTypes runs go generate in the program's folder, as its author would.
func generatesTypes(t *testing.T, dir string) {
	t.Helper()
	generate := exec.CommandContext(t.Context(), "go", "generate")
	generate.Dir = dir
	generate.Env = append(os.Environ(), "GOPROXY=off", "GOFLAGS=-mod=mod", "GOWORK=off")
	if out, err := generate.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	text, err := os.ReadFile(filepath.Join(dir, "web", "countdown.ts"))
	const want = "/** say is what a player does. */\nexport interface CountdownAction {\n  /** of what is left, 1 at least */\n  take: number;\n}\n"
	if err != nil || !strings.Contains(string(text), want) {
		t.Errorf("go generate wrote (%v)\n%s", err, text)
	}
}

// TestAProgramOfSomebodysOwn builds a program of another module. It plays the program's game through a socket, with a token that the
// program has made, and has the program replay the game.
func TestAProgramOfSomebodysOwn(t *testing.T) {
	t.Parallel()
	ctx, program, dir := ceiling(t), buildProgram(t), t.TempDir()
	generatesTypes(t, filepath.Dir(program))
	command := func(args ...string) string {
		cmd := exec.CommandContext(ctx, program, args...)
		cmd.Dir = dir
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%v: %v\n%s", args, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	if err := os.WriteFile(filepath.Join(dir, "key"), []byte("0123456789abcdef0123456789abcdef\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	token := command("token", "--auth-key-file", "key", "--name", "Ann", "ann")

	var log bytes.Buffer
	server := exec.CommandContext(ctx, program, "serve", "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0", "--ready-file", "ready", "--auth-key-file", "key", "--guests", "on")
	server.Dir, server.Stderr = dir, &log
	if err := server.Start(); err != nil {
		t.Fatal(err)
	}
	ended := make(chan error, 1)
	go func() { ended <- server.Wait() }()
	var ready struct {
		URL     string
		AdminAt string `json:"admin_url"`
	}
	testwait.Until(t, "the program serves", func() bool {
		text, err := os.ReadFile(filepath.Join(dir, "ready"))
		return err == nil && json.Unmarshal(text, &ready) == nil
	})
	made, err := makeRoom(ctx, ready.URL, "countdown", token)
	if err != nil {
		t.Fatal(err)
	}
	playCountdown(ctx, t, made.URL, token)
	if table := get(t, ready.URL+"/countdown.js"); !strings.Contains(table, "export default") {
		t.Errorf("the program's table is %q", table)
	}
	if games := get(t, ready.URL+"/v1/games"); !strings.Contains(games, `"ui":"countdown.js"`) {
		t.Errorf("nobody is told of the program's table: %s", games)
	}
	testwait.Until(t, "the result is stored", func() bool {
		res, err := http.Get(ready.URL + "/v1/results/" + made.ID)
		if err != nil {
			return false
		}
		_ = res.Body.Close()
		return res.StatusCode == http.StatusOK
	})
	if out := command("loadtest", "countdown", "--url", ready.URL, "--admin", ready.AdminAt, "--players", "4", "--joins", "20/s", "--rate", "20/s", "--duration", "1s",
		"--fail-if", "errors>0", "--fail-if", "acts<1/s"); !strings.Contains(out, "ok     fail if errors>0") {
		t.Errorf("the load test says\n%s", out)
	}
	if err := server.Process.Signal(syscall.SIGTERM); err != nil {
		t.Fatal(err)
	}
	if err := testwait.Receive(t, "the program to stop", ended); err != nil {
		t.Errorf("%v\n%s", err, &log)
	}
	for _, want := range []string{"countdown version 1", "Ann said zero", "the result is the recorded one"} {
		if out := command("replay", made.ID); !strings.Contains(out, want) {
			t.Errorf("the replay lacks %q:\n%s", want, out)
		}
	}
}

// get is what a server answers.
func get(t *testing.T, url string) string {
	t.Helper()
	res, err := http.Get(url)
	if err != nil {
		t.Fatal(err)
	}
	defer res.Body.Close()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

// playCountdown plays a game to its end.
func playCountdown(ctx context.Context, t *testing.T, url, token string) {
	t.Helper()
	c, err := client.Dial(ctx, client.Options{URL: url, Token: token})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for _, take := range []int{3, 7} {
		if _, err := c.Act(ctx, map[string]int{"take": take}); err != nil {
			t.Fatal(err)
		}
	}
	over, err := c.WaitOver(ctx)
	if err != nil || !strings.Contains(string(over.Result), "Ann said zero") {
		t.Errorf("it ended with %s, %v", over.Result, err)
	}
}
