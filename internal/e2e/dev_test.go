package e2e

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"runtime"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"
	"time"
)

// devRun is a real `roomring dev`.
type devRun struct {
	*server // the front: its address for players, and its admin page
	said    *logBuffer
	nodes   []*server // as they introduce themselves
}

// devFor prepares one with ports and a folder of its own, which stay the same over restarts.
func devFor(t *testing.T, args ...string) *devRun {
	t.Helper()
	d := &devRun{server: newServer(t), said: &logBuffer{}}
	d.args = append([]string{"dev", "--listen", freePort(t), "--admin-listen", freePort(t), "--data-dir", d.dir}, args...)
	nextPort.Add(4 * 8) // its nodes take those after the front's
	return d
}

// spawn runs the process and does not wait.
func (d *devRun) spawn() {
	d.t.Helper()
	exe, err := os.Executable()
	if err != nil {
		d.t.Fatal(err)
	}
	d.said = &logBuffer{}
	d.cmd = &exec.Cmd{Path: exe, Args: append([]string{"roomring"}, d.args...), Stdout: d.said, Stderr: d.log,
		Env: append(append(os.Environ(), "ROOMRING_TEST_GAMES=1"), d.env...), Dir: d.t.TempDir()}
	if err := d.cmd.Start(); err != nil {
		d.t.Fatal(err)
	}
	cmd, ended := d.cmd, make(chan struct{})
	d.ended = ended
	go func() { _ = cmd.Wait(); close(ended) }()
}

// introduced is what dev prints of a node.
var introduced = regexp.MustCompile(`(?m)^  (n\d+) +players (\S+) +admin (\S+) +peers (\S+) +gossip (\S+) +pid (\d+)$`)

// start runs it until it has said where everything is.
func (d *devRun) start() *devRun {
	d.t.Helper()
	d.spawn()
	d.until(patience(d.t), "dev says where everything is", func() bool {
		if !d.runs() {
			d.t.Fatalf("dev ended: %v\n%s", d.cmd.ProcessState, d.log)
		}
		return strings.HasSuffix(d.said.String(), "\n\n") && strings.Contains(d.said.String(), "pid")
	})
	text := d.said.String()
	for name, at := range map[string]*string{"play": &d.URL, "admin": &d.AdminAt} {
		found := regexp.MustCompile(`(?m)^  ` + name + ` +(http://[^/\s]+)`).FindStringSubmatch(text)
		if found == nil {
			d.t.Fatalf("it does not say where to %s:\n%s", name, text)
		}
		*at = found[1]
	}
	d.nodes = nil
	for _, found := range introduced.FindAllStringSubmatch(text, -1) {
		pid, _ := strconv.Atoi(found[6])
		d.nodes = append(d.nodes, &server{t: d.t, log: &logBuffer{}, ready: ready{Node: found[1], URL: found[2], AdminAt: found[3], Peer: found[4], Gossip: found[5], PID: pid}})
	}
	return d
}

// press does what a button of the admin page does; answer is what came back.
func (d *devRun) press(path string) (code int, answer string) {
	d.t.Helper()
	res, err := http.Post(d.AdminAt+"/admin/v1/dev/"+path, "application/json", strings.NewReader("{}"))
	if err != nil {
		d.t.Fatal(err)
	}
	defer func() { _ = res.Body.Close() }()
	text, err := io.ReadAll(res.Body)
	if err != nil {
		d.t.Fatal(err)
	}
	return res.StatusCode, string(text)
}

// presses fails the test when a button does not work.
func (d *devRun) presses(path string) (s devStatus) {
	d.t.Helper()
	code, answer := d.press(path)
	if err := json.Unmarshal([]byte(answer), &s); err != nil || code/100 != 2 {
		d.t.Fatalf("%s: %d %s", path, code, answer)
	}
	return s
}

// processes are what the admin page is told of them.
func (d *devRun) processes() (out []devStatus) {
	d.t.Helper()
	if code := d.admin("GET", "/admin/v1/dev", nil, &out); code != http.StatusOK {
		d.t.Fatalf("the processes: %d", code)
	}
	return out
}

// becomes waits until a node's process is in a state.
func (d *devRun) becomes(node string, state devState) devStatus {
	d.t.Helper()
	var now devStatus
	d.until(patience(d.t), fmt.Sprintf("%s is %s", node, state), func() bool {
		i := slices.IndexFunc(d.processes(), func(s devStatus) bool { return s.Node == node })
		if i >= 0 {
			now = d.processes()[i]
		}
		return i >= 0 && now.State == state && (state == devStopped) == (now.PID == 0)
	})
	return now
}

// whole waits until the front's nodes see so many active ones.
func (d *devRun) whole(active int) {
	d.t.Helper()
	for _, p := range d.processes() {
		if p.State == devRunning {
			n := &server{t: d.t, ready: ready{Node: p.Node, URL: p.URL, AdminAt: p.Admin}}
			d.until(patience(d.t), fmt.Sprintf("%s is ready and sees %d active nodes", p.Node, active), func() bool {
				return n.isReady() && len(n.sees("active")) == active
			})
		}
	}
}

// gone waits until none of the processes is there any more.
func gone(t *testing.T, pids ...int) {
	t.Helper()
	for end := time.Now().Add(startCeiling); ; time.Sleep(20 * time.Millisecond) {
		left := slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return pid == 0 || syscall.Kill(pid, 0) != nil })
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("processes %v are still there", left)
		}
	}
}

func (d *devRun) pids() (pids []int) {
	for _, p := range d.processes() {
		pids = append(pids, p.PID)
	}
	return pids
}

// roomAt seats two players in a room of a node, by the front.
func (d *devRun) roomAt(ctx context.Context, node string) *match {
	d.t.Helper()
	m, err := d.seatAt(ctx, node, steadyGames(d.t, 1)[0])
	if err != nil {
		d.t.Fatal(err)
	}
	return m
}

// moves makes the next two moves of a game.
func (m *match) moves(ctx context.Context) error {
	sans := strings.Fields(m.g.Moves)
	for range 2 {
		n := int(m.played.Load())
		if _, err := m.players[n%2].Act(ctx, map[string]string{"move": sans[n]}); err != nil {
			return fmt.Errorf("half-move %d (%s): %w", n, sans[n], err)
		}
		m.played.Add(1)
	}
	return nil
}

// TestDev runs a cluster of three on this machine and presses every button of its admin page.
func TestDev(t *testing.T) {
	t.Parallel()
	d := devFor(t, "--nodes", "3", "--", "--messages-per-second", "10000", "--bytes-per-second", "100000000", "--room-bytes-per-second", "0").start()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	t.Cleanup(func() { gone(t, d.pidsOf()...) })

	t.Log("it says where everything is")
	if len(d.nodes) != 3 || strings.Contains(d.log.String(), "\x1b") || !strings.Contains(d.log.String(), "n2  | time=") {
		t.Errorf("it says:\n%s\nand logs:\n%.500s", d.said, d.log)
	}
	for _, s := range append(slices.Clone(d.nodes), d.server) {
		res, err := http.Get(s.URL + "/")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/html") {
			t.Errorf("%s: the lobby is %d %s", s.URL, res.StatusCode, kind)
		}
	}
	if rules := d.board().Rules; !rules.Guests || rules.Games != 1 {
		t.Errorf("a guest who plays one game is not on the leaderboard: %+v", rules)
	}
	given := map[string]bool{}
	for _, n := range d.nodes {
		for _, addr := range []string{n.URL, n.AdminAt, n.Peer, n.Gossip} {
			given[addr] = true
		}
		for _, addr := range []string{n.Peer, n.Gossip} {
			conn, err := net.DialTimeout("tcp", addr, ceiling)
			if err != nil {
				t.Errorf("nobody is at %s: %v", addr, err)
				continue
			}
			_ = conn.Close()
		}
	}
	if len(given) != 4*3 {
		t.Errorf("%d addresses for three nodes: %v", len(given), given)
	}
	d.whole(3)

	t.Log("a crowd on one machine meets no limit")
	for range 400 {
		d.guest("")
	}
	for range 100 {
		if code := d.call("GET", "/v1/rooms?code=0", nil, nil); code != http.StatusOK {
			t.Fatalf("a search by code: %d", code)
		}
	}

	t.Log("a game by the front, and one by two nodes")
	g := steadyGames(t, 3)
	for i, edges := range [][]*server{nil, {d.nodes[0], d.nodes[1]}, {d.nodes[2], d.server}} {
		m, err := d.seat(ctx, g[i], edges...)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []func(context.Context) error{m.play, m.finish, m.check} {
			if err := step(ctx); err != nil {
				t.Fatalf("game %d: %v", i, err)
			}
		}
		if err := m.checkStored(); err != nil {
			t.Errorf("game %d: %v", i, err)
		}
	}
	d.buttons(ctx)
	unfinished := d.roomAt(ctx, "n1")
	if err := unfinished.moves(ctx); err != nil {
		t.Fatal(err)
	}
	d.restarts(ctx, unfinished)
}

// pidsOf are the nodes' processes as dev has last introduced them.
func (d *devRun) pidsOf() (pids []int) {
	for _, n := range d.nodes {
		pids = append(pids, n.PID)
	}
	return pids
}

// buttons presses each.
func (d *devRun) buttons(ctx context.Context) {
	t := d.t
	plays := func(m *match) {
		t.Helper()
		if err := m.moves(ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Log("kill and start")
	m := d.roomAt(ctx, "n2")
	plays(m)
	before := d.becomes("n2", devRunning).PID
	d.presses("n2/kill")
	d.becomes("n2", devStopped)
	d.whole(2)
	if code := d.call("GET", "/v1/rooms/"+m.room.ID, nil, nil); code != http.StatusServiceUnavailable {
		t.Errorf("a room of a node that was killed: %d", code)
	}
	for _, act := range []string{"kill", "pause", "resume", "drain"} {
		if code, answer := d.press("n2/" + act); code != http.StatusConflict || !strings.Contains(answer, "n2 does not run") {
			t.Errorf("%s of a node that does not run: %d %s", act, code, answer)
		}
	}
	if s := d.presses("n2/start"); s.State != devRunning || s.PID == before {
		t.Errorf("started: %+v", s)
	}
	d.whole(3)
	plays(m)

	t.Log("pause and resume")
	m = d.roomAt(ctx, "n3")
	plays(m)
	if s := d.presses("n3/pause"); s.State != devPaused {
		t.Errorf("paused: %+v", s)
	}
	d.whole(2)
	d.create("chess", nil) // the front goes round it
	if s := d.presses("n3/resume"); s.State != devRunning {
		t.Errorf("resumed: %+v", s)
	}
	d.whole(3)
	plays(m)

	t.Log("drain, of a node that is paused")
	m = d.roomAt(ctx, "n1")
	plays(m)
	d.presses("n1/pause")
	d.whole(2)
	d.presses("n1/drain")
	d.becomes("n1", devStopped)
	plays(m)
	var info roomInfo
	if code := d.call("GET", "/v1/rooms/"+m.room.ID, nil, &info); code != http.StatusOK || info.Node == "n1" {
		t.Errorf("the drained node's room: %d %+v", code, info)
	}
	d.presses("n1/start")
	d.whole(3)

	t.Log("add")
	if s := d.presses("add"); s.Node != "n4" {
		t.Errorf("added: %+v", s)
	}
	d.whole(4)
	for range 4 { // at each node
		d.until(ctx, "the ring has all four", func() bool {
			var ring struct{ Nodes []struct{ Name string } }
			return d.admin("GET", "/admin/v1/ring", nil, &ring) == http.StatusOK && len(ring.Nodes) == 4
		})
	}
	d.nodes = append(d.nodes, &server{ready: ready{PID: d.becomes("n4", devRunning).PID}})
	d.refusals()
}

// refusals presses what is no button.
func (d *devRun) refusals() {
	t := d.t
	for path, want := range map[string]int{"n9/kill": http.StatusNotFound, "n1/tickle": http.StatusConflict} {
		if code, answer := d.press(path); code != want || strings.Count(answer, "\n") != 1 {
			t.Errorf("%s: %d %s", path, code, answer)
		}
	}
	for what, change := range map[string]func(*http.Request){
		"another site's page": func(r *http.Request) { r.Header.Set("Sec-Fetch-Site", "cross-site") },
		"a name pointed here": func(r *http.Request) { r.Host = "evil.example:7778" },
		"a link":              func(r *http.Request) { r.Method = "GET" },
	} {
		req, err := http.NewRequest("POST", d.AdminAt+"/admin/v1/dev/n1/kill", bytes.NewReader(nil))
		if err != nil {
			t.Fatal(err)
		}
		change(req)
		res, err := http.DefaultClient.Do(req)
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if res.StatusCode < 400 || d.becomes("n1", devRunning).PID == 0 {
			t.Errorf("%s may kill a node: %d", what, res.StatusCode)
		}
	}
}

// restarts stops all of it with Ctrl-C and starts it again: a game goes on. Then it is killed outright.
func (d *devRun) restarts(ctx context.Context, unfinished *match) {
	t := d.t
	t.Log("Ctrl-C, and a second start")
	pids := d.pids()
	begin := time.Now()
	if err := d.cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := d.wait(); code != exitOK {
		t.Errorf("it ended with %d", code)
	}
	t.Logf("it ended in %v", time.Since(begin).Round(time.Millisecond))
	for _, pid := range pids { // it has waited for them
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	before := d.nodes[0].ready
	if now := d.start().nodes[0].ready; now.URL != before.URL || now.AdminAt != before.AdminAt {
		t.Errorf("n1 has gone from %s to %s", before.URL, now.URL)
	}
	if err := unfinished.moves(ctx); err != nil {
		t.Errorf("after the restart: %v", err)
	}

	t.Log("SIGKILL")
	d.whole(3)
	pids = d.pids()
	d.presses("n2/pause")
	d.kill()
	if runtime.GOOS == "linux" {
		gone(t, pids...)
		return
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// TestDevRefuses are the ways to ask for it wrongly.
func TestDevRefuses(t *testing.T) {
	t.Parallel()
	taken, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer taken.Close()
	file := filepath.Join(t.TempDir(), "file")
	if err := os.WriteFile(file, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	dir, free := t.TempDir(), freePort(t)
	for _, test := range []struct {
		code  int
		words string
		args  []string
	}{
		{exitUsage, "--nodes 0: give 1 to 16", []string{"--nodes", "0"}},
		{exitUsage, "--nodes -1: give 1 to 16", []string{"--nodes", "-1"}},
		{exitUsage, "--nodes 100: give 1 to 16", []string{"--nodes", "100"}},
		{exitUsage, "--nodes", []string{"--nodes", "x"}},
		{exitUsage, `unknown argument "5"`, []string{"5"}},
		{exitUsage, `unknown argument "5"`, []string{"5", "--", "--log-level", "debug"}},
		{exitUsage, "--listen", []string{"--listen", "nowhere"}},
		{exitUsage, "this page kills nodes", []string{"--admin-listen", "0.0.0.0:0"}},
		{exitFailed, "--listen " + taken.Addr().String() + ": another process has this port", []string{"--listen", taken.Addr().String()}},
		{exitFailed, "--admin-listen " + taken.Addr().String() + ": another process has this port", []string{"--listen", free, "--admin-listen", taken.Addr().String()}},
		{exitFailed, "--data-dir", []string{"--data-dir", file}},
	} {
		var out, errs bytes.Buffer
		code := run(append([]string{"dev", "--data-dir", dir}, test.args...), &out, &errs)
		if code != test.code || !strings.Contains(errs.String(), test.words) || strings.Count(errs.String(), "\n") != 1 || out.Len() > 0 {
			t.Errorf("dev %v: exit %d, %q, %q", test.args, code, &out, &errs)
		}
	}
}

// TestDevNodeThatCannotStart ends it with an error, and every other node with it.
func TestDevNodeThatCannotStart(t *testing.T) {
	t.Parallel()
	d := devFor(t, "--nodes", "2", "--", "--log-level", "loud")
	d.spawn()
	if code := d.wait(); code != exitFailed || !mentions(d.log.String(), "n1  | roomring:", "loud", "roomring: node n1 ended: its log above says why") {
		t.Errorf("exit %d:\n%s", code, d.log)
	}
}
