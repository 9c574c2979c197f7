package core

import (
	"bytes"
	"io"
	"slices"
	"strconv"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// anonymizer removes client ids from a log. Clients draw them at random, and who knows one can act for that player's
// connection. Each id becomes a meaningless one, the same wherever it occurs, so the log replays as before.
type anonymizer struct {
	ids map[record.ClientID]record.ClientID
}

func (a *anonymizer) id(id record.ClientID) record.ClientID {
	if id == "" {
		return ""
	}
	if to, known := a.ids[id]; known {
		return to
	}
	if a.ids == nil {
		a.ids = map[record.ClientID]record.ClientID{}
	}
	to := record.ClientID("c" + strconv.Itoa(len(a.ids)+1))
	a.ids[id] = to
	return to
}

// entry returns the entry without client ids. If the state in it cannot be read it is left as it is, because no replay
// goes on from it.
func (a *anonymizer) entry(e Entry) Entry {
	if e.Kind == KindCut {
		*a = anonymizer{} // the log begins anew with it
	}
	e.Client = a.id(e.Client)
	if e.Kind == KindCut || e.Kind == KindUpgrade {
		e.Data = a.state(e.Data)
	}
	return e
}

func (a *anonymizer) state(data []byte) []byte {
	s, err := decodeState(data, 0)
	if err != nil {
		return data
	}
	for i := range s.Clients {
		s.Clients[i].Client = a.id(s.Clients[i].Client)
	}
	for i := range s.Seats {
		s.Seats[i].Client = a.id(s.Seats[i].Client)
	}
	if out, err := s.encode(); err == nil {
		return out
	}
	return data
}

// anonymousMark follows the magic of a replay without client ids and join code. It is an empty skippable frame (RFC
// 8878, section 3.1.2), so programs that do not know it pass over it.
const anonymousMark = "\x50\x2a\x4d\x18\x00\x00\x00\x00"

// AnonymousHead is how many bytes of a replay IsAnonymous needs.
const AnonymousHead = len(replayMagic) + len(anonymousMark)

// IsAnonymous reports whether a replay with this beginning was made without client ids and join code.
// ReplayReader.WriteAnonymous converts replays of older programs.
func IsAnonymous(head []byte) bool { return bytes.HasPrefix(head, []byte(replayMagic+anonymousMark)) }

// WriteAnonymous writes the rest of a replay without client ids and join code. It needs memory for a part of the replay
// only. The copy replays as the original does. Entries cannot be read afterwards. The error is the writer's, or that of
// Entries.
func (r *ReplayReader) WriteAnonymous(w io.Writer) error {
	head, err := replayHead(r.Header, r.Final)
	if err != nil {
		return err
	}
	if _, err := w.Write(head); err != nil {
		return err
	}
	var l logbook
	for e, err := range r.Entries() {
		if err != nil {
			return err
		}
		l.append(e, false)
		if _, err := io.Copy(w, l.packed.Reader()); err != nil {
			return err
		}
		l.packed, l.ends = nil, nil
	}
	l.flush()
	_, err = io.Copy(w, record.Parts{pack(l.plain)}.Reader())
	return err
}

// Readers returns the players who may read the end of a finished room that is for its players alone: those in the
// result and those with a seat. Operators may read it too. Nil means everybody.
func (c *Core) Readers() []room.PlayerID {
	if !c.header.Closed() {
		return nil
	}
	out := []room.PlayerID{}
	for _, o := range c.s.Final.Result.Outcomes {
		if !o.Bot {
			out = append(out, o.Player)
		}
	}
	for _, p := range c.players() {
		if !slices.Contains(out, p.ID) {
			out = append(out, p.ID)
		}
	}
	return out
}
