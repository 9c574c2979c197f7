package torture

import (
	"encoding/json"
	"errors"
	"hash/fnv"
	"sync"
	"time"

	"github.com/coder/websocket"
	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/view"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/client"
)

// noteKind says what a client noted.
type noteKind uint8

const (
	noteOpening  noteKind = iota // it opens a socket
	noteLost                     // a socket has ended
	noteSent                     // an act was sent
	noteWelcome                  // a session has begun, or goes on at another owner
	noteState                    // a whole view came
	noteTurn                     // a turn came
	noteAnswered                 // an ack or reject came
	noteMove                     // the server asks to connect elsewhere
	noteOver                     // the room is over
)

// note is one thing that a client sent, saw or went through.
type note struct {
	At        time.Duration // since the run began
	Kind      noteKind
	Epoch     uint64 // that the message told, 0 if none; of an opening, that of the resume point
	Seq       uint64 // of the message; of an opening, that of the resume point
	CSeq      uint64
	Check     uint32 // checksum of the client's own view after a state or turn
	Events    uint64 // hash of the turn's events; 0 if it has none
	Text      string // the owner's node of a welcome, the code of a reject, why a socket was lost, the end of an over
	Data      []byte // an act's data, an over's result
	Recovered bool   // of a welcome: the view goes on; of an opening: the client asks for that
	Alone     bool   // of an over: the room was gone, so that turns before it may be missing
}

// clientLog is what one client of a room noted, in order.
type clientLog struct {
	Name   string        // for people
	Player room.PlayerID // empty: it watched

	mu    sync.Mutex
	notes []note
	since func() time.Duration
	shown int    // one more than the place of the newest state or turn
	view  []byte // scratch
}

func (l *clientLog) add(n note) {
	l.mu.Lock()
	defer l.mu.Unlock()
	n.At = l.since()
	l.notes = append(l.notes, n)
	if n.Kind == noteState || n.Kind == noteTurn {
		l.shown = len(l.notes)
	}
}

// trace returns what makes a client write this log, with onView for the client's options.
func (l *clientLog) trace() (t *client.Trace, onView func(view any, seq uint64)) {
	return &client.Trace{
		Opening: func(h wire.Hello) {
			n := note{Kind: noteOpening}
			if h.Resume != nil {
				n.Recovered, n.Epoch, n.Seq = true, h.Resume.Epoch, h.Resume.Seq
			}
			l.add(n)
		},
		Sending:  func(a wire.Act) { l.add(note{Kind: noteSent, CSeq: a.CSeq, Data: a.Data}) },
		Received: l.received,
		Lost:     func(err error) { l.add(note{Kind: noteLost, Text: lossText(err)}) },
	}, l.viewed
}

// lossText says why a socket was lost.
func lossText(err error) string {
	if closed, ok := errors.AsType[*client.Closed](err); ok {
		return closed.Error()
	}
	if closed, ok := errors.AsType[websocket.CloseError](err); ok {
		return (&client.Closed{Code: wire.CloseCode(closed.Code), Reason: closed.Reason}).Error()
	}
	if err == nil {
		return "closed"
	}
	return err.Error()
}

func (l *clientLog) received(m wire.ServerMessage) {
	switch m := m.(type) {
	case wire.Welcome:
		l.mu.Lock()
		if m.Seat >= 0 {
			l.Player = room.PlayerID(m.Player)
		}
		l.mu.Unlock()
		l.add(note{Kind: noteWelcome, Epoch: m.Epoch, Seq: m.Seq, CSeq: m.CSeq, Text: m.Node, Recovered: m.Recovered})
	case wire.State:
		l.add(note{Kind: noteState, Epoch: m.Epoch, Seq: m.Seq})
	case wire.Turn:
		l.add(note{Kind: noteTurn, Epoch: m.Epoch, Seq: m.Seq, Events: hashEvents(m.Events)})
	case wire.Ack:
		l.add(note{Kind: noteAnswered, Seq: m.Seq, CSeq: m.CSeq})
	case wire.Reject:
		l.add(note{Kind: noteAnswered, Seq: m.Seq, CSeq: m.CSeq, Text: m.Code})
	case wire.Move:
		l.add(note{Kind: noteMove})
	case wire.Over:
		l.add(note{Kind: noteOver, Seq: m.Seq, Text: m.End, Data: m.Result, Alone: m.Alone})
	}
}

// viewed notes the checksum of the view that the last message has led to.
func (l *clientLog) viewed(v any, seq uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if n := l.shown; n > 0 && l.notes[n-1].Seq == seq { // an act may have been sent since
		l.notes[n-1].Check, l.view = checkView(v, l.view)
	}
}

// checkView returns the checksum of a decoded view, as the protocol defines it. It writes into scratch.
func checkView(v any, scratch []byte) (uint32, []byte) {
	b, err := view.AppendCanonical(scratch[:0], v)
	if err != nil {
		return 0, scratch
	}
	return checksum(b), b
}

// hashEvents returns a hash by which events of a client and of a replay can be compared; 0 for none. Data that says the same is the same.
func hashEvents(events []wire.Event) uint64 {
	if len(events) == 0 {
		return 0
	}
	h := fnv.New64a()
	for _, e := range events {
		_, _ = h.Write([]byte(e.Name)) // it never fails
		_, _ = h.Write([]byte{0})
		_, _ = h.Write(canonical(e.Data))
		_, _ = h.Write([]byte{0})
	}
	return h.Sum64()
}

// canonical returns JSON in the form in which equal values are equal bytes. Bytes that are no JSON stay as they are.
func canonical(raw []byte) []byte {
	var v any
	if len(raw) == 0 || json.Unmarshal(raw, &v) != nil {
		return raw
	}
	out, err := view.AppendCanonical(nil, v)
	if err != nil {
		return raw
	}
	return out
}
