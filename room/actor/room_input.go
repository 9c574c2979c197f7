package actor

import (
	"encoding/json"

	"github.com/roomring/roomring/room"
	"github.com/roomring/roomring/room/core"
	"github.com/roomring/roomring/room/record"
	"github.com/roomring/roomring/room/wire"
)

// actMessage is a player's action.
type actMessage struct {
	s   *session
	act wire.Act
}

func (m actMessage) handle(r *liveRoom) {
	s := m.s
	if s.watcher != 0 {
		r.rejectSpectator(m)
		return
	}
	if r.failing != nil || s.gapped {
		return // its session has ended, and resends what has no answer
	}
	held := r.core.Held()
	in := core.Input{
		Kind: core.KindAct, Player: s.hello.Player, Client: s.hello.Client,
		CSeq: record.CSeq(m.act.CSeq), Data: m.act.Data,
	}
	if fault := m.act.Fault; fault != nil {
		in.Fault = &room.Refusal{Code: fault.Code, Reason: fault.Reason}
	}
	ready := r.step(in)
	switch {
	case ready.Gap:
		s.gapped = true
		s.close(closing(wire.CloseGap, "an act is missing before this one: reconnect and resend"), false)
	case ready.Entry == nil && r.core.Held() == held:
		s.out.Deliver(settled)
	}
}

// rejectSpectator answers an act of somebody who has no part in the room.
func (r *liveRoom) rejectSpectator(m actMessage) {
	m.s.out.Deliver(&Say{Fate: Answer, Frame: wire.AppendReject(nil, m.s.out.Encoding(), wire.Reject{
		CSeq: m.act.CSeq, Seq: uint64(r.core.Committed()), Code: "not_seated", Reason: "spectators cannot act",
	})})
}

// leaveMessage is a player's wish to give up the seat. One from a client that was replaced meanwhile is not the seat's.
type leaveMessage struct{ s *session }

func (m leaveMessage) handle(r *liveRoom) {
	s := m.s
	if list := r.players[s.hello.Player]; r.failing == nil && len(list) > 0 && list[len(list)-1] == s {
		ready := r.step(core.Input{Kind: core.KindLeave, Player: s.hello.Player, Reason: string(room.Left)})
		if ready.Entry != nil {
			return // Gone follows, when the leave is committed
		}
	}
	s.close(closing(wire.CloseNormal, "left"), false)
}

// endMessage ends the room from outside.
type endMessage struct {
	reason string
	done   chan<- error
}

func (m endMessage) handle(r *liveRoom) {
	ready := r.step(core.Input{Kind: core.KindClose, Reason: m.reason})
	r.reply(ready, m.done)
}

// kickMessage takes a player's seat away for good.
type kickMessage struct {
	player room.PlayerID
	done   chan<- error
}

func (m kickMessage) handle(r *liveRoom) {
	ready := r.step(core.Input{Kind: core.KindLeave, Player: m.player, Reason: string(room.Kicked)})
	if ready.Refused != nil {
		m.done <- ErrNotSeated
		return
	}
	r.reply(ready, m.done)
}

// signalMessage is a signal from outside; an answered rematch is one.
type signalMessage struct {
	name string
	data json.RawMessage
	done chan<- error
}

func (m signalMessage) handle(r *liveRoom) {
	r.reply(r.step(core.Input{Kind: core.KindSignal, Name: m.name, Data: m.data}), m.done)
}

// reply answers the operator when what the input did is committed.
func (r *liveRoom) reply(ready core.Ready, done chan<- error) {
	if ready.Refused != nil {
		done <- ready.Refused
		return
	}
	r.waiters = append(r.waiters, waiter{r.core.Point().Seq, done})
}

// stopMessage ends the room's time in this process; its journal brings it back in the next one.
type stopMessage struct{}

func (stopMessage) handle(r *liveRoom) { r.stopping, r.snapDue = true, r.durable }
