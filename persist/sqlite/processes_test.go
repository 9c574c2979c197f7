package sqlite_test

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/persist"
	"github.com/roomring/roomring/persist/persisttest"
	"github.com/roomring/roomring/persist/sqlite"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// writerVariable makes the test binary a process that writes the finals of a file into a store, in its own order,
// and prints each room on a line once it is stored.
const writerVariable = "ROOMRING_TEST_WRITER"

func TestMain(m *testing.M) {
	if spec := os.Getenv(writerVariable); spec != "" {
		if err := writer(spec); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func writer(spec string) error {
	path, file, _ := strings.Cut(spec, "|")
	raw, err := os.ReadFile(file)
	if err != nil {
		return err
	}
	var finals []record.Final
	if err := json.Unmarshal(raw, &finals); err != nil {
		return err
	}
	s, err := sqlite.Open(context.Background(), path)
	if err != nil {
		return err
	}
	defer s.Close()
	rand.Shuffle(len(finals), func(i, j int) { finals[i], finals[j] = finals[j], finals[i] })
	f := persist.NewFlusher(s, persist.FlusherOptions{Batch: 5})
	for _, final := range finals {
		if err := f.Add(final, func(persist.Verdict) { fmt.Println(final.Room) }); err != nil {
			return err
		}
		time.Sleep(rand.N(2 * time.Millisecond))
	}
	return f.Close(context.Background())
}

// process starts a writer. Its lines are the rooms that it says are stored.
func process(t *testing.T, path, file string) (*exec.Cmd, *bufio.Scanner, *strings.Builder) {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), os.Args[0], "-test.run=^$")
	cmd.Env = append(os.Environ(), writerVariable+"="+path+"|"+file)
	stdout, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	var stderr strings.Builder
	cmd.Stderr = &stderr
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	return cmd, bufio.NewScanner(stdout), &stderr
}

// Four processes open one new file at once and write the same results. One is killed in the middle. What it said was
// stored is there, and the others write the rest, each result once.
func TestProcessesShareAFile(t *testing.T) {
	dir := t.TempDir()
	path, file := filepath.Join(dir, "store.db"), filepath.Join(dir, "finals.json")
	var finals []record.Final
	byRoom := map[room.ID]record.Final{}
	players := []room.PlayerID{"a", "b", "c", "d", "e"}
	for i := range 250 {
		f := persisttest.Game("chess", players[i%5], players[(i+1+i%4)%5])
		f.Result.Data = json.RawMessage(`{"n":1}`) // as encoding/json leaves it
		f = persisttest.Seal(f)
		finals, byRoom[f.Room] = append(finals, f), f
	}
	raw, err := json.Marshal(finals)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(file, raw, 0o600); err != nil {
		t.Fatal(err)
	}
	victim, lines, _ := process(t, path, file)
	var called []record.Final
	others := make([]*exec.Cmd, 3)
	outputs, complaints := make([]*bufio.Scanner, 3), make([]*strings.Builder, 3)
	for i := range others {
		others[i], outputs[i], complaints[i] = process(t, path, file)
	}
	for len(called) < 50 && lines.Scan() {
		called = append(called, byRoom[room.ID(lines.Text())])
	}
	if err := victim.Process.Kill(); err != nil {
		t.Fatal(err)
	}
	victim.Wait()
	s := open(t, path)
	for _, f := range called {
		if got, err := s.Result(t.Context(), f.Room); err != nil || got.Hash != f.Hash {
			t.Errorf("room %s was called stored: %v", f.Room, err)
		}
	}
	for i, cmd := range others {
		stored := 0
		for outputs[i].Scan() {
			stored++
		}
		if err := cmd.Wait(); err != nil || stored != len(finals) {
			t.Errorf("process %d called %d of %d stored: %v %s", i, stored, len(finals), err, complaints[i])
		}
	}
	persisttest.Audit(t, s, finals)
}
