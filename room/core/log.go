package core

import (
	"errors"
	"fmt"
	"iter"
	"slices"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/klauspost/compress/zstd"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// The forms that reach disk and other nodes are CBOR (RFC 8949) in its deterministic encoding.
var (
	encMode = must(cbor.CoreDetEncOptions().EncMode())
	// What a game calls its timers need not be UTF-8, and what was written must be readable.
	decOptions = cbor.DecOptions{MaxArrayElements: 1 << 20, MaxMapPairs: 1 << 20, UTF8: cbor.UTF8DecodeInvalid}
	decMode    = must(decOptions.DecMode())
	// A field that is not known may change what all the others mean, so entries and snapshots with one are not guessed at.
	strictMode = must(withStrictFields(decOptions).DecMode())

	// It is safe for use by many goroutines at once.
	compressor = warmed(must(zstd.NewWriter(nil, zstd.WithEncoderConcurrency(1), zstd.WithEncoderLevel(zstd.SpeedDefault))))
)

// warmed makes an encoder create its channel now. If it were first used in virtual time, it could be used nowhere else.
func warmed(e *zstd.Encoder) *zstd.Encoder {
	e.EncodeAll([]byte{0}, nil)
	return e
}

func withStrictFields(o cbor.DecOptions) cbor.DecOptions {
	o.ExtraReturnErrors = cbor.ExtraDecErrorUnknownField
	return o
}

func must[T any](v T, err error) T {
	if err != nil {
		panic(err)
	}
	return v
}

// EncodeEntries appends entries as a CBOR sequence (RFC 8742). Consecutive ticks at equal distances become a run.
func EncodeEntries(b []byte, entries ...Entry) ([]byte, error) {
	var err error
	for i := 0; i < len(entries); {
		e := entries[i]
		e.Checks = slices.Clip(e.Checks) // joins appends to them
		i++
		for i < len(entries) && e.absorbTick(&entries[i]) {
			i++
		}
		before := len(b)
		if b, err = appendEntry(slices.Grow(b, e.size()), &e); err != nil {
			return b[:before], fmt.Errorf("entry %d: %w", e.Index, err)
		}
	}
	return b, nil
}

// absorbTick adds next to the run of ticks that e is, if it follows.
func (e *Entry) absorbTick(next *Entry) bool {
	if e.Kind != KindTick || next.Kind != KindTick || e.Epoch != next.Epoch || next.Count > 1 {
		return false
	}
	if e.Result != next.Result || len(e.Checks)+len(next.Checks) > maxRunChecks {
		return false
	}
	n := max(e.Count, 1)
	gap := next.At - e.At
	if next.Index != e.Index+room.Index(n) || n > 1 && gap != time.Duration(n)*e.Every {
		return false
	}
	if n == 1 {
		e.Every = gap
	}
	e.Count = n + 1
	for _, check := range next.Checks {
		check.After = n
		e.Checks = append(e.Checks, check)
	}
	return true
}

// DecodeEntries goes through what EncodeEntries made; a run comes as single ticks. It stops after an error, which is a
// *VersionError if only a newer program can have written the bytes.
func DecodeEntries(b []byte) iter.Seq2[Entry, error] {
	return func(yield func(Entry, error) bool) {
		for len(b) > 0 {
			var e Entry
			rest, err := strictMode.UnmarshalFirst(b, &e)
			if err == nil {
				err = e.checkKind()
			}
			if err != nil {
				yield(Entry{}, logError(err))
				return
			}
			b = rest
			for one := range e.ticks() {
				if !yield(one, nil) {
					return
				}
			}
		}
	}
}

// checkKind returns a *VersionError for an input of a kind that this program does not have.
func (e *Entry) checkKind() error {
	if e.Kind < KindEpoch || int(e.Kind) >= len(kindNames) {
		return unknownPart(fmt.Sprintf("its log has an input of kind %d, at %d", e.Kind, e.Index))
	}
	return nil
}

func logError(err error) error {
	if _, newer := errors.AsType[*cbor.UnknownFieldError](err); newer {
		return unknownPart("its log has an input that says what this program does not know")
	}
	return fmt.Errorf("log: %w", err)
}

// ticks goes through the ticks of a run, or the entry itself.
func (e Entry) ticks() iter.Seq[Entry] {
	return func(yield func(Entry) bool) {
		n, every, checks := max(e.Count, 1), e.Every, e.Checks
		e.Count, e.Every = 0, 0
		for i := range n {
			e.Checks, checks = checksAt(checks, i)
			if !yield(e) {
				return
			}
			e.Index++
			e.At += every
		}
	}
}

// logbook keeps a room's whole log in memory, compressed by parts.
type logbook struct {
	packed record.Parts // zstd frames of CBOR sequences, one a part
	ends   []room.Index // the last index in each of them
	plain  []byte       // the newest part without run
	run    Entry        // the newest entry, while ticks may join it; Index 0 is none
	size   int          // bytes of the log since its beginning, before compression

	anonymous anonymizer
	named     roster
}

// logPartBytes is how much log is compressed at once.
const logPartBytes = 64 << 10

// append adds an entry and returns about how many bytes it took. Entries after the end of a game are not kept.
func (l *logbook) append(e Entry, wasOver bool) int {
	if wasOver || l.run.Index > 0 && l.run.absorbTick(&e) {
		return 1
	}
	if e.Kind == KindCut {
		*l = logbook{}
	}
	l.named.addEntry(&e)
	e = l.anonymous.entry(e)
	n := l.flush()
	l.run, l.run.Checks = e, slices.Clip(e.Checks) // joins appends to them
	return n
}

func (l *logbook) flush() int {
	if l.run.Index == 0 {
		return 0
	}
	before := len(l.plain)
	if cap(l.plain)-before < 256 {
		l.plain = slices.Grow(l.plain, before+256) // doubling, where append would copy it many times more
	}
	last := l.run.last()
	l.plain = must(EncodeEntries(l.plain, l.run))
	l.run = Entry{}
	n := len(l.plain) - before
	l.size += n
	if len(l.plain) >= logPartBytes {
		l.packed, l.ends = append(l.packed, pack(l.plain)), append(l.ends, last)
		l.plain = nil
	}
	return n
}

// last is the index of the entry or, of a run of ticks, that of its last tick.
func (e *Entry) last() room.Index { return e.Index + room.Index(max(e.Count, 1)) - 1 }
