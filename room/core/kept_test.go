package core_test

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/klauspost/compress/zstd"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

func keptRoom(t testing.TB) record.Kept {
	t.Helper()
	h := record.Header{
		ID: "0123456789abcdef", Game: "counter", Version: 1, Runtime: core.RuntimeVersion, Name: "näme",
		Options: json.RawMessage(`{}`), Private: true, Code: "abcd", Seed: [32]byte{1, 2}, Durability: room.Local,
		Created: time.Date(2026, 11, 21, 10, 0, 0, 123456789, time.UTC),
	}
	k := record.Kept{Header: h, Epoch: 1 << 33, Time: 90*time.Second + 1}
	machine, entries, err := core.Open(core.Config{Header: h, Rules: counterRules()}, 3)
	if err != nil {
		t.Fatal(err)
	}
	for i := range 5 {
		ready, err := machine.Step(core.Input{Kind: core.KindJoin, Player: room.PlayerID(fmt.Sprint("p", i)), At: time.Duration(i) * time.Second})
		if err != nil {
			t.Fatal(err)
		}
		if ready.Entry != nil {
			entries = append(entries, *ready.Entry)
		}
		if i == 1 || i == 3 {
			snap, err := machine.Snapshot()
			if err != nil {
				t.Fatal(err)
			}
			k.Snapshots = append(k.Snapshots, snap)
		}
	}
	for _, e := range entries {
		raw, err := core.EncodeEntries(nil, e)
		if err != nil {
			t.Fatal(err)
		}
		k.Batches = append(k.Batches, record.Batch{Room: h.ID, Epoch: e.Epoch, First: e.Index, Last: e.Index, Time: e.At, Entries: raw})
	}
	return k
}

func logOf(k record.Kept) []byte {
	var all []byte
	for _, b := range k.Batches {
		all = append(all, b.Entries...)
	}
	return all
}

func TestKeptRoundTrip(t *testing.T) {
	k := keptRoom(t)
	b, err := core.EncodeKept(k)
	if err != nil {
		t.Fatal(err)
	}
	got, err := core.DecodeKept(b)
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(got.Header, k.Header) || got.Epoch != k.Epoch || got.Time != k.Time || !reflect.DeepEqual(got.Snapshots, k.Snapshots) {
		t.Errorf("it came back as %+v", got)
	}
	if !bytes.Equal(logOf(got), logOf(k)) || got.Last() != k.Last() {
		t.Errorf("the log differs")
	}
	if len(got.Batches) != 1 {
		t.Errorf("the log came in %d batches", len(got.Batches))
	}
	cfg := core.Config{Rules: counterRules()}
	was, err := core.Restore(cfg, k)
	if err != nil {
		t.Fatal(err)
	}
	is, err := core.Restore(cfg, got)
	if err != nil || is.Point() != was.Point() {
		t.Errorf("restored at %v, %v; before it was %v", is.Point(), err, was.Point())
	}
}

func TestKeptRefusesInconsistentRooms(t *testing.T) {
	for _, c := range []struct {
		what   string
		change func(k *record.Kept)
		want   string // of the error
	}{
		{"no id", func(k *record.Kept) {
			k.Header.ID = "x"
			for i := range k.Batches {
				k.Batches[i].Room = "x"
			}
			for i := range k.Snapshots {
				k.Snapshots[i].Room = "x"
			}
		}, record.ErrBadID.Error()},
		{"a hole", func(k *record.Kept) { k.Batches[2].First++ }, "its log goes on with"},
		{"a batch that ends before it begins", func(k *record.Kept) { k.Batches[2].Last = 0 }, "its log goes on with"},
		{"another room's batch", func(k *record.Kept) { k.Batches[1].Room = "other" }, "its log goes on with"},
		{"another room's snapshot", func(k *record.Kept) { k.Snapshots[1].Room = "other" }, "a snapshot at"},
		{"a snapshot beyond the end", func(k *record.Kept) { k.Snapshots[1].Index = 99 }, "a snapshot at 99"},
		{"snapshots in the wrong order", func(k *record.Kept) { k.Snapshots[1].Index = k.Snapshots[0].Index }, "a snapshot at"},
		{"three snapshots", func(k *record.Kept) {
			s := k.Snapshots[1]
			s.Index++
			k.Snapshots = append(k.Snapshots, s)
		}, "3 snapshots"},
		{"time below zero", func(k *record.Kept) { k.Time = -1 }, "below zero"},
	} {
		k := keptRoom(t)
		c.change(&k)
		if _, err := core.EncodeKept(k); !errors.Is(err, record.ErrPermanent) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: %v, want a permanent %q", c.what, err, c.want)
		}
	}
	for _, b := range []string{"", "roomring kept 2\nx", "roomring kept 1\n", "roomring kept 1\nxxxx"} {
		if _, err := core.DecodeKept([]byte(b)); err == nil {
			t.Errorf("%q: decoded", b)
		}
	}
}

// TestKeptIsBounded decodes data that would unpack to more than MaxKeptBytes.
func TestKeptIsBounded(t *testing.T) {
	w, err := zstd.NewWriter(nil)
	if err != nil {
		t.Fatal(err)
	}
	defer w.Close()
	bomb := []byte("roomring kept 1\n")
	bomb = w.EncodeAll(make([]byte, core.MaxKeptBytes+1), bomb)
	if _, err := core.DecodeKept(bomb); err == nil || !strings.Contains(err.Error(), "size") {
		t.Errorf("a bomb of %d bytes: %v", len(bomb), err)
	}
}

func FuzzDecodeKept(f *testing.F) {
	b, err := core.EncodeKept(keptRoom(f))
	if err != nil {
		f.Fatal(err)
	}
	f.Add(b)
	f.Add([]byte("roomring kept 1\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		k, err := core.DecodeKept(b)
		if err != nil {
			return
		}
		again, err := core.EncodeKept(k)
		if err != nil {
			t.Fatalf("what was decoded cannot be encoded: %v", err)
		}
		if same, err := core.DecodeKept(again); err != nil || same.Last() != k.Last() || !bytes.Equal(logOf(same), logOf(k)) {
			t.Fatalf("it changed on its way: %v", err)
		}
	})
}
