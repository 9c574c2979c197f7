package core_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"testing"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// TestPartsOfLogs divides logs with runs of ticks, of all checks and lengths, everywhere.
func TestPartsOfLogs(t *testing.T) {
	rng := rand.New(rand.NewPCG(1, 2))
	for range 30 {
		var all []core.Entry
		at := time.Duration(0)
		for i := range room.Index(1 + rng.IntN(40)) {
			e := core.Entry{Index: 7 + i, Epoch: 3 + record.Epoch(i/15), Input: core.Input{Kind: core.KindTick, At: at}}
			switch {
			case rng.IntN(6) == 0:
				e.Kind, e.Name, e.Data = core.KindSignal, fmt.Sprint(i), []byte("{}")
			case rng.IntN(3) == 0:
				e.Checks = []core.ViewCheck{{Class: 1, Sum: uint32(i)}, {Class: 2, Sum: 9}}
			}
			at += time.Second
			all = append(all, e)
		}
		raw, err := core.EncodeEntries(nil, all...)
		if err != nil {
			t.Fatal(err)
		}
		before := bytes.Clone(raw)
		for n := range all {
			kept, epoch, end, err := core.EntriesUpTo(raw, all[n].Index)
			want, _ := core.EncodeEntries(nil, all[:n+1]...)
			if err != nil || !bytes.Equal(kept, want) || epoch != all[n].Epoch || end != all[n].At {
				t.Fatalf("up to %d of %d: % x, want % x; epoch %d, at %v, %v", n, len(all), kept, want, epoch, end, err)
			}
		}
		batch := record.Batch{Room: "r", Epoch: all[len(all)-1].Epoch, First: 7, Last: all[len(all)-1].Index, Time: all[len(all)-1].At, Begins: true, Entries: raw}
		for n := range all {
			tail, err := core.Tail(batch, all[n].Index)
			want, _ := core.EncodeEntries(nil, all[n:]...)
			if err != nil || !bytes.Equal(tail.Entries, want) || tail.First != all[n].Index || tail.Last != batch.Last || tail.Time != batch.Time || tail.Begins != (n == 0) {
				t.Fatalf("from %d of %d: %+v, want % x; %v", n, len(all), tail, want, err)
			}
		}
		parts, err := core.ByEpoch(batch)
		if err != nil || len(parts) != (len(all)+14)/15 {
			t.Fatalf("%d entries in %d parts, %v", len(all), len(parts), err)
		}
		for i, p := range parts {
			some := all[15*i : min(15*i+15, len(all))]
			want, _ := core.EncodeEntries(nil, some...)
			end := some[len(some)-1]
			if !bytes.Equal(p.Entries, want) || p.Epoch != end.Epoch || p.First != some[0].Index || p.Last != end.Index || p.Time != end.At || p.Begins != (i == 0) {
				t.Fatalf("part %d: %+v, want % x", i, p, want)
			}
		}
		if !bytes.Equal(raw, before) {
			t.Fatal("what was given is changed")
		}
		if _, err := core.Tail(batch, batch.Last+1); err == nil {
			t.Error("a tail begins behind the end")
		}
		for _, last := range []room.Index{0, 6, all[len(all)-1].Index + 1} {
			if _, _, _, err := core.EntriesUpTo(raw, last); err == nil {
				t.Errorf("up to %d, of 7 to %d", last, all[len(all)-1].Index)
			}
		}
	}
}

// TestPartsKeepWhatTheyDoNotKnow divides a log that a newer program has written.
func TestPartsKeepWhatTheyDoNotKnow(t *testing.T) {
	item := func(fields map[int]any) []byte {
		b, err := cbor.Marshal(fields)
		if err != nil {
			t.Fatal(err)
		}
		return b
	}
	newer := item(map[int]any{1: 200, 20: 1, 21: 4, 99: "who knows"})
	run := item(map[int]any{1: 8, 2: 1000, 11: 5, 13: 10, 20: 2, 21: 4, 99: "who knows"})
	raw := append(bytes.Clone(newer), run...)
	kept, epoch, at, err := core.EntriesUpTo(raw, 1)
	if err != nil || !bytes.Equal(kept, newer) || epoch != 4 || at != 0 {
		t.Errorf("% x, epoch %d, at %v, %v", kept, epoch, at, err)
	}
	kept, _, at, err = core.EntriesUpTo(raw, 4)
	if err != nil || !bytes.HasPrefix(kept, newer) || at != 1020 {
		t.Fatalf("% x, at %v, %v", kept, at, err)
	}
	var fields map[int]any
	if err := cbor.Unmarshal(kept[len(newer):], &fields); err != nil || fields[11] != uint64(3) || fields[99] != "who knows" {
		t.Errorf("the run became %v, %v", fields, err)
	}
	batch := record.Batch{Epoch: 4, First: 1, Last: 6, Time: 1040, Entries: raw}
	tail, err := core.Tail(batch, 3)
	if err != nil || cbor.Unmarshal(tail.Entries, &fields) != nil || fields[2] != uint64(1010) || fields[11] != uint64(4) || fields[20] != uint64(3) || fields[99] != "who knows" {
		t.Errorf("its tail is %v, %v", fields, err)
	}
	if parts, err := core.ByEpoch(batch); err != nil || len(parts) != 1 {
		t.Errorf("%v, %v", parts, err)
	}
	if _, _, _, err := core.EntriesUpTo(append(bytes.Clone(newer), 0xff), 2); err == nil {
		t.Error("bytes that are no entry are taken")
	}
}

// FuzzEntriesUpTo checks that what is left of any log are its first entries.
func FuzzEntriesUpTo(f *testing.F) {
	raw, err := core.EncodeEntries(nil,
		core.Entry{Index: 1, Epoch: 1, Input: core.Input{Kind: core.KindOpen}},
		core.Entry{Index: 2, Epoch: 1, Input: core.Input{Kind: core.KindTick, At: 1, Count: 9, Every: 5}, Checks: []core.ViewCheck{{Class: 1}, {After: 4, Class: 2}}},
		core.Entry{Index: 11, Epoch: 2, Input: core.Input{Kind: core.KindTick, At: 100}})
	if err != nil {
		f.Fatal(err)
	}
	f.Add(raw, uint64(1))
	f.Add(raw, uint64(6))
	f.Add(raw, uint64(11))
	f.Fuzz(func(t *testing.T, raw []byte, last uint64) {
		kept, _, _, err := core.EntriesUpTo(raw, room.Index(last))
		if err != nil {
			return
		}
		const most = 1000 // a run may have billions of ticks
		var all, left []core.Entry
		for e, err := range core.DecodeEntries(raw) {
			if err != nil {
				return // a newer program's, or nobody's
			}
			if len(all) == most {
				break
			}
			all = append(all, e)
		}
		for e, err := range core.DecodeEntries(kept) {
			if err != nil || len(left) == most {
				break
			}
			left = append(left, e)
		}
		if len(left) > len(all) {
			t.Fatalf("%d entries became %d", len(all), len(left))
		}
		for i := range left {
			if left[i].Index != all[i].Index || left[i].At != all[i].At || left[i].Kind != all[i].Kind || len(left[i].Checks) != len(all[i].Checks) {
				t.Fatalf("entry %d was %+v and is %+v", i, all[i], left[i])
			}
		}
	})
}
