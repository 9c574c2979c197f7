package core_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"math/rand/v2"
	"runtime"
	"testing"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// hearer is a game that accepts every text and keeps none of it.
type hearer struct{ Heard int }

func (h *hearer) Act(t *room.Turn, by room.Player, said string) error {
	if h.Heard++; said == "end" {
		t.Finish(room.Result{Outcomes: []room.Outcome{{Player: by.ID, Rank: 1}}})
	}
	return nil
}
func (h *hearer) View(room.Viewer) int { return h.Heard }

// longGame makes a room with about size bytes of acts that cannot be compressed.
func longGame(t *testing.T, size int) *core.Core {
	t.Helper()
	c, _, err := core.Open(core.Config{
		Header: record.Header{ID: "0123456789abcdef", Game: "hearer", Version: 1, Runtime: core.RuntimeVersion},
		Rules:  room.MustDefine(room.Spec{Name: "hearer", Version: 1, SharedView: true}, func() *hearer { return &hearer{} }),
	}, 1)
	if err != nil {
		t.Fatal(err)
	}
	step := func(in core.Input) {
		in.Player, in.Client = "ann", "c"
		if r, err := c.Step(in); err != nil || r.Entry == nil {
			t.Fatal(in.Kind, err, r.Refused)
		}
		c.Commit(c.Point().Seq)
	}
	step(core.Input{Kind: core.KindJoin})
	step(core.Input{Kind: core.KindAttach})
	random := rand.New(rand.NewPCG(1, 2))
	cseq := record.CSeq(0)
	for ; size > 0; size -= 8 << 10 {
		cseq++
		noise := make([]byte, 4<<10)
		for i := range noise {
			noise[i] = byte(random.Uint32())
		}
		step(core.Input{Kind: core.KindAct, CSeq: cseq, Data: fmt.Appendf(nil, `"%x"`, noise)})
	}
	step(core.Input{Kind: core.KindAct, CSeq: cseq + 1, Data: json.RawMessage(`"end"`)})
	return c
}

// TestSealSharesTheLog checks that the end of a long game needs hardly any memory besides the log that the room already holds.
func TestSealSharesTheLog(t *testing.T) {
	c := longGame(t, 8<<20)
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	final, err := c.Seal()
	runtime.ReadMemStats(&after)
	if err != nil {
		t.Fatal(err)
	}
	took := after.TotalAlloc - before.TotalAlloc
	if size := final.Replay.Len(); size < 3<<20 || took > uint64(size)/8 {
		t.Errorf("sealing a replay of %d bytes took %d bytes of memory", size, took)
	}
	replay, err := core.ReadReplay(final.Replay.Reader())
	if err != nil || room.Index(len(replay.Entries)) != c.Point().Seq || replay.Final.End != record.Finished {
		t.Errorf("%d entries of %d, %+v, %v", len(replay.Entries), c.Point().Seq, replay.Final, err)
	}
}

func TestSplitKeepsEveryByte(t *testing.T) {
	whole := []byte("a replay in parts")
	for _, parts := range []record.Parts{nil, {whole}, {whole[:3], whole[3:3], whole[3:4], whole[4:]}} {
		for size := range len(whole) + 2 {
			pieces := parts.Split(size)
			var joined []byte
			for _, p := range pieces {
				if p.Len() > size && len(p) > 1 {
					t.Errorf("a piece of %d bytes in %d parts is larger than %d", p.Len(), len(p), size)
				}
				joined = append(joined, p.Join()...)
			}
			if len(pieces) == 0 || !bytes.Equal(joined, parts.Join()) {
				t.Errorf("%d pieces of at most %d hold %q", len(pieces), size, joined)
			}
		}
		if read, err := io.ReadAll(parts.Reader()); err != nil || !bytes.Equal(read, parts.Join()) {
			t.Errorf("read %q, %v", read, err)
		}
	}
}
