package core

import (
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// MaxReplayBytes is the largest size of a replay in bytes, packed and unpacked.
const MaxReplayBytes = 1 << 30

// replayMagic begins every replay. Its last digit is the version of the format.
const replayMagic = "roomring replay 1\n"

// pack compresses plain into one zstd frame. The result has its own memory and no spare capacity.
func pack(plain []byte) []byte { return slices.Clip(compressor.EncodeAll(plain, nil)) }

// replay returns the whole log with all that is needed to run it again: the magic, then zstd frames of one CBOR sequence of
// header, final and entries. It leaves out the join code and the clients' ids, because players may still use them.
func (l *logbook) replay(h record.Header, f record.Final) (record.Parts, error) {
	return l.replayAfter(h, f, 0)
}

// replayAfter is replay without the parts that hold nothing after index i.
func (l *logbook) replayAfter(h record.Header, f record.Final, i room.Index) (record.Parts, error) {
	head, err := replayHead(h, f)
	if err != nil {
		return nil, err
	}
	l.flush()
	known, _ := slices.BinarySearch(l.ends, i+1)
	parts := record.Parts{head}
	parts = append(parts, l.packed[known:]...)
	return append(parts, pack(l.plain)), nil
}

// replayHead returns the part of a replay before its entries.
func replayHead(h record.Header, f record.Final) ([]byte, error) {
	h.Code, f.Replay = "", nil
	head, err := encMode.Marshal(h)
	if err != nil {
		return nil, err
	}
	tail, err := encMode.Marshal(f)
	if err != nil {
		return nil, err
	}
	return compressor.EncodeAll(slices.Concat(head, tail), []byte(replayMagic+anonymousMark)), nil
}

// Replay returns the whole log so far. It is for operators only, because it holds the seed and every hidden fact.
func (c *Core) Replay() (record.Parts, error) { return c.ReplayAfter(0) }

// ReplayAfter is Replay without the first entries, for who has them: it leaves out most of those up to index i, and none
// after it. The log may begin after i by itself, see KindCut.
func (c *Core) ReplayAfter(i room.Index) (record.Parts, error) {
	var f record.Final
	if c.s.Final != nil {
		f = *c.s.Final
		f.Hash = f.Sum()
	}
	return c.log.replayAfter(c.header, f, i)
}

// ReplayReader reads a replay as a stream. It needs memory for one entry at a time.
type ReplayReader struct {
	Header record.Header
	Final  record.Final // zero when the room was still live

	plain *zstd.Decoder
	items *cbor.Decoder
}

// OpenReplay reads the header and the end of a replay that Core.Seal or Core.Replay made. The error says what is wrong with
// the replay. The caller must call Close. r stays the caller's.
func OpenReplay(r io.Reader) (*ReplayReader, error) {
	magic := make([]byte, len(replayMagic))
	switch _, err := io.ReadFull(r, magic); {
	case err != nil && !errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF):
		return nil, fmt.Errorf("replay: %w", err)
	case string(magic) != replayMagic:
		return nil, fmt.Errorf("this is no replay, or one of a newer roomring: it does not begin with %q", replayMagic)
	}
	plain, err := zstd.NewReader(r, zstd.WithDecoderConcurrency(1), zstd.WithDecoderLowmem(true), zstd.WithDecoderMaxMemory(MaxReplayBytes))
	if err != nil {
		return nil, fmt.Errorf("replay: %w", err)
	}
	rr, bounded := &ReplayReader{plain: plain}, io.LimitReader(plain, MaxReplayBytes)
	head := decMode.NewDecoder(bounded)
	if err := head.Decode(&rr.Header); err != nil {
		rr.Close()
		return nil, fmt.Errorf("replay: header: %w", err)
	}
	if err := head.Decode(&rr.Final); err != nil {
		rr.Close()
		return nil, fmt.Errorf("replay: result: %w", err)
	}
	rr.items = strictMode.NewDecoder(io.MultiReader(head.Buffered(), bounded))
	return rr, nil
}

// Entries iterates over the log. It works once. Runs of ticks come as single ticks. Errors are as in DecodeEntries.
func (r *ReplayReader) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			var e Entry
			err := r.items.Decode(&e)
			if err == io.EOF {
				return
			}
			if err == nil {
				err = e.checkKind()
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("replay: %w", logError(err)))
				return
			}
			for one := range e.ticks() {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// Close frees the decoder. It is safe to call more than once.
func (r *ReplayReader) Close() { r.plain.Close() }

// Replay is a room's whole log in memory.
type Replay struct {
	Header  record.Header
	Final   record.Final // zero when the room was still live
	Entries []Entry
}

// ReadReplay unpacks a whole replay into memory. The error says what is wrong with the replay; the result then has the entries
// before the error.
func ReadReplay(r io.Reader) (Replay, error) {
	rr, err := OpenReplay(r)
	if err != nil {
		return Replay{}, err
	}
	defer rr.Close()
	out := Replay{Header: rr.Header, Final: rr.Final}
	for e, err := range rr.Entries() {
		if err != nil {
			return out, err
		}
		out.Entries = append(out.Entries, e)
	}
	return out, nil
}

// Log iterates over a room's entries from the first one. It may be called any number of times.
type Log func() iter.Seq2[Entry, error]

// Log returns the entries as a Log.
func (r *Replay) Log() Log { return LogOf(r.Entries) }

// LogOf returns a Log of entries in memory. It does not copy them.
func LogOf(entries []Entry) Log {
	return func() iter.Seq2[Entry, error] {
		return func(yield func(Entry, error) bool) {
			for _, e := range entries {
				if !yield(e, nil) {
					return
				}
			}
		}
	}
}
