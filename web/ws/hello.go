package ws

import (
	"context"
	"errors"
	"time"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/actor"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
	"github.com/roomring/roomring/web/auth"
	"github.com/roomring/roomring/web/internal/text"
)

// hello checks who is there and brings the client into the room.
func (c *conn) hello(h wire.Hello) error {
	if c.session != nil {
		return closeWith(wire.CloseBadMessage, "hello comes once")
	}
	ctx, cancel := context.WithTimeout(c.s.ctx, c.s.opts.Attach)
	defer cancel()
	if text.Unseen(h.Name) {
		return closeWith(wire.CloseBadMessage, "name: "+text.UnseenName)
	}
	ask := actor.Hello{
		Client: record.ClientID(h.Client), Attempt: h.Attempt, Code: record.FoldCode(h.Code),
		Spectate:  h.As == wire.AsSpectator,
		Heartbeat: c.s.opts.Heartbeat, Limits: c.s.limits(),
	}
	if h.Resume != nil {
		ask.Resume = &record.Point{Epoch: record.Epoch(h.Resume.Epoch), Seq: room.Index(h.Resume.Seq)}
	}
	if err := c.identify(ctx, h, &ask); err != nil {
		return c.refusal(err)
	}
	guess, err := c.guess(h.Code)
	if err != nil {
		return err
	}
	out := actor.NewOutbox(actor.OutboxOptions{
		Encoding: c.encoding, MaxBytes: c.s.opts.OutboxBytes, StuckAfter: c.s.opts.StuckAfter, Wake: c.schedule, Clock: c.s.opts.Clock,
	})
	c.mu.Lock()
	c.out = out
	c.mu.Unlock()
	session, err := c.s.opts.Rooms.Attach(ctx, c.id, ask, out)
	if err != nil {
		err = c.refusal(err)
		if why, ok := errors.AsType[*actor.CloseError](err); !ok || why.Code != wire.CloseForbidden {
			guess.right()
		}
		return err
	}
	guess.right()
	c.session = session
	c.ofRoom = c.s.allowanceOf(c.s.ofRoom.Of(c.id))
	c.alive()
	return nil
}

// guess is a join code that came with a hello. It costs its address a search until it turns out to be no wrong one.
type guess struct {
	c    *conn // nil: there is no code
	when time.Time
}

// guess spends what a code costs. When the address has nothing left it may not try any, right or wrong.
func (c *conn) guess(code string) (guess, error) {
	if code == "" {
		return guess{}, nil
	}
	now := time.Now()
	if _, ok := c.s.opts.Codes.Take(c.addr, now); !ok {
		return guess{}, c.tooMany(c.s.opts.Codes.Setting, "too many join codes from your address: retry later")
	}
	return guess{c, now}, nil
}

func (g guess) right() {
	if g.c != nil {
		g.c.s.opts.Codes.GiveBack(g.c.addr, g.when)
	}
}

func (s *Sockets) limits() wire.Limits {
	return wire.Limits{
		Message: s.opts.MaxMessage, Unanswered: actor.MaxUnanswered,
		Rate: int(max(s.opts.Rate.PerSecond, 0)), Bytes: int(max(s.opts.Bytes.PerSecond, 0)),
	}
}

// identify fills in who the client is: by its token, or as a guest. Who only watches needs no name.
func (c *conn) identify(ctx context.Context, h wire.Hello, ask *actor.Hello) error {
	if h.Token == "" {
		return c.guest(h, ask)
	}
	who, err := c.s.opts.Auth.Check(ctx, h.Token)
	if err != nil {
		return err
	}
	if err := c.allowed(ctx, who); err != nil {
		return err
	}
	c.expires.Store(who.Expires.Unix())
	ask.Player, ask.Name = who.Player, who.Name
	if ask.Name == "" {
		ask.Name = text.CleanName(h.Name)
	}
	if ask.Name == "" {
		ask.Name = text.CleanName(string(who.Player))
	}
	return nil
}

func (c *conn) guest(h wire.Hello, ask *actor.Hello) error {
	if ask.Spectate {
		if !c.s.opts.Auth.Guests() {
			return auth.ErrNoGuests
		}
		return nil
	}
	who, token, err := c.s.opts.Auth.Guest(h.Name)
	if err != nil {
		return err
	}
	c.expires.Store(who.Expires.Unix())
	ask.Player, ask.Name, ask.Token = who.Player, who.Name, token
	return nil
}

// allowed checks a token made for one room or one game. The room is only asked for its game when that matters.
func (c *conn) allowed(ctx context.Context, who auth.Identity) error {
	if who.Game == "" {
		return who.Allows(c.id, "")
	}
	info, err := c.s.opts.Rooms.Info(ctx, c.id)
	if err != nil {
		return err
	}
	return who.Allows(c.id, info.Game)
}

// refusal says with which code a client is turned away.
func (c *conn) refusal(err error) error {
	if _, ok := errors.AsType[*actor.CloseError](err); ok {
		return err
	}
	if refused, ok := errors.AsType[*room.Refusal](err); ok {
		return closeWith(wire.CloseForbidden, refused.Reason)
	}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			return closeWith(known.code, told(err, known.err))
		}
	}
	if !errors.Is(err, context.DeadlineExceeded) && !errors.Is(err, context.Canceled) {
		c.s.opts.Log.Warn("a client could not be let in", "room", c.id, "err", err)
	}
	return closeWith(wire.CloseUnreachable, "the room did not answer: reconnect")
}

var refusals = []struct {
	err  error
	code wire.CloseCode
}{
	{actor.ErrNotFound, wire.CloseNoRoom},
	{actor.ErrUnreachable, wire.CloseUnreachable},
	{actor.ErrTooMany, wire.CloseUnreachable},
	{actor.ErrDraining, wire.CloseMoved},
	{auth.ErrUnauthorised, wire.CloseUnauthorised},
	{auth.ErrNoGuests, wire.CloseUnauthorised},
	{auth.ErrForbidden, wire.CloseForbidden},
	{auth.ErrNoKeys, wire.CloseUnreachable},
}

// told is what a client may read of an error that is a known one: its own reason where it was made for clients, and no
// more than the known one's where nodes and their addresses may stand around it.
func told(err, known error) string {
	if why, ok := errors.AsType[*actor.UnreachableError](err); ok {
		return why.Reason
	}
	if held, ok := errors.AsType[*actor.HeldError](err); ok {
		return held.Error()
	}
	if known == auth.ErrUnauthorised || known == auth.ErrForbidden {
		return err.Error()
	}
	return known.Error()
}

func closeWith(code wire.CloseCode, reason string) *actor.CloseError {
	return &actor.CloseError{Code: code, Reason: reason}
}
