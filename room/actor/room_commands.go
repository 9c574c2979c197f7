package actor

import (
	"context"
	"encoding/json"
	"strings"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/wire"
)

// leaveMessage is a player's wish to give up the seat. From a client that was replaced meanwhile it only ends the session.
type leaveMessage struct{ s *session }

func (m leaveMessage) handle(r *liveRoom) {
	s := m.s
	if r.log.failing == nil && r.sessions.newest(s) {
		ready := r.step(core.Input{Kind: core.KindLeave, Player: s.hello.Player, Reason: string(room.Left)})
		if ready.Entry != nil {
			return // Gone follows, when the leave is committed
		}
	}
	s.close(closing(wire.CloseNormal, "left"), false)
}

// command runs an operator's command in a room and waits until what it did is committed. When the room leaves memory
// before, the command may have been done, here or where the room goes on: so the answer is not that there is no such room.
func (d *Directory) command(ctx context.Context, id room.ID, with func(done chan<- error) message) error {
	r, err := d.find(id)
	if err != nil {
		return err
	}
	done := make(chan error, 1)
	r.mail.command(with(done))
	select {
	case err := <-done:
		if err = r.confirmed(ctx, err); err == ErrEnded {
			return ErrUnreachable
		}
		return err
	case <-ctx.Done():
		return ctx.Err()
	case <-r.mail.gone:
		select {
		case err := <-done:
			return err
		default:
			return ErrUnreachable
		}
	}
}

// Close ends a room from outside, with a reason that its players read. Errors: those of Info, ctx's, and ErrUnreachable
// also when the room has left this node before what it did was durable.
func (d *Directory) Close(ctx context.Context, id room.ID, reason string) error {
	return d.command(ctx, id, func(done chan<- error) message { return closeMessage{reason, done} })
}

type closeMessage struct {
	reason string
	done   chan<- error
}

func (m closeMessage) handle(r *liveRoom) {
	r.answer(r.step(core.Input{Kind: core.KindClose, Reason: m.reason}), m.done)
}

// Kick takes a player's seat away for good. ErrNotSeated: there is none. Other errors are those of Close.
func (d *Directory) Kick(ctx context.Context, id room.ID, p room.PlayerID) error {
	return d.command(ctx, id, func(done chan<- error) message { return kickMessage{p, done} })
}

type kickMessage struct {
	player room.PlayerID
	done   chan<- error
}

func (m kickMessage) handle(r *liveRoom) {
	ready := r.step(core.Input{Kind: core.KindLeave, Player: m.player, Reason: string(room.Kicked)})
	if ready.Refused != nil {
		ready.Refused = ErrNotSeated
	}
	r.answer(ready, m.done)
}

// Signal hands a signal to the game; a *room.Refusal is the game's no. Names that begin with
// "roomring." are the runtime's own. Other errors are those of Close.
func (d *Directory) Signal(ctx context.Context, id room.ID, name string, data []byte) error {
	if strings.HasPrefix(name, reservedSignals) {
		return room.Refuse("reserved", "signals whose name begins with "+reservedSignals+" are the runtime's own")
	}
	return d.command(ctx, id, func(done chan<- error) message { return signalMessage{name, data, done} })
}

const reservedSignals = "roomring."

// signalMessage is a signal from outside; an answered rematch is one.
type signalMessage struct {
	name string
	data json.RawMessage
	done chan<- error
}

func (m signalMessage) handle(r *liveRoom) {
	r.answer(r.step(core.Input{Kind: core.KindSignal, Name: m.name, Data: m.data}), m.done)
}

// answer answers the operator when what the input did is committed, or that for which it was refused.
func (r *liveRoom) answer(ready core.Ready, done chan<- error) {
	r.waiters = append(r.waiters, waiter{r.core.Point().Seq, done, ready.Refused})
}
