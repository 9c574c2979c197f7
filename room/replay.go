package room

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"slices"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
)

// MaxReplayBytes bounds a replay, packed and unpacked.
const MaxReplayBytes = 1 << 30

// replayMagic opens every replay; its last digit is the version of the form.
const replayMagic = "roomring replay 1\n"

// Parts are the bytes of a replay in pieces that follow each other, so that a log of any length is kept, stored and sent
// without a copy of the whole. They are shared: nobody changes them.
type Parts [][]byte

// Len is how many bytes the parts have together.
func (p Parts) Len() int {
	n := 0
	for _, part := range p {
		n += len(part)
	}
	return n
}

// Reader reads the parts one after the other.
func (p Parts) Reader() io.Reader {
	readers := make([]io.Reader, len(p))
	for i, part := range p {
		readers[i] = bytes.NewReader(part)
	}
	return io.MultiReader(readers...)
}

// Join is the parts as one.
func (p Parts) Join() []byte { return slices.Concat(p...) }

// Split cuts p between parts into pieces of at most size bytes each; a larger part is a piece of its own. There is always
// one piece, which may be empty.
func (p Parts) Split(size int) []Parts {
	pieces, from, n := []Parts{}, 0, 0
	for i, part := range p {
		if i > from && n+len(part) > size {
			pieces, from, n = append(pieces, p[from:i]), i, 0
		}
		n += len(part)
	}
	return append(pieces, p[from:])
}

// pack is a zstd frame of its own memory, no larger than it must be.
func pack(plain []byte) []byte { return slices.Clip(compressor.EncodeAll(plain, nil)) }

// replay is the whole log with what is needed to run it again: the magic, then zstd frames of one CBOR
// sequence of header, final and entries. The join code and clients' ids are left out, for whoever plays on may use them still.
func (l *logbook) replay(h Header, f Final) (Parts, error) {
	head, err := replayHead(h, f)
	if err != nil {
		return nil, err
	}
	l.flush()
	parts := Parts{head}
	parts = append(parts, l.packed...)
	return append(parts, pack(l.plain)), nil
}

// replayHead is all of a replay before its entries.
func replayHead(h Header, f Final) ([]byte, error) {
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

// Replay is the log so far, whole, for the operator: it holds the seed and every hidden fact.
func (c *Core) Replay() (Parts, error) {
	var f Final
	if c.s.Final != nil {
		f = *c.s.Final
	}
	return c.log.replay(c.header, f)
}

// ReplayReader reads a replay as a stream, in the memory of its longest input.
type ReplayReader struct {
	Header Header
	Final  Final // zero when the room was still live

	plain *zstd.Decoder
	items *cbor.Decoder
}

// OpenReplay reads the beginning of what Core.Seal or Core.Replay made. The error says what is wrong with it. Close
// frees what it holds; r stays the caller's.
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

// Entries goes through the log, once; runs come as single ticks. Its errors are those of DecodeEntries.
func (r *ReplayReader) Entries() iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for {
			var e Entry
			err := r.items.Decode(&e)
			if err == io.EOF {
				return
			}
			if err == nil {
				err = e.known()
			}
			if err != nil {
				yield(Entry{}, fmt.Errorf("replay: %w", logError(err)))
				return
			}
			for one := range e.singles() {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// Close frees the decoder. It is safe to call more than once.
func (r *ReplayReader) Close() { r.plain.Close() }

// Replay is a room's whole log, unpacked.
type Replay struct {
	Header  Header
	Final   Final // zero when the room was still live
	Entries []Entry
}

// ReadReplay unpacks a whole replay into memory. The error says what is wrong with it.
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

// Log goes through a room's entries from the first one on, as often as it is called.
type Log func() iter.Seq2[Entry, error]

// Log goes through the entries in memory.
func (r *Replay) Log() Log { return LogOf(r.Entries) }

// LogOf goes through entries in memory.
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
