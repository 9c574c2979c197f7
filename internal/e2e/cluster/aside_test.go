package cluster_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/web/client"
)

// poisonedRoom returns a room of the node that was set aside after three acts, because its game killed two processes.
func poisonedRoom(t *testing.T, s *e2e.Server) e2e.RoomInfo {
	t.Helper()
	ctx := e2e.WaitContext(t)
	info := s.CreateHere("poison", nil)
	c := s.Join(info, client.Options{})
	for range 3 {
		if _, err := c.Act(ctx, e2e.PoisonAct{Do: "nothing"}); err != nil {
			t.Fatal(err)
		}
	}
	heard := make(chan error, 1)
	go func() { _, err := c.Act(ctx, e2e.PoisonAct{Do: "overflow"}); heard <- err }()
	for {
		select {
		case <-s.Ended:
			s.Start()
		case <-heard:
			return info
		case <-ctx.Done():
			t.Fatal("the client of the poisoned room hears nothing")
		}
	}
}

// binary runs this binary as a shell would, with the games of the tests.
func binary(t *testing.T, args ...string) (out string, err error) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := &exec.Cmd{Path: exe, Args: append([]string{"roomring"}, args...), Env: append(os.Environ(), "ROOMRING_TEST_GAMES=1"), Dir: t.TempDir()}
	text, err := cmd.CombinedOutput()
	return string(text), err
}

// Rooms that a node has set aside can be listed, downloaded, replayed and restored from the terminal of any node.
func TestRoomsSetAsideAreTheOperatorsToRestore(t *testing.T) {
	t.Parallel()
	team := e2e.NewTeam(t, 2, e2e.OneJournal...).Start()
	here, there := team.Nodes[0], team.Nodes[1]
	ctx := e2e.WaitContext(t)
	info := poisonedRoom(t, there)

	list := here.RunAdminUntil(ctx, []string{info.ID, there.Node + "/"}, "rooms", "--set-aside")
	copied := regexp.MustCompile(`(?m)^(\S+) +` + info.ID).FindStringSubmatch(list)
	if copied == nil {
		t.Fatalf("no copy is named by\n%s", list)
	}
	file := filepath.Join(t.TempDir(), "copy.room")
	here.RunAdminUntil(ctx, []string{"roomring replay"}, "fetch", info.ID, "--out", file)
	if code, _, errs := here.RunAdmin("fetch", info.ID, "--out", file); code == e2e.ExitOK || !strings.Contains(errs, "exists") {
		t.Errorf("the file was written over: %d %s", code, errs)
	}
	data, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := core.DecodeKept(data)
	if err != nil || kept.Header.ID != room.ID(info.ID) {
		t.Fatalf("the copy is of %s: %v", kept.Header.ID, err)
	}
	for _, args := range [][]string{{"replay", file}, {"admin", "replay", copied[1], "--admin", here.AdminAt}} {
		if out, err := binary(t, args...); err != nil || !e2e.Mentions(out, "room "+info.ID, "still going on") {
			t.Errorf("%v says\n%s%v", args, out, err)
		}
	}

	back := here.RunAdminUntil(ctx, []string{"goes on as room"}, "restore", copied[1])
	id := regexp.MustCompile(`room (\S+) at`).FindStringSubmatch(back)[1]
	if r := there.Result(info.ID); r.End != string(record.Aborted) {
		t.Errorf("the old room's result is now %+v", r)
	}
	here.RunAdminUntil(ctx, []string{`"N": 3`, there.Node}, "room", id)
	var restored e2e.RoomInfo
	if code := there.Call("GET", "/v1/rooms/"+id, nil, &restored); code != 200 {
		t.Fatalf("the room that it goes on as: %d", code)
	}
	again := there.Join(there.Via(restored), client.Options{Spectate: true})
	if err := again.WaitView(ctx, func(v any) bool { n, ok := v.(map[string]any); return ok && n["n"] != nil }); err != nil {
		t.Error(err)
	}
	if code, _, errs := here.RunAdmin("restore", copied[1]); code != e2e.ExitFailed || !strings.Contains(errs, "restored already, as room "+id) {
		t.Errorf("the second time: %d %s", code, errs)
	}
	there.Kill()
	there.Start()
	here.RunAdminUntil(ctx, []string{`"N": 3`}, "room", id)
}

// A copy that does not have the room's last state is not restored.
func TestACopyOfARoomThatWentOnIsNotRestored(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	moved := s.Create("tally", nil)
	c := s.Join(moved, client.Options{})
	if _, err := c.Act(e2e.WaitContext(t), e2e.TallyAction{Add: 5}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.Kill()
	e2e.EditDatabase(t, filepath.Join(s.Dir, "store.db"), `UPDATE rooms SET epoch = epoch + 5, folder = 'elsewhere' WHERE room = ?`, moved.ID)
	s.Start()
	for words, args := range map[string][]string{
		"the room lives on":        {"restore", moved.ID},
		"neither a copy":           {"restore", "nonsense"},
		"no node that answers has": {"fetch", "zzzzzzzzzzzzzzzz"},
		"There is no such room":    {"replay", s.Node + "/99"},
		"There is no such room.":   {"restore", "elsewhere/1"},
	} {
		if code, out, errs := s.RunAdmin(args...); code != e2e.ExitFailed || !strings.Contains(errs, words) || out != "" {
			t.Errorf("admin %v: exit %d, %q, %q", args, code, out, errs)
		}
	}
	var list struct{ Rooms []struct{ At time.Time } }
	if code := s.CallAdmin("GET", "/admin/v1/set-aside", nil, &list); code != 200 || len(list.Rooms) != 1 || time.Since(list.Rooms[0].At) > time.Hour {
		t.Errorf("set aside are %d %+v", code, list)
	}
}
