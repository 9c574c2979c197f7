//go:build soak

package survive_test

import (
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/persist/pgtest"
)

// beforeStandby is the last commit whose rooms are in one journal only. It is tagged before-standby, but clones may lack tags.
const beforeStandby = "36e98cea81d1be9cc6f309392925ad8a183a460b"

// TestUpgrade replaces the program of a running cluster, one node at a time, under play: from the last program without standbys to this
// one. Rooms that were made on old nodes go on, with one journal as they were made. No room gets a standby before every node is new, and each
// one that new nodes have made has one soon after. What has seen the newer schema does not go back, and says so.
func TestUpgrade(t *testing.T) {
	old := programOf(t, beforeStandby)
	c := e2e.NewTeamOn(t, pgtest.URL(t), 3)
	for _, n := range c.Nodes {
		n.Exe = old
	}
	c.Start()
	end := tortureMeanwhile(t, c)
	p := gather(c, 10*time.Minute)
	for i := range 10 {
		p.join(&tallied{RoomInfo: c.Nodes[i%3].CreateHere("tally", nil)}, c.Nodes[(i+1)%3], c.Nodes[(i+2)%3])
	}
	p.begin()

	first, killed, last := c.Nodes[0], c.Nodes[1], c.Nodes[2]
	p.finishing(func() { p.leavesByTheStore(first) })
	first.Exe = ""
	first.Start()
	c.WaitWhole(3)
	t.Logf("one node of three is new; everybody was answered within %v", p.goesOn().Round(time.Millisecond))
	fresh := []*tallied{{RoomInfo: first.CreateHere("tally", nil)}}
	p.play(p.join(fresh[0], killed, last))
	p.play(p.join(&tallied{RoomInfo: killed.CreateHere("tally", nil)}, last, first))
	p.alone()

	p.leavesByTheStore(first)
	first.Exe = old
	first.Spawn()
	if code := first.Wait(); code == e2e.ExitOK || !e2e.Mentions(first.Log.String(), "newer") {
		t.Errorf("the old program starts on the new schema, and ends with %d", code)
	}
	t.Logf("a node that is rolled back says: %s", lastLine(first.Log.String()))
	first.Exe = ""
	first.Start()
	c.WaitWhole(3)
	p.goesOn()

	killed.Kill() // its rooms are in its folder, which the new program opens
	killed.Exe = ""
	killed.Start()
	c.WaitWhole(3)
	t.Logf("two nodes of three are new; everybody was answered within %v", p.goesOn().Round(time.Millisecond))
	p.alone()

	p.leavesByTheStore(last)
	last.Exe = ""
	last.Start()
	c.WaitWhole(3)
	for i, n := range c.Nodes {
		fresh = append(fresh, &tallied{RoomInfo: n.CreateHere("tally", nil)})
		p.play(p.join(fresh[i+1], c.Nodes[(i+1)%3], c.Nodes[(i+2)%3]))
	}
	began := time.Now()
	for _, r := range fresh {
		r.was = c.WaitMembers(p.ctx, r.ID, "two members", anyStandby)
	}
	t.Logf("all nodes are new; rooms of new nodes have standbys after %v, everybody was answered within %v", time.Since(began).Round(time.Millisecond), p.goesOn().Round(time.Millisecond))

	killed.Kill()
	for _, r := range fresh {
		c.WaitMembers(p.ctx, r.ID, "two members without the dead one", func(m e2e.Members) bool { return m.Owner != killed && m.Standby != killed })
	}
	killed.Start()
	c.WaitWhole(3)
	p.goesOn()
	end()
	p.over()
}

// leavesByTheStore stops a node while its rooms have no standbys. None is left there.
func (p *party) leavesByTheStore(n *e2e.Server) {
	p.T.Helper()
	code, took := n.Stop()
	p.T.Logf("%s stopped in %v", n.Node, took.Round(time.Millisecond))
	if code != e2e.ExitOK {
		p.T.Errorf("%s ended with %d", n.Node, code)
	}
}

// alone checks for a while that no room gets a standby.
func (p *party) alone() {
	p.T.Helper()
	for end := time.Now().Add(5 * time.Second); time.Now().Before(end); time.Sleep(500 * time.Millisecond) {
		for _, n := range p.Nodes {
			for _, row := range p.Naming(n.Folder()) {
				if row.Standby != "" {
					p.T.Errorf("room %s has a standby beside a program that knows none: %+v", row.Room, row)
				}
			}
		}
	}
}

// tortureMeanwhile plays on the team's nodes by `roomring torture`, until the function that it returns is called. That fails the test if a
// check did not hold.
func tortureMeanwhile(t *testing.T, c *e2e.Team) (end func()) {
	t.Helper()
	args := []string{"--for", "1h", "--settle", "20s", "--every", "10s", "--rooms", "9", "--room-time", "4m", "--games", "chess,liarsdice,snakes", "--seed", "1"}
	for _, n := range c.Nodes {
		args = append(args, "--url", n.URL, "--admin", n.AdminAt)
	}
	cmd, out, errs := tortureProcess(t, args...)
	return func() {
		t.Helper()
		if err := cmd.Process.Signal(syscall.SIGINT); err != nil {
			t.Fatal(err)
		}
		err := cmd.Wait()
		var r tortureReport
		if bad := json.Unmarshal([]byte(out.String()), &r); bad != nil || err != nil || !r.OK || r.Counts.Rooms == 0 || r.Counts.Results != r.Counts.Rooms {
			t.Errorf("torture: exit %v, %v: %s%s", err, bad, out, errs)
		}
		t.Logf("torture: %+v", r.Counts)
	}
}

// programOf builds the program of an earlier commit, with the games that its tests had.
func programOf(t *testing.T, commit string) (exe string) {
	t.Helper()
	dir := t.TempDir()
	run := func(in, program string, args ...string) string {
		t.Helper()
		cmd := exec.Command(program, args...)
		cmd.Dir = in
		out, err := cmd.CombinedOutput()
		if err != nil {
			t.Fatalf("%s: %v\n%s", cmd, err, out)
		}
		return strings.TrimSpace(string(out))
	}
	top := run(".", "git", "rev-parse", "--show-toplevel")
	if err := exec.Command("git", "-C", top, "rev-parse", "--verify", "--quiet", commit+"^{commit}").Run(); err != nil {
		t.Fatalf("this clone lacks the commit %s, whose program is to be upgraded: git fetch --unshallow", commit)
	}
	source := filepath.Join(dir, "source")
	if err := os.Mkdir(source, 0o700); err != nil {
		t.Fatal(err)
	}
	run(top, "git", "archive", "--format=tar", "-o", source+".tar", commit)
	run(source, "tar", "-xf", source+".tar")
	exe = filepath.Join(dir, "roomring")
	run(source, "go", "test", "-c", "-o", exe, "./internal/e2e/survive")
	return exe
}

func lastLine(text string) string {
	text = strings.TrimSpace(text)
	return text[strings.LastIndexByte(text, '\n')+1:]
}
