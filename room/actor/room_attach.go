package actor

import (
	"crypto/subtle"
	"iter"
	"net/netip"
	"slices"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// attachMessage brings a session in; the reply says whether it is.
type attachMessage struct {
	s     *session
	reply chan<- error
}

func (m attachMessage) handle(r *liveRoom) { m.reply <- r.attach(m.s) }

func (r *liveRoom) attach(s *session) error {
	switch {
	case s.detached.Load():
		return ErrEnded // the client has gone while it waited
	case r.failing != nil:
		return closeUnsaved()
	case r.gone:
		return r.turnedAway(s.hello)
	case s.hello.Spectate:
		return r.attachSpectator(s)
	}
	return r.attachPlayer(s)
}

// attachPlayer gives the player a seat, unless there is one already, and connects the client to it.
func (r *liveRoom) attachPlayer(s *session) error {
	if s.hello.Player == "" {
		return closing(wire.CloseUnauthorised, "a seat needs a player: send a token")
	}
	r.coming = s.hello.Player
	defer func() { r.coming = "" }()
	if err := r.place(s.hello); err != nil {
		return err
	}
	ready := r.step(core.Input{
		Kind: core.KindAttach, Player: s.hello.Player, Client: s.hello.Client,
		Attempt: s.hello.Attempt, Resume: s.hello.Resume,
	})
	if ready.Entry == nil {
		r.coming = ""
		r.publishSeats()
		if ready.Refused == core.ErrStale {
			return closing(wire.CloseReplaced, ready.Refused.Error())
		}
		return closing(wire.CloseForbidden, reason(ready.Refused))
	}
	s.attached = ready.Entry.Index
	r.players[s.hello.Player] = append(r.players[s.hello.Player], s)
	r.count(s, 1)
	return nil
}

// place gives a client a seat. One that attaches again has had one: when it has been given up or another client
// of the player has come meanwhile, there was an end that it has not heard.
func (r *liveRoom) place(h Hello) error {
	if !h.Again {
		return r.sit(h)
	}
	client, seated := r.core.Holder(h.Player)
	switch {
	case !seated:
		return closeLeft()
	case client != h.Client:
		return closeReplaced()
	}
	return nil
}

// sit takes a seat for a player who has none.
func (r *liveRoom) sit(h Hello) error {
	if r.seated(h.Player) {
		return nil
	}
	if r.core.Final() != nil {
		return r.turnedAway(h)
	}
	if err := r.checkCode(h); err != nil {
		return err
	}
	now := r.o.Clock.Now()
	if !r.seats.reserve(h.Player, netip.Addr{}, now, now+r.o.Reserve) && !r.core.Locked() {
		return closing(wire.CloseForbidden, "the room is full")
	}
	defer r.seats.release(h.Player)
	ready := r.step(core.Input{Kind: core.KindJoin, Player: h.Player, Name: h.Name})
	if ready.Refused != nil {
		return closing(wire.CloseForbidden, reason(ready.Refused))
	}
	return nil
}

func (r *liveRoom) seated(p room.PlayerID) bool {
	return slices.ContainsFunc(r.core.Seats(), func(i core.SeatInfo) bool { return i.Player == p })
}

// checkCode asks strangers for a private room's code.
func (r *liveRoom) checkCode(h Hello) error {
	if !r.header.Private || r.seated(h.Player) || r.seats.invited(h.Player, r.o.Clock.Now()) {
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
	if len(r.watchers) >= r.o.MaxSpectators {
		return closing(wire.CloseForbidden, "too many are watching this room")
	}
	r.nextWatcher++
	s.watcher = r.nextWatcher
	r.watchers[s.watcher] = s
	r.core.Watch(s.watcher, s.hello.Resume)
	r.dirty = true
	r.count(s, 1)
	return nil
}

// turnedAway answers who comes to a finished room: with the result, once it is committed. That of a private room is for
// those who may come in.
func (r *liveRoom) turnedAway(h Hello) error {
	f := *r.core.Final()
	if r.core.Committed() < f.Point.Seq {
		return closing(wire.CloseUnreachable, "the room is being closed: retry")
	}
	if r.checkCode(h) != nil {
		f.Readers = r.core.Readers()
	}
	err := closing(closeOver())
	err.Over = new(f.OverFor(h.Player))
	return err
}

func reason(err error) string {
	if err == nil {
		return "refused"
	}
	return err.Error()
}

// detachMessage takes a session out. Who was replaced meanwhile has no place left to lose.
type detachMessage struct{ s *session }

func (m detachMessage) handle(r *liveRoom) {
	s := m.s
	if s.watcher != 0 {
		r.detachSpectator(s)
		return
	}
	list := r.players[s.hello.Player]
	i := slices.Index(list, s)
	if i < 0 {
		return
	}
	last := i == len(list)-1
	r.unclass(s)
	r.count(s, -1)
	if list = slices.Delete(list, i, i+1); len(list) > 0 {
		r.players[s.hello.Player] = list
	} else {
		delete(r.players, s.hello.Player)
	}
	if last {
		r.step(core.Input{Kind: core.KindDetach, Player: s.hello.Player, Client: s.hello.Client, Attempt: s.hello.Attempt})
	}
}

func (r *liveRoom) detachSpectator(s *session) {
	if r.watchers[s.watcher] != s {
		return
	}
	delete(r.watchers, s.watcher)
	r.core.Unwatch(s.watcher)
	r.unclass(s)
	r.dirty = true
	r.count(s, -1)
}

// count tells the metrics of a session that comes (1) or goes (-1).
func (r *liveRoom) count(s *session, delta int) {
	r.o.Metrics.Sessions(r.game, delta)
	if s.hello.Edge != "" {
		r.o.Metrics.Remote(r.game, delta)
	}
}

// sessions are all that are in the room, welcomed or not.
func (r *liveRoom) sessions() iter.Seq[*session] {
	return func(yield func(*session) bool) {
		for _, list := range r.players {
			for _, s := range list {
				if !yield(s) {
					return
				}
			}
		}
		for _, s := range r.watchers {
			if !yield(s) {
				return
			}
		}
	}
}
