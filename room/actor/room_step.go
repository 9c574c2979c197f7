package actor

import (
	"sync/atomic"
	"time"

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
	if s.spectator != 0 {
		r.whenCurrent(func() { // MaxUnanswered wait at most
			s.out.Deliver(&Say{Fate: Answer, Frame: wire.AppendReject(nil, s.out.Encoding(), wire.Reject{
				CSeq: m.act.CSeq, Seq: uint64(r.core.Committed()), Code: "not_seated", Reason: "spectators cannot act",
			})})
		})
		return
	}
	if r.log.failing != nil || s.gapped || s.hello.Client == "" { // without a client it would be the operator's act
		return // its session has ended, and its client sends again what has no answer
	}
	held := r.core.PendingOutputs()
	in := core.Input{
		Kind: core.KindAct, Player: s.hello.Player, Client: s.hello.Client,
		CSeq: record.CSeq(m.act.CSeq), Data: m.act.Data,
	}
	if fault := m.act.Fault; fault != nil {
		in.Fault = &room.Refusal{Code: fault.Code, Reason: fault.Reason}
	}
	traced, span := r.beginStep(m.act.Trace)
	ready := r.step(in)
	r.endStep(traced, span, ready.Entry)
	switch {
	case ready.Gap:
		s.gapped = true
		s.close(closing(wire.CloseGap, "an act is missing before this one: reconnect and resend"), false)
	case ready.Entry == nil && r.core.PendingOutputs() == held:
		s.out.Deliver(noAnswer)
	}
}

// step steps an input, after what was due before it.
func (r *liveRoom) step(in core.Input) core.Ready {
	in.At = r.elapse()
	return r.apply(in)
}

// elapse steps what time has made due, and returns that time. What becomes due meanwhile waits for the next turn of the
// loop: a game that is slower than its own ticks must not keep its players from being heard.
func (r *liveRoom) elapse() time.Duration {
	now := r.now()
	for !r.time.stopped && !r.life.gone && !r.life.stopping && !r.full() {
		in, due := r.core.Due(now)
		if !due {
			break
		}
		if ready := r.apply(in); ready.Entry == nil && !ready.Gone {
			r.logger().Error("an input that was due did nothing", "kind", in.Kind.Name())
			break
		}
	}
	if n := r.core.Skipped(); n > r.skipped {
		r.o.Metrics.LateTicks(r.game, n-r.skipped)
		r.skipped = n
	}
	return now
}

// apply steps one input under the eyes of the watchdog and the black box.
func (r *liveRoom) apply(in core.Input) core.Ready {
	mark := r.o.Black.Begin(r.id, in.Fingerprint())
	start := r.o.Clock.Now()
	r.stepping.begin(start, in.Kind, r.core.Point().Seq+1)
	ready, err := r.core.Step(in)
	r.stepping.end()
	mark.Release()
	cost := r.o.Clock.Now() - start
	r.core.Charge(cost)
	r.o.Metrics.StepTime(r.game, cost)
	if err != nil {
		r.logger().Error("an input could not be stepped", "kind", in.Kind.Name(), "err", err)
	}
	r.note(ready, in, start)
	if ready.CutDue && !r.untold() { // else it is due again at the next input
		r.apply(core.Input{Kind: core.KindCut, At: in.At})
	}
	return ready
}

// note keeps what a step has made of an input.
func (r *liveRoom) note(ready core.Ready, in core.Input, at time.Duration) {
	r.life.gone = r.life.gone || ready.Gone
	r.log.snapshotDue = r.log.snapshotDue || ready.SnapshotDue
	if ready.Entry == nil {
		return
	}
	if ready.Changed != "" {
		r.logger().Error("the game has changed in an act that it refused: this room logs whole acts from now on, check everything before the first change",
			"version", r.header.Version, "code", ready.Changed, "index", ready.Entry.Index)
	}
	e := *ready.Entry
	r.log.add(e, at)
	r.recent.add(e)
	r.tell(&e)
	if len(r.watches) > 0 {
		r.tellWatches(e, in.Data)
	}
	r.o.Metrics.Inputs(r.game, e.Kind)
	r.noteSeats(e.Kind)
	if e.Kind == core.KindTick && r.answers.tick == 0 {
		r.answers.tick = e.Index
	}
	if p := r.core.Panicked(); p != nil && !r.life.panicked {
		r.life.panicked = true
		r.o.Metrics.Panics(r.game)
		left := r.inspect(Look{})
		left.Info.Phase = core.PhaseOver
		r.dir.panics.note(left, r.header, p, e, "the game panicked: the room is closed as aborted")
	}
}

// stepping is what a room is stepping now, for the watchdog to read.
type stepping struct {
	since atomic.Int64 // nanoseconds of the clock, plus one; 0: nothing
	kind  atomic.Uint32
	index atomic.Uint64
	named atomic.Bool // the watchdog has logged it
}

func (s *stepping) begin(now time.Duration, k core.Kind, i room.Index) {
	s.kind.Store(uint32(k))
	s.index.Store(uint64(i))
	s.named.Store(false)
	s.since.Store(int64(now) + 1)
}

func (s *stepping) end() { s.since.Store(0) }

// running is how long the present step has run; 0: none does.
func (s *stepping) running(now time.Duration) time.Duration {
	since := s.since.Load()
	if since == 0 {
		return 0
	}
	return now - time.Duration(since-1)
}
