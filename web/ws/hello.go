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

// hello checks who the client is and brings it into the room.
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
		Heartbeat: c.s.opts.Heartbeat,
		Limits: wire.Limits{
			Message: c.s.opts.MaxMessage, Unanswered: actor.MaxUnanswered,
			Rate: int(max(c.s.opts.Rate.PerSecond, 0)), Bytes: int(max(c.s.opts.Bytes.PerSecond, 0)),
		},
	}
	if h.Resume != nil {
		ask.Resume = &record.Point{Epoch: record.Epoch(h.Resume.Epoch), Seq: room.Index(h.Resume.Seq)}
	}
	if err := c.identify(ctx, h, &ask); err != nil {
		return c.refusal(err)
	}
	codes, asked := c.s.opts.Codes, time.Now()
	if h.Code != "" { // an address without tokens may not try any code, right or wrong
		if _, ok := codes.Allow(c.addr, asked); !ok {
			return c.exceeded(codes.Setting, "too many join codes from your address: retry later")
		}
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
	}
	if why, closed := errors.AsType[*actor.CloseError](err); h.Code != "" && (!closed || why.Code != wire.CloseForbidden) {
		codes.Refund(c.addr, asked) // the code was not wrong
	}
	if err != nil {
		return err
	}
	c.session = session
	c.ofRoom = c.s.allowanceOf(c.s.ofRoom.Of(c.id))
	c.heard()
	return nil
}

// identify fills in who the client is: by its token, or as a guest. A spectator needs no name.
func (c *conn) identify(ctx context.Context, h wire.Hello, ask *actor.Hello) error {
	if h.Token == "" {
		return c.guest(h, ask)
	}
	who, err := c.s.opts.Auth.Check(ctx, h.Token)
	if err != nil {
		return err
	}
	if err := c.checkScope(ctx, who); err != nil {
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

// checkScope checks a token that is good for one room or one game. It asks the room for its game only when that matters.
func (c *conn) checkScope(ctx context.Context, who auth.Identity) error {
	if who.Game == "" {
		return who.Allows(c.id, "")
	}
	info, err := c.s.opts.Rooms.Info(ctx, c.id)
	if err != nil {
		return err
	}
	return who.Allows(c.id, info.Game)
}

// refusal is the close for a client that is not let in.
func (c *conn) refusal(err error) error {
	if _, ok := errors.AsType[*actor.CloseError](err); ok {
		return err
	}
	if refused, ok := errors.AsType[*room.Refusal](err); ok {
		return closeWith(wire.CloseForbidden, refused.Reason)
	}
	for _, known := range refusals {
		if errors.Is(err, known.err) {
			return closeWith(known.code, reasonOf(err, known.err))
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

// reasonOf is what a client may read of an error that wraps a known one. Most tell no more than the known one, since nodes and their
// addresses may stand around it; some are made for clients.
func reasonOf(err, known error) string {
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
