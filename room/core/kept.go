package core

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/klauspost/compress/zstd"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// keptMagic begins every encoded record.Kept. Its last digit is the version of the format.
const keptMagic = "roomring kept 1\n"

// MaxKeptBytes is the largest unpacked size of an encoded record.Kept, in bytes.
const MaxKeptBytes = 256 << 20

// keptBatchBytes is the size up to which batches of an encoded record.Kept are joined.
const keptBatchBytes = 1 << 20

// keptForm is the compressed part after the magic. The header is JSON, as in journals, because CBOR would truncate its times.
type keptForm struct {
	Header    []byte         `cbor:"1,keyasint"`
	Epoch     record.Epoch   `cbor:"2,keyasint"`
	Time      int64          `cbor:"3,keyasint"`
	Cut       string         `cbor:"4,keyasint,omitempty"`
	Snapshots []snapshotForm `cbor:"5,keyasint,omitempty"`
	Batches   []batchForm    `cbor:"6,keyasint,omitempty"`
}

type snapshotForm struct {
	Epoch record.Epoch `cbor:"1,keyasint"`
	Index room.Index   `cbor:"2,keyasint"`
	Data  []byte       `cbor:"3,keyasint"`
}

type batchForm struct {
	Epoch   record.Epoch `cbor:"1,keyasint"`
	First   room.Index   `cbor:"2,keyasint"`
	Last    room.Index   `cbor:"3,keyasint"`
	Time    int64        `cbor:"4,keyasint"`
	Entries []byte       `cbor:"5,keyasint"`
}

var unpacker = must(zstd.NewReader(nil, zstd.WithDecoderConcurrency(0), zstd.WithDecoderMaxMemory(MaxKeptBytes)))

// CheckKept returns an error if k is inconsistent, for instance if its log has gaps or a snapshot lies beyond its end. It does
// not read the entries.
func CheckKept(k *record.Kept) error {
	id := k.Header.ID
	if _, err := record.ParseID(string(id)); err != nil {
		return err
	}
	var last room.Index
	if len(k.Batches) > 0 && BeginsLog(k.Batches[0].First, k.Batches[0].Entries) {
		last = k.Batches[0].First - 1
	}
	for _, b := range k.Batches {
		if b.Room != id || b.First != last+1 || b.Last < b.First {
			return fmt.Errorf("room %s: its log goes on with %d to %d behind %d", id, b.First, b.Last, last)
		}
		last = b.Last
	}
	if len(k.Snapshots) > 2 {
		return fmt.Errorf("room %s has %d snapshots: at most two are kept", id, len(k.Snapshots))
	}
	var before room.Index
	for _, s := range k.Snapshots {
		if s.Room != id || s.Index <= before || s.Index > last {
			return fmt.Errorf("room %s: a snapshot at %d, behind one at %d, of a log to %d", id, s.Index, before, last)
		}
		before = s.Index
	}
	if k.Time < 0 {
		return errors.New("room time is below zero")
	}
	return nil
}

// EncodeKept packs all that a journal holds of a room, to send it to another node: the magic, then one zstd frame of CBOR. Like
// the header, the result is secret while the room lives. The error is a record.ErrPermanent. It says what is wrong with k, or
// that k is larger than MaxKeptBytes.
func EncodeKept(k record.Kept) ([]byte, error) {
	if err := CheckKept(&k); err != nil {
		return nil, record.Permanent(err)
	}
	header, err := json.Marshal(k.Header)
	if err != nil {
		return nil, record.Permanent(err)
	}
	form := keptForm{Header: header, Epoch: k.Epoch, Time: int64(k.Time), Cut: k.Cut}
	for _, s := range k.Snapshots {
		form.Snapshots = append(form.Snapshots, snapshotForm{s.Epoch, s.Index, s.Data})
	}
	for _, b := range joinBatches(k.Batches) {
		form.Batches = append(form.Batches, batchForm{b.Epoch, b.First, b.Last, int64(b.Time), b.Entries})
	}
	plain, err := encMode.Marshal(form)
	if err != nil {
		return nil, record.Permanent(err)
	}
	if len(plain) > MaxKeptBytes {
		return nil, record.Permanent(fmt.Errorf("room %s: its log and snapshots have %d bytes, and at most %d can go to another node", k.Header.ID, len(plain), MaxKeptBytes))
	}
	return compressor.EncodeAll(plain, []byte(keptMagic)), nil
}

// joinBatches joins consecutive batches into larger ones.
func joinBatches(batches []record.Batch) []record.Batch {
	var out []record.Batch
	for _, b := range batches {
		n := len(out) - 1
		if n < 0 || len(out[n].Entries)+len(b.Entries) > keptBatchBytes {
			b.Entries = append([]byte(nil), b.Entries...)
			out = append(out, b)
			continue
		}
		to := &out[n]
		to.Last, to.Epoch, to.Time = b.Last, b.Epoch, b.Time
		to.Entries = append(to.Entries, b.Entries...)
	}
	return out
}

// IsKept reports whether b begins like a result of EncodeKept.
func IsKept(b []byte) bool { return bytes.HasPrefix(b, []byte(keptMagic)) }

// DecodeKept unpacks a result of EncodeKept. It does not check the entries of the log; Restore does. The error says what is
// wrong with b.
func DecodeKept(b []byte) (record.Kept, error) {
	var k record.Kept
	if len(b) < len(keptMagic) || string(b[:len(keptMagic)]) != keptMagic {
		return k, fmt.Errorf("this is no kept room, or one of a newer roomring: it does not begin with %q", keptMagic)
	}
	plain, err := unpacker.DecodeAll(b[len(keptMagic):], nil)
	if err != nil {
		return k, fmt.Errorf("kept room: %w", err)
	}
	var form keptForm
	if err := decMode.Unmarshal(plain, &form); err != nil {
		return k, fmt.Errorf("kept room: %w", err)
	}
	if err := json.Unmarshal(form.Header, &k.Header); err != nil {
		return record.Kept{}, fmt.Errorf("kept room: header: %w", err)
	}
	k.Epoch, k.Time, k.Cut = form.Epoch, time.Duration(form.Time), form.Cut
	for _, s := range form.Snapshots {
		k.Snapshots = append(k.Snapshots, record.Snapshot{Room: k.Header.ID, Epoch: s.Epoch, Index: s.Index, Data: s.Data})
	}
	for _, b := range form.Batches {
		k.Batches = append(k.Batches, record.Batch{
			Room: k.Header.ID, Epoch: b.Epoch, First: b.First, Last: b.Last, Time: time.Duration(b.Time), Entries: b.Entries,
		})
	}
	if err := CheckKept(&k); err != nil {
		return record.Kept{}, fmt.Errorf("kept room: %w", err)
	}
	return k, nil
}
