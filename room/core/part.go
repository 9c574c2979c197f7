package core

import (
	"fmt"
	"iter"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// The functions here divide what EncodeEntries made without understanding it. A node keeps logs of newer programs too, so what they do not
// change stays as it is, byte for byte. Their results may share the memory of what they were given.

// Keys of an entry's fields that change when a run of ticks is divided.
const (
	atKey     = 2
	countKey  = 11
	everyKey  = 13
	indexKey  = 20
	checksKey = 24
)

// fieldsMode decodes an entry into its fields, none of which may be there twice.
var fieldsMode = must(cbor.DecOptions{UTF8: cbor.UTF8DecodeInvalid, DupMapKey: cbor.DupMapKeyEnforcedAPF}.DecMode())

// place is what tells an entry's place in the log, of any entry, also of a kind that this program does not have.
type place struct {
	At    time.Duration `cbor:"2,keyasint"`
	Count uint32        `cbor:"11,keyasint"`
	Every time.Duration `cbor:"13,keyasint"`
	Index room.Index    `cbor:"20,keyasint"`
	Epoch record.Epoch  `cbor:"21,keyasint"`

	from, to int // its bytes
}

// last is the entry's index, or that of the last tick of a run.
func (p *place) last() room.Index { return p.Index + room.Index(max(p.Count, 1)) - 1 }

// time is room time at an index of the entry.
func (p *place) time(i room.Index) time.Duration { return p.At + time.Duration(i-p.Index)*p.Every }

// places goes through entries. It stops after an error.
func places(b []byte) iter.Seq2[place, error] {
	return func(yield func(place, error) bool) {
		for rest := b; len(rest) > 0; {
			p := place{from: len(b) - len(rest)}
			after, err := decMode.UnmarshalFirst(rest, &p)
			if err != nil {
				yield(place{}, fmt.Errorf("log: %w", err))
				return
			}
			rest, p.to = after, len(b)-len(after)
			if !yield(p, nil) {
				return
			}
		}
	}
}

// EntriesUpTo returns the part up to last of what EncodeEntries made, with the epoch and room time of the entry at last. The error says that
// b cannot be read up to there, or has no entry at last.
func EntriesUpTo(b []byte, last room.Index) (kept []byte, epoch record.Epoch, at time.Duration, err error) {
	for p, err := range places(b) {
		switch {
		case err != nil:
			return nil, 0, 0, err
		case p.last() < last:
			continue
		case p.Index > last:
			return nil, 0, 0, noEntry(last)
		case p.last() == last:
			return b[:p.to:p.to], p.Epoch, p.time(last), nil
		}
		run, err := partOfRun(b[p.from:p.to], &p, p.Index, last)
		return append(b[:p.from:p.from], run...), p.Epoch, p.time(last), err
	}
	return nil, 0, 0, noEntry(last)
}

func noEntry(i room.Index) error { return fmt.Errorf("log: it has no entry %d", i) }

// Tail returns the part of a batch from an index on. The error says that it cannot be read up to there, or has no entry there.
func Tail(b record.Batch, from room.Index) (record.Batch, error) {
	if from <= b.First {
		return b, nil
	}
	tail := b
	tail.First, tail.Begins = from, false
	for p, err := range places(b.Entries) {
		switch {
		case err != nil:
			return b, err
		case p.last() < from:
			continue
		case p.Index > from:
			return b, noEntry(from)
		case p.Index == from:
			tail.Entries = b.Entries[p.from:]
			return tail, nil
		}
		run, err := partOfRun(b.Entries[p.from:p.to], &p, from, p.last())
		tail.Entries = append(run, b.Entries[p.to:]...)
		return tail, err
	}
	return b, noEntry(from)
}

// ByEpoch divides a batch so that all entries of each part are of one epoch.
func ByEpoch(b record.Batch) (parts []record.Batch, err error) {
	part := b
	begin := 0
	var before place
	for p, err := range places(b.Entries) {
		switch {
		case err != nil:
			return nil, err
		case p.from == 0 && p.Epoch == b.Epoch: // epochs grow, and the last entry is of this one
			return []record.Batch{b}, nil
		case p.from > 0 && p.Epoch != before.Epoch:
			part.Epoch, part.Last, part.Time = before.Epoch, before.last(), before.time(before.last())
			part.Entries = b.Entries[begin:p.from:p.from]
			parts = append(parts, part)
			begin, part = p.from, b
			part.First, part.Begins = p.Index, false
		}
		before = p
	}
	part.Entries = b.Entries[begin:]
	return append(parts, part), nil
}

// partOfRun returns the ticks of a run, which is at p, from one index to another.
func partOfRun(run []byte, p *place, first, last room.Index) ([]byte, error) {
	var fields map[uint64]cbor.RawMessage
	if err := fieldsMode.Unmarshal(run, &fields); err != nil {
		return nil, fmt.Errorf("log: %w", err)
	}
	skipped, count := uint32(first-p.Index), uint32(last-first)+1
	fields[countKey] = must(encMode.Marshal(count))
	if count == 1 {
		delete(fields, countKey)
		delete(fields, everyKey)
	}
	if skipped > 0 {
		fields[indexKey], fields[atKey] = must(encMode.Marshal(first)), must(encMode.Marshal(p.time(first)))
	}
	if raw, has := fields[checksKey]; has {
		var checks, left []ViewCheck
		if err := decMode.Unmarshal(raw, &checks); err != nil {
			return nil, fmt.Errorf("log: %w", err)
		}
		for _, c := range checks {
			if c.After >= skipped && c.After-skipped < count {
				c.After -= skipped
				left = append(left, c)
			}
		}
		if delete(fields, checksKey); len(left) > 0 {
			fields[checksKey] = must(encMode.Marshal(left))
		}
	}
	return encMode.Marshal(fields)
}
