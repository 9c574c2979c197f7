package journal_test

import (
	"context"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/roomring/roomring/persist/journal"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// fromElsewhere is a room from another node's journal, with a log up to last.
func fromElsewhere(id room.ID, epoch record.Epoch, last room.Index) record.Kept {
	k := record.Kept{Header: header(id), Epoch: epoch, Time: time.Duration(last)*time.Second + time.Millisecond}
	for i := room.Index(1); i <= last; i += 5 {
		k.Batches = append(k.Batches, batch(id, epoch, i, min(i+4, last)))
	}
	for _, at := range []room.Index{last / 2, last} {
		k.Snapshots = append(k.Snapshots, record.Snapshot{Room: id, Epoch: epoch, Index: at, Data: []byte{byte(at)}})
	}
	return k
}

func TestImportedRoomGoesOn(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id := roomID(1)
	if err := n.Import(within(t), fromElsewhere(id, 3, 12)); err != nil {
		t.Fatal(err)
	}
	if err := n.Claimed(within(t), id, 4); err != nil {
		t.Fatal(err)
	}
	n.append(batch(id, 4, 13, 14), nil)
	n.close()
	n = open(t, dir, journal.Options{})
	kept := n.load(id)
	if end := checkLog(t, kept); end != 14 {
		t.Errorf("the log ends at %d", end)
	}
	if kept.Epoch != 4 || len(kept.Snapshots) != 2 || kept.Cut != "" || kept.Time != 14*time.Second {
		t.Errorf("kept %+v", kept)
	}
	if !kept.Header.Created.Equal(header(id).Created) || kept.Header.Seed != header(id).Seed {
		t.Errorf("header %+v", kept.Header)
	}
}

func TestImportKeepsTheTime(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{MarkEvery: time.Millisecond})
	want := fromElsewhere(roomID(1), 3, 12)
	if err := n.Import(within(t), want); err != nil {
		t.Fatal(err)
	}
	n.close()
	if kept := open(t, dir, journal.Options{}).load(roomID(1)); kept.Time != want.Time {
		t.Errorf("its time stands at %v, it came with %v", kept.Time, want.Time)
	}
}

func TestImportReplacesOnlyAnImport(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	id := roomID(1)
	for _, last := range []room.Index{12, 20, 16} {
		if err := n.Import(within(t), fromElsewhere(id, 3, last)); err != nil {
			t.Fatal(err)
		}
		if end := checkLog(t, n.load(id)); end != last {
			t.Errorf("the log ends at %d, want %d", end, last)
		}
	}
	n.append(batch(id, 4, 17, 17), nil)
	if err := n.Import(within(t), fromElsewhere(id, 3, 30)); !errors.Is(err, journal.ErrExists) {
		t.Errorf("an import over a room that went on: %v", err)
	}
	n.create(roomID(2))
	if err := n.Import(within(t), fromElsewhere(roomID(2), 1, 12)); !errors.Is(err, journal.ErrExists) {
		t.Errorf("an import over a room made here: %v", err)
	}
	n.close()
	n = open(t, dir, journal.Options{})
	if end := checkLog(t, n.load(id)); end != 17 {
		t.Errorf("after all the log ends at %d", end)
	}
	if err := n.Import(within(t), fromElsewhere(id, 3, 30)); !errors.Is(err, journal.ErrExists) {
		t.Errorf("an import over a room of an earlier life: %v", err)
	}
}

// TestImportOfARoomThatComesBack imports a room that was here before, and whose old copy was set aside.
func TestImportOfARoomThatComesBack(t *testing.T) {
	n := open(t, t.TempDir(), journal.Options{})
	id := roomID(1)
	n.create(id)
	n.append(batch(id, 1, 1, 3), nil)
	if err := n.SetAside(within(t), id, "it went away"); err != nil {
		t.Fatal(err)
	}
	if err := n.Import(within(t), fromElsewhere(id, 3, 12)); err != nil {
		t.Fatal(err)
	}
	if end := checkLog(t, n.load(id)); end != 12 {
		t.Errorf("the log ends at %d", end)
	}
	aside, err := n.ListAside(within(t))
	if err != nil || len(aside) != 1 || aside[0].Last != 3 {
		t.Errorf("set aside: %+v, %v", aside, err)
	}
	if err := n.Remove(within(t), id); err != nil {
		t.Fatal(err)
	}
	if err := n.Import(within(t), fromElsewhere(id, 5, 40)); err != nil {
		t.Errorf("and again: %v", err)
	}
}

func TestImportRefusesWhatIsNotWhole(t *testing.T) {
	n := open(t, t.TempDir(), journal.Options{})
	bad := fromElsewhere(roomID(1), 3, 12)
	bad.Batches = bad.Batches[1:]
	if err := n.Import(within(t), bad); err == nil || !strings.Contains(err.Error(), "goes on with 6 to 10 behind 0") {
		t.Errorf("a log with a hole: %v", err)
	}
	if _, err := n.Load(within(t), roomID(1)); !errors.Is(err, record.ErrNotFound) {
		t.Errorf("after a refused import: %v", err)
	}
}

// TestCancelledImport cancels an import while the writer is busy. Nothing of it is kept, then or later.
func TestCancelledImport(t *testing.T) {
	dir := t.TempDir()
	n := open(t, dir, journal.Options{})
	other, id := roomID(1), roomID(2)
	n.create(other)
	busy, idle := make(chan struct{}), make(chan struct{})
	err := n.Append(batch(other, 1, 1, 1), nil, func(error) { close(busy); <-idle }) // on the writer's goroutine
	if err != nil {
		t.Fatal(err)
	}
	<-busy
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := n.Import(ctx, fromElsewhere(id, 3, 12)); !errors.Is(err, context.Canceled) {
		t.Errorf("an import that is cut short: %v", err)
	}
	gone := func(when string) {
		t.Helper()
		if _, err := n.Load(within(t), id); !errors.Is(err, record.ErrNotFound) {
			t.Errorf("%s: %v", when, err)
		}
	}
	gone("at once")
	close(idle)
	n.append(batch(other, 1, 2, 2), nil) // behind what was queued
	gone("when the writer has gone on")
	n.close()
	n = open(t, dir, journal.Options{})
	gone("in the next life")
	if err := n.Import(within(t), fromElsewhere(id, 3, 12)); err != nil || checkLog(t, n.load(id)) != 12 {
		t.Errorf("imported again: %v", err)
	}
}
