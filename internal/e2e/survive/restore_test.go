package survive_test

import (
	"bytes"
	encoding "encoding/binary"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/internal/e2e"
	"github.com/roomring/roomring/web/client"
)

// TestWhatCannotGoOnIsNotRestored restores rooms that cannot go on: a room that has ended, broken logs, and a copy that goes on already,
// also when two requests come at once. Each is refused with the reason.
func TestWhatCannotGoOnIsNotRestored(t *testing.T) {
	t.Parallel()
	s := e2e.NewServer(t, e2e.GenerousLimits...).Start()
	refuseResults(s, "no store takes this%")
	ctx := e2e.WaitContext(t)
	over := s.Create("poison", nil)
	c := s.Join(over, client.Options{})
	if _, err := c.Act(ctx, e2e.PoisonAct{Do: "unwritable"}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.RunAdminUntil(ctx, []string{over.ID}, "rooms", "--set-aside")

	tail, middle, header, empty, whole := counted(s), counted(s), counted(s), counted(s), counted(s)
	s.Kill()
	e2e.EditDatabase(t, filepath.Join(s.Dir, "store.db"), `UPDATE rooms SET epoch = epoch + 5, folder = 'elsewhere' WHERE room != ?`, over.ID)
	s.Start()
	s.Until(ctx, "all five are set aside", func() bool {
		names, err := filepath.Glob(filepath.Join(s.Dir, "journal", "rooms", "*.aside"))
		return err == nil && len(names) == 6 // with the one that is over
	})
	s.Kill()
	e2e.EditDatabase(t, filepath.Join(s.Dir, "store.db"), `DELETE FROM rooms WHERE room != ?`, over.ID)
	spoil(s, tail.ID, func(file []byte, batches []int) []byte { return file[:len(file)-1] })
	spoil(s, middle.ID, func(file []byte, batches []int) []byte { file[batches[1]-1] ^= 1; return file })
	spoil(s, header.ID, func(file []byte, _ []int) []byte { return bytes.Replace(file, []byte("tally"), []byte("chess"), 1) })
	spoil(s, empty.ID, func(file []byte, batches []int) []byte { return file[:batches[0]] })
	s.Start()
	for id, words := range map[string]string{
		over.ID: "it comes to its end at input ",
		tail.ID: "its log is damaged: the batch from entry ", middle.ID: "its log is damaged: the batch from entry 1 ",
		header.ID: "its header fails its checksum", empty.ID: "its log is damaged: the entries from 1 on are missing",
	} {
		code, out, errs := s.RunAdmin("restore", id)
		if code != e2e.ExitFailed || !strings.Contains(errs, words) || out != "" {
			t.Errorf("exit %d, %q, %q, should say %q", code, out, errs, words)
		}
	}

	said := make(chan string, 2)
	for range cap(said) {
		go func() {
			_, out, errs := s.RunAdmin("restore", whole.ID)
			said <- out + errs
		}()
	}
	first, second := <-said, <-said
	if strings.Contains(second, "goes on as room") {
		first, second = second, first
	}
	list := s.List()
	if len(list) != 1 || !strings.Contains(first, "goes on as room "+list[0].ID) || !strings.Contains(second, "it has been restored already, as room "+list[0].ID) {
		t.Errorf("restored twice at once: %q and %q, and these go on: %v", first, second, list)
	}
}

// spoil changes the file of a room that was set aside. The function edit gets the offsets where the records of the log begin and where
// the last one ends.
func spoil(s *e2e.Server, id string, edit func(file []byte, batches []int) []byte) {
	s.T.Helper()
	file := journalFile(s, id, "aside")
	var batches []int
	const batch = 2 // kind of record; it follows the length and the checksum of a record
	for at := 8; at < len(file); at += 8 + int(encoding.LittleEndian.Uint32(file[at:])) {
		if file[at+8] == batch {
			batches = append(batches, at)
		}
	}
	if err := os.WriteFile(journalPath(s, id, "aside"), edit(file, append(batches, len(file))), 0o600); err != nil {
		s.T.Fatal(err)
	}
}

// counted returns a room in which somebody has counted to three and disconnected.
func counted(s *e2e.Server) e2e.RoomInfo {
	s.T.Helper()
	info := s.Create("tally", nil)
	c := s.Join(info, client.Options{})
	for range 3 {
		if _, err := c.Act(e2e.WaitContext(s.T), e2e.TallyAction{Add: 1}); err != nil {
			s.T.Fatal(err)
		}
	}
	c.Close()
	return info
}
