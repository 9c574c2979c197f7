package core

import (
	"bytes"
	"io"
	"slices"
	"strconv"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/record"
)

// anonymous takes out of a log what is nobody else's: the ids that clients drew for themselves, which let who knows them speak
// for a player's connection. Each is replaced by one that says nothing, the same wherever it stands, so that the log
// replays as it was.
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

// entry is the entry without them. What states it carries that cannot be read is left alone: no replay goes on from it.
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

// anonymousMark stands behind the magic of a replay that was made without client ids and join code. It is an empty skippable
// frame (RFC 8878, section 3.1.2), which programs that do not look for it pass over.
const anonymousMark = "\x50\x2a\x4d\x18\x00\x00\x00\x00"

// AnonymousHead is how many bytes of a replay IsAnonymous needs.
const AnonymousHead = len(replayMagic) + len(anonymousMark)

// IsAnonymous reports whether a replay that begins so was made without client ids and join code. Others, of older programs,
// are made so by ReplayReader.WriteAnonymous.
func IsAnonymous(head []byte) bool { return bytes.HasPrefix(head, []byte(replayMagic+anonymousMark)) }

// WriteAnonymous writes the rest of a replay without client ids and join code, in the memory of a part of it. It replays
// as the original does. Entries cannot be read afterwards.
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
		l.packed = nil
	}
	l.flush()
	_, err = io.Copy(w, record.Parts{pack(l.plain)}.Reader())
	return err
}

// Readers are who may read the end of a room that is over and was for its players alone, beside operators: those in the
// result and those who have a seat. Nil: everybody may.
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
