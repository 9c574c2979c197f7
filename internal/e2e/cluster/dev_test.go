package cluster_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// gone waits until none of the processes exists any more.
func gone(t *testing.T, pids ...int) {
	t.Helper()
	for end := time.Now().Add(e2e.StartCeiling); ; time.Sleep(20 * time.Millisecond) {
		left := slices.DeleteFunc(slices.Clone(pids), func(pid int) bool { return pid == 0 || syscall.Kill(pid, 0) != nil })
		if len(left) == 0 {
			return
		}
		if time.Now().After(end) {
			t.Fatalf("processes %v are still there", left)
		}
	}
}

func nodePIDs(d *e2e.DevRun) (pids []int) {
	for _, p := range d.Processes() {
		pids = append(pids, p.PID)
	}
	return pids
}

// roomAt seats two players in a room of a node, through the front.
func roomAt(d *e2e.DevRun, ctx context.Context, node string) *e2e.Match {
	d.T.Helper()
	m, err := d.SeatAt(ctx, node, e2e.SteadyGames(d.T, 1)[0])
	if err != nil {
		d.T.Fatal(err)
	}
	return m
}

// moves makes the next two moves of a game.
func moves(m *e2e.Match, ctx context.Context) error {
	sans := strings.Fields(m.Game.Moves)
	for range 2 {
		n := int(m.Played.Load())
		if _, err := m.Players[n%2].Act(ctx, map[string]string{"move": sans[n]}); err != nil {
			return fmt.Errorf("half-move %d (%s): %w", n, sans[n], err)
		}
		m.Played.Add(1)
	}
	return nil
}

// TestDev runs a cluster of three nodes on this machine and presses every button of its admin page.
func TestDev(t *testing.T) {
	t.Parallel()
	d := e2e.NewDev(t, "--nodes", "3", "--", "--messages-per-second", "10000", "--bytes-per-second", "100000000", "--room-bytes-per-second", "0").Start()
	ctx, cancel := context.WithTimeout(t.Context(), 4*time.Minute)
	defer cancel()
	t.Cleanup(func() { gone(t, pidsOf(d)...) })

	t.Log("it says where everything is")
	if len(d.Nodes) != 3 || strings.Contains(d.Log.String(), "\x1b") || !strings.Contains(d.Log.String(), " INF listening") {
		t.Errorf("it says:\n%s\nand logs:\n%.500s", d.Stdout, d.Log)
	}
	for _, s := range append(slices.Clone(d.Nodes), d.Server) {
		res, err := http.Get(s.URL + "/")
		if err != nil {
			t.Fatal(err)
		}
		_ = res.Body.Close()
		if kind := res.Header.Get("Content-Type"); res.StatusCode != http.StatusOK || !strings.HasPrefix(kind, "text/html") {
			t.Errorf("%s: the lobby is %d %s", s.URL, res.StatusCode, kind)
		}
	}
	if rules := d.Board().Rules; !rules.Guests || rules.Games != 1 {
		t.Errorf("a guest who plays one game is not on the leaderboard: %+v", rules)
	}
	t.Log("its nodes let the operator act for players, whichever has the room")
	for range 3 {
		ann := d.Join(d.Create("tally", nil), client.Options{Name: "Ann"})
		act := map[string]any{"player": ann.Welcome().Player, "action": e2e.TallyAction{Add: 3}}
		if code := d.CallAdmin("POST", "/admin/v1/rooms/"+ann.Welcome().Room+"/act", act, nil); code != http.StatusNoContent {
			t.Errorf("acting for a player: %d", code)
		}
	}
	given := map[string]bool{}
	for _, n := range d.Nodes {
		for _, addr := range []string{n.URL, n.AdminAt, n.Peer, n.Gossip} {
			given[addr] = true
		}
		for _, addr := range []string{n.Peer, n.Gossip} {
			conn, err := net.DialTimeout("tcp", addr, e2e.Ceiling)
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
	d.WaitWhole(3)

	t.Log("a crowd on one machine meets no limit")
	for range 400 {
		d.Guest("")
	}
	for range 100 {
		if code := d.Call("GET", "/v1/rooms?code=0", nil, nil); code != http.StatusOK {
			t.Fatalf("a search by code: %d", code)
		}
	}

	t.Log("a game by the front, and one by two nodes")
	g := e2e.SteadyGames(t, 3)
	for i, edges := range [][]*e2e.Server{nil, {d.Nodes[0], d.Nodes[1]}, {d.Nodes[2], d.Server}} {
		m, err := d.Seat(ctx, g[i], edges...)
		if err != nil {
			t.Fatal(err)
		}
		for _, step := range []func(context.Context) error{m.Play, m.Finish, m.Check} {
			if err := step(ctx); err != nil {
				t.Fatalf("game %d: %v", i, err)
			}
		}
		if err := m.CheckStored(); err != nil {
			t.Errorf("game %d: %v", i, err)
		}
	}
	buttons(d, ctx)
	unfinished := roomAt(d, ctx, "n1")
	if err := moves(unfinished, ctx); err != nil {
		t.Fatal(err)
	}
	restarts(d, ctx, unfinished)
}

// pidsOf returns the ids of the nodes' processes as dev printed them last.
func pidsOf(d *e2e.DevRun) (pids []int) {
	for _, n := range d.Nodes {
		pids = append(pids, n.PID)
	}
	return pids
}

// buttons presses every button.
func buttons(d *e2e.DevRun, ctx context.Context) {
	t := d.T
	plays := func(m *e2e.Match) {
		t.Helper()
		if err := moves(m, ctx); err != nil {
			t.Fatal(err)
		}
	}
	t.Log("kill and start")
	m := roomAt(d, ctx, "n2")
	plays(m)
	before := d.WaitForState("n2", e2e.DevRunning).PID
	d.MustPress("n2/kill")
	d.WaitForState("n2", e2e.DevStopped)
	d.WaitWhole(2)
	plays(m) // at its standby
	var info e2e.RoomInfo
	if code := d.Call("GET", "/v1/rooms/"+m.Room.ID, nil, &info); code != http.StatusOK || info.Node == "n2" {
		t.Errorf("a room of a node that was killed: %d %+v", code, info)
	}
	for _, act := range []string{"kill", "pause", "resume", "drain"} {
		if code, answer := d.Press("n2/" + act); code != http.StatusConflict || !strings.Contains(answer, "n2 is not running") {
			t.Errorf("%s of a node that does not run: %d %s", act, code, answer)
		}
	}
	if s := d.MustPress("n2/start"); s.State != e2e.DevRunning || s.PID == before {
		t.Errorf("started: %+v", s)
	}
	d.WaitWhole(3)
	plays(m)

	t.Log("pause and resume")
	m = roomAt(d, ctx, "n3")
	plays(m)
	if s := d.MustPress("n3/pause"); s.State != e2e.DevPaused {
		t.Errorf("paused: %+v", s)
	}
	d.WaitWhole(2)
	d.Create("chess", nil) // the front avoids the node
	if s := d.MustPress("n3/resume"); s.State != e2e.DevRunning {
		t.Errorf("resumed: %+v", s)
	}
	d.WaitWhole(3)
	plays(m)

	t.Log("drain, of a node that is paused")
	m = roomAt(d, ctx, "n1")
	plays(m)
	d.MustPress("n1/pause")
	d.WaitWhole(2)
	d.MustPress("n1/drain")
	d.WaitForState("n1", e2e.DevStopped)
	plays(m)
	if code := d.Call("GET", "/v1/rooms/"+m.Room.ID, nil, &info); code != http.StatusOK || info.Node == "n1" {
		t.Errorf("the drained node's room: %d %+v", code, info)
	}
	d.MustPress("n1/start")
	d.WaitWhole(3)

	t.Log("add")
	if s := d.MustPress("add"); s.Node != "n4" {
		t.Errorf("added: %+v", s)
	}
	d.WaitWhole(4)
	for range 4 { // once for each node
		d.Until(ctx, "the ring has all four", func() bool {
			var ring struct{ Nodes []struct{ Name string } }
			return d.CallAdmin("GET", "/admin/v1/ring", nil, &ring) == http.StatusOK && len(ring.Nodes) == 4
		})
	}
	d.Nodes = append(d.Nodes, &e2e.Server{Ready: e2e.Ready{PID: d.WaitForState("n4", e2e.DevRunning).PID}})
	refusals(d)
}

// refusals sends requests that no button sends.
func refusals(d *e2e.DevRun) {
	t := d.T
	for path, want := range map[string]int{"n9/kill": http.StatusNotFound, "n1/tickle": http.StatusConflict} {
		if code, answer := d.Press(path); code != want || strings.Count(answer, "\n") != 1 {
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
		if res.StatusCode < 400 || d.WaitForState("n1", e2e.DevRunning).PID == 0 {
			t.Errorf("%s may kill a node: %d", what, res.StatusCode)
		}
	}
}

// restarts stops everything with Ctrl-C and starts it again. A game goes on. Then it kills the process.
func restarts(d *e2e.DevRun, ctx context.Context, unfinished *e2e.Match) {
	t := d.T
	t.Log("Ctrl-C, and a second start")
	pids := nodePIDs(d)
	begin := time.Now()
	if err := d.Cmd.Process.Signal(syscall.SIGINT); err != nil {
		t.Fatal(err)
	}
	if code := d.Wait(); code != e2e.ExitOK {
		t.Errorf("it ended with %d", code)
	}
	t.Logf("it ended in %v", time.Since(begin).Round(time.Millisecond))
	for _, pid := range pids { // it waited for their ends
		if syscall.Kill(pid, 0) == nil {
			t.Errorf("process %d is still there", pid)
		}
	}
	before := d.Nodes[0].Ready
	if now := d.Start().Nodes[0].Ready; now.URL != before.URL || now.AdminAt != before.AdminAt {
		t.Errorf("n1 has gone from %s to %s", before.URL, now.URL)
	}
	if err := moves(unfinished, ctx); err != nil {
		t.Errorf("after the restart: %v", err)
	}

	t.Log("SIGKILL")
	d.WaitWhole(3)
	pids = nodePIDs(d)
	d.MustPress("n2/pause")
	d.Kill()
	if runtime.GOOS == "linux" {
		gone(t, pids...)
		return
	}
	for _, pid := range pids {
		_ = syscall.Kill(pid, syscall.SIGKILL)
	}
}

// TestDevRefuses runs dev with wrong arguments.
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
	dir, free := t.TempDir(), e2e.FreePort(t)
	for _, test := range []struct {
		code  int
		words string
		args  []string
	}{
		{e2e.ExitUsage, "--nodes 0: give 1 to 16", []string{"--nodes", "0"}},
		{e2e.ExitUsage, "--nodes -1: give 1 to 16", []string{"--nodes", "-1"}},
		{e2e.ExitUsage, "--nodes 100: give 1 to 16", []string{"--nodes", "100"}},
		{e2e.ExitUsage, "--nodes", []string{"--nodes", "x"}},
		{e2e.ExitUsage, `unknown argument "5"`, []string{"5"}},
		{e2e.ExitUsage, `unknown argument "5"`, []string{"5", "--", "--log-level", "debug"}},
		{e2e.ExitUsage, "--listen", []string{"--listen", "nowhere"}},
		{e2e.ExitUsage, "this page kills nodes", []string{"--admin-listen", "0.0.0.0:0"}},
		{e2e.ExitFailed, "--listen " + taken.Addr().String() + ": another process has this port", []string{"--listen", taken.Addr().String()}},
		{e2e.ExitFailed, "--admin-listen " + taken.Addr().String() + ": another process has this port", []string{"--listen", free, "--admin-listen", taken.Addr().String()}},
		{e2e.ExitFailed, "--data-dir", []string{"--data-dir", file}},
	} {
		var out, errs bytes.Buffer
		code := e2e.Run(append([]string{"dev", "--data-dir", dir}, test.args...), &out, &errs)
		if code != test.code || !strings.Contains(errs.String(), test.words) || strings.Count(errs.String(), "\n") != 1 || out.Len() > 0 {
			t.Errorf("dev %v: exit %d, %q, %q", test.args, code, &out, &errs)
		}
	}
}

// TestDevNodeThatCannotStart has a node that cannot start. Dev ends with an error and ends every other node.
func TestDevNodeThatCannotStart(t *testing.T) {
	t.Parallel()
	d := e2e.NewDev(t, "--nodes", "2", "--", "--log-level", "loud")
	d.Spawn()
	if code := d.Wait(); code != e2e.ExitFailed || !e2e.Mentions(d.Log.String(), "n1  | roomring:", "loud", "roomring: node n1 ended: its log above says why") {
		t.Errorf("exit %d:\n%s", code, d.Log)
	}
}
