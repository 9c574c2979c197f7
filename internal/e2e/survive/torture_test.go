package survive_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
)

// tortureTime is the environment variable with the time for which TestTorture breaks things, such as 1h.
const tortureTime = "ROOMRING_TORTURE"

// tortureReport is what tests read of the report of `roomring torture`.
type tortureReport struct {
	OK     bool
	Counts struct{ Faults, Rooms, Finished, Results, Acks, Turns, Resumes int }
	Faults []struct{ Line, Error string }
	Failovers,
	Handovers struct{ Count int }
	Skipped, Violations []json.RawMessage
}

// torture runs `roomring torture` and fails the test if a check did not hold.
func torture(t *testing.T, args ...string) (r tortureReport) {
	t.Helper()
	var out, errs bytes.Buffer
	code := e2e.Run(append([]string{"torture", "--json"}, args...), &out, &errs)
	t.Logf("%s%s", errs.String(), out.String())
	if err := json.Unmarshal(out.Bytes(), &r); err != nil {
		t.Fatalf("exit %d: %v", code, err)
	}
	if code != e2e.ExitOK || !r.OK || len(r.Violations) > 0 {
		t.Errorf("exit %d, %d violations", code, len(r.Violations))
	}
	if c := r.Counts; c.Rooms == 0 || c.Results != c.Rooms || c.Acks == 0 || c.Turns == 0 {
		t.Errorf("it proves little: %+v", c)
	}
	return r
}

// TestTorture kills, freezes and drains nodes and breaks the store under play, by a plan, with PostgreSQL.
func TestTorture(t *testing.T) {
	t.Parallel()
	plan := filepath.Join(t.TempDir(), "plan")
	if err := os.WriteFile(plan, []byte(`
at 1s   kill n2 for 1s
at 1s   store stop for 2s       # two at once
at 4s   freeze n3 for 2s
at 5s   drop 60%
at 6s   drain n1 for 500ms
at 7s   store kill for 500ms
at 9s   freeze n2 for 500ms
at 10s  store freeze for 1s
at 12s  roll
`), 0o600); err != nil {
		t.Fatal(err)
	}
	r := torture(t, "--plan", plan, "--store", "postgres", "--for", "18s", "--settle", "5s", "--rooms", fmt.Sprint(e2e.Sized(4, 6, 24)), "--seed", "1")
	if r.Counts.Faults != 9 || r.Failovers.Count == 0 || r.Handovers.Count == 0 || r.Counts.Resumes == 0 || len(r.Skipped) > 0 {
		t.Errorf("not everything happened: %+v", r)
	}
	for _, f := range r.Faults {
		if f.Error != "" {
			t.Errorf("%s: %s", f.Line, f.Error)
		}
	}
}

// TestTortureWipes deletes the folder of a node under play: a node that comes back is another member of the cluster, and nothing is lost.
func TestTortureWipes(t *testing.T) {
	t.Parallel()
	plan, dir := filepath.Join(t.TempDir(), "plan"), filepath.Join(t.TempDir(), "nodes")
	if err := os.WriteFile(plan, []byte("at 1s wipe n2 for 500ms"), 0o600); err != nil {
		t.Fatal(err)
	}
	r := torture(t, "--plan", plan, "--dir", dir, "--for", "8s", "--settle", "4s", "--rooms", "6", "--seed", "1")
	if len(r.Faults) != 1 || r.Faults[0].Error != "" || r.Failovers.Count == 0 {
		t.Errorf("no folder was deleted under play: %+v", r)
	}
	identity, err := os.Stat(filepath.Join(dir, "n2", "identity.json"))
	if err != nil {
		t.Fatal(err)
	}
	log, err := os.ReadFile(filepath.Join(dir, "n2.log"))
	if err != nil {
		t.Fatal(err)
	}
	first, _, _ := bytes.Cut(bytes.TrimPrefix(log, []byte("time=")), []byte(" "))
	if begun, err := time.Parse(time.RFC3339, string(first)); err != nil || !identity.ModTime().After(begun) {
		t.Errorf("its folder is of %v, and it served for the first time at %s: %v", identity.ModTime(), first, err)
	}
}

// TestTortureAtRandom draws its faults from all kinds, for as long as tortureTime says.
func TestTortureAtRandom(t *testing.T) {
	t.Parallel()
	length := os.Getenv(tortureTime)
	if length == "" {
		length = fmt.Sprintf("%ds", e2e.Sized(5, 30, 300))
	}
	args := []string{"--store", "postgres", "--for", length, "--settle", "5s", "--every", "3s", "--rooms", fmt.Sprint(e2e.Sized(4, 6, 24)), "--pause", fmt.Sprintf("%dms", e2e.Sized(200, 200, 100))}
	if runtime.GOOS == "linux" && os.Geteuid() == 0 {
		args = append(args, "--namespaces")
	}
	torture(t, args...)
}

// TestTortureJoins plays on a cluster that others have started.
func TestTortureJoins(t *testing.T) {
	t.Parallel()
	c := e2e.NewTeam(t, 2).Start()
	args := []string{"--for", "2s", "--settle", "3s", "--every", "1s", "--rooms", "4", "--games", "chess"}
	for _, n := range c.Nodes {
		args = append(args, "--url", n.URL, "--admin", n.AdminAt)
	}
	if r := torture(t, args...); r.Counts.Faults == 0 || len(r.Faults) == 0 {
		t.Errorf("no sockets were broken: %+v", r)
	}
}

// tortureProcess starts `roomring torture` as a process of its own, with the games of tests.
func tortureProcess(t *testing.T, args ...string) (cmd *exec.Cmd, out, errs *e2e.LogBuffer) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	out, errs = &e2e.LogBuffer{}, &e2e.LogBuffer{}
	cmd = &exec.Cmd{Path: exe, Args: append([]string{"roomring", "torture", "--json", "--rooms", "3"}, args...), Stdout: out, Stderr: errs,
		Env: append(os.Environ(), "ROOMRING_TEST_GAMES=1"), Dir: t.TempDir(), SysProcAttr: e2e.DieWithParent()}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = cmd.Process.Kill() })
	return cmd, out, errs
}

// TestTortureFindsAFickleGame plays a game whose views are not those of its log.
func TestTortureFindsAFickleGame(t *testing.T) {
	t.Parallel()
	cmd, out, errs := tortureProcess(t, "--games", "fickle", "--nodes", "1", "--no-faults", "--for", "1s", "--settle", "2s",
		"--dir", filepath.Join(t.TempDir(), "nodes")) // which would be left, for something is found
	err := cmd.Wait()
	var r tortureReport
	if bad := json.Unmarshal([]byte(out.String()), &r); bad != nil {
		t.Fatalf("%v: %s%s", bad, out, errs)
	}
	if err == nil || cmd.ProcessState.ExitCode() != e2e.ExitFailed || r.OK || len(r.Violations) == 0 {
		t.Errorf("exit %v, %s", err, out)
	}
}

// TestTortureInterrupted checks that Ctrl-C ends the faults, and that the report comes all the same.
func TestTortureInterrupted(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "nodes")
	cmd, out, errs := tortureProcess(t, "--games", "chess", "--for", "1h", "--settle", "1h", "--every", "500ms", "--faults", "drop", "--dir", dir)
	ctx := e2e.WaitContext(t)
	for !e2e.Mentions(errs.String(), "drop") {
		if ctx.Err() != nil {
			t.Fatalf("nothing breaks: %s", errs)
		}
		time.Sleep(50 * time.Millisecond)
	}
	if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	err := cmd.Wait()
	var r tortureReport
	if bad := json.Unmarshal([]byte(out.String()), &r); bad != nil || err != nil || !r.OK || r.Counts.Rooms == 0 || r.Counts.Results != r.Counts.Rooms {
		t.Errorf("exit %v, %v: %s%s", err, bad, out, errs)
	}
	logs, err := filepath.Glob(filepath.Join(dir, "*.log"))
	if err != nil || len(logs) != 3 {
		t.Errorf("logs of its nodes: %v %v", logs, err)
	}
}

// TestTortureRefuses checks what the command says of mistakes.
func TestTortureRefuses(t *testing.T) {
	t.Parallel()
	plan := filepath.Join(t.TempDir(), "plan")
	full := t.TempDir()
	for _, file := range []string{plan, filepath.Join(full, "file")} {
		if err := os.WriteFile(file, []byte("at 1s kill n9 for 2s"), 0o600); err != nil {
			t.Fatal(err)
		}
	}
	for name, tt := range map[string]struct {
		args  []string
		code  int
		words []string
	}{
		"a game without Legal":   {[]string{"--games", "poison"}, e2e.ExitFailed, []string{"poison"}},
		"an unknown game":        {[]string{"--games", "go"}, e2e.ExitFailed, []string{`no game "go"`}},
		"wrong options":          {[]string{"--options", `chess={"bot":"x"}`}, e2e.ExitFailed, []string{"options of chess"}},
		"options without a name": {[]string{"--options", "{}"}, e2e.ExitUsage, []string{"NAME=JSON"}},
		"an unknown node":        {[]string{"--plan", plan}, e2e.ExitFailed, []string{"n9", "n1 to n3"}},
		"no plan":                {[]string{"--plan", plan + "x"}, e2e.ExitUsage, []string{"--plan", "no such file"}},
		"an unknown fault":       {[]string{"--faults", "pray"}, e2e.ExitFailed, []string{"pray", "kill"}},
		"a used folder":          {[]string{"--dir", full}, e2e.ExitFailed, []string{"not empty"}},
		"no admin API":           {[]string{"--url", "http://127.0.0.1:1"}, e2e.ExitFailed, []string{"admin API"}},
		"an argument":            {[]string{"chess"}, e2e.ExitUsage, []string{"--"}},
	} {
		var out, errs bytes.Buffer
		code := e2e.Run(append([]string{"torture"}, tt.args...), &out, &errs)
		if code != tt.code || !e2e.Mentions(errs.String(), tt.words...) || out.Len() > 0 {
			t.Errorf("%s: exit %d, said %q, should be %d with %q", name, code, errs.String(), tt.code, tt.words)
		}
	}
}
