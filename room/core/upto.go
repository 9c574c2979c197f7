package core

import (
	"fmt"
	"time"

	"github.com/fxamacker/cbor/v2"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Keys of an entry's fields that change when a run of ticks is shortened.
const (
	countKey  = 11
	everyKey  = 13
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
}

// EntriesUpTo returns the part up to last of what EncodeEntries made, with the epoch and room time of the entry at last. A run of ticks that
// goes further is shortened. What comes before stays as it is, byte for byte, also what only a newer program understands. The result may
// share b's memory. The error says that b cannot be read up to there, or has no entry at last.
func EntriesUpTo(b []byte, last room.Index) (kept []byte, epoch record.Epoch, at time.Duration, err error) {
	for rest := b; len(rest) > 0; {
		var p place
		after, err := decMode.UnmarshalFirst(rest, &p)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("log: %w", err)
		}
		end := p.Index + room.Index(max(p.Count, 1)) - 1
		if p.Index > last {
			break
		}
		n := len(b) - len(rest)
		if end < last {
			rest = after
			continue
		}
		at := p.At + time.Duration(last-p.Index)*p.Every
		if end == last {
			m := len(b) - len(after)
			return b[:m:m], p.Epoch, at, nil
		}
		run, err := shortenRun(rest[:len(rest)-len(after)], uint32(last-p.Index)+1)
		if err != nil {
			return nil, 0, 0, fmt.Errorf("log: %w", err)
		}
		return append(b[:n:n], run...), p.Epoch, at, nil
	}
	return nil, 0, 0, fmt.Errorf("log: it has no entry %d", last)
}

// shortenRun leaves the first ticks of a run.
func shortenRun(run []byte, count uint32) ([]byte, error) {
	var fields map[uint64]cbor.RawMessage
	if err := fieldsMode.Unmarshal(run, &fields); err != nil {
		return nil, err
	}
	fields[countKey] = must(encMode.Marshal(count))
	if count == 1 {
		delete(fields, countKey)
		delete(fields, everyKey)
	}
	if raw, has := fields[checksKey]; has {
		var checks, left []ViewCheck
		if err := decMode.Unmarshal(raw, &checks); err != nil {
			return nil, err
		}
		for _, c := range checks {
			if c.After < count {
				left = append(left, c)
			}
		}
		if delete(fields, checksKey); len(left) > 0 {
			fields[checksKey] = must(encMode.Marshal(left))
		}
	}
	return encMode.Marshal(fields)
}
