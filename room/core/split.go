package core

import (
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Tail returns the part of a batch from an index on. The index is in the batch.
func Tail(b record.Batch, from room.Index) (record.Batch, error) {
	if from <= b.First {
		return b, nil
	}
	var rest []Entry
	for e, err := range DecodeEntries(b.Entries) {
		if err != nil {
			return b, err
		}
		if e.Index >= from {
			rest = append(rest, e)
		}
	}
	return rebatch(b, rest)
}

// ByEpoch divides a batch so that all entries of each part are of one epoch.
func ByEpoch(b record.Batch) ([]record.Batch, error) {
	var parts []record.Batch
	var part []Entry
	for e, err := range DecodeEntries(b.Entries) {
		switch {
		case err != nil:
			return nil, err
		case e.Index == b.First && e.Epoch == b.Epoch: // epochs grow, and the last entry is of this one
			return []record.Batch{b}, nil
		case len(part) > 0 && part[0].Epoch != e.Epoch:
			one, err := rebatch(b, part)
			if err != nil {
				return nil, err
			}
			parts, part = append(parts, one), nil
		}
		part = append(part, e)
	}
	last, err := rebatch(b, part)
	return append(parts, last), err
}

// rebatch makes a batch of some of another's entries.
func rebatch(b record.Batch, entries []Entry) (record.Batch, error) {
	first, last := entries[0], entries[len(entries)-1]
	raw, err := EncodeEntries(nil, entries...)
	return record.Batch{
		Room: b.Room, Epoch: last.Epoch, First: first.Index, Last: last.Index, Time: last.At,
		Begins: first.Kind == KindCut, Entries: raw,
	}, err
}
