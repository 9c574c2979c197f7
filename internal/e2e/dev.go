package e2e

import (
	"cmp"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"
)

// DevRun is a real process of `roomring dev`.
type DevRun struct {
	*Server // the front, with its address for players and its admin page
	Stdout  *LogBuffer
	In      string    // the folder that the process runs in; empty: one that is empty
	Nodes   []*Server // as the process printed them at its start
}

// NewDev prepares a `roomring dev` with its own ports and folder. They stay the same when it is restarted.
func NewDev(t *testing.T, args ...string) *DevRun {
	t.Helper()
	d := &DevRun{Server: NewServer(t), Stdout: &LogBuffer{}}
	d.Args = append([]string{"dev", "--listen", FreePort(t), "--admin-listen", FreePort(t), "--data-dir", d.Dir}, args...)
	for range 4 * 8 {
		FreePort(t) // its nodes take the ports after the front's
	}
	return d
}

// Spawn starts the process and does not wait until it is ready.
func (d *DevRun) Spawn() {
	d.T.Helper()
	exe, err := os.Executable()
	if err != nil {
		d.T.Fatal(err)
	}
	d.Stdout = &LogBuffer{}
	d.Cmd = &exec.Cmd{Path: cmp.Or(d.Exe, exe), Args: append([]string{"roomring"}, d.Args...), Stdout: d.Stdout, Stderr: d.Log,
		Env: append(append(os.Environ(), "ROOMRING_TEST_GAMES=1"), d.Env...), Dir: cmp.Or(d.In, d.T.TempDir())}
	if err := d.Cmd.Start(); err != nil {
		d.T.Fatal(err)
	}
	cmd, ended := d.Cmd, make(chan struct{})
	d.Ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// introduced matches the line that dev prints for a node.
var introduced = regexp.MustCompile(`(?m)^  (n\d+) +players (\S+) +admin (\S+) +peers (\S+) +gossip (\S+) +pid (\d+)$`)

// Start starts the process and waits until it has printed the addresses of everything.
func (d *DevRun) Start() *DevRun {
	d.T.Helper()
	d.Spawn()
	d.Until(WaitContext(d.T), "dev says where everything is", func() bool {
		if !d.IsRunning() {
			d.T.Fatalf("dev ended: %v\n%s", d.Cmd.ProcessState, d.Log)
		}
		return strings.HasSuffix(d.Stdout.String(), "\n\n") && strings.Contains(d.Stdout.String(), "pid")
	})
	text := d.Stdout.String()
	for name, at := range map[string]*string{"play": &d.URL, "admin": &d.AdminAt} {
		found := regexp.MustCompile(`(?m)^  ` + name + ` +(http://[^/\s]+)`).FindStringSubmatch(text)
		if found == nil {
			d.T.Fatalf("it does not say where to %s:\n%s", name, text)
		}
		*at = found[1]
	}
	d.Nodes = nil
	for _, found := range introduced.FindAllStringSubmatch(text, -1) {
		pid, _ := strconv.Atoi(found[6])
		d.Nodes = append(d.Nodes, &Server{T: d.T, Log: &LogBuffer{}, Ready: Ready{Node: found[1], URL: found[2], AdminAt: found[3], Peer: found[4], Gossip: found[5], PID: pid}})
	}
	return d
}

// Press sends the request of a button on the admin page. It returns the status code and the body of the answer.
func (d *DevRun) Press(path string) (code int, answer string) {
	d.T.Helper()
	res, err := http.Post(d.AdminAt+"/admin/v1/dev/"+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		d.T.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.T.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// MustPress is Press that fails the test when the request is refused.
func (d *DevRun) MustPress(path string) (s devStatus) {
	d.T.Helper()
	code, answer := d.Press(path)
	if err := json.Unmarshal([]byte(answer), &s); err != nil || code/100 != 2 {
		d.T.Fatalf("%s: %d %s", path, code, answer)
	}
	return s
}

// Processes returns what the admin page is told about the nodes' processes.
func (d *DevRun) Processes() (out []devStatus) {
	d.T.Helper()
	if code := d.CallAdmin("GET", "/admin/v1/dev", nil, &out); code != http.StatusOK {
		d.T.Fatalf("the processes: %d", code)
	}
	return out
}

// WaitForState waits until a node's process is in the state, and returns its status.
func (d *DevRun) WaitForState(node string, state DevState) devStatus {
	d.T.Helper()
	var now devStatus
	d.Until(WaitContext(d.T), fmt.Sprintf("%s is %s", node, state), func() bool {
		i := slices.IndexFunc(d.Processes(), func(s devStatus) bool { return s.Node == node })
		if i >= 0 {
			now = d.Processes()[i]
		}
		return i >= 0 && now.State == state && (state == DevStopped) == (now.PID == 0)
	})
	return now
}

// WaitWhole waits until every running node is ready and knows this many active nodes.
func (d *DevRun) WaitWhole(active int) {
	d.T.Helper()
	for _, p := range d.Processes() {
		if p.State == DevRunning {
			n := &Server{T: d.T, Ready: Ready{Node: p.Node, URL: p.URL, AdminAt: p.Admin}}
			d.Until(WaitContext(d.T), fmt.Sprintf("%s is ready and sees %d active nodes", p.Node, active), func() bool {
				return n.IsReady() && len(n.KnownNodes("active")) == active
			})
		}
	}
}
