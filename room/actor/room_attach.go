package actor

import (
	"context"
	"crypto/subtle"
	"errors"
	"net/netip"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// Attach brings a client into a room; what the room says goes to out. It waits for a place in the room's
// mailbox, and for the room to take the client, not for the commit: the welcome comes through out. It also waits for a
// room that is being adopted.
// Errors: ErrNotFound when the room is not here; a *CloseError with the code to close the socket with
// in every other case; ctx's.
func (d *Directory) Attach(ctx context.Context, id room.ID, h Hello, out *Outbox) (Session, error) {
	s, err := d.AttachSink(ctx, id, h, NewFeed(out))
	if err != nil {
		return nil, err
	}
	return s, nil
}

// AttachSink is Attach for a client that hears the room by way of a sink of the caller's.
func (d *Directory) AttachSink(ctx context.Context, id room.ID, h Hello, out Sink) (Remote, error) {
	if err := d.o.Owner.Arrived(ctx, id, h.Coming); err != nil {
		return nil, err
	}
	r, err := d.find(id)
	switch {
	case errors.Is(err, ErrLeaving), errors.Is(err, ErrComing):
		return nil, closeMoved()
	case errors.Is(err, ErrUnreachable):
		return nil, closing(wire.CloseUnreachable, err.Error())
	case err != nil:
		return nil, err
	case d.failing(r):
		return nil, closeUnsaved()
	}
	r.heard(h.Resume)
	s := newSession(r, h, out)
	if err := s.attach(ctx); err != nil {
		s.Detach()
		err = r.confirmed(ctx, err)
		if err == ErrEnded {
			err = closeMoved()
		}
		return nil, err
	}
	return s, nil
}

// attach waits for the room's yes or no. That of a spectator takes no index, so what it says comes after the room is known to
// be the present one.
func (s *session) attach(ctx context.Context) error {
	if s.hello.Spectate {
		if err := s.room.await(ctx); err != nil {
			return err
		}
	}
	reply := make(chan error, 1)
	if err := s.room.mail.send(ctx, attachMessage{s, reply}); err != nil {
		return err
	}
	select {
	case err := <-reply:
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-s.room.mail.gone:
		return ErrEnded
	}
}

// attachMessage brings a session in. The reply says whether it is in.
type attachMessage struct {
	s     *session
	reply chan<- error
}

func (m attachMessage) handle(r *liveRoom) {
	err := r.attach(m.s)
	if isFinal(err) { // for a reason that is to be committed first
		r.waiters = append(r.waiters, waiter{r.core.Point().Seq, m.reply, err})
		return
	}
	m.reply <- err
}

func (r *liveRoom) attach(s *session) error {
	switch {
	case s.detached.Load():
		return ErrEnded // the client has gone while it waited
	case r.log.failing != nil:
		return closeUnsaved()
	case r.life.gone:
		return r.turnAway(s.hello)
	case s.hello.Spectate:
		return r.attachSpectator(s)
	}
	return r.attachPlayer(s)
}

// attachPlayer gives the player a seat, unless there is one already, and connects the client to it.
func (r *liveRoom) attachPlayer(s *session) error {
	h := s.hello
	if h.Player == "" {
		return closing(wire.CloseUnauthorised, "a seat needs a player: send a token")
	}
	r.info.attaching = h.Player
	defer func() { r.info.attaching = "" }()
	if err := r.seat(h); err != nil {
		return err
	}
	ready := r.step(core.Input{Kind: core.KindAttach, Player: h.Player, Client: h.Client, Attempt: h.Attempt, Resume: h.Resume})
	if ready.Entry == nil {
		r.info.attaching = ""
		r.publishSeats()
		if ready.Refused == core.ErrStale {
			return closing(wire.CloseReplaced, ready.Refused.Error())
		}
		return closing(wire.CloseForbidden, reason(ready.Refused))
	}
	r.sessions.addPlayer(s, ready.Entry.Index)
	r.count(s, 1)
	return nil
}

// seat gives a player a seat who has none. A client that attaches again has had one: when that seat was given up, or another
// client of the player has come meanwhile, there was an end that it has not heard.
func (r *liveRoom) seat(h Hello) error {
	client, seated := r.core.Holder(h.Player)
	switch {
	case h.Again && !seated:
		return closeLeft()
	case h.Again && client != h.Client:
		return closeReplaced()
	case seated:
		return nil
	case r.core.Final() != nil:
		return r.turnAway(h)
	}
	if err := r.checkCode(h); err != nil {
		return err
	}
	if now := r.o.Clock.Now(); !r.seats.reserve(h.Player, netip.Addr{}, now, r.o.Reserve) && !r.core.Locked() {
		return closing(wire.CloseForbidden, "the room is full")
	}
	defer r.seats.cancel(h.Player)
	ready := r.step(core.Input{Kind: core.KindJoin, Player: h.Player, Name: h.Name})
	if ready.Refused != nil {
		return closing(wire.CloseForbidden, reason(ready.Refused))
	}
	return nil
}

// checkCode asks strangers for a private room's code.
func (r *liveRoom) checkCode(h Hello) error {
	if !r.header.Private || r.seats.invited(h.Player, r.o.Clock.Now()) {
		return nil
	}
	if _, seated := r.core.Holder(h.Player); seated {
		return nil
	}
	if subtle.ConstantTimeCompare([]byte(record.FoldCode(h.Code)), []byte(r.header.Code)) != 1 {
		return closing(wire.CloseForbidden, "this room is private: a join code is needed, and this is not it")
	}
	return nil
}

func (r *liveRoom) attachSpectator(s *session) error {
	if err := r.checkCode(s.hello); err != nil {
		return err
	}
	if len(r.sessions.spectators) >= r.o.MaxSpectators {
		return closing(wire.CloseForbidden, "too many are watching this room")
	}
	r.sessions.addSpectator(s)
	r.core.Watch(s.spectator, s.hello.Resume)
	r.info.dirty = true
	r.count(s, 1)
	return nil
}

// turnAway answers a client that comes to a finished room: with the result, once that is committed. The result of a private
// room is for those who may come in.
func (r *liveRoom) turnAway(h Hello) error {
	f := *r.core.Final()
	if r.core.Committed() < f.Point.Seq {
		return closing(wire.CloseUnreachable, "the room is being closed: retry")
	}
	if r.checkCode(h) != nil {
		f.Readers = r.core.Readers()
	}
	err := closeOver()
	err.Over = new(f.OverFor(h.Player))
	return err
}

func reason(err error) string {
	if err == nil {
		return "refused"
	}
	return err.Error()
}

// detachMessage takes a session out. A session that was replaced meanwhile has no seat to lose.
type detachMessage struct{ s *session }

func (m detachMessage) handle(r *liveRoom) {
	s := m.s
	newest := r.sessions.newest(s)
	if !r.sessions.remove(s) {
		return
	}
	r.count(s, -1)
	switch {
	case s.spectator != 0:
		r.core.Unwatch(s.spectator)
		r.info.dirty = true
	case newest:
		r.step(core.Input{Kind: core.KindDetach, Player: s.hello.Player, Client: s.hello.Client, Attempt: s.hello.Attempt})
	}
}
