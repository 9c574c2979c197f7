package e2e

import (
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

// DevRun is a real `roomring dev`.
type DevRun struct {
	*Server // the front: its address for players, and its admin page
	Said    *LogBuffer
	Nodes   []*Server // as they introduce themselves
}

// DevFor prepares one with ports and a folder of its own, which stay the same over restarts.
func DevFor(t *testing.T, args ...string) *DevRun {
	t.Helper()
	d := &DevRun{Server: NewServer(t), Said: &LogBuffer{}}
	d.Args = append([]string{"dev", "--listen", FreePort(t), "--admin-listen", FreePort(t), "--data-dir", d.Dir}, args...)
	nextPort.Add(4 * 8) // its nodes take those after the front's
	return d
}

// Spawn runs the process and does not wait.
func (d *DevRun) Spawn() {
	d.T.Helper()
	exe, err := os.Executable()
	if err != nil {
		d.T.Fatal(err)
	}
	d.Said = &LogBuffer{}
	d.Cmd = &exec.Cmd{Path: exe, Args: append([]string{"roomring"}, d.Args...), Stdout: d.Said, Stderr: d.Log,
		Env: append(append(os.Environ(), "ROOMRING_TEST_GAMES=1"), d.Env...), Dir: d.T.TempDir()}
	if err := d.Cmd.Start(); err != nil {
		d.T.Fatal(err)
	}
	cmd, ended := d.Cmd, make(chan struct{})
	d.Ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// introduced is what dev prints of a node.
var introduced = regexp.MustCompile(`(?m)^  (n\d+) +players (\S+) +admin (\S+) +peers (\S+) +gossip (\S+) +pid (\d+)$`)

// Start runs it until it has said where everything is.
func (d *DevRun) Start() *DevRun {
	d.T.Helper()
	d.Spawn()
	d.Until(Patience(d.T), "dev says where everything is", func() bool {
		if !d.Runs() {
			d.T.Fatalf("dev ended: %v\n%s", d.Cmd.ProcessState, d.Log)
		}
		return strings.HasSuffix(d.Said.String(), "\n\n") && strings.Contains(d.Said.String(), "pid")
	})
	text := d.Said.String()
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

// Press does what a button of the admin page does; answer is what came back.
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

// Presses fails the test when a button does not work.
func (d *DevRun) Presses(path string) (s devStatus) {
	d.T.Helper()
	code, answer := d.Press(path)
	if err := json.Unmarshal([]byte(answer), &s); err != nil || code/100 != 2 {
		d.T.Fatalf("%s: %d %s", path, code, answer)
	}
	return s
}

// Processes are what the admin page is told of them.
func (d *DevRun) Processes() (out []devStatus) {
	d.T.Helper()
	if code := d.AtAdmin("GET", "/admin/v1/dev", nil, &out); code != http.StatusOK {
		d.T.Fatalf("the processes: %d", code)
	}
	return out
}

// Becomes waits until a node's process is in a state.
func (d *DevRun) Becomes(node string, state DevState) devStatus {
	d.T.Helper()
	var now devStatus
	d.Until(Patience(d.T), fmt.Sprintf("%s is %s", node, state), func() bool {
		i := slices.IndexFunc(d.Processes(), func(s devStatus) bool { return s.Node == node })
		if i >= 0 {
			now = d.Processes()[i]
		}
		return i >= 0 && now.State == state && (state == DevStopped) == (now.PID == 0)
	})
	return now
}

// Whole waits until the front's nodes see so many active ones.
func (d *DevRun) Whole(active int) {
	d.T.Helper()
	for _, p := range d.Processes() {
		if p.State == DevRunning {
			n := &Server{T: d.T, Ready: Ready{Node: p.Node, URL: p.URL, AdminAt: p.Admin}}
			d.Until(Patience(d.T), fmt.Sprintf("%s is ready and sees %d active nodes", p.Node, active), func() bool {
				return n.IsReady() && len(n.Sees("active")) == active
			})
		}
	}
}
