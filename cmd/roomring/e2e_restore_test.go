package main

import (
	"path/filepath"
	"strings"
	"testing"

	"github.com/roomring/roomring/web/client"
)

// What cannot go on is refused with the reason: a room that has come to its end, logs that are broken, and a copy that goes on already, also when two ask at once.
func TestWhatCannotGoOnIsNotRestored(t *testing.T) {
	t.Parallel()
	s := newServer(t, generous...).start()
	s.refuseResults("no store takes this%")
	ctx := patience(t)
	over := s.create("poison", nil)
	c := s.join(over, client.Options{})
	if _, err := c.Act(ctx, poisonAct{"unwritable"}); err != nil {
		t.Fatal(err)
	}
	c.Close()
	s.operateUntil(ctx, []string{over.ID}, "rooms", "--set-aside")

	tail, middle, header, empty, whole := s.counted(), s.counted(), s.counted(), s.counted(), s.counted()
	s.kill()
	journal := filepath.Join(s.dir, "journal.db")
	edit(t, filepath.Join(s.dir, "store.db"), `UPDATE rooms SET epoch = epoch + 5, folder = 'elsewhere' WHERE room != ?`, over.ID)
	s.start()
	s.kill()
	edit(t, filepath.Join(s.dir, "store.db"), `DELETE FROM rooms WHERE room != ?`, over.ID)
	const of = `WHERE key = (SELECT key FROM rooms WHERE room = ?)`
	edit(t, journal, `UPDATE batches SET entries = substr(entries, 1, length(entries) - 1) `+of+` AND first = (SELECT max(first) FROM batches `+of+`)`, tail.ID, tail.ID)
	edit(t, journal, `UPDATE batches SET entries = zeroblob(length(entries)) `+of+` AND first = 1`, middle.ID)
	edit(t, journal, `UPDATE rooms SET header = replace(header, 'tally', 'chess') `+of, header.ID)
	edit(t, journal, `DELETE FROM batches `+of, empty.ID)
	s.start()
	for id, words := range map[string]string{
		over.ID: "it comes to its end at input ",
		tail.ID: "its log is damaged: the batch from entry ", middle.ID: "its log is damaged: the batch from entry 1 ",
		header.ID: "its header fails its checksum", empty.ID: "the journal holds no log of room",
	} {
		code, out, errs := s.operate("restore", id)
		if code != exitFailed || !strings.Contains(errs, words) || out != "" {
			t.Errorf("exit %d, %q, %q, should say %q", code, out, errs, words)
		}
	}

	said := make(chan string, 2)
	for range cap(said) {
		go func() {
			_, out, errs := s.operate("restore", whole.ID)
			said <- out + errs
		}()
	}
	first, second := <-said, <-said
	if strings.Contains(second, "goes on as room") {
		first, second = second, first
	}
	list := s.list()
	if len(list) != 1 || !strings.Contains(first, "goes on as room "+list[0].ID) || !strings.Contains(second, "it has been restored already, as room "+list[0].ID) {
		t.Errorf("restored twice at once: %q and %q, and these go on: %v", first, second, list)
	}
}

// counted is a room in which somebody has counted to three and left the line.
func (s *server) counted() roomInfo {
	s.t.Helper()
	info := s.create("tally", nil)
	c := s.join(info, client.Options{})
	for range 3 {
		if _, err := c.Act(patience(s.t), tallyAction{Add: 1}); err != nil {
			s.t.Fatal(err)
		}
	}
	c.Close()
	return info
}
