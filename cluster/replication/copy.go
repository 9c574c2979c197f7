package replication

import (
	"errors"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// Errors of Copy.Take.
var (
	ErrOld      = errors.New("the owner's epoch is older than one that this copy knows")
	ErrMismatch = errors.New("the copy does not have the entry before the first one sent")
)

// Copy is a follower's side of one room: what its journal has or will have, and the highest epoch that it has promised to
// follow. The zero Copy is empty.
type Copy struct {
	History
	Promised record.Epoch
	Doubt    record.Doubt
}

// Span is a part of an append that is of one epoch.
type Span struct {
	Epoch       record.Epoch
	First, Last room.Index
}

// Placement is what is to be done with an append.
type Placement struct {
	Reset bool       // drop all entries first: the owner's log begins later
	Cuts  bool       // drop the entries behind Cut first
	Cut   room.Index // valid if Cuts
	From  room.Index // write what is sent from here on; beyond the last entry sent: nothing
	Mark  bool       // note Promised and Doubt, which the entries alone do not say
}

// Take decides on an append at the owner's epoch, behind the entry before. A zero before means that the spans are the
// beginning of the owner's log. Full says that they bring the copy to all that the owner had when it began to feed it. What
// agrees with the copy stays, and the copy is cut from the first entry that differs. Take changes the copy, unless it
// returns an error: ErrOld or ErrMismatch.
func (c *Copy) Take(e record.Epoch, before record.Point, spans []Span, full bool) (Placement, error) {
	var p Placement
	switch {
	case e < c.Promised && !without(NoOldOwner):
		return p, ErrOld
	case before.Seq > c.Last, before.Seq > 0 && c.At(before.Seq) != before.Epoch && !without(EntryBefore):
		return p, ErrMismatch
	case before.Seq == 0 && len(spans) > 0 && spans[0].First > 1 && c.At(spans[0].First) != spans[0].Epoch:
		p.Reset = c.Last > 0
		c.History = History{}
	}
	p.From = before.Seq + 1
	for _, s := range spans {
		first := max(s.First, p.From)
		for first <= s.Last && c.At(first) == s.Epoch && !without(KeepAgreed) {
			first++
		}
		p.From = first
		if first > s.Last {
			continue
		}
		if first <= c.Last {
			p.Cuts, p.Cut = true, first-1
			c.Cut(first - 1)
		}
		break
	}
	for _, s := range spans {
		if s.Last >= p.From {
			c.Add(s.Epoch, max(s.First, p.From), s.Last)
		}
	}
	doubt := c.Doubt
	switch {
	case full:
		c.Doubt = record.Whole
	case c.Doubt == record.Unsure:
		c.Doubt = record.Partial
	}
	p.Mark = c.Doubt != doubt || e > c.Promised && c.At(c.Last) < e
	c.Promised = max(c.Promised, e)
	return p, nil
}
