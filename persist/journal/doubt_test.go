package journal_test

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// host is a machine with a data folder, whose power can be lost.
type host struct {
	t    *testing.T
	dir  string
	boot string // a file with the id of the machine's start
	sync bool
}

func newHost(t *testing.T) *host {
	h := &host{t: t, dir: t.TempDir(), boot: filepath.Join(t.TempDir(), "boot")}
	h.reboot("one")
	return h
}

func (h *host) reboot(id string) {
	h.t.Helper()
	if err := os.WriteFile(h.boot, []byte(id), 0o600); err != nil {
		h.t.Fatal(err)
	}
}

func (h *host) open() *node {
	return open(h.t, h.dir, journal.Options{BootIDFile: h.boot, MarkEvery: time.Hour, Sync: h.sync})
}

// kill ends a life without a clean stop.
func (h *host) kill(n *node) {
	h.t.Helper()
	back := saved(h.t, h.dir)
	n.close()
	back()
}

func (n *node) doubts(want map[room.ID]record.Doubt) {
	n.t.Helper()
	for id, d := range want {
		if kept := n.load(id); kept.Doubt != d || kept.Cut != "" {
			n.t.Errorf("room %s is %v, want %v; cut %q", id, kept.Doubt, d, kept.Cut)
		}
	}
}

// TestLostPowerMakesUnsure loses power. Every room that was there is unsure, at every load of every later life, until it is marked or claimed.
func TestLostPowerMakesUnsure(t *testing.T) {
	h := newHost(t)
	whole, marked, claimed, partial, untouched := roomID(1), roomID(2), roomID(3), roomID(4), roomID(5)
	n := h.open()
	n.create(whole, marked, claimed, partial, untouched)
	for _, id := range []room.ID{whole, marked, claimed, partial, untouched} {
		n.append(ticks(id, 1, 1, 4), nil)
	}
	n.mark(partial, 1, record.Partial)
	h.kill(n)
	h.reboot("two")

	n = h.open()
	want := map[room.ID]record.Doubt{whole: record.Unsure, marked: record.Unsure, claimed: record.Unsure, partial: record.Partial}
	n.doubts(want) // untouched is not looked at
	n.doubts(want)
	if !n.PowerLost() {
		t.Error("the loss is not told")
	}
	later := roomID(6)
	n.create(later)
	if err := n.Import(within(t), fromElsewhere(roomID(7), 3, 12)); err != nil {
		t.Fatal(err)
	}
	n.append(ticks(whole, 1, 5, 6), nil)
	n.cutTo(whole, 5)
	h.kill(n)

	n = h.open() // killed, and not all rooms had been loaded
	want[later], want[roomID(7)] = record.Whole, record.Whole
	n.doubts(want)
	n.mark(marked, 1, record.Whole)
	if err := n.Claimed(within(t), claimed, 9); err != nil {
		t.Fatal(err)
	}
	want[marked], want[claimed] = record.Whole, record.Whole
	n.doubts(want)
	h.kill(n)

	n = h.open()
	n.doubts(want)
	if !n.PowerLost() {
		t.Error("the loss is not told, and one room was not looked at")
	}
	n.close()

	n = h.open() // after a clean stop
	want[untouched] = record.Unsure
	n.doubts(want)
	n.close()

	h.reboot("three") // a clean stop, then a start of the machine
	n = h.open()
	n.doubts(want)
	if n.PowerLost() {
		t.Error("it is told for ever")
	}
	n.mark(untouched, 1, record.Partial) // learning
	want[untouched] = record.Partial
	h.kill(n)

	h.reboot("four") // power is lost again
	n = h.open()
	for id, d := range want {
		if d == record.Whole {
			want[id] = record.Unsure
		}
	}
	n.doubts(want)
	if kept := n.load(claimed); kept.Epoch != 9 {
		t.Errorf("epoch %d", kept.Epoch)
	}
	n.close()
}

// TestSyncNeverDoubts loses power where the disk was waited for, also right after a life that did not wait.
func TestSyncNeverDoubts(t *testing.T) {
	h := newHost(t)
	id := roomID(1)
	n := h.open()
	n.create(id)
	n.append(ticks(id, 1, 1, 4), nil)
	h.kill(n)
	h.sync = true
	n = h.open()
	n.load(id)
	n.append(ticks(id, 1, 5, 6), nil)
	h.kill(n)
	h.reboot("two")
	n = h.open()
	n.doubts(map[room.ID]record.Doubt{id: record.Whole})
	if n.PowerLost() {
		t.Error("nothing can be lost")
	}
}

// TestLostMarksMakeUnsure damages the marks, so nobody knows whether power was lost.
func TestLostMarksMakeUnsure(t *testing.T) {
	h := newHost(t)
	id := roomID(1)
	n := h.open()
	n.create(id)
	n.append(ticks(id, 1, 1, 4), nil)
	n.close()
	editFile(t, filepath.Join(h.dir, "journal", "marks"), func(file []byte) []byte { file[len(file)-1] ^= 1; return file })
	for range 2 {
		n = h.open()
		n.doubts(map[room.ID]record.Doubt{id: record.Unsure})
		n.close()
	}
	n = h.open()
	n.load(id)
	n.mark(id, 2, record.Whole)
	h.kill(n)
	n = h.open()
	n.doubts(map[room.ID]record.Doubt{id: record.Whole})
}

// TestDamageMakesDoubt cuts damaged logs. What is left is partial, or unsure where power was lost, which may be what damaged them.
func TestDamageMakesDoubt(t *testing.T) {
	for _, c := range []struct {
		name  string
		power bool
		want  record.Doubt
		ends  func(n *node, id room.ID)
	}{
		{"claimed", false, record.Partial, func(n *node, id room.ID) {
			if err := n.Claimed(within(t), id, 9); err != nil {
				t.Fatal(err)
			}
		}},
		{"filled up", false, record.Partial, func(n *node, id room.ID) { n.mark(id, 9, record.Whole) }},
		{"power, claimed", true, record.Unsure, func(n *node, id room.ID) {
			if err := n.Claimed(within(t), id, 9); err != nil {
				t.Fatal(err)
			}
		}},
		{"power, filled up", true, record.Unsure, func(n *node, id room.ID) { n.mark(id, 9, record.Whole) }},
	} {
		t.Run(c.name, func(t *testing.T) {
			h := newHost(t)
			id := roomID(1)
			n := h.open()
			n.create(id)
			n.append(ticks(id, 1, 1, 4), nil)
			n.append(ticks(id, 2, 5, 6), nil)
			n.append(ticks(id, 3, 7, 8), nil)
			n.close()
			h.kill(h.open()) // now the marks on the disk know where the log ends
			if c.power {
				h.reboot("two")
			}
			editFile(t, logFile(t, h.dir, id, "log"), func(file []byte) []byte {
				file[framesOf(file)[2].to-1] ^= 1
				return file
			})
			for range 3 {
				n = h.open()
				if kept := n.load(id); epochs(t, kept) != "1111" || kept.Doubt != c.want || kept.Cut == "" || kept.Epoch != 3 {
					t.Errorf("kept %+v", kept)
				}
				h.kill(n)
			}
			n = h.open()
			n.load(id)
			left := "1111"
			if !c.power {
				left = "111"
				n.cutTo(id, 3) // the file is written anew
			}
			if kept := n.load(id); kept.Doubt != c.want || kept.Cut == "" {
				t.Errorf("kept %+v", kept)
			}
			c.ends(n, id)
			for range 2 {
				if kept := n.load(id); epochs(t, kept) != left || kept.Doubt != record.Whole || kept.Cut != "" || kept.Epoch != 9 {
					t.Errorf("kept %+v", kept)
				}
				h.kill(n)
				n = h.open()
			}
		})
	}
}

// TestDamagedMarkMakesUnsure damages a mark in the middle of a file: what it said is lost, the log is not.
func TestDamagedMarkMakesUnsure(t *testing.T) {
	h := newHost(t)
	id := roomID(1)
	n := h.open()
	n.create(id)
	n.append(ticks(id, 1, 1, 4), nil)
	n.mark(id, 5, record.Partial)
	n.append(ticks(id, 5, 5, 6), nil)
	n.close()
	editFile(t, logFile(t, h.dir, id, "log"), func(file []byte) []byte {
		file[framesOf(file)[2].to-1] ^= 1
		return file
	})
	for range 2 {
		n = h.open()
		if kept := n.load(id); epochs(t, kept) != "1111 55" || kept.Doubt != record.Unsure || kept.Cut != "" || kept.Epoch != 5 {
			t.Errorf("kept %+v", kept)
		}
		n.close()
	}
}

// TestCopySetAsideKeepsItsDoubt sets a copy aside, and loses power.
func TestCopySetAsideKeepsItsDoubt(t *testing.T) {
	h := newHost(t)
	n := h.open()
	for i, d := range []record.Doubt{record.Whole, record.Partial} {
		n.create(roomID(i))
		n.append(ticks(roomID(i), 1, 1, 4), nil)
		n.mark(roomID(i), 7, d)
		if err := n.SetAside(within(t), roomID(i), "dismissed"); err != nil {
			t.Fatal(err)
		}
	}
	check := func(want map[room.ID]record.Doubt) {
		t.Helper()
		list, err := n.ListAside(within(t))
		if err != nil || len(list) != 2 {
			t.Fatal(list, err)
		}
		for _, a := range list {
			if kept, err := n.LoadAside(within(t), a.Key); err != nil || kept.Doubt != want[a.Room] || kept.Epoch != 7 {
				t.Errorf("kept %+v, %v", kept, err)
			}
		}
	}
	check(map[room.ID]record.Doubt{roomID(0): record.Whole, roomID(1): record.Partial})
	h.kill(n)
	h.reboot("two")
	n = h.open()
	check(map[room.ID]record.Doubt{roomID(0): record.Unsure, roomID(1): record.Partial})
}
