package core

import (
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// turn is what one input changed for one class.
type turn struct {
	seq    room.Index
	epoch  record.Epoch // of the class's first turn in it; 0: as before
	patch  [2][]byte    // by encoding; empty when the view did not change
	events []event      // events for the whole class, and private ones
	check  *uint32
	shared *Frame
}

// hasPrivate reports whether the turn holds a private event for a player.
func (t *turn) hasPrivate(p room.PlayerID) bool {
	return slices.ContainsFunc(t.events, func(e event) bool { return e.To == p && p != "" })
}

// frame returns the turn for a player. An empty player means all who get no private event. Nil means that there is
// nothing to send. Whoever is in the class is told a new epoch, even those for whom the turn has nothing else.
func (t *turn) frame(p room.PlayerID) *Frame {
	private := t.hasPrivate(p)
	if !private && t.shared != nil {
		return t.shared
	}
	events := t.eventsFor(p)
	if len(events) == 0 && len(t.patch[wire.JSON]) == 0 && t.epoch == 0 {
		return nil
	}
	f := &Frame{Kind: FrameTurn, Epoch: t.epoch, Seq: t.seq, Events: len(events), encode: func(e wire.Encoding) []byte {
		return wire.AppendTurn(nil, e, &wire.Turn{
			Epoch: uint64(t.epoch), Seq: uint64(t.seq), Patch: t.patch[e], Events: events, Check: t.check,
		})
	}}
	if !private {
		t.shared = f
	}
	return f
}

func (t *turn) eventsFor(p room.PlayerID) []wire.Event {
	var out []wire.Event
	for _, e := range t.events {
		if e.To == "" || e.To == p {
			out = append(out, wire.Event{Name: e.Name, Data: e.Data})
		}
	}
	return out
}

func (t *turn) size() int {
	n := len(t.patch[0]) + len(t.patch[1]) + 128
	for _, e := range t.events {
		n += len(e.Data) + len(e.Name)
	}
	return n
}

// turnBuffer keeps the last turns of a class, limited in number and bytes. It has every turn after from.
type turnBuffer struct {
	turns []*turn
	bytes int
	from  room.Index
}

func (b *turnBuffer) add(t *turn, maxTurns, maxBytes int) {
	b.turns = append(b.turns, t)
	b.bytes += t.size()
	drop := 0
	for len(b.turns)-drop > maxTurns || b.bytes > maxBytes && drop < len(b.turns) {
		b.from, b.bytes = b.turns[drop].seq, b.bytes-b.turns[drop].size()
		b.turns[drop] = nil
		drop++
	}
	b.turns = b.turns[drop:] // append moves the rest to a new array from time to time
}

func (b *turnBuffer) after(seq room.Index, p room.PlayerID) []*Frame {
	var out []*Frame
	for _, t := range b.turns {
		if t.seq <= seq {
			continue
		}
		if f := t.frame(p); f != nil {
			out = append(out, f)
		}
	}
	return out
}

// stateFrame returns a class's whole view. All calls at one index without lost share one frame, so a crowd that joins at once
// costs one encoding. It writes the view in both encodings now, because the view keeps changing. It calls lost, unless that
// is nil, when the frame is encoded.
func (c *Core) stateFrame(cl *class, seq room.Index, lost func() uint64) *Frame {
	if lost == nil && cl.whole != nil && cl.whole.Seq == seq {
		return cl.whole
	}
	check := cl.shadow.Checksum()
	whole := [2][]byte{wire.JSON: cl.shadow.AppendJSON(nil), wire.CBOR: cl.shadow.AppendCBOR(nil)}
	epoch := c.s.Epoch
	f := &Frame{Kind: FrameState, Epoch: epoch, Seq: seq, encode: func(e wire.Encoding) []byte {
		state := wire.State{Epoch: uint64(epoch), Seq: uint64(seq), View: whole[e], Check: &check}
		if lost != nil {
			state.Lost = lost()
		}
		return wire.AppendState(nil, e, state)
	}}
	if lost == nil {
		cl.whole = f
	}
	return f
}

// answer queues an ack or reject for a client.
func (c *Core) answer(r *client, a answer) {
	f := &Frame{Kind: FrameAnswer, Seq: a.Index, encode: func(e wire.Encoding) []byte {
		if a.Code == "" {
			return wire.AppendAck(nil, e, wire.Ack{CSeq: uint64(a.CSeq), Seq: uint64(a.Index)})
		}
		return wire.AppendReject(nil, e, wire.Reject{CSeq: uint64(a.CSeq), Seq: uint64(a.Index), Code: a.Code, Reason: a.Reason})
	}}
	c.queue(Answered{c.stamp(), r.Player, r.Client, a.CSeq, f})
}

// answerAgain repeats an answer. An answer that is no longer kept has reached the client, because a client has at most
// KeptAnswers unanswered acts.
func (c *Core) answerAgain(r *client, seq record.CSeq) {
	if i := slices.IndexFunc(r.Answers, func(a answer) bool { return a.CSeq == seq }); i >= 0 {
		c.answer(r, r.Answers[i])
	}
}
