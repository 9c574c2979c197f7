package journal_test

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"log/slog"
	"math/rand/v2"
	"os"
	"os/exec"
	"runtime/debug"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// children are what this binary does when a test starts it as another process. They print
// "ready" or what they have done, and end when their standard input does.
var children = map[string]func(dir string){
	"hold":     holdFolder,
	"append":   appendForEver,
	"follow":   followForEver,
	"open":     openFatally,
	"overflow": func(dir string) { stepFatally(dir, false) },
	"takeover": takeOver,
	"replay":   func(dir string) { stepFatally(dir, true) },
}

// child is this binary running as another process.
type child struct {
	*exec.Cmd
	lines *bufio.Scanner
	in    io.WriteCloser
}

func start(t *testing.T, part, dir string) *child {
	t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), "JOURNAL_TEST_CHILD="+part, "JOURNAL_TEST_DIR="+dir)
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { cmd.Process.Kill(); cmd.Wait() })
	return &child{Cmd: cmd, lines: bufio.NewScanner(out), in: in}
}

func (c *child) expect(t *testing.T, want string) {
	t.Helper()
	if !c.lines.Scan() || c.lines.Text() != want {
		t.Fatalf("the child said %q, want %q", c.lines.Text(), want)
	}
}

func must[T any](v T, err error) T {
	if err != nil {
		fmt.Println(err)
		os.Exit(1)
	}
	return v
}

func mustOpen(dir string) *journal.Journal {
	folder := must(journal.OpenFolder(dir, journal.FolderOptions{Boot: "child"}))
	return must(journal.Open(context.Background(), folder, journal.Options{MarkEvery: 5 * time.Millisecond}))
}

func holdFolder(dir string) {
	must(journal.OpenFolder(dir, journal.FolderOptions{Boot: "child"}))
	fmt.Println("ready")
	io.Copy(io.Discard, os.Stdin)
}

// appendForEver loads and claims every room, and appends to it as fast as it can, with new
// rooms and snapshots now and then. It prints every acknowledged batch before it appends the next.
func appendForEver(dir string) {
	j := mustOpen(dir)
	var out sync.Mutex
	tell := func(id room.ID, index room.Index) {
		out.Lock()
		defer out.Unlock()
		fmt.Println(id, index)
	}
	fmt.Println("ready")
	for kept, err := range j.Rooms(context.Background()) {
		must(0, err)
		must(0, j.Claimed(context.Background(), kept.Header.ID, kept.Epoch+1))
		go play(j, kept.Header.ID, kept.Epoch+1, lastOf(kept), tell)
	}
	for {
		id := record.NewID([10]byte{byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32()), byte(rand.Uint32())})
		must(0, j.Create(context.Background(), header(id), 1))
		go play(j, id, 1, 0, tell)
		time.Sleep(10 * time.Millisecond)
	}
}

func lastOf(kept record.Kept) (last room.Index) {
	for _, b := range kept.Batches {
		last = b.Last
	}
	return last
}

func play(j *journal.Journal, id room.ID, epoch record.Epoch, last room.Index, tell func(room.ID, room.Index)) {
	window := make(chan struct{}, 8) // several batches are under way at once
	for {
		first := last + 1
		last += 1 + rand.N[room.Index](20)
		var snapshot *record.Snapshot
		if rand.N(10) == 0 {
			snapshot = &record.Snapshot{Room: id, Epoch: epoch, Index: last, Data: make([]byte, rand.N(20000))}
		}
		end := last
		window <- struct{}{}
		must(0, j.Append(batch(id, epoch, first, last), snapshot, func(err error) {
			must(0, err)
			tell(id, end)
			<-window
		}))
	}
}

func TestKilledWhileAppending(t *testing.T) {
	dir := t.TempDir()
	acked := make(map[room.ID]room.Index)
	for round := range 6 {
		c := start(t, "append", dir)
		c.expect(t, "ready")
		told := 0
		for c.lines.Scan() {
			var id room.ID
			var index room.Index
			if _, err := fmt.Sscan(c.lines.Text(), &id, &index); err != nil || len(id) != 16 {
				break // the last line may be torn
			}
			acked[id] = max(acked[id], index)
			if told++; told == 1 {
				time.AfterFunc(rand.N(300*time.Millisecond), func() { c.Process.Kill() })
			}
		}
		c.Process.Kill()
		c.Wait()
		if told == 0 {
			t.Error("the child acknowledged nothing")
		}
		checkAcked(t, dir, acked)
		t.Logf("round %d: %d batches acknowledged, %d rooms", round, told, len(acked))
	}
}

func checkAcked(t *testing.T, dir string, acked map[room.ID]room.Index) {
	t.Helper()
	n := open(t, dir, journal.Options{})
	defer n.close()
	found := make(map[room.ID]room.Index)
	for kept, err := range n.Rooms(within(t)) {
		if err != nil {
			t.Fatal(err)
		}
		if kept.Cut != "" {
			t.Errorf("room %s is cut: %s", kept.Header.ID, kept.Cut)
		}
		found[kept.Header.ID] = checkLog(t, kept)
	}
	for id, index := range acked {
		if found[id] < index {
			t.Errorf("room %s: %d is acknowledged and the log ends at %d", id, index, found[id])
		}
	}
}

func TestSecondProcessIsRefused(t *testing.T) {
	dir := t.TempDir()
	c := start(t, "hold", dir)
	c.expect(t, "ready")
	_, err := journal.OpenFolder(dir, journal.FolderOptions{})
	if err == nil {
		t.Fatal("two processes have one folder")
	}
	text := err.Error()
	for _, part := range []string{dir, fmt.Sprintf("process %d (started ", c.Process.Pid), "--data-dir"} {
		if !strings.Contains(text, part) {
			t.Errorf("%q does not say %q", text, part)
		}
	}
	if strings.Contains(text, "\n") {
		t.Errorf("%q is more than a line", text)
	}
	c.in.Close()
	if err := c.Wait(); err != nil {
		t.Fatal(err)
	}
	folder, err := journal.OpenFolder(dir, journal.FolderOptions{})
	if err != nil {
		t.Fatal("after the first has ended:", err)
	}
	folder.Close()
}

// stepFatally steps harmless rooms, and the poisoned one until the stack overflows.
func stepFatally(dir string, replay bool) {
	box := mustOpen(dir).BlackBox()
	box.Begin(roomID(2), rand.Uint64())
	step := box.Begin(roomID(3), 7)
	step.Release()
	if replay {
		box.BeginReplay(roomID(1))
		box.Begin(roomID(1), rand.Uint64())
	} else {
		box.Begin(roomID(1), 42)
	}
	overflowStack()
}

// openFatally makes a room that the journal does not know yet, until the stack overflows.
func openFatally(dir string) {
	box := mustOpen(dir).BlackBox()
	box.BeginOpen("", "dud")
	box.BeginOpen(roomID(9), "bomb")
	box.BeginRerun(roomID(8), "again")
	overflowStack()
}

func overflowStack() {
	debug.SetMaxStack(1 << 20) // soon reached
	var overflow func(n int) int
	overflow = func(n int) int { return overflow(n+1) + n }
	fmt.Println(overflow(0))
}

func die(t *testing.T, part, dir string) {
	t.Helper()
	err := start(t, part, dir).Wait()
	if e, ok := err.(*exec.ExitError); !ok || e.ExitCode() != 2 {
		t.Fatalf("the child ended with %v, not with a fatal error", err)
	}
}

func TestPoisonIsFound(t *testing.T) {
	for part, fingerprint := range map[string]uint64{"overflow": 42, "replay": journal.Replaying} {
		t.Run(part, func(t *testing.T) {
			dir := t.TempDir()
			n := open(t, dir, journal.Options{})
			n.create(roomID(1), roomID(2), roomID(3))
			n.close()

			die(t, part, dir)
			n = open(t, dir, journal.Options{})
			if p, poisoned := n.BlackBox().Poisoned(roomID(1)); poisoned || p.Tries != 1 || p.Fingerprint == 0 {
				t.Errorf("after one death: %+v, %v", p, poisoned)
			}
			n.close()

			n = open(t, dir, journal.Options{}) // a start without a death changes nothing
			if p, _ := n.BlackBox().Poisoned(roomID(1)); p.Tries != 1 {
				t.Errorf("after a quiet life: %+v", p)
			}
			n.close()

			die(t, part, dir)
			n = open(t, dir, journal.Options{})
			if p, poisoned := n.BlackBox().Poisoned(roomID(1)); !poisoned || p.Tries != 2 || p.Fingerprint != fingerprint {
				t.Errorf("after two deaths: %+v, %v", p, poisoned)
			}
			for _, id := range []room.ID{roomID(2), roomID(3)} {
				if p, poisoned := n.BlackBox().Poisoned(id); poisoned {
					t.Errorf("the innocent room %s: %+v", id, p)
				}
			}
			if err := n.SetAside(within(t), roomID(1), "aborted: poisoned"); err != nil {
				t.Fatal(err)
			}
			n.create(roomID(1))
			n.close()
			n = open(t, dir, journal.Options{})
			if p, _ := n.BlackBox().Poisoned(roomID(1)); p.Tries != 0 {
				t.Errorf("after it was set aside: %+v", p)
			}
		})
	}
}

// TestDeathWhileARoomIsMade checks that the log names the game, and that no room is suspected, not even a later one with that id.
func TestDeathWhileARoomIsMade(t *testing.T) {
	dir := t.TempDir()
	var log strings.Builder
	o := journal.Options{Log: slog.New(slog.NewTextHandler(&log, nil))}
	n := open(t, dir, o)
	n.create(roomID(1))
	n.close()
	for range 3 {
		die(t, "open", dir)
		log.Reset()
		n = open(t, dir, o)
		for _, want := range []string{fmt.Sprintf("room=%s game=bomb opening=true", roomID(9)), `stepped" game=dud opening=true`,
			fmt.Sprintf("room=%s game=again opening=false replaying=true", roomID(8))} {
			if strings.Count(log.String(), want) != 1 {
				t.Errorf("the log does not say %q:\n%s", want, log.String())
			}
		}
		if p, poisoned := n.BlackBox().Poisoned(roomID(9)); poisoned || p.Tries != 0 {
			t.Errorf("it is held against the room: %+v", p)
		}
		n.close()
	}
	n = open(t, dir, o)
	n.create(roomID(9))
	n.append(batch(roomID(9), 1, 1, 2), nil)
	if p, poisoned := n.BlackBox().Poisoned(roomID(9)); poisoned || p.Tries != 0 {
		t.Errorf("it is held against a later room: %+v", p)
	}
	n.close()

	die(t, "overflow", dir)
	log.Reset()
	open(t, dir, o)
	if want := fmt.Sprintf("room=%s game=chess opening=false", roomID(1)); strings.Count(log.String(), want) != 1 {
		t.Errorf("the log does not say %q:\n%s", want, log.String())
	}
}

func TestStepsThatReturnAreForgiven(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	n.create(roomID(1), roomID(2), roomID(3))
	n.close()
	die(t, "replay", dir)

	n = open(t, dir, journal.Options{})
	n.BlackBox().BeginReplay(roomID(1)).Release() // this time it comes through
	n.close()
	die(t, "replay", dir)
	n = open(t, dir, journal.Options{ForgiveAfter: time.Nanosecond})
	if p, poisoned := n.BlackBox().Poisoned(roomID(1)); poisoned {
		t.Errorf("the replay came through between the deaths: %+v", p)
	}
	n.close()

	die(t, "overflow", dir)
	n = open(t, dir, journal.Options{ForgiveAfter: time.Hour})
	n.BlackBox().Begin(roomID(1), 42).Release()
	n.close()
	n = open(t, dir, journal.Options{ForgiveAfter: time.Nanosecond})
	if p, _ := n.BlackBox().Poisoned(roomID(1)); p.Tries != 1 {
		t.Errorf("a step that returned too early to tell is forgiven: %+v", p)
	}
	n.BlackBox().BeginReplay(roomID(1)).Release()
	n.BlackBox().Begin(roomID(1), 42).Release()
	n.close()
	die(t, "overflow", dir)
	n = open(t, dir, journal.Options{})
	if p, poisoned := n.BlackBox().Poisoned(roomID(1)); poisoned {
		t.Errorf("the step returned between the deaths: %+v", p)
	}
}
