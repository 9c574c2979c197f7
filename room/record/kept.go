package record

import (
	"fmt"
	"time"

	"github.com/roomring/roomring/room"
)

// Kept is what a journal holds of one room: enough to restore it.
type Kept struct {
	Header    Header
	Epoch     Epoch         // the highest of the last entry, the last claim and all that were marked
	Snapshots []Snapshot    // at most two, older first; may be empty
	Batches   []Batch       // the log from index 1 or from a core.KindCut on, in order and without gaps
	Time      time.Duration // room time to continue from: the last mark or the last input, whichever is later
	Cut       string        // why the log's tail was cut at the last whole batch; empty: it was not
	Doubt     Doubt         // whether this copy can be relied on
}

// Last is the last index of the log, or 0 if the log is empty.
func (k *Kept) Last() room.Index {
	if len(k.Batches) == 0 {
		return 0
	}
	return k.Batches[len(k.Batches)-1].Last
}

// Doubt says whether a copy of a room can be relied on. It is a part of the copy and outlives restarts. Only a whole copy may be served. A
// copy that is not whole may also have forgotten the highest epoch that it has confirmed at.
type Doubt uint8

// The doubts.
const (
	Whole   Doubt = iota // it has everything that it ever confirmed
	Partial              // it has a gap that is known: it is still being filled, or damage was cut off
	Unsure               // it may have lost what it confirmed: its machine lost power before the disk had everything
)

func (d Doubt) String() string {
	switch d {
	case Whole:
		return "whole"
	case Partial:
		return "partial"
	case Unsure:
		return "unsure"
	}
	return fmt.Sprintf("doubt %d", uint8(d))
}
