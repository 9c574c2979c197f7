package actor

import (
	"cmp"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"unicode/utf8"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
)

// maxRoomName bounds a room's name, in bytes of UTF-8.
const maxRoomName = 64

// Create makes a room and answers when its first inputs are durable. Only this answer holds the join code of a private room.
// Errors: ErrUnknownGame, ErrTooMany, ErrDraining, ErrShare, ErrUnclaimed, an *OptionsError, and ErrUnreachable while logs
// cannot be saved.
func (d *Directory) Create(ctx context.Context, c Create) (Info, error) {
	rules, ok := d.o.Games.Lookup(c.Game)
	if !ok {
		return Info{}, ErrUnknownGame
	}
	if len(c.Reserve) > 0 && d.unclaimed.full(c.From, d.o.Clock.Now()) {
		return Info{}, ErrUnclaimed
	}
	h, err := d.header(c, rules.Spec())
	if err != nil {
		return Info{}, err
	}
	by := creatorOf(c)
	if err := d.admit(ctx, h, by, c.Keep); err != nil {
		return Info{}, err
	}
	started := false
	defer func() { d.rooms.release(by, started) }()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	defer context.AfterFunc(d.ctx, cancel)() // Shutdown waits for this
	machine, entries, err := d.open(h, rules)
	if p, ok := errors.AsType[*core.Panic](err); ok {
		left := Inspection{Durability: h.Durability, Info: Info{
			ID: h.ID, Game: h.Game, Version: h.Version, Name: h.Name, Options: h.Options, Private: h.Private, Public: h.Public, Phase: core.PhaseOver,
			MaxPlayers: rules.Spec().MaxPlayers, Node: d.o.Node, Created: h.Created,
		}}
		d.panics.note(left, h, p, core.Entry{}, "a game panicked when it was opened: no room was made")
	}
	if err != nil {
		if bad, ok := errors.AsType[*OptionsError](err); ok {
			return Info{}, bad
		}
		return Info{}, &OptionsError{Field: "options", Reason: err.Error()}
	}
	var r *liveRoom
	first := make(chan error, 1)
	err = d.o.Owner.Make(ctx, h, func() {
		r = d.newRoom(machine)
		r.reg.creator, r.reg.made, started = by, true, true
		now := d.o.Clock.Now()
		for _, e := range entries {
			r.log.add(e, now)
			r.recent.add(e)
			r.tell(&e)
		}
		for _, p := range c.Reserve {
			term := cmp.Or(c.ReserveFor, d.o.Reserve)
			if r.seats.reserve(p, c.From, now, term) {
				r.apply(core.Input{Kind: core.KindReserve, Player: p, For: term})
			}
		}
		r.waiters = append(r.waiters, waiter{at: r.core.Point().Seq, done: first})
		d.start(r)
	})
	switch {
	case err == nil:
		return d.awaitFirst(ctx, r, first)
	case ctx.Err() != nil:
		return Info{}, d.givenUp(ctx)
	}
	return Info{}, err
}

// open opens the game for a new room, under the eyes of the black box.
func (d *Directory) open(h record.Header, rules *room.Rules) (*core.Core, []core.Entry, error) {
	mark := d.o.Black.BeginOpen(h.ID, h.Game)
	defer mark.Release()
	return core.Open(d.coreConfig(h, rules), 1)
}

// header makes what never changes about a new room.
func (d *Directory) header(c Create, spec room.Spec) (record.Header, error) {
	h := record.Header{
		ID: d.o.NewID(c.Game), Game: c.Game, Version: spec.Version, Runtime: core.RuntimeVersion,
		Name: c.Name, Options: c.Options, Private: c.Private, Public: c.Public, Created: d.o.Wall().UTC(),
	}
	switch h.Durability = c.Durability; {
	case h.Durability != "":
	case spec.Durability != "":
		h.Durability = spec.Durability
	default:
		h.Durability = d.o.Durability
	}
	if err := d.o.checkDurability(h.Durability); err != nil {
		return h, &OptionsError{Field: "durability", Reason: err.Error()}
	}
	if len(c.Name) > maxRoomName || !utf8.ValidString(c.Name) {
		return h, &OptionsError{Field: "name", Reason: fmt.Sprintf("a room's name is at most %d bytes of UTF-8", maxRoomName)}
	}
	rand.Read(h.Seed[:])
	if c.Private {
		h.Code = string(randomID()[:codeLength])
	}
	return h, nil
}

// codeLength is the length of a join code: 40 bits, which nobody guesses through a socket.
const codeLength = 8

func (d *Directory) coreConfig(h record.Header, rules *room.Rules) core.Config {
	cfg := d.o.Core
	cfg.Header, cfg.Rules = h, rules
	return cfg
}

// admit reserves a place for a new room in the registry. While too many rooms are being evicted it waits, until
// ctx ends.
func (d *Directory) admit(ctx context.Context, h record.Header, by creator, keep bool) error {
	if h.Durability != room.Memory && d.o.Logs.Failing() != nil {
		return ErrUnreachable
	}
	if h.Durability != room.Memory && d.o.Full != nil && d.o.Full() {
		return ErrTooMany
	}
	for {
		wait, err := d.rooms.reserve(by, keep)
		if wait == nil {
			return err
		}
		select {
		case <-wait:
		case <-ctx.Done():
			return ErrTooMany
		case <-d.ctx.Done():
			return ErrDraining
		}
	}
}

// awaitFirst waits for a new room's first commit.
func (d *Directory) awaitFirst(ctx context.Context, r *liveRoom, first <-chan error) (Info, error) {
	select {
	case err := <-first:
		if err != nil {
			return Info{}, err
		}
	case <-ctx.Done():
		return Info{}, d.givenUp(ctx)
	case <-r.mail.gone:
		if err := d.o.Owner.Absent(r.id); isError[*HeldError](err) {
			return Info{}, err
		}
		return Info{}, ErrDraining
	}
	info, _ := r.public()
	info.Code = r.header.Code
	return info, nil
}

// givenUp is why nobody waits for a new room any more.
func (d *Directory) givenUp(ctx context.Context) error {
	if d.ctx.Err() != nil {
		return ErrDraining
	}
	return ctx.Err()
}
