package core_test

import (
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/fxamacker/cbor/v2"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// newerLogs returns rooms as a program with a later runtime may have left them. Each key is a part of the error about the room.
func newerLogs(t *testing.T, kept record.Kept) map[string]record.Kept {
	encode := func(v any) []byte {
		raw, err := cbor.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		return raw
	}
	behind := func(fields map[int]any) record.Kept {
		fields[20], fields[21] = uint64(kept.Last()+1), uint64(kept.Epoch)
		out := kept
		out.Batches = append(slices.Clone(kept.Batches), record.Batch{
			Room: kept.Header.ID, Epoch: kept.Epoch, First: kept.Last() + 1, Last: kept.Last() + 1, Entries: encode(fields),
		})
		return out
	}
	runtime := func(n int) record.Kept {
		out := kept
		out.Header.Runtime = n
		return out
	}
	snapshot := kept
	snapshot.Snapshots = []record.Snapshot{{Room: kept.Header.ID, Epoch: kept.Epoch, Index: kept.Last(), Data: encode(map[int]any{1: uint64(kept.Last()), 99: true})}}
	next := core.RuntimeVersion + 1
	return map[string]record.Kept{
		fmt.Sprintf("needs version %d of the runtime", next): runtime(next),
		"needs version 0 of the runtime":                     runtime(0),
		"an input of kind 200, at":                           behind(map[int]any{1: 200}),
		"an input that says":                                 behind(map[int]any{1: int(core.KindDetach), 3: "x", 99: true}),
		"its snapshot holds":                                 snapshot,
	}
}

func TestARoomOfANewerRuntimeIsRefused(t *testing.T) {
	b := newBench(t, counterRules(), "")
	b.act(b.join("x"), `{"by":7}`)
	for says, kept := range newerLogs(t, b.kept()) {
		_, restored := core.Restore(b.cfg, kept)
		for by, err := range map[string]error{"Restore": restored, "CheckVersion": core.CheckVersion(b.cfg, kept)} {
			if _, ok := errors.AsType[*core.VersionError](err); !ok || !strings.Contains(err.Error(), says) {
				t.Errorf("%s: %v, want a VersionError with %q", by, err, says)
			}
		}
	}
}

func TestARoomOfAnOlderRuntimeContinues(t *testing.T) {
	b := newBench(t, counterRules(), "")
	b.act(b.join("x"), `{"by":7}`)
	kept := b.kept()
	kept.Header.Runtime = core.OldestRuntime
	c, err := core.Restore(b.cfg, kept)
	if err != nil {
		t.Fatal(err)
	}
	if c.Header().Runtime != core.OldestRuntime {
		t.Errorf("its runtime is %d now", c.Header().Runtime)
	}
	if v, _ := c.WholeView(room.Spectator); string(v) != `{"sum":7}` {
		t.Errorf("it shows %s", v)
	}
}
