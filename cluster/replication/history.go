package replication

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Run is a part of a log that was written under one epoch. First is the entry that opens the epoch, or, in a log that
// begins later, the log's first entry.
type Run struct {
	Epoch record.Epoch
	First room.Index
}

// History says which epoch each entry of a log is from. An epoch and an index name one entry in one history for ever, so
// two logs that agree at an index agree in everything before it.
type History struct {
	Runs []Run // in order; empty: the log is
	Last room.Index
}

// At is the epoch of the entry at an index, or 0 if the log does not have it.
func (h *History) At(i room.Index) record.Epoch {
	if i > h.Last {
		return 0
	}
	for _, r := range slices.Backward(h.Runs) {
		if r.First <= i {
			return r.Epoch
		}
	}
	return 0
}

// Begin is the index of the first entry; 0: there is none.
func (h *History) Begin() room.Index {
	if len(h.Runs) == 0 {
		return 0
	}
	return h.Runs[0].First
}

// End is the last entry.
func (h *History) End() record.Point { return record.Point{Epoch: h.At(h.Last), Seq: h.Last} }

// Add appends entries of one epoch. They follow the last one, or begin the log.
func (h *History) Add(e record.Epoch, first, last room.Index) {
	if n := len(h.Runs); n == 0 || h.Runs[n-1].Epoch != e {
		h.Runs = append(slices.Clip(h.Runs), Run{e, first})
	}
	h.Last = last
}

// Trim drops the entries before an index.
func (h *History) Trim(first room.Index) {
	n := 0
	for n+1 < len(h.Runs) && h.Runs[n+1].First <= first {
		n++
	}
	if n < len(h.Runs) && h.Runs[n].First < first {
		h.Runs = slices.Clone(h.Runs[n:])
		h.Runs[0].First = first
	}
}

// Cut drops the entries behind an index.
func (h *History) Cut(last room.Index) {
	if last >= h.Last {
		return
	}
	n := len(h.Runs)
	for n > 0 && h.Runs[n-1].First > last {
		n--
	}
	h.Runs, h.Last = slices.Clip(h.Runs[:n]), last
	if n == 0 {
		h.Last = 0
	}
}

// Clone returns a history that shares nothing.
func (h *History) Clone() History { return History{slices.Clone(h.Runs), h.Last} }

// end is the last entry of a run.
func (h *History) end(run int) room.Index {
	if run+1 < len(h.Runs) {
		return h.Runs[run+1].First - 1
	}
	return h.Last
}

// Common is the last index at which two logs agree; 0: there is none.
func Common(a, b *History) room.Index {
	for i, run := range slices.Backward(a.Runs) {
		for j, other := range slices.Backward(b.Runs) {
			if run.Epoch == other.Epoch {
				return min(a.end(i), b.end(j))
			}
		}
	}
	return 0
}
